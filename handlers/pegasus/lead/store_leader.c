/* The SQL of the leader's loop. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pegasus/store.h"

TABLE(pegasus_app_state, PEGASUS_APP_STATE);
TABLE(pegasus_replica, PEGASUS_REPLICA);

#define APPS_MAX 10000000

enum {
    CHANGED,
    CHANGED_PARTITIONS,
    REPLICAS,
    CONFIG,
    CONFIGS,
    NODE_STATE,
    COUNTERS,
    READY,
    PURGE_PARTITIONS,
    PURGE_REPLICAS,
    SQL__MAX
};

#define EXPIRED                                                \
    "(SELECT app_id FROM pegasus_app WHERE status = 'DROPPED'" \
    " AND expire_second <= UNIX_TIMESTAMP())"

static const char *const sql[SQL__MAX] = {
    [CHANGED] = "SELECT app_id, status, partition_count FROM pegasus_app"
                " WHERE changed > ? ORDER BY app_id",
    [CHANGED_PARTITIONS] =
        "SELECT p.app_id, p.pidx, p.ballot, p.primary_node, p.secondaries,"
        " p.members, p.max_replica_count, p.committed, p.last_drops,"
        " p.dropped FROM pegasus_app a"
        " JOIN pegasus_partition p ON p.app_id = a.app_id"
        " WHERE a.changed > ? AND a.status <> 'DROPPED'"
        " ORDER BY p.app_id, p.pidx",
    [REPLICAS] = "SELECT node, app_id, pidx, ballot, committed, prepared,"
                 " disk_tag FROM pegasus_replica"
                 " ORDER BY app_id, pidx, node",
    [CONFIG] = "UPDATE pegasus_partition SET ballot = ballot + 1,"
               " primary_node = ?, secondaries = ?, members = ?,"
               " last_drops = ?, last_change_ms = " DB_NOW_MS
               " WHERE app_id = ? AND pidx = ? AND ballot = ?"
               " AND dropped = 0",
    [CONFIGS] = "UPDATE pegasus_app SET configs = configs + 1"
                " WHERE app_id = ?",
    /* a report that came meanwhile is not undone */
    [NODE_STATE] = "UPDATE pegasus_node SET alive = ?,"
                   " collected = IF(alive = 1, collected, 0), unstable = ?"
                   " WHERE address = ?",
    [COUNTERS] = "UPDATE pegasus_cluster SET move_pri = ?, copy_pri = ?,"
                 " copy_sec = ?, total = ? WHERE one = 1",
    [READY] = "UPDATE pegasus_cluster SET ready_epoch = ? WHERE one = 1",
    [PURGE_PARTITIONS] =
        "DELETE FROM pegasus_partition"
        " WHERE app_id IN " EXPIRED " ORDER BY app_id, pidx LIMIT 1000",
    [PURGE_REPLICAS] =
        "DELETE FROM pegasus_replica"
        " WHERE app_id IN " EXPIRED " ORDER BY node, app_id, pidx LIMIT 1000",
};

enum err
pegasus_store_changed(struct db *db, struct arena *a, int64_t version,
                      struct pegasus_app_states *out)
{
    return db_list(db, a, sql[CHANGED], DB_ARGS(db_i64(version)),
                   &pegasus_app_state_rec, APPS_MAX, out);
}

enum err
pegasus_store_changed_partitions(struct db *db, struct arena *a,
                                 int64_t version, struct rows *out)
{
    return db_rows(db, a, sql[CHANGED_PARTITIONS], DB_ARGS(db_i64(version)),
                   &pegasus_partition_rec, out);
}

enum err
pegasus_store_replicas(struct db *db, struct arena *a, struct rows *out)
{
    return db_rows(db, a, sql[REPLICAS], DB_NO_ARGS, &pegasus_replica_rec, out);
}

/* ---- a configuration as text ---- */

void
pegasus_config_print(const struct pg_config *c, const struct pg_node *nodes,
                     struct pegasus_config_texts *out)
{
    size_t n = 0;

    out->primary = c->primary == PG_NONE ? NULL : nodes[c->primary].address;
    out->secondaries[0] = out->drops[0] = '\0';
    for (int i = 0; i < c->n_secondaries; i++)
        n += (size_t)snprintf(out->secondaries + n,
                              sizeof(out->secondaries) - n, "%s%s",
                              i > 0 ? "," : "", nodes[c->secondary[i]].address);
    n = 0;
    for (int i = 0; i < c->n_drops; i++)
        n += (size_t)snprintf(
            out->drops + n, sizeof(out->drops) - n, "%s%s@%lld@%lld@%lld",
            i > 0 ? "," : "", nodes[c->drop[i].node].address,
            (long long)c->drop[i].ballot, (long long)c->drop[i].at_ms,
            (long long)c->drop[i].committed);
}

static bool
read_secondaries(const char *p, pegasus_node_fn *node, void *ctx,
                 struct pg_config *out)
{
    while (*p != '\0') {
        size_t n = strcspn(p, ",");
        int i = node(ctx, p, n);

        if (i == PG_NONE || out->n_secondaries == PG_SECONDARIES_MAX)
            return false;
        out->secondary[out->n_secondaries++] = i;
        p += n + (p[n] == ',' ? 1 : 0);
    }
    return true;
}

/* "@ballot@ms@committed" and what follows it. */
static bool
read_mark(const char **p, struct pg_drop *out)
{
    int64_t v[3];

    for (size_t i = 0; i < COUNT(v); i++) {
        char *end;

        if (**p != '@')
            return false;
        v[i] = strtoll(*p + 1, &end, 10);
        *p = end;
    }
    out->ballot = v[0];
    out->at_ms = v[1];
    out->committed = out->prepared = v[2];
    out->present = true;
    return **p == ',' || **p == '\0';
}

static bool
read_drops(const char *p, pegasus_node_fn *node, void *ctx,
           struct pg_config *out)
{
    while (*p != '\0') {
        size_t n = strcspn(p, "@");
        struct pg_drop d = { .node = node(ctx, p, n) };

        p += n;
        if (d.node == PG_NONE || out->n_drops == PG_DROPS_MAX ||
            !read_mark(&p, &d))
            return false;
        out->drop[out->n_drops++] = d;
        p += *p == ',' ? 1 : 0;
    }
    return true;
}

enum err
pegasus_config_read(const struct pegasus_partition *row, pegasus_node_fn *node,
                    void *ctx, struct pg_config *out)
{
    const char *primary = row->primary_node;

    if (row->max_replica_count < 0 ||
        row->max_replica_count > PG_SECONDARIES_MAX + 1 ||
        row->secondaries == NULL || row->last_drops == NULL)
        return ERR_BAD_PARAM; /* not written by us */
    pg_config_init(out, row->max_replica_count);
    out->ballot = row->ballot;
    out->committed = row->committed;
    if (primary != NULL) {
        out->primary = node(ctx, primary, strlen(primary));
        if (out->primary == PG_NONE)
            return ERR_BAD_PARAM;
    }
    return read_secondaries(row->secondaries, node, ctx, out) &&
                   read_drops(row->last_drops, node, ctx, out)
               ? ERR_OK
               : ERR_BAD_PARAM;
}

/* ---- what the leader has decided ---- */

enum err
pegasus_store_config(struct db *db, int32_t app_id, int32_t pidx,
                     const struct pg_config *c, const struct pg_node *nodes)
{
    struct pegasus_config_texts t;

    pegasus_config_print(c, nodes, &t);
    return db_exec_one(db, sql[CONFIG],
                       DB_ARGS(db_str(t.primary), db_str(t.secondaries),
                               db_i64(pg_config_members(c)), db_str(t.drops),
                               db_i64(app_id), db_i64(pidx),
                               db_i64(c->ballot - 1)));
}

enum err
pegasus_store_configs(struct db *db, int32_t app_id)
{
    return db_exec_one(db, sql[CONFIGS], DB_ARGS(db_i64(app_id)));
}

enum err
pegasus_store_node_state(struct db *db, const struct pg_node *n)
{
    return db_exec_one(
        db, sql[NODE_STATE],
        DB_ARGS(db_bool(n->alive), db_i64(n->unstable), db_str(n->address)));
}

enum err
pegasus_store_counters(struct db *db, const struct pg_counters *c)
{
    return db_exec_one(db, sql[COUNTERS],
                       DB_ARGS(db_i64(c->move_pri), db_i64(c->copy_pri),
                               db_i64(c->copy_sec), db_i64(c->total)));
}

enum err
pegasus_store_ready(struct db *db, uint64_t epoch)
{
    return db_exec_one(db, sql[READY], DB_ARGS(db_u64(epoch)));
}

enum err
pegasus_store_purge(struct db *db, uint64_t *n)
{
    enum err e;

    e = db_exec(db, sql[PURGE_PARTITIONS], DB_NO_ARGS);
    *n = db_matched(db);
    if (e == ERR_OK)
        e = db_exec(db, sql[PURGE_REPLICAS], DB_NO_ARGS);
    *n += db_matched(db);
    return e;
}
