/* Rows that are there already, as a log would have them. The transaction gives
 * back the lock on each table that it has read, so that nobody waits for the
 * whole of it. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "binlog/table.h"
#include "source.h"

#define SNAPSHOT_BYTES ((size_t)64 << 20)
#define COLUMNS_MAX    4096
#define TEXT_CHARSET   "utf8mb4"
#define TEXT_COLLATION 45
#define UNREAD_S       600 /* how long a slow taker may let the server wait */
#define LOCK_S         "10"

/* How a value is asked for, and what of it a row has. */
enum how { AS_INT, AS_F32, AS_F64, AS_TEXT, AS_STAMP, AS_BYTES };

static const struct kind {
    const char *word;
    enum binlog_type type;
    enum how how;
    uint8_t pack_bytes;
    bool is_chars, is_binary;
    const char *ask; /* NULL: the column itself */
} kinds[] = {
#define INTEGER           "CAST(%s AS UNSIGNED)"
#define CHARS(t)          t, AS_BYTES, 0, true, false, NULL
#define BINARY(t, n, ask) t, AS_BYTES, n, true, true, ask
#define TEXTS(n)          BINLOG_BLOB, AS_BYTES, n, true, false, NULL
#define BLOBS(n)          BINLOG_BLOB, AS_BYTES, n, true, true, NULL
#define SHAPES            BINLOG_GEOMETRY, AS_BYTES, 4, false, false, NULL
    { "tinyint", BINLOG_TINY, AS_INT, 1, false, false, NULL },
    { "smallint", BINLOG_SHORT, AS_INT, 2, false, false, NULL },
    { "mediumint", BINLOG_INT24, AS_INT, 3, false, false, NULL },
    { "int", BINLOG_LONG, AS_INT, 4, false, false, NULL },
    { "bigint", BINLOG_LONGLONG, AS_INT, 8, false, false, NULL },
    { "year", BINLOG_YEAR, AS_INT, 1, false, false, NULL },
    { "bit", BINLOG_BIT, AS_INT, 8, false, false, INTEGER },
    { "enum", BINLOG_ENUM, AS_INT, 2, false, false, INTEGER },
    { "set", BINLOG_SET, AS_INT, 8, false, false, INTEGER },
    /* as a FLOAT it would be shown with six digits */
    { "float", BINLOG_FLOAT, AS_F32, 4, false, false, "%s + 0e0" },
    { "double", BINLOG_DOUBLE, AS_F64, 8, false, false, NULL },
    { "decimal", BINLOG_DECIMAL, AS_TEXT, 0, false, false, NULL },
    { "date", BINLOG_DATE, AS_TEXT, 0, false, false, NULL },
    { "time", BINLOG_TIME, AS_TEXT, 0, false, false, NULL },
    { "datetime", BINLOG_DATETIME, AS_TEXT, 0, false, false, NULL },
    { "timestamp", BINLOG_TIMESTAMP, AS_STAMP, 0, false, false,
      "UNIX_TIMESTAMP(%s)" },
    { "char", CHARS(BINLOG_STRING) },
    { "varchar", CHARS(BINLOG_VARCHAR) },
    { "uuid", BINARY(BINLOG_STRING, 16, "CAST(%s AS BINARY(16))") },
    { "inet6", BINARY(BINLOG_STRING, 16, "CAST(%s AS BINARY(16))") },
    { "inet4", BINARY(BINLOG_STRING, 4, "CAST(%s AS BINARY(4))") },
    { "binary", BINARY(BINLOG_STRING, 0, NULL) },
    { "varbinary", BINARY(BINLOG_VARCHAR, 0, NULL) },
    { "tinytext", TEXTS(1) },
    { "text", TEXTS(2) },
    { "mediumtext", TEXTS(3) },
    { "longtext", TEXTS(4) },
    { "tinyblob", BLOBS(1) },
    { "blob", BLOBS(2) },
    { "mediumblob", BLOBS(3) },
    { "longblob", BLOBS(4) },
    { "geometry", SHAPES },
    { "point", SHAPES },
    { "linestring", SHAPES },
    { "polygon", SHAPES },
    { "multipoint", SHAPES },
    { "multilinestring", SHAPES },
    { "multipolygon", SHAPES },
    { "geometrycollection", SHAPES },
};

struct snapshot {
    struct my *my;
    struct arena *a; /* as long as it is open */
    const char *gtids;
};

/* A table while its rows come. */
struct reading {
    struct arena *a; /* belongs to def when there is one */
    struct binlog_table *def;
    const struct kind **kind;
    struct binlog_value *value;
    snapshot_row_fn *row;
    void *ctx;
};

/* ---- what the table is ---- */

static const char columns_sql[] =
    "SELECT COLUMN_NAME AS name, DATA_TYPE AS kind, COLUMN_TYPE AS type,"
    " IS_NULLABLE AS nullable, NUMERIC_PRECISION AS digits,"
    " COALESCE(NUMERIC_SCALE, DATETIME_PRECISION, 0) AS scale,"
    " COALESCE(CHARACTER_MAXIMUM_LENGTH, 0) AS length"
    " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s"
    " AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION";
static const char key_sql[] =
    "SELECT c.ORDINAL_POSITION - 1 AS at, COALESCE(s.SUB_PART, 0) AS prefix"
    " FROM information_schema.STATISTICS s JOIN information_schema.COLUMNS c"
    " ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME"
    " AND c.COLUMN_NAME = s.COLUMN_NAME WHERE s.INDEX_NAME = 'PRIMARY'"
    " AND s.TABLE_SCHEMA = %s AND s.TABLE_NAME = %s ORDER BY s.SEQ_IN_INDEX";

static const struct kind *
kind_of(const char *word)
{
    for (size_t i = 0; word != NULL && i < COUNT(kinds); i++)
        if (strcmp(kinds[i].word, word) == 0)
            return &kinds[i];
    return NULL;
}

static uint32_t
number(const struct my_table *t, size_t row, const char *column)
{
    uint64_t v = my_cell_u64(t, row, column);

    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

/* 'a','it''s': the members of an ENUM or SET, as information_schema quotes
 * them. */
static enum err
read_members(struct arena *a, const char *type, struct binlog_column *c)
{
    const char *p = strchr(type, '(');
    size_t most = strlen(type) / 2 + 1;
    struct span *v = arena_array(a, most, sizeof(*v));

    if (v == NULL || p == NULL)
        return v == NULL ? ERR_NOMEM : ERR_BAD_PARAM;
    for (p++; *p == '\'' && c->n_members < most; p += *p == ',') {
        char *to = arena_alloc(a, strlen(p) + 1);
        size_t n = 0;

        if (to == NULL)
            return ERR_NOMEM;
        for (p++; *p != '\0' && (*p != '\'' || p[1] == '\''); p++) {
            p += *p == '\'';
            to[n++] = *p;
        }
        p += *p == '\'';
        v[c->n_members++] = (struct span){ to, n };
    }
    c->member = v;
    return *p == ')' ? ERR_OK : ERR_BAD_PARAM;
}

static enum err
read_column(struct arena *a, const struct my_table *t, size_t i,
            const struct kind *k, struct binlog_column *c)
{
    const char *type = my_cell(t, i, "type");
    uint32_t length = number(t, i, "length");

    *c = (struct binlog_column){
        .name = my_cell(t, i, "name"),
        .type = k->type,
        .is_unsigned = strstr(type, " unsigned") != NULL ||
                       k->type == BINLOG_YEAR || k->type == BINLOG_BIT ||
                       k->type == BINLOG_ENUM || k->type == BINLOG_SET,
        .is_nullable = strcmp(my_cell(t, i, "nullable"), "YES") == 0,
        .precision = (uint8_t)number(t, i, "digits"),
        .scale = (uint8_t)number(t, i, "scale"),
        .pack_bytes = k->pack_bytes,
        .max_bytes = k->type == BINLOG_BIT ? number(t, i, "digits")
                     : k->is_binary && k->ask != NULL
                         ? k->pack_bytes
                         : length * (k->is_binary ? 1 : 4),
    };
    if (k->is_chars) {
        c->collation = k->is_binary ? BINLOG_BINARY : TEXT_COLLATION;
        c->charset = k->is_binary ? "binary" : TEXT_CHARSET;
    }
    return k->type == BINLOG_ENUM || k->type == BINLOG_SET
               ? read_members(a, type, c)
               : ERR_OK;
}

/* Held once. All that t has lies in the arena, which is the table's then. */
static enum err
make_table(struct arena *a, const struct binlog_table *t,
           struct binlog_table **out)
{
    struct table *made = calloc(1, sizeof(*made));

    if (made == NULL)
        return ERR_NOMEM;
    atomic_init(&made->holds, 1);
    made->t = *t;
    made->a = a;
    *out = &made->t;
    return ERR_OK;
}

/* The two statements above, of a table whose name is quoted already. */
struct quoted {
    const char *schema, *table;
};

static enum err
ask_columns(struct snapshot *s, struct arena *a, const struct quoted *q,
            struct my_table *out)
{
    char *sql = arena_printf(a, columns_sql, q->schema, q->table);

    return sql != NULL ? my_query(s->my, a, sql, COLUMNS_MAX, out) : ERR_NOMEM;
}

static enum err
make_def(struct snapshot *s, const struct quoted *q, struct binlog_table *t,
         struct reading *r)
{
    char *sql = arena_printf(r->a, key_sql, q->schema, q->table);
    struct binlog_key_part *key;
    struct my_table rows;
    enum err e = sql != NULL ? my_query(s->my, r->a, sql, COLUMNS_MAX, &rows)
                             : ERR_NOMEM;

    if (e != ERR_OK)
        return e;
    key = arena_array(r->a, rows.n + 1, sizeof(*key));
    if (key == NULL || t->schema == NULL || t->name == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows.n; i++)
        key[i] = (struct binlog_key_part){ number(&rows, i, "at"),
                                           number(&rows, i, "prefix") };
    t->key = key;
    t->n_key = rows.n;
    t->is_described = true;
    return make_table(r->a, t, &r->def);
}

static enum err
describe(struct snapshot *s, const char *schema, const char *table,
         struct reading *r, char why[WHY_BYTES])
{
    struct arena *a = r->a;
    struct binlog_table made = { .schema = arena_strdup(a, schema),
                                 .name = arena_strdup(a, table) };
    const struct quoted q = { my_quote(s->my, a, schema),
                              my_quote(s->my, a, table) };
    struct binlog_column *c;
    struct my_table t;
    enum err e = q.schema != NULL && q.table != NULL ? ask_columns(s, a, &q, &t)
                                                     : ERR_NOMEM;

    if (e != ERR_OK)
        return e;
    if (t.n == 0)
        return why_fail(why, ERR_NOT_FOUND, "there is no such table");
    c = arena_array(a, t.n, sizeof(*c));
    r->kind = arena_array(a, t.n, sizeof(*r->kind));
    r->value = arena_array(a, t.n, sizeof(*r->value));
    if (c == NULL || r->kind == NULL || r->value == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < t.n && e == ERR_OK; i++) {
        r->kind[i] = kind_of(my_cell(&t, i, "kind"));
        e = r->kind[i] != NULL ? read_column(a, &t, i, r->kind[i], &c[i])
                               : ERR_BAD_PARAM;
    }
    if (e == ERR_BAD_PARAM)
        return why_fail(why, e, "has a type that cannot be read");
    made.column = c;
    made.n = t.n;
    return e == ERR_OK ? make_def(s, &q, &made, r) : e;
}

/* ---- rows ---- */

/* "1700000000.123456" */
static int64_t
stamp_us(const char *text)
{
    char *end;
    int64_t us = strtoll(text, &end, 10) * 1000000, unit = 100000;

    if (*end == '.')
        for (end++; isdigit((unsigned char)*end) && unit > 0; end++) {
            us += (*end - '0') * unit;
            unit /= 10;
        }
    return us;
}

static bool
take_text(struct binlog_value *v, enum binlog_form form, const char *p,
          size_t n)
{
    v->form = form;
    v->p = p;
    v->n = (uint32_t)n;
    return n <= UINT32_MAX;
}

/* A ZEROFILL has zeros in front, which no log has. */
static bool
take_digits(struct binlog_value *v, const char *p, size_t n)
{
    while (n > 1 && *p == '0' && isdigit((unsigned char)p[1])) {
        p++;
        n--;
    }
    return take_text(v, BINLOG_TEXT, p, n);
}

static bool
take_value(const struct kind *k, bool is_unsigned, const struct span *s,
           struct binlog_value *v)
{
    *v = (struct binlog_value){ .form = BINLOG_NULL };
    if (s->p == NULL)
        return true;
    switch (k->how) {
    case AS_INT:
        v->form = is_unsigned ? BINLOG_U64 : BINLOG_I64;
        if (is_unsigned)
            v->u = strtoull(s->p, NULL, 10);
        else
            v->i = strtoll(s->p, NULL, 10);
        return true;
    case AS_F32:
    case AS_F64:
        v->form = k->how == AS_F32 ? BINLOG_F32 : BINLOG_F64;
        v->f = strtod(s->p, NULL);
        return true;
    case AS_STAMP:
        v->form = BINLOG_STAMP;
        v->i = stamp_us(s->p);
        return true;
    case AS_TEXT:
        return k->type == BINLOG_DECIMAL
                   ? take_digits(v, s->p, s->n)
                   : take_text(v, BINLOG_TEXT, s->p, s->n);
    case AS_BYTES:
        return take_text(v, BINLOG_BYTES, s->p, s->n);
    }
    return false;
}

static enum err
take_row(void *ctx, const struct span *cell, size_t n)
{
    struct reading *r = ctx;
    const struct binlog_row row = { .after = r->value };

    if (n != r->def->n)
        return ERR_STATE;
    for (size_t i = 0; i < n; i++)
        if (!take_value(r->kind[i], r->def->column[i].is_unsigned, &cell[i],
                        &r->value[i]))
            return ERR_LIMIT;
    return r->row(r->ctx, r->def, &row);
}

static enum err
select_of(const char *schema, const char *table, const struct reading *r,
          const char **out)
{
    struct arena *a = r->a;
    struct buf b = BUF_INIT(SNAPSHOT_BYTES / 4);
    const char *q = my_quote_name(a, schema), *t = my_quote_name(a, table);

    if (q == NULL || t == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < r->def->n; i++) {
        const char *name = my_quote_name(a, r->def->column[i].name);
        const char *form = r->kind[i]->ask, *at;

        if (name == NULL)
            return ERR_NOMEM;
        buf_puts(&b, i == 0 ? "SELECT " : ", ");
        at = form != NULL ? strstr(form, "%s") : NULL;
        if (at != NULL)
            buf_put(&b, form, (size_t)(at - form));
        buf_puts(&b, name);
        if (at != NULL)
            buf_puts(&b, at + 2);
    }
    buf_printf(&b, " FROM %s.%s", q, t);
    return buf_settle(&b, a, out);
}

enum err
snapshot_table(struct snapshot *s, const char *schema, const char *table,
               snapshot_row_fn *row, void *ctx, char why[WHY_BYTES])
{
    struct reading r = { .a = arena_new(SNAPSHOT_BYTES),
                         .row = row,
                         .ctx = ctx };
    const char *sql;
    enum err e;

    why[0] = '\0';
    if (r.a == NULL)
        return ERR_NOMEM;
    e = describe(s, schema, table, &r, why);
    if (e == ERR_OK)
        e = select_of(schema, table, &r, &sql);
    if (e == ERR_OK)
        e = my_do(s->my, "SAVEPOINT before_table");
    if (e == ERR_OK)
        e = my_query_each(s->my, sql, take_row, &r);
    if (e == ERR_OK)
        e = my_do(s->my, "ROLLBACK TO SAVEPOINT before_table");
    if (e != ERR_OK && str_empty(why))
        why_say(why, "%.300s", my_failure(s->my)->text);
    if (r.def == NULL)
        arena_free(r.a);
    binlog_table_let_go(r.def);
    return e;
}

/* ---- the moment ---- */

/* MariaDB: told by whoever begins the transaction, nobody is held up. */
static enum err
mariadb_position(struct snapshot *s, char why[WHY_BYTES])
{
    struct my_table t;
    const char *file = NULL;
    uint32_t pos = 0;
    char *sql;
    enum err e = my_query(s->my, s->a,
                          "SHOW STATUS LIKE 'binlog\\_snapshot\\_%'", 8, &t);

    for (size_t i = 0; e == ERR_OK && i < t.n; i++) {
        const char *name = my_cell(&t, i, "Variable_name");

        if (strcasecmp(name, "Binlog_snapshot_file") == 0)
            file = my_cell(&t, i, "Value");
        else if (strcasecmp(name, "Binlog_snapshot_position") == 0)
            pos = number(&t, i, "Value");
    }
    if (e != ERR_OK)
        return e;
    if (str_empty(file) || pos == 0)
        return why_fail(why, ERR_STATE,
                        "the server does not say at which position a snapshot "
                        "is, as MariaDB with a binlog does");
    file = my_quote(s->my, s->a, file);
    sql = file != NULL
              ? arena_printf(s->a, "SELECT BINLOG_GTID_POS(%s, %u) AS gtids",
                             file, pos)
              : NULL;
    e = sql != NULL ? my_query(s->my, s->a, sql, 1, &t) : ERR_NOMEM;
    if (e != ERR_OK)
        return e;
    s->gtids = my_cell(&t, 0, "gtids");
    return s->gtids != NULL ? ERR_OK
                            : why_fail(why, ERR_STATE,
                                       "the server does not know the GTIDs "
                                       "of its own binlog position");
}

static enum err
begin_mariadb(struct snapshot *s, char why[WHY_BYTES])
{
    enum err e = my_do(s->my, "START TRANSACTION WITH CONSISTENT SNAPSHOT");

    return e == ERR_OK ? mariadb_position(s, why) : e;
}

static enum err
mysql_position(struct snapshot *s, char why[WHY_BYTES])
{
    struct my_table t;
    enum err e = my_query(s->my, s->a,
                          "SELECT REPLACE(@@GLOBAL.gtid_executed, '\n', '')"
                          " AS gtids, @@GLOBAL.gtid_mode = 'ON' AS has",
                          1, &t);

    if (e != ERR_OK)
        return e;
    s->gtids = my_cell(&t, 0, "gtids");
    return s->gtids != NULL && number(&t, 0, "has") == 1
               ? ERR_OK
               : why_fail(why, ERR_STATE,
                          "the server has no GTIDs (gtid_mode), so it cannot "
                          "say where a snapshot is");
}

/* MySQL does not say it: so nobody commits between the transaction's beginning
 * and the answer. Who cannot have that lock soon does not hold up everybody
 * behind it: it fails, and is tried again. */
static enum err
begin_mysql(struct snapshot *s, char why[WHY_BYTES])
{
    enum err e = my_do(s->my, "SET @@SESSION.lock_wait_timeout = " LOCK_S);

    if (e == ERR_OK)
        e = my_do(s->my, "FLUSH TABLES WITH READ LOCK");
    if (e == ERR_OK)
        e = my_do(s->my, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
    if (e == ERR_OK)
        e = mysql_position(s, why);
    return e == ERR_OK ? my_do(s->my, "UNLOCK TABLES") : e;
}

static enum err
begin(struct snapshot *s, const struct my_server *server, char why[WHY_BYTES])
{
    char sql[160];
    enum err e = my_connect(s->my, server, 0);

    (void)snprintf(sql, sizeof(sql),
                   "SET @@SESSION.net_write_timeout = %d,"
                   " @@SESSION.sql_mode = ''",
                   UNREAD_S);
    if (e == ERR_OK)
        e = my_do(s->my, sql);
    if (e == ERR_OK)
        e = my_do(s->my, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    if (e != ERR_OK)
        return e;
    return my_is_mariadb(s->my) ? begin_mariadb(s, why) : begin_mysql(s, why);
}

enum err
snapshot_open(const struct my_server *server, struct snapshot **out,
              char why[WHY_BYTES])
{
    struct snapshot *s = calloc(1, sizeof(*s));
    enum err e = ERR_NOMEM;

    why[0] = '\0';
    if (s == NULL)
        return ERR_NOMEM;
    s->my = my_open();
    s->a = arena_new(SNAPSHOT_BYTES);
    if (s->my != NULL && s->a != NULL)
        e = begin(s, server, why);
    if (e == ERR_OK) {
        *out = s;
        return ERR_OK;
    }
    if (s->my != NULL && str_empty(why))
        why_say(why, "%.300s", my_failure(s->my)->text);
    snapshot_close(s);
    return e;
}

void
snapshot_close(struct snapshot *s)
{
    if (s == NULL)
        return;
    my_close(s->my);
    arena_free(s->a);
    free(s);
}

const char *
snapshot_gtids(const struct snapshot *s)
{
    return s->gtids;
}
