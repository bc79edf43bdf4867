/* The SQL of node_mgr. */
#ifndef NODE_MGR_STORE_H
#define NODE_MGR_STORE_H

#include "db.h"
#include "instance.h"

/* The directories that a machine was registered with, ';' between them. */
#define NODE_ROOTS(X, s)                          \
    X(s, STR, data, "datadir", COLUMN_ONLY, -)    \
    X(s, STR, log, "logdir", COLUMN_ONLY, -)      \
    X(s, STR, wal, "wal_log_dir", COLUMN_ONLY, -) \
    X(s, STR, comp, "comp_datadir", COLUMN_ONLY, -)
STRUCT(node_roots, NODE_ROOTS);

/* NOT_FOUND: it is not registered. */
enum err node_store_roots(struct db *db, struct arena *a, const char *machine,
                          struct node_roots *out) MUST_USE;

/* Those that are installed on a machine, by port. pwd: what client_user logs
 * in with. */
#define NODE_ROW(X, s)                                       \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -)                  \
    X(s, I32, port, "port", COLUMN_ONLY, -)                  \
    X(s, STR, kind, "kind", COLUMN_ONLY, -)                  \
    X(s, STR, cluster, "cluster", COLUMN_ONLY, -)            \
    X(s, STR, shard, "shard", COLUMN_ONLY, -)                \
    X(s, STR, path, "path", COLUMN_ONLY, -)                  \
    X(s, STR, user, "client_user", COLUMN_ONLY, -)           \
    X(s, STR, pwd, "client_secret", COLUMN_ONLY | SECRET, -) \
    X(s, U64, shut, "secret_shut", COLUMN_ONLY, -)
STRUCT(node_row, NODE_ROW);
LIST_OF(node_row);
enum err
node_store_instances(struct db *db, struct arena *a, const char *machine,
                     struct list_of_node_row *out) MUST_USE;

/* What is recorded of the instance on a port: also of one that is still being
 * installed, by that job, and of one that is not all removed. NOT_FOUND. */
#define NODE_SITE(X, s)                     \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -) \
    X(s, STR, kind, "kind", COLUMN_ONLY, -) \
    X(s, STR, path, "path", COLUMN_ONLY, -) \
    X(s, U64, job_id, "job_id", COLUMN_ONLY, -)
STRUCT(node_site, NODE_SITE);
enum err node_store_site(struct db *db, struct arena *a, const char *machine,
                         int32_t port, struct node_site *out) MUST_USE;

/* The other storage instances of its shard; none of one without a shard. */
#define NODE_MATE(X, s)                                      \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -)                  \
    X(s, STR, machine, "machine", COLUMN_ONLY, -)            \
    X(s, I32, port, "port", COLUMN_ONLY, -)                  \
    X(s, STR, user, "client_user", COLUMN_ONLY, -)           \
    X(s, STR, pwd, "client_secret", COLUMN_ONLY | SECRET, -) \
    X(s, U64, shut, "secret_shut", COLUMN_ONLY, -)
STRUCT(node_mate, NODE_MATE);
LIST_OF(node_mate);
enum err
node_store_mates(struct db *db, struct arena *a, const struct instance_spec *s,
                 struct list_of_node_mate *out) MUST_USE;

/* Reserves the port of an instance for the job; OK too when that job has.
 * EXISTS: another instance has it. In the caller's transaction. */
enum err node_store_reserve(struct db *db, const struct instance_spec *s,
                            const char *path, uint64_t job_id) MUST_USE;
/* Gives the port of that instance back, and its place; OK when there is
 * nothing. In the caller's transaction. */
enum err node_store_drop(struct db *db, const char *uuid) MUST_USE;
/* The same when that very job has reserved it. */
enum err node_store_unreserve(struct db *db, uint64_t job_id) MUST_USE;

/* ---- tables that are sent: sql/0042 ---- */

#define OUTBOX_ID_HEX 32

struct node_outbox {
    const char *id, *machine, *url, *path;
    uint64_t job_id;
};
/* In the caller's transaction; in place of what that job had before. Those of
 * others that have expired go. */
enum err
node_store_outbox_add(struct db *db, const struct node_outbox *box) MUST_USE;
/* It is still sent: the row lives an hour longer. */
enum err node_store_outbox_keep(struct db *db, uint64_t job_id) MUST_USE;
/* In the caller's transaction; OK when there is none. */
enum err node_store_outbox_drop(struct db *db, uint64_t job_id) MUST_USE;
/* The directory of what that machine serves under the id; NOT_FOUND. */
enum err node_store_outbox(struct db *db, struct arena *a, const char *id,
                           const char *machine, const char **path) MUST_USE;
/* Whether a machine serves something under that url: OK, NOT_FOUND. */
enum err node_store_is_sent(struct db *db, const char *url) MUST_USE;

/* Whether a storage instance is installed there: OK, NOT_FOUND. */
enum err node_store_is_storage(struct db *db, const char *machine,
                               int32_t port) MUST_USE;

/* An epoch of that name as the machine has it from now on; STATE: it knows a
 * higher one. In the caller's transaction. */
enum err node_store_epoch(struct db *db, const char *machine, const char *name,
                          uint64_t epoch) MUST_USE;

#endif
