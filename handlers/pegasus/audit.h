/* What is changed by a form, for the audit row: as it was (req_audit_before)
 * and as it has become (req_audit_after), which is what `say` is. */
#ifndef PEGASUS_AUDIT_H
#define PEGASUS_AUDIT_H

#include "pegasus/partition/partition.h"
#include "pegasus/table/table.h"
#include "record.h"
#include "req.h"

typedef void
pg_audit_fn(struct req *r, const struct record *rec, const void *in);

#define PEGASUS_LEVEL_KEPT(X, s) X(s, STR, level, "level", OUT, -)
STRUCT(pegasus_level_kept, PEGASUS_LEVEL_KEPT);

/* A new table: its row, and the variables it was made with. */
#define PEGASUS_TABLE_MADE(X, s)             \
    X(s, OBJ, app, "", OUT, pegasus_app_row) \
    X(s, MAP, envs, "envs", OUT, STR)
STRUCT(pegasus_table_made, PEGASUS_TABLE_MADE);

/* A partition, and what it is to do. */
#define PEGASUS_PARTITION_KEPT(X, s)                 \
    X(s, OBJ, partition, "", OUT, pegasus_partition) \
    X(s, LIST, actions, "actions", OUT | KEEP_EMPTY, pegasus_action)
STRUCT(pegasus_partition_kept, PEGASUS_PARTITION_KEPT);

/* A replica server, and how many replicas it has reported: the reports come
 * every few seconds, and are in the request. */
#define PEGASUS_SERVER_KEPT(X, s)         \
    X(s, STR, address, "address", OUT, -) \
    X(s, I64, replicas, "replicas", OUT, -)
STRUCT(pegasus_server_kept, PEGASUS_SERVER_KEPT);

/* "table t1" */
void pg_audit_target(struct req *r, const char *kind, const char *name);

/* All variables of the table. */
enum err
pg_audit_envs(struct req *r, int32_t app_id, pg_audit_fn *say) MUST_USE;

void pg_audit_partition(struct req *r, const struct pegasus_partition *row,
                        const struct list_of_pegasus_action *actions,
                        pg_audit_fn *say);
/* The row once it has that configuration. */
void pg_audit_config(struct req *r, const struct pegasus_partition *row,
                     const struct pg_config *c, const struct pg_node *nodes);

void pg_audit_server(struct req *r, const char *address, uint64_t replicas,
                     pg_audit_fn *say);

#endif
