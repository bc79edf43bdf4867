/* Partitions: as they are stored, what is to be done with them, and what
 * operators ask of one. */
#ifndef PEGASUS_PARTITION_H
#define PEGASUS_PARTITION_H

#include "db.h"
#include "pegasus/core/state.h"
#include "record.h"
#include "req.h"

/* A partition as it is stored. */
#define PEGASUS_PARTITION(X, s)                               \
    X(s, I32, app_id, "app_id", OUT, -)                       \
    X(s, I32, pidx, "pidx", OUT, -)                           \
    X(s, I64, ballot, "ballot", OUT, -)                       \
    X(s, STR, primary_node, "primary_node", OUT, -)           \
    X(s, STR, secondaries, "secondaries", OUT, -)             \
    X(s, I32, members, "members", OUT, -)                     \
    X(s, I32, max_replica_count, "max_replica_count", OUT, -) \
    X(s, I64, committed, "committed", OUT, -)                 \
    X(s, STR, last_drops, "last_drops", OUT, -)               \
    X(s, BOOL, dropped, "dropped", OUT, -)                    \
    X(s, STR, app_name, "app_name", OUT, -)
STRUCT(pegasus_partition, PEGASUS_PARTITION);

/* A table's partitions, streamed in order. */
enum err pegasus_store_partitions(struct db *db, struct arena *a,
                                  int32_t app_id, struct rows *out) MUST_USE;
/* One partition of an AVAILABLE table, locked; NOT_FOUND. */
enum err
pegasus_store_partition(struct db *db, struct arena *a, int32_t app_id,
                        int32_t pidx, struct pegasus_partition *out) MUST_USE;
/* The partitions that name it, with their table's name, in order. */
enum err pegasus_store_of_node(struct db *db, struct arena *a,
                               const char *address, struct rows *out) MUST_USE;

/* Writes it when the stored ballot is the one before; NOT_FOUND otherwise. */
enum err pegasus_store_config(struct db *db, int32_t app_id, int32_t pidx,
                              const struct pg_config *c,
                              const struct pg_node *nodes) MUST_USE;
/* Configurations of the table are about to be written: rendered replies of
 * it are no longer current. Comes first, as in mutations: table, then its
 * partitions. */
enum err pegasus_store_configs(struct db *db, int32_t app_id) MUST_USE;

/* ---- what is to be done with one ---- */

#define PEGASUS_ACTION(X, s)                    \
    X(s, I32, app_id, "app_id", COLUMN_ONLY, -) \
    X(s, I32, pidx, "pidx", COLUMN_ONLY, -)     \
    X(s, STR, type, "type", OUT, -)             \
    X(s, STR, target, "target", OUT, -)         \
    X(s, STR, node, "node", OUT, -)             \
    X(s, BOOL, balancer, "balancer", OUT, -)    \
    X(s, I64, made_ms, "made_ms", COLUMN_ONLY, -)
STRUCT(pegasus_action, PEGASUS_ACTION);
LIST_OF(pegasus_action); /* by partition, in order */
enum err pegasus_store_actions(struct db *db, struct arena *a,
                               struct list_of_pegasus_action *out) MUST_USE;
/* Those of one partition. */
enum err pegasus_store_actions_of(struct db *db, struct arena *a,
                                  int32_t app_id, int32_t pidx,
                                  struct list_of_pegasus_action *out) MUST_USE;
enum err pegasus_store_action_add(struct db *db, int32_t app_id, int32_t pidx,
                                  int ord, const char *type, const char *target,
                                  const char *node, bool balancer) MUST_USE;
enum err pegasus_store_actions_drop(struct db *db, int32_t app_id,
                                    int32_t pidx) MUST_USE;
/* Of the balancer, everywhere. */
enum err pegasus_store_balance_drop(struct db *db) MUST_USE;

/* ---- what operators ask ---- */

#define PEGASUS_DDD_REF(X, s)                  \
    X(s, STR, app_id, "app_id", IN | QUERY, -, \
      .doc = "one table's only; -1: all")
STRUCT(pegasus_ddd_ref, PEGASUS_DDD_REF);

/* Partitions that no rule can give a primary, and what their last members
 * have said. */
#define PEGASUS_DDD_LINE(X, s)                    \
    X(s, STR, gpid, "gpid", OUT, -)               \
    X(s, STR, app_name, "app_name", OUT, -)       \
    X(s, I64, ballot, "ballot", OUT, -)           \
    X(s, STR, secondaries, "secondaries", OUT, -) \
    X(s, STR, last_drops, "last_drops", OUT, -)   \
    X(s, I32, app_id, "app_id", COLUMN_ONLY, -)   \
    X(s, I32, pidx, "pidx", COLUMN_ONLY, -)
STRUCT(pegasus_ddd_line, PEGASUS_DDD_LINE);

#define PEGASUS_DDD(X, s)                                                    \
    X(s, LIST, partitions, "partitions", OUT | KEEP_EMPTY, pegasus_ddd_line, \
      .keyed_by = "gpid")                                                    \
    X(s, STR, count, "total_count", OUT, -)
STRUCT(pegasus_ddd, PEGASUS_DDD);

LIST_OF(pegasus_ddd_line);
/* Partitions without primary that had members; app_id 0: of all tables. */
enum err pegasus_store_ddd(struct db *db, struct arena *a, int32_t app_id,
                           struct list_of_pegasus_ddd_line *out) MUST_USE;

#define PEGASUS_BALANCE(X, s)                                                \
    X(s, STR, gpid, "gpid", IN, -, .doc = "\"2.0\": table id and partition") \
    X(s, STR, type, "type", IN, -, .doc = "move_pri, copy_pri or copy_sec")  \
    X(s, STR, from, "from", IN, -)                                           \
    X(s, STR, to, "to", IN, -)
STRUCT(pegasus_balance, PEGASUS_BALANCE);

#define PEGASUS_PROPOSE(X, s)                                                  \
    X(s, STR, gpid, "gpid", IN, -)                                             \
    X(s, STR, type, "type", IN, -, .doc = "ASSIGN_PRIMARY, ADD_SECONDARY ...") \
    X(s, STR, target, "target", IN, -, .doc = "the primary that is told")      \
    X(s, STR, node, "node", IN, -)                                             \
    X(s, BOOL, force, "force", IN, -, .doc = "do not wait for the tick")
STRUCT(pegasus_propose, PEGASUS_PROPOSE);

#endif
