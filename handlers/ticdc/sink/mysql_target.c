/* Tables of the downstream: their columns by name, their unique keys, and the
 * statements by which rows of one definition are written. */
#include "mysql_int.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COLUMNS_MAX 4096
#define TEXT_MAX    ((size_t)4 << 20)

#define DOWN_COLUMN(X, s)                             \
    X(s, STR, name, "name", COLUMN_ONLY, -)           \
    X(s, STR, charset, "charset", COLUMN_ONLY, -)     \
    X(s, STR, collation, "collation", COLUMN_ONLY, -) \
    X(s, STR, type, "type", COLUMN_ONLY, -)           \
    X(s, STR, extra, "extra", COLUMN_ONLY, -)
STRUCT(down_column, DOWN_COLUMN);
LIST_OF(down_column);
TABLE(down_column, DOWN_COLUMN);

#define DOWN_PART(X, s)                              \
    X(s, STR, key, "index_name", COLUMN_ONLY, -)     \
    X(s, STR, column, "column_name", COLUMN_ONLY, -) \
    X(s, I64, prefix, "prefix", COLUMN_ONLY, -)      \
    X(s, BOOL, nullable, "nullable", COLUMN_ONLY, -)
STRUCT(down_part, DOWN_PART);
LIST_OF(down_part);
TABLE(down_part, DOWN_PART);

static const char columns_sql[] =
    "SELECT COLUMN_NAME AS name, CHARACTER_SET_NAME AS charset,"
    " COLLATION_NAME AS collation, DATA_TYPE AS type, EXTRA AS extra"
    " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?"
    " ORDER BY ORDINAL_POSITION";

/* The primary key first; else in the order of their making, as far as the
 * server keeps that: by name it is the same each time. */
static const char keys_sql[] =
    "SELECT INDEX_NAME AS index_name, COLUMN_NAME AS column_name,"
    " COALESCE(SUB_PART, 0) AS prefix, NULLABLE = 'YES' AS nullable"
    " FROM information_schema.STATISTICS"
    " WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND NON_UNIQUE = 0"
    " ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX";

/* ---- texts of statements ---- */

/* A connection knows a statement by its text's address: so none is freed, or
 * changed, as long as it lasts. */
struct text {
    struct text *next;
    char p[];
};

const char *
text_keep(struct mysql_sink *m, const char *text)
{
    struct text *t = m->texts;

    while (t != NULL && strcmp(t->p, text) != 0)
        t = t->next;
    if (t != NULL)
        return t->p;
    t = malloc(sizeof(*t) + strlen(text) + 1);
    if (t == NULL)
        return NULL;
    memcpy(t->p, text, strlen(text) + 1);
    t->next = m->texts;
    m->texts = t;
    m->n_texts++;
    return t->p;
}

void
texts_forget(struct mysql_sink *m)
{
    while (m->texts != NULL) {
        struct text *t = m->texts;

        m->texts = t->next;
        free(t);
    }
    m->n_texts = 0;
}

static void
target_free(struct target *t)
{
    binlog_table_let_go(t->def);
    free(t->way);
    free(t->key);
    free(t->handle);
    free(t);
}

void
sink_targets_forget(struct mysql_sink *m)
{
    while (m->targets != NULL) {
        struct target *t = m->targets;

        m->targets = t->next;
        target_free(t);
    }
}

/* ---- what the downstream says ---- */

struct down {
    struct list_of_down_column columns;
    struct list_of_down_part parts;
};

static enum err
ask(struct mysql_sink *m, const char *sql, const struct sink_table *t,
    const struct record *rec, void *list)
{
    struct my_arg args[2] = {
        { .type = MY_STR, .p = t->schema, .n = strlen(t->schema) },
        { .type = MY_STR, .p = t->name, .n = strlen(t->name) },
    };
    struct my_stmt *st;
    enum err e;

    e = my_send(m->my, MY_SQL(sql), (struct my_args){ args, 2 }, rec, &st);
    return e == ERR_OK ? my_fetch_all(m->my, st, m->a, COLUMNS_MAX, list) : e;
}

static const struct down_column *
down_find(const struct down *d, const char *name)
{
    for (size_t i = 0; i < d->columns.n; i++)
        if (strcasecmp(d->columns.v[i].name, name) == 0)
            return &d->columns.v[i];
    return NULL;
}

static bool
is_generated(const struct down_column *c)
{
    return strcasestr(c->extra, "VIRTUAL") != NULL ||
           strcasestr(c->extra, "PERSISTENT") != NULL ||
           strcasestr(c->extra, "STORED GENERATED") != NULL;
}

static bool
is_utf8(const char *charset)
{
    return strcmp(charset, "utf8mb4") == 0 || strcmp(charset, "utf8mb3") == 0 ||
           strcmp(charset, "utf8") == 0;
}

static bool
is_bytes(const struct binlog_column *c)
{
    return c->charset == NULL || strcmp(c->charset, "binary") == 0;
}

static enum column_way
way_of(const struct binlog_column *c, const struct down_column *d)
{
    if (is_generated(d))
        return WAY_LEFT_OUT;
    if (c->type == BINLOG_STRING && strcasecmp(d->type, "uuid") == 0)
        return WAY_UUID;
    if (c->type == BINLOG_STRING && strcasecmp(d->type, "inet6") == 0)
        return WAY_INET6;
    if (c->type == BINLOG_STRING && strcasecmp(d->type, "inet4") == 0)
        return WAY_INET4;
    return is_bytes(c) || is_utf8(c->charset) ? WAY_PLAIN : WAY_TEXT;
}

/* ---- keys ---- */

static enum conflict_rule
rule_of(const struct binlog_column *c, const struct down_column *d)
{
    const char *coll = d->collation != NULL ? d->collation : "";
    size_t n = strlen(coll);

    if (c->charset == NULL && d->charset == NULL)
        return CONFLICT_EXACT;
    if (is_bytes(c) && d->charset == NULL)
        return CONFLICT_EXACT;
    return n > 4 && strcmp(coll + n - 4, "_bin") == 0 ? CONFLICT_BYTES
                                                      : CONFLICT_FOLDED;
}

static size_t
column_of(const struct binlog_table *def, const char *name)
{
    size_t i = 0;

    while (i < def->n && strcasecmp(def->column[i].name, name) != 0)
        i++;
    return i;
}

static void
add_part(struct target *t, struct unique_key *k, const struct down *d,
         const struct down_part *p)
{
    size_t i = column_of(t->def, p->column);
    struct key_part *part;

    if (k->n == PARTS_MAX)
        return;
    part = &k->part[k->n++];
    *part = (struct key_part){ .prefix = (size_t)p->prefix };
    if (i == t->n || t->way[i] == WAY_LEFT_OUT) {
        part->unknown = true;
        return;
    }
    part->column = i;
    part->rule = rule_of(&t->def->column[i], down_find(d, p->column));
}

/* Whether rows are told apart by it: none of its values may be missing. */
static bool
is_handle(const struct unique_key *k, bool nullable)
{
    for (size_t i = 0; i < k->n; i++)
        if (k->part[i].unknown)
            return false;
    return !nullable;
}

static void
choose_handle(struct target *t, const struct unique_key *k)
{
    t->has_key = true;
    t->n_handle = k->n;
    for (size_t i = 0; i < k->n; i++)
        t->handle[i] = k->part[i].column;
}

/* The primary key; else the shortest whose columns are not NULL. */
static enum err
read_keys(struct target *t, const struct down *d)
{
    size_t n = d->parts.n;
    bool primary = false;

    t->key = calloc(KEYS_MAX, sizeof(*t->key));
    t->handle = calloc(t->n + PARTS_MAX, sizeof(*t->handle));
    if (t->key == NULL || t->handle == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && t->n_keys < KEYS_MAX;) {
        struct unique_key *k = &t->key[t->n_keys++];
        const char *name = d->parts.v[i].key;
        bool nullable = false;

        for (; i < n && strcmp(d->parts.v[i].key, name) == 0; i++) {
            add_part(t, k, d, &d->parts.v[i]);
            nullable = nullable || d->parts.v[i].nullable;
        }
        if (primary || !is_handle(k, nullable))
            continue;
        primary = strcmp(name, "PRIMARY") == 0;
        if (!t->has_key || k->n < t->n_handle)
            choose_handle(t, k);
    }
    return ERR_OK;
}

/* Without a key all columns say which row it is, but for those that cannot be
 * compared exactly. */
static void
all_columns(struct target *t)
{
    for (size_t i = 0; i < t->n; i++) {
        enum binlog_type type = t->def->column[i].type;

        if (t->way[i] != WAY_LEFT_OUT && type != BINLOG_FLOAT &&
            type != BINLOG_JSON)
            t->handle[t->n_handle++] = i;
    }
}

/* ---- statements ---- */

static void
put_table(struct buf *out, const struct sink_table *t)
{
    my_put_name(out, t->schema);
    buf_putc(out, '.');
    my_put_name(out, t->name);
}

/* A value: bytes of a charset become a text of it again, so that the server
 * converts what has to be converted. Charsets are names of the server's own,
 * looked at before (is_word). */
static void
put_value(struct buf *out, const struct target *t, size_t i)
{
    if (t->way[i] == WAY_TEXT)
        buf_printf(out, "CONVERT(? USING %s)", t->def->column[i].charset);
    else
        buf_putc(out, '?');
}

/* In a comparison a text has the charset and collation of the column, so that
 * the column's index serves. */
static void
put_equal(struct buf *out, const struct target *t, const struct down *d,
          size_t i)
{
    const struct binlog_column *c = &t->def->column[i];
    const struct down_column *down = down_find(d, c->name);

    my_put_name(out, c->name);
    buf_puts(out, t->has_key ? " = " : " <=> ");
    if (is_bytes(c) || down->charset == NULL ||
        (t->way[i] == WAY_PLAIN && is_utf8(down->charset))) {
        put_value(out, t, i);
        return;
    }
    buf_puts(out, "CONVERT(");
    put_value(out, t, i);
    buf_printf(out, " USING %s) COLLATE %s", down->charset, down->collation);
}

static void
put_where(struct buf *out, const struct target *t, const struct down *d)
{
    buf_puts(out, " WHERE ");
    for (size_t i = 0; i < t->n_handle; i++) {
        buf_puts(out, i > 0 ? " AND " : "");
        put_equal(out, t, d, t->handle[i]);
    }
    buf_puts(out, t->n_handle == 0 ? "TRUE LIMIT 1" : " LIMIT 1");
}

static void
put_insert(struct buf *out, const struct target *t, const char *verb)
{
    const char *between = "";

    buf_puts(out, verb);
    put_table(out, t->table);
    buf_puts(out, " (");
    for (size_t i = 0; i < t->n; i++)
        if (t->way[i] != WAY_LEFT_OUT) {
            buf_puts(out, between);
            my_put_name(out, t->def->column[i].name);
            between = ", ";
        }
    buf_puts(out, ") VALUES (");
    between = "";
    for (size_t i = 0; i < t->n; i++)
        if (t->way[i] != WAY_LEFT_OUT) {
            buf_puts(out, between);
            put_value(out, t, i);
            between = ", ";
        }
    buf_putc(out, ')');
}

static void
put_update(struct buf *out, const struct target *t, const struct down *d)
{
    const char *between = " SET ";

    buf_puts(out, "UPDATE ");
    put_table(out, t->table);
    for (size_t i = 0; i < t->n; i++)
        if (t->way[i] != WAY_LEFT_OUT) {
            buf_puts(out, between);
            my_put_name(out, t->def->column[i].name);
            buf_puts(out, " = ");
            put_value(out, t, i);
            between = ", ";
        }
    put_where(out, t, d);
}

static enum err
make_texts(struct mysql_sink *m, struct target *t, const struct down *d)
{
    struct buf sql = BUF_INIT(TEXT_MAX);
    enum err e = ERR_OK;

    for (int i = 0; i < SQL__MAX && e == ERR_OK; i++) {
        buf_reset(&sql);
        switch ((enum change_sql)i) {
        case SQL_INSERT:
            put_insert(&sql, t, "INSERT INTO ");
            break;
        case SQL_REPLACE:
            put_insert(&sql, t, "REPLACE INTO ");
            break;
        case SQL_UPDATE:
            put_update(&sql, t, d);
            break;
        default:
            buf_puts(&sql, "DELETE FROM ");
            put_table(&sql, t->table);
            put_where(&sql, t, d);
        }
        e = buf_err(&sql);
        if (e == ERR_OK && (t->sql[i] = text_keep(m, buf_text(&sql))) == NULL)
            e = ERR_NOMEM;
    }
    buf_reset(&sql);
    buf_printf(&sql, "%s.%s", t->table->schema, t->table->name);
    if (e == ERR_OK)
        e = buf_err(&sql);
    if (e == ERR_OK && (t->name = text_keep(m, buf_text(&sql))) == NULL)
        e = ERR_NOMEM;
    buf_free(&sql);
    return e;
}

/* ---- a target ---- */

static bool
is_word(const char *s)
{
    return s != NULL && *s != '\0' &&
           s[strspn(s, "abcdefghijklmnopqrstuvwxyz"
                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")] == '\0';
}

static enum err
read_columns(struct mysql_sink *m, struct target *t, const struct down *d)
{
    if (d->columns.n == 0)
        return sink_fail(&m->s, ERR_NOT_FOUND, true, "CDC:ErrMySQLTxnError",
                         "the downstream has no table %s.%s", t->table->schema,
                         t->table->name);
    t->way = calloc(t->n + 1, sizeof(*t->way));
    if (t->way == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n; i++) {
        const struct binlog_column *c = &t->def->column[i];
        const struct down_column *down = down_find(d, c->name);

        if (down == NULL)
            return sink_fail(&m->s, ERR_STATE, true, "CDC:ErrMySQLTxnError",
                             "the downstream's %s.%s has no column %s",
                             t->table->schema, t->table->name, c->name);
        if ((c->collation != 0 && !is_word(c->charset)) ||
            (down->charset != NULL &&
             (!is_word(down->charset) || !is_word(down->collation))))
            return sink_fail(&m->s, ERR_STATE, false, "CDC:ErrMySQLTxnError",
                             "%s.%s.%s: unknown charset", t->table->schema,
                             t->table->name, c->name);
        t->way[i] = way_of(c, down);
    }
    return ERR_OK;
}

static enum err
fill(struct mysql_sink *m, struct target *t)
{
    struct down d;
    enum err e;

    e = ask(m, columns_sql, t->table, &down_column_rec, &d.columns);
    if (e == ERR_OK)
        e = ask(m, keys_sql, t->table, &down_part_rec, &d.parts);
    if (e != ERR_OK)
        return mysql_failed(m, "information_schema");
    e = read_columns(m, t, &d);
    if (e == ERR_OK)
        e = read_keys(t, &d);
    if (e == ERR_OK && !t->has_key)
        all_columns(t);
    return e == ERR_OK ? make_texts(m, t, &d) : e;
}

struct target *
sink_target_of(struct mysql_sink *m, const struct sink_table *table,
               struct binlog_table *def)
{
    struct target **at = &m->targets, *t;
    enum err e;

    while (*at != NULL && ((*at)->def != def || (*at)->table != table))
        at = &(*at)->next;
    t = *at;
    if (t != NULL) { /* to the front: the next row is likely its own */
        *at = t->next;
        t->next = m->targets;
        return m->targets = t;
    }
    t = calloc(1, sizeof(*t));
    if (t == NULL) {
        (void)sink_fail(&m->s, ERR_NOMEM, true, "CDC:ErrMySQLTxnError",
                        "no memory");
        return NULL;
    }
    t->table = table;
    t->def = binlog_table_hold(def);
    t->n = def->n;
    m->s.failure.err = ERR_OK;
    strands_leave(m);
    e = fill(m, t);
    arena_reset(m->a);
    if (e != ERR_OK) {
        if (m->s.failure.err == ERR_OK)
            (void)sink_fail(&m->s, e, true, "CDC:ErrMySQLTxnError", "%s.%s: %s",
                            table->schema, table->name, err_name(e));
        target_free(t);
        return NULL;
    }
    t->next = m->targets;
    m->targets = t;
    return t;
}
