/* XA transactions: what is prepared is kept by the reading thread until it is
 * known what becomes of it; the writing thread keeps which of them stand in
 * front of its position, so that whoever goes on from there reads them again.
 */
#include <stdlib.h>
#include <string.h>

#include "stream_int.h"

#define OPEN_MAX    1000 /* prepared at a time: each may have a file */
#define MEMORY_PART 64   /* of the quota, for the rows of all of them */

struct kept {
    struct kept *next;
    struct binlog_xid xid;
    struct spool *rows; /* NULL: it has none of ours */
    size_t bytes;
};

static bool
same(const struct binlog_xid *a, const struct binlog_xid *b)
{
    return a->format == b->format && a->gtrid_bytes == b->gtrid_bytes &&
           a->bqual_bytes == b->bqual_bytes &&
           memcmp(a->data, b->data, a->gtrid_bytes + a->bqual_bytes) == 0;
}

/* ---- the reading thread's ---- */

static void
let_go(struct stream *s, struct kept **at)
{
    struct kept *k = *at;

    *at = k->next;
    s->n_kept--;
    s->kept_bytes -= k->bytes;
    spool_free(k->rows);
    free(k);
}

void
xa_let_all_go(struct stream *s)
{
    while (s->kept != NULL)
        let_go(s, &s->kept);
}

static struct kept **
find(struct stream *s, const struct binlog_xid *xid)
{
    struct kept **at = &s->kept;

    while (*at != NULL && !same(&(*at)->xid, xid))
        at = &(*at)->next;
    return at;
}

enum err
xa_keep(struct stream *s, struct piece *p, const struct binlog_xid *xid)
{
    struct kept **at = find(s, xid), *k;

    if (*at != NULL) /* the server has it once: the other one is gone */
        let_go(s, at);
    if (s->n_kept == OPEN_MAX) {
        s->xa_why = "more XA transactions are prepared than can be kept";
        return ERR_LIMIT;
    }
    k = calloc(1, sizeof(*k));
    if (k == NULL)
        return ERR_NOMEM;
    *k = (struct kept){ .next = s->kept, .xid = *xid, .rows = p->rows };
    p->rows = NULL;
    s->kept = k;
    s->n_kept++;
    if (k->rows == NULL)
        return ERR_OK;
    k->bytes = spool_memory(k->rows);
    if (s->kept_bytes + k->bytes > s->c.quota / MEMORY_PART) {
        enum err e = spool_settle(k->rows);

        k->bytes = spool_memory(k->rows);
        if (e != ERR_OK)
            return e;
    }
    s->kept_bytes += k->bytes;
    return ERR_OK;
}

bool
xa_take(struct stream *s, struct piece *p, const struct binlog_xid *xid,
        bool commits)
{
    struct kept **at = find(s, xid);

    if (*at == NULL)
        return false;
    if (commits && p->rows == NULL) {
        p->rows = (*at)->rows;
        (*at)->rows = NULL;
    }
    let_go(s, at);
    return true;
}

void
xa_say(const struct binlog_xid *xid, struct buf *out)
{
    buf_puts(out, "X'");
    for (unsigned i = 0; i < xid->gtrid_bytes + xid->bqual_bytes; i++)
        buf_printf(out, "%s%02x", i == xid->gtrid_bytes ? "',X'" : "",
                   xid->data[i]);
    buf_printf(out, "',%u", (unsigned)xid->format);
}

/* ---- the writing thread's ---- */

void
stream_xa_drop(struct stream_xa **at)
{
    struct stream_xa *x = *at;

    *at = x->next;
    free(x->before);
    free(x);
}

struct stream_xa **
stream_xas(struct stream *s)
{
    return &s->open;
}

static bool
is_stored(const struct stream *s, const char *prepared)
{
    const char *at = s->c.stored;

    while (at != NULL && at < s->c.stored + s->c.stored_n) {
        if (strcmp(at, prepared) == 0)
            return true;
        at += strlen(at) + 1;
    }
    return false;
}

/* Behind the others. */
static enum err
add(struct stream *s, struct piece *p)
{
    struct stream_xa **at = &s->open, *x = calloc(1, sizeof(*x));

    if (x == NULL)
        return ERR_NOMEM;
    while (*at != NULL)
        at = &(*at)->next;
    x->xid = p->xa->xid;
    binlog_gtid_text(&p->gtid, x->prepared);
    x->before = p->xa->before;
    p->xa->before = NULL;
    x->stored = is_stored(s, x->prepared);
    *at = x;
    return ERR_OK;
}

enum err
xa_acknowledged(struct stream *s, struct piece *p)
{
    struct stream_xa **at = &s->open;

    if (p->xa == NULL)
        return ERR_OK;
    if (!p->xa->ends)
        return add(s, p);
    while (*at != NULL &&
           (!str_empty((*at)->ended) || !same(&(*at)->xid, &p->xa->xid)))
        at = &(*at)->next;
    if (*at == NULL)
        return ERR_OK;
    if ((*at)->stored)
        binlog_gtid_text(&p->gtid, (*at)->ended);
    else
        stream_xa_drop(at);
    return ERR_OK;
}
