/* blackhole://: takes everything and keeps nothing. What it is given is taken
 * apart like for any other, so that a feed into it shows what the source has
 * and what reading it costs. */
#include "sink.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
sink_say(struct sink_failure *f, enum err e, bool again, const char *code,
         const char *fmt, va_list ap)
{
    *f = (struct sink_failure){ .err = e, .again = again, .code = code };
    (void)vsnprintf(f->why, sizeof(f->why), fmt, ap);
}

enum err
sink_fail(struct outlet *s, enum err e, bool again, const char *code,
          const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sink_say(&s->failure, e, again, code, fmt, ap);
    va_end(ap);
    return e;
}

static enum err
hole_open(struct outlet *s)
{
    s->full = false;
    return ERR_OK;
}

static enum err
hole_adopt(struct outlet *s, const struct sink_table *t, struct buf *gtids)
{
    (void)s;
    (void)t;
    (void)gtids;
    return ERR_OK;
}

static enum err
hole_begin(struct outlet *s, const struct sink_txn *txn)
{
    (void)s;
    (void)txn;
    return ERR_OK;
}

static enum err
hole_row(struct outlet *s, const struct sink_table *t, struct binlog_table *def,
         enum binlog_kind kind, const struct binlog_row *row)
{
    (void)s;
    (void)t;
    (void)def;
    (void)kind;
    (void)row;
    return ERR_OK;
}

static enum err
hole_end(struct outlet *s)
{
    (void)s;
    return ERR_OK;
}

static enum err
hole_flush(struct outlet *s, uint64_t ts)
{
    (void)s;
    (void)ts;
    return ERR_OK;
}

static enum err
hole_ddl(struct outlet *s, const struct sink_ddl *d)
{
    (void)s;
    (void)d;
    return ERR_OK;
}

static void
hole_close(struct outlet *s)
{
    free(s);
}

static const struct outlet_ops hole_ops = {
    .name = "blackhole",
    .open = hole_open,
    .adopt = hole_adopt,
    .begin = hole_begin,
    .row = hole_row,
    .end = hole_end,
    .flush = hole_flush,
    .ddl = hole_ddl,
    .close = hole_close,
};

struct outlet *
sink_blackhole(void)
{
    struct outlet *s = calloc(1, sizeof(*s));

    if (s != NULL)
        s->ops = &hole_ops;
    return s;
}
