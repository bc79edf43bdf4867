/* The SQL of what nodes and tables hold. */
#include "counts.h"

#define PLACEMENT(X, s)                                     \
    X(s, STR, primary_node, "primary_node", COLUMN_ONLY, -) \
    X(s, STR, secondaries, "secondaries", COLUMN_ONLY, -)   \
    X(s, I64, n, "n", COLUMN_ONLY, -)
STRUCT(placement, PLACEMENT);
TABLE(placement, PLACEMENT);

#define NODE_COUNT(X, s)                              \
    X(s, STR, address, "address", COLUMN_ONLY, -)     \
    X(s, I64, primaries, "primaries", COLUMN_ONLY, -) \
    X(s, I64, secondaries, "secondaries", COLUMN_ONLY, -)
STRUCT(node_count, NODE_COUNT);
TABLE(node_count, NODE_COUNT);

enum {
    NODE_ADD,
    ALIKE_ADD,
    ALIKE_OF,
    ALIKE_DROP,
    PLACED,
    PLACED_OF,
    NODES_CLEAR,
    ALIKE_CLEAR,
    ALIKE_ALL,
    COUNTED,
    HELD,
    SQL__MAX
};

#define ALIKE_COLUMNS \
    "INSERT INTO pegasus_app_count (app_id, has_primary, members, n)"
#define ALIKE_COUNT(where)                                             \
    ALIKE_COLUMNS " SELECT p.app_id, p.primary_node IS NOT NULL AS h," \
                  " p.members, COUNT(*) FROM pegasus_app a"            \
                  " JOIN pegasus_partition p ON p.app_id = a.app_id"   \
                  " WHERE " where " GROUP BY p.app_id, h, p.members"
/* the groups are only added up */
#define PLACEMENTS(where)                                           \
    "SELECT p.primary_node, p.secondaries, COUNT(*) AS n"           \
    " FROM pegasus_app a"                                           \
    " JOIN pegasus_partition p ON p.app_id = a.app_id WHERE " where \
    " GROUP BY p.primary_node, p.secondaries ORDER BY NULL"

static const char *const sql[SQL__MAX] = {
    [NODE_ADD] = "INSERT INTO pegasus_node_count (address, primaries,"
                 " secondaries) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE"
                 " primaries = primaries + VALUES(primaries),"
                 " secondaries = secondaries + VALUES(secondaries)",
    [ALIKE_ADD] = ALIKE_COLUMNS " VALUES (?, ?, ?, ?)"
                                " ON DUPLICATE KEY UPDATE n = n + VALUES(n)",
    [ALIKE_OF] = ALIKE_COUNT("a.app_id = ?"),
    [ALIKE_DROP] = "DELETE FROM pegasus_app_count WHERE app_id = ?",
    [PLACED] = PLACEMENTS("a.status = 'AVAILABLE'"),
    /* as it is now, not as it was when the transaction read for the first
     * time */
    [PLACED_OF] = PLACEMENTS("a.app_id = ?") " FOR UPDATE",
    [NODES_CLEAR] = "DELETE FROM pegasus_node_count",
    [ALIKE_CLEAR] = "DELETE FROM pegasus_app_count",
    [ALIKE_ALL] = ALIKE_COUNT("a.status = 'AVAILABLE'"),
    [COUNTED] = "UPDATE pegasus_cluster SET counted = version,"
                " counted_epoch = ? WHERE one = 1",
    [HELD] = "SELECT address, primaries, secondaries FROM pegasus_node_count"
             " ORDER BY address",
};

/* ---- differences ---- */

static enum err
add_nodes(struct db *db, struct pg_holders *held)
{
    enum err e = held->failed ? ERR_NOMEM : ERR_OK;

    pg_holders_sort(held);
    for (size_t i = 0; e == ERR_OK && i < held->n; i++) {
        const struct pg_holder *l = &held->line[i];

        if (l->primaries != 0 || l->secondaries != 0)
            e = db_later(db, sql[NODE_ADD],
                         DB_ARGS(db_str(l->address), db_i64(l->primaries),
                                 db_i64(l->secondaries)));
    }
    return e;
}

enum err
pegasus_store_counts(struct db *db, struct pg_counts *c)
{
    enum err e = ERR_OK;

    for (int i = 0; e == ERR_OK && i < 2 * (PG_SECONDARIES_MAX + 2); i++) {
        int primary = i / (PG_SECONDARIES_MAX + 2);
        int members = i % (PG_SECONDARIES_MAX + 2);

        if (c->alike[primary][members] != 0)
            e = db_later(db, sql[ALIKE_ADD],
                         DB_ARGS(db_i64(c->app_id), db_i64(primary),
                                 db_i64(members),
                                 db_i64(c->alike[primary][members])));
    }
    return e == ERR_OK ? add_nodes(db, &c->held) : e;
}

/* ---- tables ---- */

/* What partitions have, times over. */
static enum err
add_placements(struct rows *rows, struct arena *a, int64_t times,
               struct pg_holders *t)
{
    const void *row;
    enum err e;

    while ((e = rows->next(rows, a, &row)) == ERR_OK) {
        const struct placement *p = row;

        pg_holders_add(t, p->primary_node, p->secondaries, times * p->n);
    }
    if (e == ERR_NOT_FOUND)
        e = t->failed ? ERR_NOMEM : ERR_OK;
    return e;
}

enum err
pegasus_store_counts_app(struct db *db, int32_t app_id)
{
    /* what somebody has left who does not count */
    enum err e = db_later(db, sql[ALIKE_DROP], DB_ARGS(db_i64(app_id)));

    return e == ERR_OK ? db_later(db, sql[ALIKE_OF], DB_ARGS(db_i64(app_id)))
                       : e;
}

enum err
pegasus_store_counts_drop(struct db *db, struct arena *a, int32_t app_id)
{
    struct pg_holders held;
    struct rows rows;
    enum err e;

    pg_holders_init(&held, a);
    e = db_rows(db, a, sql[PLACED_OF], DB_ARGS(db_i64(app_id)), &placement_rec,
                &rows);
    if (e == ERR_OK)
        e = add_placements(&rows, a, -1, &held);
    if (e == ERR_OK)
        e = add_nodes(db, &held);
    return e == ERR_OK ? db_later(db, sql[ALIKE_DROP], DB_ARGS(db_i64(app_id)))
                       : e;
}

/* ---- everything ---- */

static enum err
count_all(struct db *db, struct arena *a, struct pg_holders *out)
{
    struct rows rows;
    enum err e = db_rows(db, a, sql[PLACED], DB_NO_ARGS, &placement_rec, &rows);

    return e == ERR_OK ? add_placements(&rows, a, 1, out) : e;
}

enum err
pegasus_store_counts_all(struct db *db, struct arena *a, uint64_t epoch)
{
    struct pg_holders held;
    enum err e;

    pg_holders_init(&held, a);
    e = count_all(db, a, &held);
    if (e == ERR_OK)
        e = db_exec(db, sql[NODES_CLEAR], DB_NO_ARGS);
    if (e == ERR_OK)
        e = add_nodes(db, &held);
    if (e == ERR_OK)
        e = db_exec(db, sql[ALIKE_CLEAR], DB_NO_ARGS);
    if (e == ERR_OK)
        e = db_exec(db, sql[ALIKE_ALL], DB_NO_ARGS);
    if (e == ERR_OK)
        e = db_exec_one(db, sql[COUNTED], DB_ARGS(db_u64(epoch)));
    return e;
}

/* ---- read ---- */

enum err
pegasus_store_held(struct db *db, struct arena *a, bool counted,
                   struct pg_holders *out)
{
    struct rows rows;
    const void *row;
    enum err e;

    pg_holders_init(out, a);
    if (!counted)
        return count_all(db, a, out);
    e = db_rows(db, a, sql[HELD], DB_NO_ARGS, &node_count_rec, &rows);
    while (e == ERR_OK && (e = rows.next(&rows, a, &row)) == ERR_OK) {
        const struct node_count *n = row;

        pg_holders_count(out, n->address, n->primaries, n->secondaries);
    }
    if (e == ERR_NOT_FOUND)
        e = out->failed ? ERR_NOMEM : ERR_OK;
    return e;
}
