/* Where a stream begins: of each table that is held, how far it is, and what
 * was given out there last; and what a stream has made of that when it ends. */
#include "processor_int.h"

#include <stdlib.h>
#include <string.h>

/* ---- tables ---- */

static int
by_name(const void *a, const void *b)
{
    const struct stream_table *x = a, *y = b;
    int way = strcmp(x->t.schema, y->t.schema);

    return way != 0 ? way : strcmp(x->t.name, y->t.name);
}

static enum err
make_tables(struct processor *p, struct begin *b)
{
    size_t n = 0;

    b->tables = calloc(p->n_tables + 1, sizeof(*b->tables));
    if (b->tables == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->n_held; i++) {
        struct held *h = &p->held[i];

        if (h->id == DDL_SPAN)
            continue;
        b->tables[n++] = (struct stream_table){
            .t = { .id = h->id,
                   .fence = p->epoch << 32 | h->term,
                   .since = p->row.rewound_epoch << 32,
                   .schema = h->schema,
                   .name = h->name,
                   .given = h->given },
            .done = h->done,
        };
    }
    qsort(b->tables, n, sizeof(*b->tables), by_name);
    return ERR_OK;
}

/* ---- positions ---- */

/* Most tables are where others are. */
static bool
is_marked(const struct begin *b, const struct held *h)
{
    for (size_t i = 0; i < b->n_marks; i++)
        if (b->marks[i].ts == h->ts &&
            binlog_gtids_within(b->marks[i].at, h->done) &&
            binlog_gtids_within(h->done, b->marks[i].at))
            return true;
    return false;
}

/* A copy: the sink may know that a table is further than that. */
static enum err
mark(struct begin *b, const struct held *h)
{
    struct stream_mark *m = &b->marks[b->n_marks];

    if (is_marked(b, h))
        return ERR_OK;
    *m = (struct stream_mark){ .at = binlog_gtids_new(), .ts = h->ts };
    b->n_marks += m->at != NULL;
    return m->at != NULL ? binlog_gtids_copy(m->at, h->done) : ERR_NOMEM;
}

/* Where all of them have been, and the least of what was given out last. */
static enum err
find_begin(struct processor *p, struct begin *b)
{
    struct binlog_gtids *s = binlog_gtids_new();
    enum err e = s != NULL ? binlog_gtids_copy(s, p->held[0].done) : ERR_NOMEM;

    b->ts = p->held[0].ts;
    b->marks = calloc(p->n_held, sizeof(*b->marks));
    if (b->marks == NULL)
        e = ERR_NOMEM;
    for (size_t i = 0; i < p->n_held && e == ERR_OK; i++) {
        const struct held *h = &p->held[i];

        e = binlog_gtids_meet(s, h->done);
        if (e == ERR_OK)
            e = mark(b, h);
        if (h->ts < b->ts)
            b->ts = h->ts;
    }
    if (e == ERR_OK) {
        const char *text = processor_position(p, s);

        b->gtids = text != NULL ? strdup(text) : NULL; /* longer than a step */
        e = b->gtids != NULL ? ERR_OK : ERR_NOMEM;
    }
    binlog_gtids_free(s);
    return e;
}

enum err
processor_begin(struct processor *p, struct begin *b)
{
    enum err e = find_begin(p, b);

    if (e == ERR_OK)
        e = make_tables(p, b);
    return e == ERR_OK ? ERR_OK
                       : processor_fail(p, e, "CDC:ErrInternalServerError",
                                        "where it begins: %s", err_name(e));
}

void
processor_begin_free(struct begin *b)
{
    for (size_t i = 0; i < b->n_marks; i++)
        binlog_gtids_free(b->marks[i].at);
    free(b->marks);
    free(b->tables);
    free(b->gtids);
}

/* The changefeed begins, or was set back, behind a position that is only known
 * to be early enough, and nothing has been given out since. */
uint64_t
processor_passes(const struct processor *p, uint64_t ts)
{
    return p->row.anchor_ts == 0 && ts <= p->row.checkpoint_ts
               ? p->row.checkpoint_ts
               : 0;
}

/* A table that was further is not taken back; but what was told of our clock
 * has passed for it, too. */
void
processor_keep(struct processor *p, const struct stream *s)
{
    const struct binlog_gtids *at = stream_position(s);
    uint64_t ts = atomic_load(&stream_counts(s)->checkpoint);

    for (size_t i = 0; i < p->n_held; i++) {
        struct held *h = &p->held[i];

        if (binlog_gtids_within(h->done, at) &&
            binlog_gtids_copy(h->done, at) != ERR_OK)
            continue; /* it is behind, which is no harm */
        h->ts = ts > h->ts ? ts : h->ts;
    }
}
