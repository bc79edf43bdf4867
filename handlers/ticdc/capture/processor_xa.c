/* XA transactions that are prepared and have not ended: beside a position that
 * is stored, where their rows are. A row is forgotten when all of the
 * changefeed is behind its end. */
#include "processor_int.h"

#include <string.h>

#define OPEN_MAX 10000

#define XA_ROW(X, s)                                      \
    X(s, STR, prepared, "prepared", COLUMN_ONLY, -)       \
    X(s, STR, before_gtid, "before_gtid", COLUMN_ONLY, -) \
    X(s, STR, ended, "ended", COLUMN_ONLY, -)
STRUCT(xa_row, XA_ROW);
LIST_OF(xa_row);
TABLE(xa_row, XA_ROW);

static const char list_sql[] =
    "SELECT prepared, before_gtid, ended FROM ticdc_xa WHERE feed = ?";
/* Another capture may have noted it as well. */
static const char add_sql[] =
    "INSERT IGNORE INTO ticdc_xa (feed, prepared, before_gtid, ended)"
    " SELECT feed, ?, ?, '' FROM ticdc_changefeed WHERE feed = ? AND epoch = ?";
static const char end_sql[] =
    "UPDATE ticdc_xa SET ended = ? WHERE feed = ? AND prepared = ?";
static const char drop_sql[] =
    "DELETE FROM ticdc_xa WHERE feed = ? AND prepared = ?";

/* Whether a position has the GTID of that text. */
static bool
has(const char *position, const char *gtid)
{
    struct binlog_gtids *all = binlog_gtids_new(), *one = binlog_gtids_new();
    bool yes = all != NULL && one != NULL && !str_empty(gtid) &&
               binlog_gtids_parse(all, position) == ERR_OK &&
               binlog_gtids_parse(one, gtid) == ERR_OK &&
               binlog_gtids_within(one, all);

    binlog_gtids_free(all);
    binlog_gtids_free(one);
    return yes;
}

static enum err
list(struct processor *p, struct list_of_xa_row *out)
{
    return db_list(p->db, p->step, list_sql, DB_ARGS(db_u64(p->feed)),
                   &xa_row_rec, OPEN_MAX, out);
}

/* Those that nobody will read for any more. Others that have ended are looked
 * at again. */
static enum err
forget(struct processor *p)
{
    struct list_of_xa_row rows = { 0 };
    struct ticdc_feed f;
    enum err e = ticdc_feed_of(p->db, p->step, p->feed, &f);

    if (e == ERR_OK)
        e = list(p, &rows);
    p->xa_ended = false;
    for (size_t i = 0; i < rows.n && e == ERR_OK; i++) {
        if (has(f.gtid, rows.v[i].ended))
            e = db_exec(p->db, drop_sql,
                        DB_ARGS(db_u64(p->feed), db_str(rows.v[i].prepared)));
        else if (!str_empty(rows.v[i].ended))
            p->xa_ended = true;
    }
    return e == ERR_NOT_FOUND ? ERR_STATE : e;
}

enum err
processor_note_xa(struct processor *p, struct stream *s)
{
    struct stream_xa **at = stream_xas(s);
    enum err e = ERR_OK;

    while (*at != NULL && e == ERR_OK) {
        struct stream_xa *x = *at;

        if (!str_empty(x->ended)) {
            e = db_exec(p->db, end_sql,
                        DB_ARGS(db_str(x->ended), db_u64(p->feed),
                                db_str(x->prepared)));
            p->xa_ended = true;
            if (e == ERR_OK)
                stream_xa_drop(at);
            continue;
        }
        if (!x->stored) {
            e = db_exec(p->db, add_sql,
                        DB_ARGS(db_str(x->prepared), db_str(x->before),
                                db_u64(p->feed), db_u64(p->epoch)));
            x->stored = e == ERR_OK;
        }
        at = &x->next;
    }
    return e == ERR_OK && p->xa_ended ? forget(p) : e;
}

/* The rows that count are of those that have not ended in front of it. Who
 * reads that one is prepared which is noted already, notes its end, too. */
static enum err
step_back(struct processor *p, const struct list_of_xa_row *rows,
          struct stream_config *c, struct buf *stored)
{
    struct binlog_gtids *from = binlog_gtids_new(), *one = binlog_gtids_new();
    bool back = false;
    enum err e = from != NULL && one != NULL
                     ? binlog_gtids_parse(from, c->gtids)
                     : ERR_NOMEM;

    for (size_t i = 0; i < rows->n && e == ERR_OK; i++) {
        const struct xa_row *r = &rows->v[i];

        if (has(c->gtids, r->ended))
            continue;
        buf_put(stored, r->prepared, strlen(r->prepared) + 1);
        if (!has(c->gtids, r->prepared))
            continue;
        back = true;
        e = binlog_gtids_parse(one, r->before_gtid);
        if (e == ERR_OK)
            e = binlog_gtids_meet(from, one);
    }
    if (e == ERR_OK)
        e = buf_err(stored);
    c->stored = stored->p;
    c->stored_n = stored->n;
    if (e == ERR_OK && back && (c->from = processor_position(p, from)) == NULL)
        e = ERR_NOMEM;
    binlog_gtids_free(from);
    binlog_gtids_free(one);
    return e;
}

enum err
processor_begin_xa(struct processor *p, struct stream_config *c,
                   struct buf *stored)
{
    struct list_of_xa_row rows = { 0 };
    enum err e = forget(p);

    if (e == ERR_OK)
        e = list(p, &rows);
    if (e != ERR_OK)
        return e == ERR_STATE ? e : processor_store_failed(p, e);
    e = rows.n > 0 ? step_back(p, &rows, c, stored) : ERR_OK;
    return e == ERR_OK
               ? ERR_OK
               : processor_fail(p, e, "CDC:ErrInternalServerError",
                                "where XA transactions begin: %s", err_name(e));
}
