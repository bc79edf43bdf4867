/* Definitions as the source has them now. */
#include "describe.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log.h"

#define ROWS_MAX       8192
#define DESCRIBE_BYTES ((size_t)16 << 20)

struct describer {
    const struct my_server *server;
    struct my *my;
    bool answers;    /* the source has answered so far */
    struct arena *a; /* of one table */
    struct encode_schema schema;
};

static const char columns_sql[] =
    "SELECT COLUMN_NAME AS name, COLUMN_TYPE AS type, IS_NULLABLE AS nullable,"
    " COLUMN_DEFAULT AS otherwise, EXTRA AS extra, VERSION() AS version"
    " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s"
    " AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION";

static bool
has(const char *text, const char *word)
{
    return text != NULL && strcasestr(text, word) != NULL;
}

/* MariaDB quotes texts and leaves expressions bare; MySQL marks expressions. */
static const char *
default_of(struct arena *a, const char *text, const char *extra, bool mariadb)
{
    size_t n = text != NULL ? strlen(text) : 0, k = 0;
    char *out, *end;

    if (text == NULL || has(extra, "DEFAULT_GENERATED") ||
        strncasecmp(text, "current_timestamp", 17) == 0)
        return NULL;
    if (!mariadb)
        return text;
    if (n >= 2 && text[0] == '\'' && text[n - 1] == '\'') {
        out = arena_alloc(a, n);
        for (size_t i = 1; out != NULL && i + 1 < n; i++) {
            if ((text[i] == '\'' || text[i] == '\\') && i + 2 < n)
                i++;
            out[k++] = text[i];
        }
        return out;
    }
    (void)strtod(text, &end);
    return n > 0 && *end == '\0' ? text : NULL;
}

static enum err
read_columns(struct my *my, struct arena *a, const char *schema,
             const char *table, struct encode_schema *out)
{
    const char *s = my_quote(my, a, schema), *t = my_quote(my, a, table);
    struct encode_schema_column *v;
    struct my_table rows;
    char *sql;
    enum err e;

    if (s == NULL || t == NULL)
        return ERR_NOMEM;
    sql = arena_printf(a, columns_sql, s, t);
    if (sql == NULL)
        return ERR_NOMEM;
    e = my_query(my, a, sql, ROWS_MAX, &rows);
    if (e != ERR_OK)
        return e;
    if (rows.n == 0)
        return ERR_NOT_FOUND;
    v = arena_array(a, rows.n, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows.n; i++) {
        const char *extra = my_cell(&rows, i, "extra");

        v[i].name = my_cell(&rows, i, "name");
        v[i].type = my_cell(&rows, i, "type");
        v[i].is_nullable = has(my_cell(&rows, i, "nullable"), "YES");
        v[i].is_virtual = has(extra, "VIRTUAL");
        v[i].is_generated = v[i].is_virtual || has(extra, "PERSISTENT") ||
                            has(extra, "STORED GENERATED");
        v[i].default_value =
            default_of(a, my_cell(&rows, i, "otherwise"), extra,
                       has(my_cell(&rows, i, "version"), "mariadb"));
    }
    out->n = rows.n;
    out->column = v;
    return ERR_OK;
}

/* SHOW INDEX has them in the order that the server keeps: the primary one,
 * unique ones without NULL, others, each kind as it was made. */
static enum err
read_indexes(struct my *my, struct arena *a, const char *schema,
             const char *table, struct encode_schema *out)
{
    const char *s = my_quote_name(a, schema), *t = my_quote_name(a, table);
    struct encode_index *v;
    const char **columns;
    struct my_table rows;
    char *sql;
    enum err e;

    if (s == NULL || t == NULL)
        return ERR_NOMEM;
    sql = arena_printf(a, "SHOW INDEX FROM %s.%s", s, t);
    if (sql == NULL)
        return ERR_NOMEM;
    e = my_query(my, a, sql, ROWS_MAX, &rows);
    if (e != ERR_OK)
        return e;
    v = arena_array(a, rows.n, sizeof(*v));
    columns = arena_array(a, rows.n, sizeof(*columns));
    if (v == NULL || columns == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows.n; i++) {
        const char *name = my_cell(&rows, i, "Key_name");
        const char *column = my_cell(&rows, i, "Column_name");
        struct encode_index *x =
            out->n_indexes > 0 ? &v[out->n_indexes - 1] : NULL;

        columns[i] = column != NULL ? column : "";
        if (x == NULL || strcmp(x->name, name) != 0) {
            x = &v[out->n_indexes++];
            x->name = name;
            x->is_primary = strcmp(name, "PRIMARY") == 0;
            x->is_unique = has(my_cell(&rows, i, "Non_unique"), "0");
            x->column = &columns[i];
        }
        x->n++;
    }
    out->index = v;
    return ERR_OK;
}

/* In the arena. NOT_FOUND, else as my_query. */
static enum err
read_table(struct describer *d, const char *schema, const char *table)
{
    enum err e;

    d->schema = (struct encode_schema){ 0 };
    e = read_columns(d->my, d->a, schema, table, &d->schema);
    return e == ERR_OK ? read_indexes(d->my, d->a, schema, table, &d->schema)
                       : e;
}

const struct encode_schema *
describe(struct describer *d, const char *schema, const char *table)
{
    enum err e = ERR_OK;

    if (d->server == NULL)
        return NULL;
    arena_reset(d->a);
    for (int i = 0; i < 2; i++) {
        if (!d->answers) {
            my_hangup(d->my);
            e = my_connect(d->my, d->server, 0);
        }
        d->answers = e == ERR_OK;
        if (e == ERR_OK)
            e = read_table(d, schema, table);
        if (e == ERR_OK)
            return &d->schema;
        if (e == ERR_NOT_FOUND)
            return NULL;
        d->answers = false;
    }
    log_warn("ticdc.describe schema=%s table=%s err=%s why=\"%.200s\"", schema,
             table, err_name(e), my_failure(d->my)->text);
    return NULL;
}

struct describer *
describer_new(const struct my_server *server)
{
    struct describer *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return NULL;
    d->server = server;
    d->a = arena_new(DESCRIBE_BYTES);
    d->my = my_open();
    if (d->a != NULL && d->my != NULL)
        return d;
    describer_free(d);
    return NULL;
}

void
describer_free(struct describer *d)
{
    if (d == NULL)
        return;
    arena_free(d->a);
    my_close(d->my);
    free(d);
}
