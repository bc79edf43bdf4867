/* One statement with the values of many rows: by columns, as the library sends
 * them in one packet to servers that take it (MariaDB since 10.2). */
#include "my_int.h"

#include <string.h>

/* Of one packet; a row that is larger goes alone. */
#define PACKET_BYTES ((size_t)1 << 20)
#define VALUES_MAX   65536
#define VALUE_BYTES  12 /* its length, and what tells NULL from a value */

static bool
is_text(const struct my_arg *v)
{
    return v->type == MY_STR || v->type == MY_BYTES;
}

static size_t
bytes_of(struct my_args row)
{
    size_t n = 0;

    for (size_t i = 0; i < row.n; i++)
        n += VALUE_BYTES + (is_text(&row.v[i]) ? row.v[i].n : 0);
    return n;
}

/* A column of a packet has one type; NULL is of any. type[]: so far. */
static bool
joins(unsigned *type, struct my_args row)
{
    for (size_t i = 0; i < row.n; i++)
        if (row.v[i].type != MY_NULL && type[i] != MY_NULL &&
            type[i] != row.v[i].type)
            return false;
    for (size_t i = 0; i < row.n; i++)
        if (row.v[i].type != MY_NULL)
            type[i] = row.v[i].type;
    return true;
}

/* How many of the rows leave together; their types in type[]. */
static size_t
together(const struct my *my, const struct my_args *rows, size_t n,
         unsigned *type)
{
    size_t most = my->packet_bytes / 2, bytes = 0, i = 0;

    if (most == 0 || most > PACKET_BYTES)
        most = PACKET_BYTES;
    for (size_t k = 0; k < rows[0].n; k++)
        type[k] = MY_NULL;
    while (i < n && (i + 1) * rows[0].n <= VALUES_MAX &&
           rows[i].n == rows[0].n) {
        bytes += bytes_of(rows[i]);
        if ((i > 0 && bytes > most) || !joins(type, rows[i]))
            break;
        i++;
    }
    return i;
}

/* ---- a column ---- */

union number {
    int64_t i;
    uint64_t u;
    double f;
};

static enum err
bind_column(struct my *my, MYSQL_BIND *b, const struct my_args *rows, size_t n,
            size_t k, unsigned type)
{
    const struct my_arg typed = { .type = type == MY_NULL ? MY_STR : type };
    bool texts = is_text(&typed);
    const char **text = arena_array(my->scratch, n, sizeof(*text));
    unsigned long *length = arena_array(my->scratch, n, sizeof(*length));
    union number *number = arena_array(my->scratch, n, sizeof(*number));
    char *indicator = arena_alloc(my->scratch, n);

    if (text == NULL || length == NULL || number == NULL || indicator == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct my_arg *v = &rows[i].v[k];

        indicator[i] =
            v->type == MY_NULL ? STMT_INDICATOR_NULL : STMT_INDICATOR_NONE;
        text[i] = is_text(v) && v->p != NULL ? v->p : "";
        length[i] = is_text(v) ? v->n : 0;
        number[i].u = is_text(v) ? 0 : v->u;
    }
    my_bind(b, &typed);
    b->buffer = texts ? (void *)text : (void *)number;
    b->length = texts ? length : NULL;
    b->u.indicator = indicator;
    return ERR_OK;
}

static enum err
send_together(struct my *my, struct my_stmt *st, const struct my_args *rows,
              unsigned n, const unsigned *type)
{
    unsigned none = 0;
    enum err e = ERR_OK;
    unsigned code = 0;

    for (size_t k = 0; k < st->n_params && e == ERR_OK; k++)
        e = bind_column(my, &st->param[k], rows, n, k, type[k]);
    if (e != ERR_OK)
        return my_fail_own(my, e, "no memory", st->sql, MY_UNSENT);
    if (mysql_stmt_attr_set(st->c, STMT_ATTR_ARRAY_SIZE, &n) != 0 ||
        mysql_stmt_bind_param(st->c, st->param) != 0)
        e = my_fail_own(my, ERR_INTERNAL, mysql_stmt_error(st->c), st->sql,
                        MY_UNSENT);
    else if (mysql_stmt_execute(st->c) != 0)
        code = mysql_stmt_errno(st->c);
    if (code != 0)
        e = my_fail(my, code, mysql_stmt_error(st->c), st->sql, st->writes);
    else if (e == ERR_OK)
        my->matched = mysql_stmt_affected_rows(st->c);
    (void)mysql_stmt_attr_set(st->c, STMT_ATTR_ARRAY_SIZE, &none);
    return e;
}

static enum err
send_many(struct my *my, const char *sql, const struct my_args *rows, size_t n,
          const unsigned *type)
{
    struct my_stmt *st;
    enum err e = my_stmt_find(my, MY_SQL(sql), &st);

    my->matched = my->insert_id = 0;
    if (e == ERR_OK && (st->n_params != rows[0].n || st->n_columns > 0))
        e = my_fail_own(my, ERR_INTERNAL, "number of values, or a result", sql,
                        MY_UNSENT);
    if (e == ERR_OK)
        e = send_together(my, st, rows, (unsigned)n, type);
    arena_reset(my->scratch);
    if (e == ERR_OK)
        my->used_ms = my->sent_ms;
    return e;
}

enum err
my_exec_many(struct my *my, const char *sql, const struct my_args *rows,
             size_t n)
{
    unsigned type[MY_MANY_VALUES];
    uint64_t matched = 0;
    enum err e = ERR_OK;

    for (size_t i = 0, m; i < n && e == ERR_OK; i += m) {
        m = my->bulk && rows[i].n > 0 && rows[i].n <= MY_MANY_VALUES
                ? together(my, &rows[i], n - i, type)
                : 1;
        e = m > 1 ? send_many(my, sql, &rows[i], m, type)
                  : my_exec(my, sql, rows[i]);
        matched += my->matched;
    }
    my->matched = matched;
    return e;
}
