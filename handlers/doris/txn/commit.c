/* The commit of a transaction: the partitions and tables it touches get their
 * next version, its rowsets become visible in it, and the statistics of their
 * tablets grow by what the rowsets hold. All at once, or nothing. */
#include <stdlib.h>

#include "clock.h"
#include "doris/data/rowset.h"
#include "doris/data/tablet.h"
#include "txn.h"

TABLE(doris_commit_txn, DORIS_COMMIT_TXN);
TABLE(doris_table_stats, DORIS_TABLE_STATS);
TABLE(doris_committed, DORIS_COMMITTED);

CHECKS(doris_commit_txn, NEED(txn_id, DORIS_COMMIT_ARGS));

/* A partition that the transaction touches, or a table (partition 0). */
struct versioned {
    int64_t db_id, table_id, partition_id, version;
};

struct commit {
    const char *instance_id;
    struct doris_txn txn;
    struct list_of_doris_pending rowsets;
    struct versioned *partition, *table;
    size_t partitions, tables;
    int64_t now_ms;
};

/* ---- what has versions ---- */

static int
compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int
by_ids(const void *a, const void *b)
{
    const struct versioned *x = a, *y = b;
    int c = compare(x->db_id, y->db_id);

    if (c == 0)
        c = compare(x->table_id, y->table_id);
    return c == 0 ? compare(x->partition_id, y->partition_id) : c;
}

/* Sorted, each once: the order in which all transactions take them. */
static size_t
sort_versioned(struct versioned *v, size_t n)
{
    size_t kept = 0;

    qsort(v, n, sizeof(*v), by_ids);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || by_ids(&v[kept - 1], &v[i]) != 0)
            v[kept++] = v[i];
    return kept;
}

/* A tablet that was made without a database is in the transaction's. */
static struct versioned
versioned_of(const struct commit *c, const struct doris_pending *p)
{
    return (struct versioned){ .db_id = p->db_id < 0 ? c->txn.db_id : p->db_id,
                               .table_id = p->table_id,
                               .partition_id = p->partition_id };
}

/* Partitions are those of the rowsets' tablets; tables those, and the ones
 * that the transaction was begun for. */
static enum err
gather_versioned(struct req *r, struct commit *c)
{
    size_t n = c->rowsets.n, named = c->txn.table_ids.n;

    c->partition = arena_array(r->arena, n, sizeof(*c->partition));
    c->table = arena_array(r->arena, n + named, sizeof(*c->table));
    if (c->partition == NULL || c->table == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        c->partition[i] = c->table[i] = versioned_of(c, &c->rowsets.v[i]);
        c->table[i].partition_id = 0;
    }
    for (size_t i = 0; i < named; i++)
        c->table[n + i] =
            (struct versioned){ .db_id = c->txn.db_id,
                                .table_id = c->txn.table_ids.v[i].v };
    c->partitions = sort_versioned(c->partition, n);
    c->tables = sort_versioned(c->table, n + named);
    return ERR_OK;
}

/* ---- versions and rowsets ---- */

static enum err
bump(struct req *r, const struct commit *c, char kind, struct versioned *v,
     size_t n)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = doris_store_version_bump(r->db, c->instance_id, kind, v[i].db_id,
                                     v[i].table_id, v[i].partition_id,
                                     c->now_ms, &v[i].version);
    return e;
}

/* The version that the rowset's partition has got. */
static int64_t
version_of(const struct commit *c, const struct doris_pending *p)
{
    struct versioned key = versioned_of(c, p);
    const struct versioned *found =
        bsearch(&key, c->partition, c->partitions, sizeof(key), by_ids);

    return found == NULL ? 0 : found->version;
}

/* The tablet before its rowset, whose key refers to it. */
static enum err
publish(struct req *r, const struct commit *c, const struct doris_pending *p)
{
    int64_t version = version_of(c, p);
    struct doris_rowset rs = *p->rowset;
    struct doris_stats s = doris_rowset_figures(&rs);
    enum err e;

    doris_rowset_visible(&rs, version, version);
    e = doris_store_stats_add(r->db, c->instance_id, p->tablet_id, &s);
    if (e == ERR_OK)
        e = doris_store_rowset_add(r->db, r->arena, c->instance_id, &rs);
    return e;
}

static enum err
publish_all(struct req *r, struct commit *c)
{
    enum err e;

    e = bump(r, c, 'p', c->partition, c->partitions);
    if (e == ERR_OK)
        e = bump(r, c, 't', c->table, c->tables);
    for (size_t i = 0; e == ERR_OK && i < c->rowsets.n; i++)
        e = publish(r, c, &c->rowsets.v[i]);
    return e == ERR_OK
               ? doris_store_tmp_done(r->db, c->instance_id, c->txn.txn_id)
               : e;
}

static enum err
make_visible(struct req *r, const struct doris_commit_txn *in, struct commit *c)
{
    struct doris_txn *t = &c->txn;
    enum err e;

    c->now_ms = clock_unix_ms();
    e = doris_store_pending(r->db, r->arena, c->instance_id, t->txn_id,
                            &c->rowsets);
    if (e == ERR_OK)
        e = gather_versioned(r, c);
    if (e == ERR_OK)
        e = publish_all(r, c);
    if (e != ERR_OK)
        return e;
    if (in->commit_attachment != NULL)
        t->commit_attachment = in->commit_attachment;
    t->status = DORIS_TXN_VISIBLE;
    PUT(t, doris_txn, commit_time, c->now_ms);
    PUT(t, doris_txn, finish_time, c->now_ms);
    return doris_txn_save(r, c->instance_id, 0, t);
}

/* ---- the reply ---- */

/* Rows added to a table by tablets of its base index; whether that is a
 * number. */
static bool
rows_of(const struct commit *c, const struct doris_commit_txn *in,
        int64_t table_id, int64_t *rows)
{
    *rows = 0;

    for (size_t i = 0; i < c->rowsets.n; i++) {
        const struct doris_pending *p = &c->rowsets.v[i];

        for (size_t k = 0; k < in->base_tablet_ids.n; k++)
            if (p->table_id == table_id &&
                in->base_tablet_ids.v[k].v == p->tablet_id &&
                __builtin_add_overflow(*rows, p->rowset->num_rows, rows))
                return false;
    }
    return true;
}

static enum err
fill_tables(struct req *r, const struct commit *c,
            const struct doris_commit_txn *in, struct doris_committed *out)
{
    if (in->base_tablet_ids.n == 0)
        return ERR_OK;
    out->table_stats.v =
        arena_array(r->arena, c->tables, sizeof(*out->table_stats.v));
    if (out->table_stats.v == NULL)
        return ERR_NOMEM;
    out->table_stats.n = c->tables;
    for (size_t i = 0; i < c->tables; i++) {
        struct doris_table_stats *s = &out->table_stats.v[i];

        PUT(s, doris_table_stats, table_id, c->table[i].table_id);
        if (!rows_of(c, in, s->table_id, &s->updated_row_count))
            return req_fail(r, DORIS_JOB_FIGURES, ARGS());
        SET(s, doris_table_stats, updated_row_count);
    }
    return ERR_OK;
}

/* Three lists of one length: tables, partitions, their versions. */
static enum err
fill_partitions(struct req *r, const struct commit *c,
                struct doris_committed *out)
{
    size_t n = c->partitions;
    struct I64 *v = arena_array(r->arena, 3 * n, sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    out->table_ids.v = v;
    out->partition_ids.v = v + n;
    out->versions.v = v + 2 * n;
    out->table_ids.n = out->partition_ids.n = out->versions.n = n;
    for (size_t i = 0; i < n; i++) {
        out->table_ids.v[i].v = c->partition[i].table_id;
        out->partition_ids.v[i].v = c->partition[i].partition_id;
        out->versions.v[i].v = c->partition[i].version;
    }
    return ERR_OK;
}

static enum err
fill_reply(struct req *r, const struct commit *c,
           const struct doris_commit_txn *in, struct doris_committed *out)
{
    enum err e;

    out->txn_info = arena_alloc(r->arena, sizeof(*out->txn_info));
    if (out->txn_info == NULL)
        return ERR_NOMEM;
    *out->txn_info = c->txn;
    if (c->now_ms > 0) {
        PUT(out, doris_committed, version_update_time_ms, c->now_ms);
    }
    e = fill_partitions(r, c, out);
    return e == ERR_OK ? fill_tables(r, c, in, out) : e;
}

/* ---- commit ---- */

/* *visible: a commit that comes again. Unless it is the second of two phases
 * it finds no fault with that, and nothing left to do: the audit row says so.
 */
static enum err
check_commit(struct req *r, const struct doris_commit_txn *in,
             const struct doris_txn *t, bool *visible)
{
    *visible = t->status == DORIS_TXN_VISIBLE;
    if (doris_txn_expired(t, clock_unix_ms()))
        return doris_txn_fail(r, DORIS_COMMIT_EXPIRED, t);
    if (t->status == DORIS_TXN_ABORTED)
        return doris_txn_fail(r, DORIS_COMMIT_ABORTED, t);
    if (*visible && in->is_2pc)
        return doris_txn_fail(r, DORIS_COMMIT_VISIBLE, t);
    if (t->status == DORIS_TXN_PREPARED && in->is_2pc)
        return doris_txn_fail(r, DORIS_COMMIT_PREPARED, t);
    if (*visible)
        req_audit_after(r, &doris_txn_rec, t);
    return ERR_OK;
}

enum err
doris_txn_commit(struct req *r, const struct doris_commit_txn *in)
{
    struct doris_committed *out = arena_alloc(r->arena, sizeof(*out));
    struct commit c = { 0 };
    bool visible;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = doris_txn_open(r, in, TXN_REF(in, doris_commit_txn), &c.instance_id,
                       &c.txn);
    if (e == ERR_OK)
        e = check_commit(r, in, &c.txn, &visible);
    if (e == ERR_OK && !visible)
        e = make_visible(r, in, &c);
    if (e == ERR_OK)
        e = fill_reply(r, &c, in, out);
    r->message =
        e == ERR_OK && visible
            ? arena_printf(r->arena,
                           "transaction is already visible: db_id=%lld"
                           " txn_id=%lld",
                           (long long)c.txn.db_id, (long long)c.txn.txn_id)
            : NULL;
    return req_send_or_fail(r, e, &doris_committed_rec, out);
}
