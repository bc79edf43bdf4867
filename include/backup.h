/* Room: backup/ */
/* What leaves a database instance and comes into one: backups and restores of
 * all of it, and the move of one table. The words of instance.h; a *target* is
 * a blob store. Calls take as long as the data need, tell how far they are, and
 * may be called again after the caller was killed. */
#ifndef MG_BACKUP_H
#define MG_BACKUP_H

#include "arena.h"
#include "base.h"
#include "blob.h"
#include "instance.h"
#include "record.h"

/* ---- backup, restore ---- */

/* Of what takes long. go_on false breaks off: STATE. */
struct instance_watch {
    bool (*go_on)(void *ctx);                   /* NULL: always */
    void (*progress)(void *ctx, int64_t bytes); /* NULL */
    void *ctx;
};

/* What an archive says of itself, as its last file, and what became of it. */
#define INSTANCE_BACKUP(X, s)                                               \
    X(s, I32, format, "format", IN | OUT, -)                                \
    X(s, STR, engine, "engine", IN | OUT, -)                                \
    X(s, STR, version, "version", IN | OUT, -)                              \
    X(s, STR, gtid, "gtid", IN | OUT, -)     /* where a replica goes on */  \
    X(s, I64, domain, "domain", IN | OUT, -) /* of its own transactions */  \
    X(s, STR, binlog, "binlog", IN | OUT, -)                                \
    X(s, I64, binlog_at, "binlog_at", IN | OUT, -)                          \
    X(s, STR, uuid, "uuid", IN | OUT, -)                                    \
    X(s, STR, cluster, "cluster", IN | OUT, -)                              \
    X(s, STR, shard, "shard", IN | OUT, -)                                  \
    X(s, I32, port, "port", IN | OUT, -)                                    \
    X(s, I64, begun_ms, "begun_ms", IN | OUT, -)                            \
    X(s, I64, ended_ms, "ended_ms", IN | OUT, -)                            \
    X(s, I64, payload_bytes, "payload_bytes", IN | OUT, -)                  \
    X(s, STR, payload_sha256, "payload_sha256", IN | OUT, -)                \
    X(s, BOOL, completed, "completed", IN | OUT, -)                         \
    X(s, I64, bytes, "bytes", OUT, -) /* of the archive, as it is stored */ \
    X(s, STR, sha256, "sha256", OUT, -)
STRUCT(instance_backup, INSTANCE_BACKUP);

/* Of one that runs, to a key of the target: a .tgz of numbered parts of the
 * driver's own stream (mariadb-backup's xbstream; pg_dump's schema) and, last,
 * manifest.json. There is nothing under the key unless every stage succeeded
 * and the stream said itself that it is complete. */
enum err
instance_backup(struct arena *a, const struct instance_spec *s,
                struct blob_store *to, const char *key,
                const struct instance_watch *w, struct instance_backup *out,
                char why[WHY_BYTES]) MUST_USE;

/* Reads all of an archive: whether it is as it was written. *out with the sum
 * of all its bytes. */
enum err instance_backup_check(struct arena *a, struct blob_store *from,
                               const char *key, const struct instance_watch *w,
                               struct instance_backup *out,
                               char why[WHY_BYTES]) MUST_USE;

/* A restore of a storage instance, in the order of the calls; each may be
 * called again. Between load and place its process is ended and held, between
 * place and keep it is started and probed.
 *
 * load: fetches the archive, checks all of it, and prepares a data directory
 *       beside the present one, which is not touched.
 * place: puts it in, and the present one aside.
 * keep: removes what was put aside.
 * back: undoes load and place: the old data are as they were. */
enum err
instance_load(struct arena *a, const struct instance_spec *s,
              struct blob_store *from, const char *key,
              const struct instance_watch *w, struct instance_backup *out,
              char why[WHY_BYTES]) MUST_USE;
enum err instance_load_place(struct arena *a, const struct instance_spec *s,
                             char why[WHY_BYTES]) MUST_USE;
enum err instance_load_keep(struct arena *a, const struct instance_spec *s,
                            char why[WHY_BYTES]) MUST_USE;
enum err instance_load_back(struct arena *a, const struct instance_spec *s,
                            char why[WHY_BYTES]) MUST_USE;

/* Of a computer that runs: the schema of an archive is made in it, in one
 * transaction; all of the archive is checked before. OK when a call before has
 * done it. */
enum err instance_load_schema(struct arena *a, const struct instance_spec *s,
                              struct blob_store *from, const char *key,
                              const struct instance_watch *w,
                              char why[WHY_BYTES]) MUST_USE;

/* ---- one table from an instance to another ---- */

#define INSTANCE_TABLE_FILE(X, s)                                      \
    X(s, STR, name, "name", IN | OUT, -)           /* in the outbox */ \
    X(s, STR, partition, "partition", IN | OUT, -) /* absent: none */  \
    X(s, I64, bytes, "bytes", IN | OUT, -)                             \
    X(s, STR, sha256, "sha256", IN | OUT, -)
STRUCT(instance_table_file, INSTANCE_TABLE_FILE);

#define INSTANCE_TABLE(X, s)                         \
    X(s, STR, version, "version", IN | OUT, -)       \
    X(s, STR, definition, "definition", IN | OUT, -) \
    X(s, I64, rows, "rows", IN | OUT, -)             \
    X(s, STR, checksum, "checksum", IN | OUT, -)     \
    X(s, LIST, files, "files", IN | OUT, instance_table_file)
STRUCT(instance_table, INSTANCE_TABLE);

/* Copies a table's files, under its lock, into the open directory `outbox`.
 * The login is the client's; the files are those of the instance of the spec,
 * which that connection must be with. Refused (STATE): tables with foreign
 * keys or of another engine than InnoDB, encrypted ones, system schemas, names
 * outside of ASCII. */
enum err
instance_table_export(struct my *my, struct arena *a,
                      const struct instance_spec *s, const char *db,
                      const char *table, int outbox,
                      const struct instance_watch *w,
                      struct instance_table *out, char why[WHY_BYTES]) MUST_USE;

/* Rows, checksum and definition of a table, as they are sent and compared. */
enum err instance_table_look(struct my *my, struct arena *a, const char *db,
                             const char *table, struct instance_table *out,
                             char why[WHY_BYTES]) MUST_USE;

/* On its way a table is in a *box*: a directory of that name in the data home
 * of an instance, with the files and, last, a list of them. Opens it, made when
 * it is not there; with `empty` what was in it is gone. *fd is the caller's. */
enum err instance_box_open(const struct instance_spec *s, const char *name,
                           bool empty, int *fd, char why[WHY_BYTES]) MUST_USE;
/* Writes the list, which makes it whole. */
enum err
instance_box_seal(struct arena *a, int box, const struct instance_table *t,
                  char why[WHY_BYTES]) MUST_USE;
/* NOT_FOUND: it is not whole. */
enum err instance_box_read(struct arena *a, int box, struct instance_table *out,
                           char why[WHY_BYTES]) MUST_USE;
/* OK when it is not there, nor the instance any more. */
enum err instance_box_clear(const struct instance_spec *s, const char *name,
                            char why[WHY_BYTES]) MUST_USE;

/* A whole box as one stream of bytes, to be read from anywhere in it: the list,
 * a line feed, the files one after the other. In the arena. NOT_FOUND. */
struct instance_stream;
enum err instance_stream_open(struct arena *a, const char *path,
                              struct instance_stream **out,
                              char why[WHY_BYTES]) MUST_USE;
int64_t instance_stream_bytes(const struct instance_stream *s);
/* A word that another stream has another of: 64 hex digits. */
const char *instance_stream_tag(const struct instance_stream *s);
/* Up to n bytes from `at` on: how many, 0 at the end, -1 when they cannot be
 * read. */
int64_t
instance_stream_read(struct instance_stream *s, int64_t at, char *p, size_t n);

/* Fetches a stream by HTTP, in ranges, into the open box `inbox`. Called again
 * it goes on where it was: after PEER and TIMEOUT, and after STATE (the watch
 * has broken it off). Of no use any more: NOT_FOUND (it is not sent any more),
 * EXISTS (another one is sent under that url), DENIED, BAD_PARAM (it is no
 * table, or damaged), LIMIT (there is no room). */
struct instance_source {
    const char *url;     /* chosen by us: no list of [egress] is asked */
    const char *token;   /* X-Metagate-Token; never logged */
    const char *address; /* our own, to connect from */
    int64_t bytes_per_s; /* at most; 0: no limit */
};
enum err
instance_table_fetch(struct arena *a, const struct instance_source *from,
                     int inbox, const struct instance_watch *w,
                     struct instance_table *out, char why[WHY_BYTES]) MUST_USE;

/* Takes it in from the files in `inbox`, which are checked first (BAD_PARAM):
 * makes the table, or takes the one that is there, which must be alike and
 * empty (EXISTS), and writes the rows in one transaction, which replicas get as
 * rows. One that is made here is seen when all of it is there; one that was
 * there is empty again when that fails. OK when a call before was killed after
 * its end. The login is the client's; its time (my_until) must suffice for all
 * of it. */
enum err
instance_table_import(struct my *my, struct arena *a,
                      const struct instance_spec *s, const char *db,
                      const char *table, const struct instance_table *what,
                      int inbox, const struct instance_watch *w,
                      char why[WHY_BYTES]) MUST_USE;

/* Removes what an import of that table has left that could not end, for its
 * server had died, or its runner. */
enum err instance_table_clear(struct arena *a, const struct instance_spec *s,
                              const char *db, const char *table,
                              char why[WHY_BYTES]) MUST_USE;

#endif
