/* What the audit rows of this dialect say of a table's variables, of a
 * partition and of a replica server; a table is its row. */
#include "audit.h"

#include <string.h>

#include "pegasus/core/state.h"
#include "pegasus/partition/config_text.h"
#include "pegasus/server/server.h"
#include "pegasus/table/env.h"

TABLE(pegasus_level_kept, PEGASUS_LEVEL_KEPT);
TABLE(pegasus_table_made, PEGASUS_TABLE_MADE);
TABLE(pegasus_partition_kept, PEGASUS_PARTITION_KEPT);
TABLE(pegasus_server_kept, PEGASUS_SERVER_KEPT);

void
pg_audit_target(struct req *r, const char *kind, const char *name)
{
    req_audit(r, arena_printf(r->arena, "%s %s", kind, name), NULL, NULL);
}

enum err
pg_audit_envs(struct req *r, int32_t app_id, pg_audit_fn *say)
{
    struct list_of_map_of_STR rows;
    struct pegasus_texts texts = { 0 };
    enum err e = pegasus_store_env_rows(r->db, r->arena, app_id, &rows);

    if (e != ERR_OK)
        return e;
    PUT_LIST(&texts, pegasus_texts, pairs, rows.n, rows.v);
    say(r, &pegasus_texts_rec, &texts);
    return ERR_OK;
}

void
pg_audit_partition(struct req *r, const struct pegasus_partition *row,
                   const struct list_of_pegasus_action *actions,
                   pg_audit_fn *say)
{
    struct pegasus_partition copy = *row;
    struct pegasus_partition_kept p = { .partition = &copy };

    p.actions.n = actions->n;
    p.actions.v = actions->v;
    say(r, &pegasus_partition_kept_rec, &p);
}

void
pg_audit_config(struct req *r, const struct pegasus_partition *row,
                const struct pg_config *c, const struct pg_node *nodes)
{
    struct pegasus_partition now = *row;
    struct pegasus_config_texts t;

    pegasus_config_print(c, nodes, &t);
    now.ballot = c->ballot;
    PUT(&now, pegasus_partition, primary_node, t.primary);
    now.secondaries = t.secondaries;
    now.members = pg_config_members(c);
    now.last_drops = t.drops;
    req_audit_after(r, &pegasus_partition_rec, &now);
}

void
pg_audit_server(struct req *r, const char *address, uint64_t replicas,
                pg_audit_fn *say)
{
    const struct pegasus_server_kept s = {
        .has = UINT64_MAX,
        .address = address,
        .replicas = (int64_t)replicas,
    };

    say(r, &pegasus_server_kept_rec, &s);
}
