/* Runs as statements, prepared, with the values of their rows. */
#include "mysql_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

/* What a value of a column may need beside it: a time, an address. */
#define ARG_TEXT BINLOG_FIXED_TEXT

/* Changes whose values are made at a time: so many, and of so many values. */
#define PART_ROWS   256
#define PART_VALUES 65536

/* As the server says it: what may help, and how it is called. */
static enum err fail(struct strand *l, enum err e, bool again, const char *code,
                     const char *fmt, ...) PRINTF_LIKE(5, 6);

static enum err
fail(struct strand *l, enum err e, bool again, const char *code,
     const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    sink_say(&l->failure, e, again, code, fmt, ap);
    va_end(ap);
    return e;
}

enum err
strand_failed(struct strand *l, const char *what)
{
    const struct my_failure *f = my_failure(l->my);
    bool again = err_may_retry(f->err) || f->err == ERR_EXISTS ||
                 f->err == ERR_DENIED || (f->traits & MY_LOST) != 0 ||
                 (f->traits & MY_RO) != 0;

    return fail(l, f->err != ERR_OK ? f->err : ERR_INTERNAL, again,
                (f->traits & MY_LOST) != 0 ? "CDC:ErrMySQLConnectionError"
                                           : "CDC:ErrMySQLTxnError",
                "%s: %s (%u)", what, f->text, f->code);
}

/* As the server prints it: it stores them in an order of its own, and takes
 * only the text for certain. */
static void
set_fixed(struct my_arg *arg, enum column_way way, const struct binlog_value *v,
          char text[ARG_TEXT])
{
    static const enum binlog_fixed types[] = { [WAY_UUID] = BINLOG_UUID,
                                               [WAY_INET4] = BINLOG_INET4,
                                               [WAY_INET6] = BINLOG_INET6 };
    size_t n = binlog_fixed_text(types[way], v->p, v->n, text);

    if (n > 0) /* else it was another type then, and goes as it is */
        *arg = (struct my_arg){ .type = MY_STR, .p = text, .n = n };
}

static void
set_arg(struct my_arg *arg, const struct target *t, size_t i,
        const struct binlog_value *v, char text[ARG_TEXT])
{
    const struct binlog_column *c = &t->def->column[i];

    *arg = (struct my_arg){ .type = MY_NULL };
    switch (v->form) {
    case BINLOG_NULL:
        return;
    case BINLOG_I64:
        *arg = (struct my_arg){ .type = MY_I64, .i = v->i };
        return;
    case BINLOG_U64:
        *arg = (struct my_arg){ .type = MY_U64, .u = v->u };
        return;
    case BINLOG_F32:
    case BINLOG_F64:
        *arg = (struct my_arg){ .type = MY_F64, .f = v->f };
        return;
    case BINLOG_STAMP: /* the session is in UTC */
        *arg = (struct my_arg){ .type = MY_STR, .p = text };
        arg->n = binlog_stamp_text(v->i, c->scale, false, text);
        return;
    case BINLOG_TEXT:
        *arg = (struct my_arg){ .type = MY_STR, .p = v->p, .n = v->n };
        return;
    case BINLOG_BYTES:
        *arg =
            (struct my_arg){ .type = t->way[i] == WAY_TEXT ||
                                             c->charset == NULL ||
                                             strcmp(c->charset, "binary") == 0
                                         ? MY_BYTES
                                         : MY_STR,
                             .p = v->p,
                             .n = v->n };
        if (t->way[i] == WAY_UUID || t->way[i] == WAY_INET4 ||
            t->way[i] == WAY_INET6)
            set_fixed(arg, t->way[i], v, text);
        return;
    }
}

struct args {
    struct my_arg *v;
    char (*text)[ARG_TEXT];
    size_t n;
};

static void
put(struct args *a, const struct target *t, size_t i,
    const struct binlog_value *v)
{
    set_arg(&a->v[a->n], t, i, v, a->text[a->n]);
    a->n++;
}

static void
put_all(struct args *a, const struct target *t, const struct binlog_value *row)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->way[i] != WAY_LEFT_OUT)
            put(a, t, i, &row[i]);
}

static void
put_handle(struct args *a, const struct target *t,
           const struct binlog_value *row)
{
    for (size_t i = 0; i < t->n_handle; i++)
        put(a, t, t->handle[i], &row[t->handle[i]]);
}

static enum err
no_memory(struct strand *l)
{
    return fail(l, ERR_NOMEM, true, "CDC:ErrMySQLTxnError", "no memory");
}

/* The values that the statement has for a change, in the arena of the call. */
static enum err
values_of(struct strand *l, const struct target *t, enum change_sql sql,
          const struct change *c, struct my_args *out)
{
    struct args a = { .v = arena_array(l->a, 2 * t->n + 1, sizeof(*a.v)),
                      .text = arena_array(l->a, 2 * t->n + 1, ARG_TEXT) };

    if (a.v == NULL || a.text == NULL)
        return no_memory(l);
    if (sql != SQL_DELETE)
        put_all(&a, t, c->after);
    if (sql == SQL_UPDATE || sql == SQL_DELETE)
        put_handle(&a, t, c->before);
    *out = (struct my_args){ a.v, a.n };
    return ERR_OK;
}

/* n changes, one behind the other. */
static enum err
send_changes(struct strand *l, const struct target *t, enum change_sql sql,
             const struct change *c, size_t n)
{
    struct my_args *args = arena_array(l->a, n, sizeof(*args));
    enum err e = args != NULL ? ERR_OK : no_memory(l);

    for (size_t i = 0; i < n && e == ERR_OK; i++, c = c->next)
        e = values_of(l, t, sql, c, &args[i]);
    if (e == ERR_OK && my_exec_many(l->my, t->sql[sql], args, n) != ERR_OK)
        e = strand_failed(l, t->sql[sql]);
    arena_reset(l->a);
    return e;
}

/* The downstream is not what it was taken for: what comes is put there whole.
 */
static enum err
replace_instead(struct strand *l, const struct target *t, const char *why)
{
    l->replaces = true;
    log_warn("ticdc.replace table=%s why=\"%.300s\"", t->name, why);
    return fail(l, ERR_STATE, true, "CDC:ErrMySQLTxnError",
                "%s: %s; it is written again with REPLACE", t->name, why);
}

/* A row that may be there already under either of its keys: gone under both,
 * then as it is now. */
static enum err
put_whole(struct strand *l, const struct target *t, const struct change *c)
{
    enum err e = send_changes(l, t, SQL_DELETE, c, 1);

    return e == ERR_OK ? send_changes(l, t, SQL_REPLACE, c, 1) : e;
}

/* Changes of one kind. Those of a row that is there already, or is missing,
 * leave the transaction to be done again with REPLACE. */
static enum err
send_part(struct strand *l, const struct run *r, const struct change *c,
          size_t n)
{
    const struct target *t = r->target;
    bool replace = (l->replaces || l->c->safe_mode) && t->has_key;
    enum err e = ERR_OK;

    switch (r->kind) {
    case BINLOG_DELETE:
        return send_changes(l, t, SQL_DELETE, c, n);
    case BINLOG_UPDATE:
        for (; replace && n > 0 && e == ERR_OK; c = c->next, n--)
            e = put_whole(l, t, c);
        if (!replace)
            e = send_changes(l, t, SQL_UPDATE, c, n);
        return e == ERR_OK && !replace && t->has_key && my_matched(l->my) < n
                   ? replace_instead(l, t, "a row is missing")
                   : e;
    case BINLOG_INSERT:
        e = send_changes(l, t, replace ? SQL_REPLACE : SQL_INSERT, c, n);
        return e == ERR_EXISTS && !replace && t->has_key
                   ? replace_instead(l, t, my_failure(l->my)->text)
                   : e;
    }
    return ERR_INTERNAL;
}

static size_t
part_of(const struct run *r, size_t left)
{
    size_t n = PART_VALUES / (2 * r->target->n + 1);

    n = n < 1 ? 1 : n > PART_ROWS ? PART_ROWS : n;
    return n < left ? n : left;
}

enum err
batch_send(struct strand *l)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < l->batch.n_runs && e == ERR_OK; i++) {
        const struct run *r = &l->batch.run[i];
        const struct change *c = r->first;

        for (size_t left = r->n; left > 0 && e == ERR_OK;) {
            size_t n = part_of(r, left);

            e = send_part(l, r, c, n);
            for (left -= n; n > 0; n--)
                c = c->next;
        }
    }
    if (e == ERR_OK)
        batch_clear(&l->batch);
    return e;
}
