/* Results: columns become fields of a record. */
#include "my_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIST_FIRST 16

/* ---- one row ---- */

static enum err
fetch_text(struct my_stmt *st, struct arena *a, size_t i, struct span *out)
{
    unsigned long n = st->cell[i].n;
    my_bool null = 0, cut = 0;
    MYSQL_BIND b;
    char *p = arena_alloc(a, n + 1);

    if (p == NULL)
        return ERR_NOMEM;
    memset(&b, 0, sizeof(b));
    b.buffer_type = MYSQL_TYPE_STRING;
    b.buffer = p;
    b.buffer_length = n; /* what is beyond stays NUL */
    b.length = &n;
    b.is_null = &null;
    b.error = &cut;
    if (mysql_stmt_fetch_column(st->c, &b, (unsigned)i, 0) != 0)
        return ERR_PEER;
    if (n != st->cell[i].n) /* a number as a text: not known how long */
        return ERR_INTERNAL;
    out->p = p;
    out->n = st->cell[i].n;
    return ERR_OK;
}

static enum err
open_secret(struct my *my, struct my_stmt *st, struct arena *a, size_t i,
            struct span *text)
{
    const struct column *c = &st->column[i];
    struct span row;
    enum err e;

    if (st->cell[st->secret_row].null)
        return ERR_INTERNAL;
    e = fetch_text(st, my->scratch, st->secret_row, &row);
    if (e == ERR_OK)
        e = my->seal->open(a, c->org_table, row.p, c->org_column, text->p,
                           &text->p);
    if (e == ERR_OK)
        text->n = strlen(text->p);
    arena_reset(my->scratch);
    return e;
}

/* An unknown name comes from a newer version's row: the field is absent. */
static bool
store_enum(const struct field *f, const char *text, int *out)
{
    for (const struct enum_name *n = f->names; n->name != NULL; n++) {
        if (strcmp(n->name, text) == 0) {
            *out = n->value;
            return true;
        }
    }
    return false;
}

static enum err
store_text(struct my *my, struct my_stmt *st, struct arena *a, size_t i,
           char *at, bool *present)
{
    const struct field *f = st->column[i].field;
    struct span text;
    enum err e;

    e = fetch_text(st, a, i, &text);
    if (e == ERR_OK && st->column[i].org_table != NULL)
        e = open_secret(my, st, a, i, &text);
    if (e != ERR_OK)
        return e;
    if (f->type == F_STR)
        memcpy(at, &text.p, sizeof(text.p));
    else if (f->type == F_ENUM)
        *present = store_enum(f, text.p, (int *)(void *)at);
    else
        memcpy(at, &text, sizeof(text));
    return ERR_OK;
}

static enum err
store_number(const struct field *f, const struct cell *c, char *at)
{
    int32_t narrow = (int32_t)c->v.i;
    bool yes = c->v.i != 0;

    if (f->type == F_I32 && narrow == c->v.i)
        memcpy(at, &narrow, sizeof(narrow));
    else if (f->type == F_I32 || c->cut)
        return ERR_INTERNAL; /* the column is wider than the field */
    else if (f->type == F_BOOL || f->type == F_FLAG)
        memcpy(at, &yes, sizeof(yes));
    else
        memcpy(at, &c->v, sizeof(c->v));
    return ERR_OK;
}

static void
set_bit(char *at, int bit)
{
    uint64_t bits;

    memcpy(&bits, at, sizeof(bits));
    bits |= UINT64_C(1) << bit;
    memcpy(at, &bits, sizeof(bits));
}

static enum err
store_cell(struct my *my, struct my_stmt *st, struct arena *a, size_t i,
           char *out)
{
    const struct field *f = st->column[i].field;
    bool present = true;
    enum err e;

    if (f == NULL || st->cell[i].null)
        return ERR_OK;
    e = my_is_text(f) ? store_text(my, st, a, i, out + f->off, &present)
                      : store_number(f, &st->cell[i], out + f->off);
    if (e == ERR_OK && present)
        set_bit(out, f->bit);
    if (e != ERR_STATE) /* that is: a secret that cannot be opened */
        return e;
    if (st->shut == NULL)
        return ERR_INTERNAL;
    set_bit(out + st->shut->off, f->bit);
    return ERR_OK;
}

/* An error in place of a row (a deadlock, where the statement locks) is noted
 * by the library at the connection, not at the statement. */
static enum err
fail_fetch(struct my *my, struct my_stmt *st)
{
    unsigned code = mysql_stmt_errno(st->c);

    if (code == 0)
        return my_fail(my, mysql_errno(my->c), mysql_error(my->c), st->sql,
                       st->writes);
    return my_fail(my, code, mysql_stmt_error(st->c), st->sql, st->writes);
}

enum err
my_fetch(struct my *my, struct my_stmt *st, struct arena *a, void *out)
{
    int got = mysql_stmt_fetch(st->c);
    enum err e = ERR_OK;

    if (got == MYSQL_NO_DATA)
        return ERR_NOT_FOUND;
    if (got != 0 && got != MYSQL_DATA_TRUNCATED) /* that is: see bind_cell */
        return fail_fetch(my, st);
    memset(out, 0, st->rec->size);
    for (size_t i = 0; i < st->n_columns && e == ERR_OK; i++)
        e = store_cell(my, st, a, i, out);
    if (e != ERR_OK)
        return my_fail_own(my, e, "a value that its field does not take",
                           st->sql, 0);
    return ERR_OK;
}

/* Doubles the array: one copy of each row on average, none per row. */
static enum err
grow(struct arena *a, size_t size, size_t n, size_t *cap, char **rows)
{
    size_t want = *cap == 0 ? LIST_FIRST : *cap * 2;
    char *p;

    if (n < *cap)
        return ERR_OK;
    p = arena_array(a, want, size);
    if (p == NULL)
        return ERR_NOMEM;
    if (n > 0)
        memcpy(p, *rows, n * size);
    *rows = p;
    *cap = want;
    return ERR_OK;
}

enum err
my_fetch_all(struct my *my, struct my_stmt *st, struct arena *a, size_t max,
             void *list)
{
    struct {
        size_t n;
        char *v;
    } out = { 0, NULL };
    size_t size = st->rec->size, cap = 0;
    enum err e;

    memcpy(list, &out, sizeof(out));
    for (;; out.n++) {
        e = grow(a, size, out.n, &cap, &out.v);
        if (e == ERR_OK)
            e = my_fetch(my, st, a, out.v + out.n * size);
        if (e == ERR_OK && out.n == max)
            e = ERR_LIMIT;
        if (e != ERR_OK)
            break;
    }
    if (e != ERR_NOT_FOUND)
        return e;
    memcpy(list, &out, sizeof(out));
    return ERR_OK;
}

/* On to the next result of several: 0, -1 past the last, 1 in its place an
 * error. */
static int
next_result(struct my_stmt *st)
{
    (void)mysql_stmt_free_result(st->c);
    return st->key.n > 1 ? mysql_stmt_next_result(st->c) : -1;
}

void
my_finish(struct my *my, struct my_stmt *st)
{
    while (my->c != NULL && next_result(st) == 0)
        continue;
}

enum err
my_next(struct my *my, struct my_stmt *st, const struct record *rec)
{
    enum err e = my_arm(my, st->sql);
    int got;

    if (e != ERR_OK)
        return e;
    got = next_result(st);
    st->several = true;
    if (got > 0)
        return fail_fetch(my, st);
    return got == 0 && mysql_stmt_field_count(st->c) > 0
               ? my_open_result(my, st, rec)
               : ERR_NOT_FOUND;
}
