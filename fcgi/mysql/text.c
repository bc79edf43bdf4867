/* Statements as texts, results as texts. */
#include "my_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_FIRST 16

static enum err
send_text(struct my *my, const char *sql)
{
    size_t n = strlen(sql);
    enum err e = my_arm(my, sql);

    if (e != ERR_OK)
        return e;
    if (my->packet_bytes != 0 && n >= my->packet_bytes)
        return my_fail_own(my, ERR_LIMIT, "larger than max_allowed_packet", sql,
                           MY_UNSENT);
    if (mysql_real_query(my->c, sql, n) != 0)
        return my_fail(my, mysql_errno(my->c), mysql_error(my->c), sql,
                       my_writes(sql));
    my->used_ms = my->sent_ms;
    my->matched = mysql_affected_rows(my->c);
    my->insert_id = mysql_insert_id(my->c);
    my->warnings = mysql_warning_count(my->c);
    return ERR_OK;
}

enum err
my_value_of(struct my *my, const char *sql, char *out, size_t size)
{
    enum err e = send_text(my, sql);
    MYSQL_RES *res;
    MYSQL_ROW row;

    out[0] = '\0';
    if (e != ERR_OK)
        return e;
    res = mysql_use_result(my->c);
    row = res != NULL ? mysql_fetch_row(res) : NULL;
    if (row != NULL && row[0] != NULL)
        (void)snprintf(out, size, "%s", row[0]);
    mysql_free_result(res); /* and what is left of it */
    if (mysql_errno(my->c) != 0)
        return my_fail(my, mysql_errno(my->c), mysql_error(my->c), sql,
                       my_writes(sql));
    return ERR_OK;
}

enum err
my_do(struct my *my, const char *sql)
{
    char dropped[2];

    return my_value_of(my, sql, dropped, sizeof(dropped));
}

static enum err
take_columns(MYSQL_RES *res, struct arena *a, struct my_table *out)
{
    const MYSQL_FIELD *f = mysql_fetch_fields(res);
    const char **column;

    out->n_columns = mysql_num_fields(res);
    column = arena_array(a, out->n_columns, sizeof(*column));
    out->column = column;
    if (column == NULL)
        return ERR_LIMIT;
    for (size_t i = 0; i < out->n_columns; i++) {
        column[i] = arena_strndup(a, f[i].name, f[i].name_length);
        if (column[i] == NULL)
            return ERR_LIMIT;
    }
    return ERR_OK;
}

static enum err
take_row(MYSQL_RES *res, MYSQL_ROW row, struct arena *a, struct my_table *out,
         struct span **cells, size_t *cap)
{
    const unsigned long *n = mysql_fetch_lengths(res);
    struct span *at;

    if (out->n == *cap) { /* doubled: one copy of each on average */
        *cap = *cap == 0 ? TABLE_FIRST : *cap * 2;
        at = arena_array(a, *cap, out->n_columns * sizeof(*at));
        if (at == NULL)
            return ERR_LIMIT;
        if (out->n > 0)
            memcpy(at, *cells, out->n * out->n_columns * sizeof(*at));
        *cells = at;
        out->cell = at;
    }
    at = &(*cells)[out->n * out->n_columns];
    for (size_t i = 0; i < out->n_columns; i++) {
        if (row[i] == NULL)
            continue;
        at[i] = (struct span){ arena_strndup(a, row[i], n[i]), n[i] };
        if (at[i].p == NULL)
            return ERR_LIMIT;
    }
    out->n++;
    return ERR_OK;
}

static enum err
take_table(MYSQL *c, MYSQL_RES *res, struct arena *a, size_t max,
           struct my_table *out)
{
    struct span *cells = NULL;
    enum err e = take_columns(res, a, out);
    size_t cap = 0;
    MYSQL_ROW row;

    while (e == ERR_OK && (row = mysql_fetch_row(res)) != NULL)
        e = out->n < max ? take_row(res, row, a, out, &cells, &cap) : ERR_LIMIT;
    return e == ERR_OK && mysql_errno(c) != 0 ? ERR_PEER : e;
}

/* The server goes on sending it: the connection is of no use any more. */
static void
give_up(struct my *my, MYSQL_RES *res)
{
    mysql_close(my->c);
    my_stmts_drop(my);
    my->c = NULL;
    mysql_free_result(res);
}

enum err
my_query(struct my *my, struct arena *a, const char *sql, size_t max,
         struct my_table *out)
{
    struct my_table t = { 0 };
    MYSQL_RES *res;
    enum err e;

    if (out == NULL)
        return my_do(my, sql);
    *out = t;
    e = send_text(my, sql);
    if (e != ERR_OK)
        return e;
    res = mysql_use_result(my->c);
    if (res == NULL)
        return mysql_errno(my->c) == 0
                   ? ERR_OK
                   : my_fail(my, mysql_errno(my->c), mysql_error(my->c), sql,
                             my_writes(sql));
    e = take_table(my->c, res, a, max, &t);
    if (e == ERR_LIMIT) {
        (void)my_fail_own(my, e, "a result beyond its bound", sql, MY_LOST);
        give_up(my, res);
        return e;
    }
    if (e == ERR_PEER)
        e = my_fail(my, mysql_errno(my->c), mysql_error(my->c), sql,
                    my_writes(sql));
    mysql_free_result(res);
    if (e == ERR_OK)
        *out = t;
    return e;
}

static enum err
give_rows(MYSQL_RES *res, my_row_fn *row, void *ctx)
{
    size_t n = mysql_num_fields(res);
    struct span *cell = calloc(n + 1, sizeof(*cell));
    enum err e = cell != NULL ? ERR_OK : ERR_NOMEM;
    MYSQL_ROW r;

    while (e == ERR_OK && (r = mysql_fetch_row(res)) != NULL) {
        const unsigned long *bytes = mysql_fetch_lengths(res);

        for (size_t i = 0; i < n; i++)
            cell[i] = (struct span){ r[i], r[i] != NULL ? bytes[i] : 0 };
        e = row(ctx, cell, n);
    }
    free(cell);
    return e;
}

enum err
my_query_each(struct my *my, const char *sql, my_row_fn *row, void *ctx)
{
    MYSQL_RES *res;
    enum err e = send_text(my, sql);

    if (e != ERR_OK)
        return e;
    res = mysql_use_result(my->c);
    if (res == NULL)
        return my_fail(my, mysql_errno(my->c), mysql_error(my->c), sql,
                       my_writes(sql));
    e = give_rows(res, row, ctx);
    if (e != ERR_OK) {
        (void)my_fail_own(my, e, "broken off", sql, MY_LOST);
        give_up(my, res);
        return e;
    }
    if (mysql_errno(my->c) != 0)
        e = my_fail(my, mysql_errno(my->c), mysql_error(my->c), sql,
                    my_writes(sql));
    mysql_free_result(res);
    return e;
}

const char *
my_cell(const struct my_table *t, size_t row, const char *column)
{
    for (size_t i = 0; row < t->n && i < t->n_columns; i++)
        if (strcmp(t->column[i], column) == 0)
            return t->cell[row * t->n_columns + i].p;
    return NULL;
}

uint64_t
my_u64(const char *text)
{
    return text != NULL ? strtoull(text, NULL, 10) : 0;
}

uint64_t
my_cell_u64(const struct my_table *t, size_t row, const char *column)
{
    return my_u64(my_cell(t, row, column));
}

enum err
my_binlog_begins(struct my *my, struct arena *a, const char *file,
                 const char **out)
{
    const char *name = my_quote(my, a, file), *sql;
    struct my_table t;
    enum err e;

    *out = "";
    sql = name != NULL ? arena_printf(a, "SELECT BINLOG_GTID_POS(%s, 4)", name)
                       : NULL;
    if (sql == NULL)
        return ERR_NOMEM;
    e = my_query(my, a, sql, 1, &t);
    if (e == ERR_OK && t.n == 1 && t.cell[0].p != NULL)
        *out = t.cell[0].p;
    return e;
}
