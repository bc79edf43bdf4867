/* A queue behind the operations of a sink. Every table is taken: brokers know
 * no fence, so a capture that has lost its lease stops by its own clock, and
 * what it wrote last may be there twice. */
#include "outlet.h"

#include <stdlib.h>
#include <string.h>

#include "ticdc/core/ddl.h"

struct mq_outlet {
    struct outlet s; /* first */
    struct mq *q;
    uint64_t ts; /* of the transaction under way */
};

static struct mq_outlet *
self(struct outlet *s)
{
    return (struct mq_outlet *)s;
}

static enum err
hand_on(struct outlet *s, enum err e)
{
    const struct mq_failure *f = mq_failure_of(self(s)->q);

    return e == ERR_OK
               ? ERR_OK
               : sink_fail(s, f->err, f->again, f->code, "%.4000s", f->why);
}

static enum err
mq_outlet_open(struct outlet *s)
{
    enum err e = hand_on(s, mq_open(self(s)->q));

    s->full = false;
    s->by_table = e == ERR_OK && mq_by_table(self(s)->q);
    return e;
}

static enum err
mq_outlet_adopt(struct outlet *s, const struct sink_table *t, struct buf *gtids)
{
    (void)s;
    (void)t;
    (void)gtids;
    return ERR_OK;
}

static enum err
mq_outlet_begin(struct outlet *s, const struct sink_txn *txn)
{
    self(s)->ts = txn->commit_ts;
    return ERR_OK;
}

static enum err
mq_outlet_row(struct outlet *s, const struct sink_table *t,
              struct binlog_table *def, enum binlog_kind kind,
              const struct binlog_row *row)
{
    (void)t;
    return hand_on(s, mq_row(self(s)->q, def, kind, row, self(s)->ts));
}

static enum err
mq_outlet_end(struct outlet *s)
{
    (void)s;
    return ERR_OK;
}

static enum err
mq_outlet_flush(struct outlet *s, uint64_t ts)
{
    (void)ts;
    return hand_on(s, mq_flush(self(s)->q));
}

/* By its first name, which of RENAME is the new one. */
static enum err
mq_outlet_ddl(struct outlet *s, const struct sink_ddl *d)
{
    struct ddl_name *name = calloc(DDL_NAMES_MAX, sizeof(*name));
    struct ddl ddl = { .name = name };
    const char *schema = d->st->schema, *table = "";
    enum err e;

    if (name == NULL)
        return sink_fail(s, ERR_NOMEM, true, "CDC:ErrInternalServerError",
                         "no memory");
    e = ddl_read(d->sql, strlen(d->sql), d->st->schema, d->st->sql_mode, &ddl);
    if (e == ERR_OK && ddl.n > 0) {
        bool renamed = !str_empty(name[0].to_name);

        table = renamed ? name[0].to_name : name[0].name;
        schema = renamed && !str_empty(name[0].to_schema) ? name[0].to_schema
                                                          : name[0].schema;
    }
    e = mq_ddl(self(s)->q, schema, table, d->sql, d->st->sql_mode,
               d->commit_ts);
    free(name);
    return hand_on(s, e);
}

static enum err
mq_outlet_resolved(struct outlet *s, uint64_t ts)
{
    return hand_on(s, mq_resolved(self(s)->q, ts));
}

static enum err
mq_outlet_knows(struct outlet *s, const char *schema, const char *table)
{
    return hand_on(s, mq_knows(self(s)->q, schema, table));
}

static void
mq_outlet_close(struct outlet *s)
{
    mq_free(self(s)->q);
    free(s);
}

static const struct outlet_ops mq_outlet_ops = {
    .name = "kafka",
    .open = mq_outlet_open,
    .adopt = mq_outlet_adopt,
    .begin = mq_outlet_begin,
    .row = mq_outlet_row,
    .end = mq_outlet_end,
    .flush = mq_outlet_flush,
    .ddl = mq_outlet_ddl,
    .resolved = mq_outlet_resolved,
    .knows = mq_outlet_knows,
    .close = mq_outlet_close,
};

struct outlet *
sink_mq(const struct mq_config *c)
{
    struct mq_outlet *o = calloc(1, sizeof(*o));

    if (o == NULL)
        return NULL;
    o->s.ops = &mq_outlet_ops;
    o->q = mq_new(c);
    if (o->q == NULL) {
        free(o);
        return NULL;
    }
    return &o->s;
}
