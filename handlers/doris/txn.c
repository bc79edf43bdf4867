/* Transactions: PREPARED, perhaps PRECOMMITTED, then VISIBLE or ABORTED. */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "store.h"
#include "store_rpc.h"

static bool
is_running(const struct doris_txn *t)
{
    return t->status == DORIS_TXN_PREPARED ||
           t->status == DORIS_TXN_PRECOMMITTED;
}

/* ---- begin ---- */

static bool
same_request(const struct doris_txn *a, const struct doris_txn *b)
{
    return a->request_id != NULL && b->request_id != NULL &&
           a->request_id->hi == b->request_id->hi &&
           a->request_id->lo == b->request_id->lo;
}

/* Why the label can not be used: t has it. */
static enum err
fail_label(struct req *r, const struct doris_txn *t,
           const struct doris_txn *asked)
{
    struct doris_begun *more = arena_alloc(r->arena, sizeof(*more));
    bool again = is_running(t) && same_request(t, asked);

    if (more == NULL)
        return ERR_NOMEM;
    if (again) {
        more->dup_txn_id = t->txn_id;
        SET(more, doris_begun, dup_txn_id);
    } else {
        more->txn_status = t->status;
        SET(more, doris_begun, txn_status);
    }
    return req_fail_with(r, again ? DORIS_TXN_AGAIN : DORIS_LABEL_USED,
                         ARGS(arg("label", t->label),
                              arg_i64(r, "db", t->db_id),
                              arg_i64(r, "txn", t->txn_id)),
                         &doris_begun_rec, more);
}

/* A transaction whose time is over does not hold its label, also when the
 * duty that aborts it has not come by yet. */
static enum err
abort_overdue(struct req *r, const char *instance_id, int64_t txn_id,
              bool *gone)
{
    int64_t deadline_ms;
    struct doris_txn t;
    enum err e;

    *gone = false;
    e = doris_store_txn_lock(r->db, r->arena, instance_id, txn_id, &t);
    if (e == ERR_OK)
        e = doris_store_txn_deadline(r->db, instance_id, txn_id, &deadline_ms);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && deadline_ms > clock_unix_ms()))
        return ERR_OK;
    if (e == ERR_OK)
        e = doris_txn_abort(r->db, r->arena, instance_id,
                            "timeout by txn manager", &t);
    *gone = e == ERR_OK;
    return e;
}

/* OK when the label may be used now. */
static enum err
check_label(struct req *r, const char *instance_id,
            const struct doris_txn *asked)
{
    struct doris_label ids;
    struct doris_txn t;
    bool gone;
    enum err e;

    e = doris_store_txn_live(r->db, r->arena, instance_id, asked->db_id,
                             asked->label, &t);
    if (e == ERR_OK && is_running(&t)) {
        e = abort_overdue(r, instance_id, t.txn_id, &gone);
        if (e == ERR_OK && !gone)
            return fail_label(r, &t, asked);
    } else if (e == ERR_OK) {
        return fail_label(r, &t, asked);
    }
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return e;
    e = doris_store_txn_ids(r->db, r->arena, instance_id, asked->db_id,
                            asked->label, &ids);
    if (e == ERR_OK && ids.txn_ids.n >= DORIS_ABORTED_MAX)
        return req_fail(
            r, DORIS_TXN_TOO_MANY,
            ARGS(arg("label", asked->label),
                 arg_i64(r, "txn", ids.txn_ids.v[ids.txn_ids.n - 1].v)));
    return e;
}

/* What the client must not choose. */
static struct doris_txn
new_txn(const struct doris_txn *asked, int64_t now_ms)
{
    struct doris_txn t = *asked;

    t.status = DORIS_TXN_PREPARED;
    t.prepare_time = now_ms;
    SET(&t, doris_txn, status);
    SET(&t, doris_txn, prepare_time);
    UNSET(&t, doris_txn, txn_id);
    UNSET(&t, doris_txn, precommit_time);
    UNSET(&t, doris_txn, commit_time);
    UNSET(&t, doris_txn, finish_time);
    UNSET(&t, doris_txn, reason);
    return t;
}

/* Two that begin under one label at the same time: the index decides, and
 * the other learns who was first. */
static enum err
add_txn(struct req *r, const char *instance_id, const struct doris_txn *asked,
        struct doris_txn *t)
{
    struct doris_txn first;
    enum err e;

    e = doris_store_txn_add(r->db, r->arena, instance_id,
                            t->prepare_time + t->timeout_ms, t);
    if (e != ERR_EXISTS)
        return e;
    e = doris_store_txn_live(r->db, r->arena, instance_id, t->db_id, t->label,
                             &first);
    if (e == ERR_NOT_FOUND) /* aborted meanwhile */
        return ERR_BUSY;
    return e == ERR_OK ? fail_label(r, &first, asked) : e;
}

enum err
doris_txn_begin(struct req *r, const struct doris_begin_txn *in)
{
    struct doris_begun *out = arena_alloc(r->arena, sizeof(*out));
    const char *instance_id;
    struct doris_txn t;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_rpc_live(r, in->cloud_unique_id, DORIS_TXN_CUID,
                           &instance_id);
    if (e == ERR_OK)
        e = check_label(r, instance_id, in->txn_info);
    if (e != ERR_OK)
        return e;
    t = new_txn(in->txn_info, clock_unix_ms());
    e = add_txn(r, instance_id, in->txn_info, &t);
    out->txn_id = t.txn_id;
    SET(out, doris_begun, txn_id);
    return req_send_or_fail(r, e, &doris_begun_rec, out);
}

/* ---- the transaction of a request ---- */

/* Locked when it is to change; db_id -1 = as it has it. */
static enum err
find_txn(struct req *r, const char *instance_id, int64_t db_id, int64_t txn_id,
         bool lock, struct doris_txn *out)
{
    enum err e;

    e = lock ? doris_store_txn_lock(r->db, r->arena, instance_id, txn_id, out)
             : doris_store_txn(r->db, r->arena, instance_id, txn_id, out);
    if (e == ERR_NOT_FOUND && db_id < 0)
        return req_fail(r, DORIS_TXN_NO_INDEX, ARGS(arg_i64(r, "txn", txn_id)));
    if (e == ERR_NOT_FOUND ||
        (e == ERR_OK && db_id >= 0 && out->db_id != db_id))
        return req_fail(
            r, DORIS_TXN_NO_INFO,
            ARGS(arg_i64(r, "db", db_id), arg_i64(r, "txn", txn_id)));
    return e;
}

static enum err
fail_txn(struct req *r, int id, const struct doris_txn *t)
{
    return req_fail(
        r, id, ARGS(arg_i64(r, "db", t->db_id), arg_i64(r, "txn", t->txn_id)));
}

static int64_t
given_id(bool given, int64_t id)
{
    return given ? id : -1;
}

/* ---- precommit ---- */

enum err
doris_txn_precommit(struct req *r, const struct doris_precommit_txn *in)
{
    struct doris_txn_id_reply *out = arena_alloc(r->arena, sizeof(*out));
    int64_t wait_ms = config()->doris_precommit_timeout_s * 1000;
    const char *instance_id;
    struct doris_txn t;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_rpc_instance(r, in->cloud_unique_id, DORIS_COMMIT_CUID,
                               &instance_id);
    if (e == ERR_OK)
        e = find_txn(r, instance_id,
                     given_id(HAS(in, doris_precommit_txn, db_id), in->db_id),
                     in->txn_id, true, &t);
    if (e != ERR_OK)
        return e;
    if (t.status != DORIS_TXN_PREPARED)
        return fail_txn(r,
                        t.status == DORIS_TXN_ABORTED   ? DORIS_PRE_ABORTED
                        : t.status == DORIS_TXN_VISIBLE ? DORIS_PRE_VISIBLE
                                                        : DORIS_PRE_DONE,
                        &t);
    if (HAS(in, doris_precommit_txn, precommit_timeout_ms) &&
        in->precommit_timeout_ms > 0) {
        wait_ms = in->precommit_timeout_ms;
        t.precommit_timeout_ms = wait_ms;
        SET(&t, doris_txn, precommit_timeout_ms);
    }
    t.status = DORIS_TXN_PRECOMMITTED;
    t.precommit_time = clock_unix_ms();
    SET(&t, doris_txn, precommit_time);
    if (in->commit_attachment != NULL)
        t.commit_attachment = in->commit_attachment;
    e = doris_store_txn_save(r->db, r->arena, instance_id,
                             t.precommit_time + wait_ms, &t);
    out->txn_id = t.txn_id;
    SET(out, doris_txn_id_reply, txn_id);
    return req_send_or_fail(r, e, &doris_txn_id_reply_rec, out);
}

/* ---- commit ---- */

/* A partition that the transaction touches, or a table (partition 0). */
struct place {
    int64_t db_id, table_id, partition_id, version;
};

struct commit {
    const char *instance_id;
    struct doris_txn txn;
    struct doris_pending_list rowsets;
    struct place *partition, *table;
    size_t partitions, tables;
    int64_t now_ms;
};

static int
compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int
by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int c = compare(x->db_id, y->db_id);

    if (c == 0)
        c = compare(x->table_id, y->table_id);
    return c == 0 ? compare(x->partition_id, y->partition_id) : c;
}

/* Sorted, each once: the order in which all transactions take them. */
static size_t
sort_places(struct place *v, size_t n)
{
    size_t kept = 0;

    qsort(v, n, sizeof(*v), by_place);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || by_place(&v[kept - 1], &v[i]) != 0)
            v[kept++] = v[i];
    return kept;
}

/* Partitions are those of the rowsets' tablets; tables those, and the ones
 * that the transaction was begun for. */
static enum err
gather_places(struct req *r, struct commit *c)
{
    size_t n = c->rowsets.n, named = c->txn.table_ids.n;

    c->partition = arena_array(r->arena, n, sizeof(*c->partition));
    c->table = arena_array(r->arena, n + named, sizeof(*c->table));
    if (c->partition == NULL || c->table == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct doris_pending *p = &c->rowsets.v[i];
        int64_t db_id = p->db_id < 0 ? c->txn.db_id : p->db_id;

        c->partition[i] =
            (struct place){ db_id, p->table_id, p->partition_id, 0 };
        c->table[i] = (struct place){ db_id, p->table_id, 0, 0 };
    }
    for (size_t i = 0; i < named; i++)
        c->table[n + i] =
            (struct place){ c->txn.db_id, c->txn.table_ids.v[i].v, 0, 0 };
    c->partitions = sort_places(c->partition, n);
    c->tables = sort_places(c->table, n + named);
    return ERR_OK;
}

static enum err
bump(struct req *r, const struct commit *c, char kind, struct place *v,
     size_t n)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = doris_store_version_bump(r->db, c->instance_id, kind, v[i].db_id,
                                     v[i].table_id, v[i].partition_id,
                                     c->now_ms, &v[i].version);
    return e;
}

/* What a rowset adds to its tablet. Older nodes give the data's size alone;
 * then nothing is known of index and segments. */
static struct doris_stats
figures(const struct doris_rowset *rs)
{
    bool total = HAS(rs, doris_rowset, total_disk_size);
    struct doris_stats s = {
        .data_size = total ? rs->total_disk_size : rs->data_disk_size,
        .num_rows = rs->num_rows,
        .num_rowsets = 1,
        .num_segments = rs->num_segments,
        .index_size = rs->index_disk_size,
        .segment_size = rs->data_disk_size,
    };

    if (total) {
        SET(&s, doris_stats, index_size);
        SET(&s, doris_stats, segment_size);
    }
    return s;
}

static int64_t
version_of(const struct commit *c, const struct doris_pending *p)
{
    struct place key = { p->db_id < 0 ? c->txn.db_id : p->db_id, p->table_id,
                         p->partition_id, 0 };
    const struct place *found =
        bsearch(&key, c->partition, c->partitions, sizeof(key), by_place);

    return found == NULL ? 0 : found->version;
}

/* The tablet before its rowset, whose key refers to it. */
static enum err
publish(struct req *r, const struct commit *c, const struct doris_pending *p)
{
    struct doris_rowset rs = *p->rowset;
    struct doris_stats s = figures(&rs);
    enum err e;

    rs.start_version = rs.end_version = version_of(c, p);
    rs.rowset_state = 2;
    SET(&rs, doris_rowset, start_version);
    SET(&rs, doris_rowset, end_version);
    SET(&rs, doris_rowset, rowset_state);
    e = doris_store_stats_add(r->db, c->instance_id, p->tablet_id, &s);
    if (e == ERR_OK)
        e = doris_store_rowset_add(r->db, r->arena, c->instance_id, &rs);
    return e;
}

static enum err
make_visible(struct req *r, struct commit *c)
{
    enum err e;

    c->now_ms = clock_unix_ms();
    e = doris_store_pending(r->db, r->arena, c->instance_id, c->txn.txn_id,
                            &c->rowsets);
    if (e == ERR_OK)
        e = gather_places(r, c);
    if (e == ERR_OK)
        e = bump(r, c, 'p', c->partition, c->partitions);
    if (e == ERR_OK)
        e = bump(r, c, 't', c->table, c->tables);
    for (size_t i = 0; e == ERR_OK && i < c->rowsets.n; i++)
        e = publish(r, c, &c->rowsets.v[i]);
    if (e == ERR_OK)
        e = doris_store_tmp_done(r->db, c->instance_id, c->txn.txn_id);
    c->txn.status = DORIS_TXN_VISIBLE;
    c->txn.commit_time = c->txn.finish_time = c->now_ms;
    SET(&c->txn, doris_txn, commit_time);
    SET(&c->txn, doris_txn, finish_time);
    if (e == ERR_OK)
        e = doris_store_txn_save(r->db, r->arena, c->instance_id, 0, &c->txn);
    return e;
}

/* Rows added to a table by tablets of its base index. */
static int64_t
rows_of(const struct commit *c, const struct doris_commit_txn *in,
        int64_t table_id)
{
    int64_t rows = 0;

    for (size_t i = 0; i < c->rowsets.n; i++) {
        const struct doris_pending *p = &c->rowsets.v[i];

        for (size_t k = 0; k < in->base_tablet_ids.n; k++)
            if (p->table_id == table_id &&
                in->base_tablet_ids.v[k].v == p->tablet_id)
                rows += p->rowset->num_rows;
    }
    return rows;
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

        s->table_id = c->table[i].table_id;
        s->updated_row_count = rows_of(c, in, s->table_id);
        SET(s, doris_table_stats, table_id);
        SET(s, doris_table_stats, updated_row_count);
    }
    return ERR_OK;
}

static enum err
fill_committed(struct req *r, const struct commit *c,
               const struct doris_commit_txn *in, struct doris_committed *out)
{
    size_t n = c->partitions;
    struct doris_txn *t = arena_alloc(r->arena, sizeof(*t));

    out->table_ids.v = arena_array(r->arena, n, sizeof(struct I64));
    out->partition_ids.v = arena_array(r->arena, n, sizeof(struct I64));
    out->versions.v = arena_array(r->arena, n, sizeof(struct I64));
    if (t == NULL || out->table_ids.v == NULL || out->partition_ids.v == NULL ||
        out->versions.v == NULL)
        return ERR_NOMEM;
    *t = c->txn;
    out->txn_info = t;
    out->table_ids.n = out->partition_ids.n = out->versions.n = n;
    for (size_t i = 0; i < n; i++) {
        out->table_ids.v[i].v = c->partition[i].table_id;
        out->partition_ids.v[i].v = c->partition[i].partition_id;
        out->versions.v[i].v = c->partition[i].version;
    }
    out->version_update_time_ms = c->now_ms;
    if (c->now_ms > 0)
        SET(out, doris_committed, version_update_time_ms);
    return fill_tables(r, c, in, out);
}

/* Whether it is to be made visible now; a commit that comes again finds its
 * transaction visible, and is told what it would have been told. */
static enum err
check_commit(struct req *r, const struct doris_commit_txn *in,
             const struct doris_txn *t, bool *visible)
{
    *visible = t->status == DORIS_TXN_VISIBLE;
    if (t->status == DORIS_TXN_ABORTED)
        return fail_txn(r, DORIS_COMMIT_ABORTED, t);
    if (*visible && in->is_2pc)
        return fail_txn(r, DORIS_COMMIT_VISIBLE, t);
    if (t->status == DORIS_TXN_PREPARED && in->is_2pc)
        return fail_txn(r, DORIS_COMMIT_PREPARED, t);
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
    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_rpc_instance(r, in->cloud_unique_id, DORIS_COMMIT_CUID,
                               &c.instance_id);
    if (e == ERR_OK)
        e = find_txn(r, c.instance_id,
                     given_id(HAS(in, doris_commit_txn, db_id), in->db_id),
                     in->txn_id, true, &c.txn);
    if (e == ERR_OK)
        e = check_commit(r, in, &c.txn, &visible);
    if (e == ERR_OK && in->commit_attachment != NULL && !visible)
        c.txn.commit_attachment = in->commit_attachment;
    if (e == ERR_OK && !visible)
        e = make_visible(r, &c);
    if (e == ERR_OK)
        e = fill_committed(r, &c, in, out);
    return req_send_or_fail(r, e, &doris_committed_rec, out);
}

/* ---- abort ---- */

static enum err
fail_abort(struct req *r, int id, const struct doris_abort_txn *in)
{
    return req_fail(
        r, id,
        ARGS(arg_i64(r, "db",
                     given_id(HAS(in, doris_abort_txn, db_id), in->db_id)),
             arg_i64(r, "txn",
                     given_id(HAS(in, doris_abort_txn, txn_id), in->txn_id)),
             arg("label", in->label == NULL ? "" : in->label),
             doris_rpc_cuid(in->cloud_unique_id)));
}

/* By label: the one of that label that is running; an aborted one is not
 * mistaken for it, and neither is a newer one for an older one, since there
 * is only one. */
static enum err
find_by_label(struct req *r, const char *instance_id,
              const struct doris_abort_txn *in, struct doris_txn *out)
{
    enum err e;

    e = doris_store_txn_live(r->db, r->arena, instance_id, in->db_id, in->label,
                             out);
    if (e == ERR_OK && is_running(out))
        e = doris_store_txn_lock(r->db, r->arena, instance_id, out->txn_id,
                                 out);
    if (e == ERR_OK && is_running(out))
        return ERR_OK;
    if (e == ERR_NOT_FOUND)
        e = doris_store_txn_newest(r->db, r->arena, instance_id, in->db_id,
                                   in->label, out);
    if (e == ERR_NOT_FOUND)
        return fail_abort(r, DORIS_LABEL_UNKNOWN, in);
    return e == ERR_OK ? fail_abort(r, DORIS_LABEL_IDLE, in) : e;
}

static enum err
find_to_abort(struct req *r, const char *instance_id,
              const struct doris_abort_txn *in, struct doris_txn *out)
{
    int64_t db_id = given_id(HAS(in, doris_abort_txn, db_id), in->db_id);
    enum err e;

    if (!HAS(in, doris_abort_txn, txn_id) || in->txn_id <= 0)
        return find_by_label(r, instance_id, in, out);
    e = find_txn(r, instance_id, db_id, in->txn_id, true, out);
    if (e != ERR_OK)
        return e;
    if (out->status == DORIS_TXN_ABORTED)
        return fail_txn(r, DORIS_ABORT_ABORTED, out);
    if (out->status == DORIS_TXN_VISIBLE)
        return fail_txn(r, DORIS_ABORT_VISIBLE, out);
    return ERR_OK;
}

static enum err
abort_one(struct req *r, const struct doris_abort_txn *in,
          struct doris_txn *out)
{
    bool by_id = HAS(in, doris_abort_txn, txn_id) && in->txn_id > 0;
    bool by_label = HAS(in, doris_abort_txn, db_id) && in->label != NULL &&
                    *in->label != '\0';
    const char *instance_id;
    enum err e;

    if (!by_id && !by_label)
        return fail_abort(r, DORIS_ABORT_ARGS, in);
    e = doris_rpc_instance(r, in->cloud_unique_id, DORIS_IID_EMPTY,
                           &instance_id);
    if (e == ERR_BAD_PARAM)
        return fail_abort(r, DORIS_ABORT_CUID, in);
    if (e == ERR_OK)
        e = find_to_abort(r, instance_id, in, out);
    if (e != ERR_OK)
        return e;
    if (in->commit_attachment != NULL)
        out->commit_attachment = in->commit_attachment;
    return doris_txn_abort(
        r->db, r->arena, instance_id,
        HAS(in, doris_abort_txn, reason) ? in->reason : "User Abort", out);
}

enum err
doris_txn_abort_rpc(struct req *r, const struct doris_abort_txn *in)
{
    struct doris_txn_reply *out = arena_alloc(r->arena, sizeof(*out));
    struct doris_txn *t = arena_alloc(r->arena, sizeof(*t));
    enum err e;

    if (out == NULL || t == NULL)
        return ERR_NOMEM;
    out->txn_info = t;
    e = abort_one(r, in, t);
    return req_send_or_fail(r, e, &doris_txn_reply_rec, out);
}

enum err
doris_txn_abort_text(struct req *r, const struct doris_abort_txn *in)
{
    struct doris_txn t;
    enum err e;

    e = abort_one(r, in, &t);
    return e == ERR_OK ? doris_send_text(r, NULL, NULL) : e;
}

/* ---- get ---- */

enum err
doris_txn_get(struct req *r, const struct doris_get_txn *in)
{
    struct doris_txn_reply *out = arena_alloc(r->arena, sizeof(*out));
    struct doris_txn *t = arena_alloc(r->arena, sizeof(*t));
    int64_t db_id = given_id(HAS(in, doris_get_txn, db_id), in->db_id);
    const char *instance_id;
    enum err e;

    if (out == NULL || t == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_rpc_instance(r, in->cloud_unique_id, DORIS_COMMIT_CUID,
                               &instance_id);
    if (e != ERR_OK)
        return e;
    if (HAS(in, doris_get_txn, txn_id)) {
        e = find_txn(r, instance_id, db_id, in->txn_id, false, t);
    } else {
        e = doris_store_txn_newest(r->db, r->arena, instance_id, db_id,
                                   in->label, t);
        if (e == ERR_NOT_FOUND)
            return req_fail(
                r, DORIS_LABEL_UNKNOWN,
                ARGS(arg_i64(r, "db", db_id), arg("label", in->label)));
    }
    out->txn_info = t;
    return req_send_or_fail(r, e, &doris_txn_reply_rec, out);
}

static bool
wanted(const struct doris_get_txn_id *in, int status)
{
    for (size_t i = 0; i < in->txn_status.n; i++)
        if (in->txn_status.v[i].v == status)
            return true;
    return in->txn_status.n == 0;
}

/* The newest of the label in one of the states. */
static enum err
newest_wanted(struct req *r, const char *instance_id,
              const struct doris_get_txn_id *in, int64_t *out)
{
    struct doris_label ids;
    struct doris_txn t;
    enum err e;

    e = doris_store_txn_ids(r->db, r->arena, instance_id, in->db_id, in->label,
                            &ids);
    if (e == ERR_OK && ids.txn_ids.n == 0)
        return req_fail(r, DORIS_TXN_ID_NO_LABEL,
                        ARGS(arg("label", in->label)));
    for (size_t i = ids.txn_ids.n; e == ERR_OK && i > 0; i--) {
        e = doris_store_txn(r->db, r->arena, instance_id,
                            ids.txn_ids.v[i - 1].v, &t);
        if (e == ERR_OK && wanted(in, t.status)) {
            *out = t.txn_id;
            return ERR_OK;
        }
    }
    if (e != ERR_OK)
        return e;
    return req_fail(r, DORIS_TXN_ID_NONE, ARGS(arg("label", in->label)));
}

enum err
doris_txn_get_id(struct req *r, const struct doris_get_txn_id *in)
{
    struct doris_txn_id_reply *out = arena_alloc(r->arena, sizeof(*out));
    const char *instance_id;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_rpc_instance(r, in->cloud_unique_id, DORIS_TXN_CUID,
                               &instance_id);
    if (e == ERR_OK)
        e = newest_wanted(r, instance_id, in, &out->txn_id);
    SET(out, doris_txn_id_reply, txn_id);
    return req_send_or_fail(r, e, &doris_txn_id_reply_rec, out);
}
