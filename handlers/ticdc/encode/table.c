/* What encoders say of a definition again and again, made once: types by their
 * words, flags, keys, and the constant parts of documents. */
#include "encode.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TABLE_BYTES  ((size_t)64 << 20)
#define MEMBER_BYTES ((size_t)1 << 20)

/* ---- types ---- */

struct type_row {
    unsigned code;
    const char *word, *binary_word; /* binary_word: of charset binary */
    int sql_type, binary_sql_type;
};

#define SAME(code, word, sql_type)           \
    {                                        \
        code, word, word, sql_type, sql_type \
    }

static const struct type_row types[256] = {
    [BINLOG_TINY] = SAME(1, "tinyint", -6),
    [BINLOG_SHORT] = SAME(2, "smallint", 5),
    [BINLOG_LONG] = SAME(3, "int", 4),
    [BINLOG_FLOAT] = SAME(4, "float", 7),
    [BINLOG_DOUBLE] = SAME(5, "double", 8),
    [BINLOG_TIMESTAMP_OLD] = SAME(7, "timestamp", 93),
    [BINLOG_TIMESTAMP] = SAME(7, "timestamp", 93),
    [BINLOG_LONGLONG] = SAME(8, "bigint", -5),
    [BINLOG_INT24] = SAME(9, "mediumint", 4),
    [BINLOG_DATE] = SAME(10, "date", 91),
    [BINLOG_TIME_OLD] = SAME(11, "time", 92),
    [BINLOG_TIME] = SAME(11, "time", 92),
    [BINLOG_DATETIME_OLD] = SAME(12, "datetime", 93),
    [BINLOG_DATETIME] = SAME(12, "datetime", 93),
    [BINLOG_YEAR] = SAME(13, "year", 12),
    [BINLOG_VARCHAR] = { 15, "varchar", "varbinary", 12, 2004 },
    [BINLOG_VARCHAR_COMPRESSED] = { 15, "varchar", "varbinary", 12, 2004 },
    [BINLOG_VAR_STRING] = { 15, "varchar", "varbinary", 12, 2004 },
    [BINLOG_BIT] = SAME(16, "bit", -7),
    [BINLOG_JSON] = SAME(245, "json", 12),
    [BINLOG_DECIMAL] = SAME(246, "decimal", 3),
    [BINLOG_ENUM] = SAME(247, "enum", 4),
    [BINLOG_SET] = SAME(248, "set", -7),
    [BINLOG_STRING] = { 254, "char", "binary", 1, 2004 },
    [BINLOG_GEOMETRY] = SAME(255, "geometry", 2004),
};

/* BLOB and TEXT by the bytes that their length has. */
static const struct type_row blobs[5] = {
    [1] = { 249, "tinytext", "tinyblob", 2005, 2004 },
    [2] = { 252, "text", "blob", 2005, 2004 },
    [3] = { 250, "mediumtext", "mediumblob", 2005, 2004 },
    [4] = { 251, "longtext", "longblob", 2005, 2004 },
};

static bool
is_blob(const struct binlog_column *c)
{
    return c->type == BINLOG_BLOB || c->type == BINLOG_BLOB_COMPRESSED;
}

static bool
is_chars(const struct binlog_column *c)
{
    return is_blob(c) || c->type == BINLOG_VARCHAR ||
           c->type == BINLOG_VARCHAR_COMPRESSED ||
           c->type == BINLOG_VAR_STRING || c->type == BINLOG_STRING;
}

static bool
has_binary_charset(const struct binlog_column *c)
{
    return c->charset == NULL || strcmp(c->charset, "binary") == 0;
}

static const struct type_row *
type_of(const struct binlog_column *c)
{
    if (is_blob(c))
        return &blobs[c->pack_bytes >= 1 && c->pack_bytes <= 4 ? c->pack_bytes
                                                               : 2];
    return &types[c->type];
}

/* Bytes of a character, at most: a length in the log is in bytes. */
static unsigned
char_bytes(const char *charset)
{
    static const struct {
        const char *name;
        unsigned n;
    } wide[] = {
        { "utf8mb4", 4 }, { "utf8mb3", 3 }, { "utf8", 3 },    { "ucs2", 2 },
        { "utf16", 4 },   { "utf16le", 4 }, { "utf32", 4 },   { "gbk", 2 },
        { "big5", 2 },    { "gb2312", 2 },  { "gb18030", 4 }, { "sjis", 2 },
        { "cp932", 2 },   { "euckr", 2 },   { "ujis", 3 },    { "eucjpms", 3 },
    };

    for (size_t i = 0; charset != NULL && i < COUNT(wide); i++)
        if (strcmp(charset, wide[i].name) == 0)
            return wide[i].n;
    return 1;
}

/* ---- words ---- */

/* The rest of a declared type behind its name and parentheses has these. */
static bool
says(const char *type, const char *word)
{
    return type != NULL && strcasestr(type, word) != NULL;
}

static void
put_members(struct buf *b, const struct encode_column *c)
{
    for (size_t i = 0; i < c->n_members; i++) {
        buf_putc(b, i == 0 ? '(' : ',');
        buf_putc(b, '\'');
        for (size_t k = 0; k < c->member[i].n; k++) {
            if (c->member[i].p[k] == '\'')
                buf_putc(b, '\'');
            buf_putc(b, c->member[i].p[k]);
        }
        buf_putc(b, '\'');
    }
    if (c->n_members > 0)
        buf_putc(b, ')');
}

/* A type as a server would declare it, of what the log knows. */
static const char *
made_up_type(struct arena *a, const struct encode_column *c)
{
    const struct binlog_column *l = c->log;
    struct buf b = BUF_INIT(TABLE_BYTES);
    const char *text;

    buf_puts(&b, c->base);
    if (l->type == BINLOG_DECIMAL)
        buf_printf(&b, "(%u,%u)", l->precision, l->scale);
    else if (l->type == BINLOG_BIT)
        buf_printf(&b, "(%u)", l->max_bytes);
    else if (l->type == BINLOG_ENUM || l->type == BINLOG_SET)
        put_members(&b, c);
    else if (is_chars(l) && !is_blob(l))
        buf_printf(&b, "(%u)", l->max_bytes / char_bytes(l->charset));
    else if (l->scale > 0 && c->code != 4 && c->code != 5)
        buf_printf(&b, "(%u)", l->scale);
    if (c->is_unsigned)
        buf_puts(&b, " unsigned");
    return buf_settle(&b, a, &text) == ERR_OK ? text : NULL;
}

static enum encode_way
way_of(const struct binlog_column *l, const char *declared)
{
    if (l->type == BINLOG_TIMESTAMP || l->type == BINLOG_TIMESTAMP_OLD)
        return ENCODE_STAMP;
    if (l->type == BINLOG_GEOMETRY)
        return ENCODE_BYTES;
    if (!is_chars(l))
        return ENCODE_PLAIN;
    if (!has_binary_charset(l))
        return ENCODE_TEXT;
    if (declared != NULL && l->type == BINLOG_STRING) {
        if (strcasecmp(declared, "uuid") == 0 && l->max_bytes == 16)
            return ENCODE_UUID;
        if (strcasecmp(declared, "inet6") == 0 && l->max_bytes == 16)
            return ENCODE_INET6;
        if (strcasecmp(declared, "inet4") == 0 && l->max_bytes == 4)
            return ENCODE_INET4;
    }
    return ENCODE_BYTES;
}

/* MariaDB's UUID and INET are texts to everybody else. */
static void
turn_into_text(struct encode_column *c, const char *declared)
{
    c->base = "char";
    c->code = 254;
    c->sql_type = 1;
    c->is_text = true;
    c->full = declared;
    c->flags &= ~(unsigned)ENCODE_BINARY;
}

/* ---- columns ---- */

static enum err
convert_members(struct arena *a, struct encode_column *c)
{
    const struct binlog_column *l = c->log;
    struct binlog_decoder *d;
    struct span *v;
    enum err e = ERR_OK;

    if (l->n_members == 0)
        return ERR_OK;
    d = binlog_decoder_new(MEMBER_BYTES);
    v = arena_array(a, l->n_members, sizeof(*v));
    if (d == NULL || v == NULL) {
        binlog_decoder_free(d);
        return ERR_NOMEM;
    }
    for (size_t i = 0; i < l->n_members && e == ERR_OK; i++) {
        struct buf b = BUF_INIT(MEMBER_BYTES);
        const char *text = NULL;
        size_t n;

        if (has_binary_charset(l))
            buf_put(&b, l->member[i].p, l->member[i].n);
        else
            e = binlog_utf8(d, l->charset, l->member[i].p, l->member[i].n, &b);
        n = b.n;
        if (e == ERR_OK)
            e = buf_settle(&b, a, &text);
        else
            buf_free(&b);
        v[i] = (struct span){ text, n };
    }
    binlog_decoder_free(d);
    c->member = v;
    c->n_members = l->n_members;
    return e;
}

static const struct json_style style = { .html_escape = true };

static struct span
settle_span(struct buf *b, struct arena *a, enum err *e)
{
    const char *text = NULL;
    size_t n = b->n;
    enum err more = buf_settle(b, a, &text);

    if (*e == ERR_OK)
        *e = more;
    return (struct span){ text, more == ERR_OK ? n : 0 };
}

static enum err
quote_name(struct arena *a, struct encode_column *c)
{
    struct buf b = BUF_INIT(TABLE_BYTES);
    struct json_writer w;
    enum err e = ERR_OK;

    jw_init(&w, &b, &style);
    jw_str(&w, c->name);
    buf_putc(&b, ':');
    c->quoted = settle_span(&b, a, &e);
    return e;
}

static enum err
add_column(struct encode_table *t, struct encode_column *c,
           const struct binlog_column *l, const struct encode_schema_column *s)
{
    const struct type_row *row = type_of(l);
    const char *declared = s != NULL ? s->type : NULL;
    bool binary = has_binary_charset(l);
    bool is_set = l->type == BINLOG_ENUM || l->type == BINLOG_SET;
    enum err e;

    c->log = l;
    c->name = l->name;
    c->code = row->code;
    c->way = way_of(l, declared);
    c->is_text = c->way == ENCODE_TEXT;
    c->is_unsigned =
        l->is_unsigned && l->type != BINLOG_YEAR && l->type != BINLOG_BIT;
    c->is_zerofill = says(declared, "zerofill") && l->type != BINLOG_YEAR;
    c->base = binary ? row->binary_word : row->word;
    c->sql_type = binary ? row->binary_sql_type : row->sql_type;
    if (!c->is_text && !is_set)
        c->flags |= ENCODE_BINARY;
    if (l->is_nullable)
        c->flags |= ENCODE_NULLABLE;
    if (c->is_unsigned)
        c->flags |= ENCODE_UNSIGNED;
    if (s != NULL) {
        c->is_left_out = s->is_virtual;
        if (s->is_generated || s->is_virtual)
            c->flags |= ENCODE_GENERATED;
        c->default_value = s->default_value != NULL
                               ? arena_strdup(t->arena, s->default_value)
                               : NULL;
        c->full = arena_strdup(t->arena, declared);
        if (c->full == NULL ||
            (s->default_value != NULL && c->default_value == NULL))
            return ERR_NOMEM;
    }
    if (c->way == ENCODE_UUID || c->way == ENCODE_INET4 ||
        c->way == ENCODE_INET6)
        turn_into_text(c, c->full);
    e = convert_members(t->arena, c);
    if (e == ERR_OK)
        e = quote_name(t->arena, c);
    if (e != ERR_OK)
        return e;
    c->word = arena_printf(t->arena, "%s%s%s", c->base,
                           c->is_unsigned ? " unsigned" : "",
                           c->is_zerofill ? " zerofill" : "");
    if (c->full == NULL)
        c->full = made_up_type(t->arena, c);
    return c->word != NULL && c->full != NULL ? ERR_OK : ERR_NOMEM;
}

/* ---- keys ---- */

size_t
encode_column_of(const struct encode_table *t, const char *name)
{
    size_t i = 0;

    while (i < t->n && strcasecmp(t->column[i].name, name) != 0)
        i++;
    return i;
}

const struct encode_index *
encode_unique(const struct encode_table *t, const char *name)
{
    for (size_t i = 0; i < t->n_indexes; i++)
        if (t->index[i].is_unique && strcasecmp(t->index[i].name, name) == 0)
            return &t->index[i];
    return NULL;
}

static bool
is_sent(const struct encode_table *t, const struct encode_index *x)
{
    for (size_t i = 0; i < x->n; i++)
        if (t->column[encode_column_of(t, x->column[i])].is_left_out)
            return false;
    return true;
}

static bool
is_handle(const struct encode_table *t, const struct encode_index *x)
{
    if (x->is_primary)
        return true;
    for (size_t i = 0; i < x->n; i++)
        if (t->column[encode_column_of(t, x->column[i])].flags &
            ENCODE_NULLABLE)
            return false;
    return x->is_unique;
}

/* The primary key, else the not null unique one of fewest columns, of those
 * the first. */
static const struct encode_index *
handle_of(struct encode_table *t)
{
    const struct encode_index *best = NULL;

    for (size_t i = 0; i < t->n_indexes; i++) {
        const struct encode_index *x = &t->index[i];

        if (!is_handle(t, x))
            continue;
        if (!is_sent(t, x))
            t->lost_handle = true;
        else if (x->is_primary || best == NULL ||
                 (!best->is_primary && x->n < best->n))
            best = x;
    }
    t->lost_handle = t->lost_handle && best == NULL;
    return best;
}

static enum err
take_columns(struct encode_table *t, const struct encode_index *x,
             size_t **column, size_t *n)
{
    *column = arena_array(t->arena, x->n, sizeof(**column));
    if (*column == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < x->n; i++)
        (*column)[i] = encode_column_of(t, x->column[i]);
    *n = x->n;
    return ERR_OK;
}

static void
flag_index(struct encode_table *t, const struct encode_index *x,
           const struct encode_index *handle)
{
    unsigned flags = 0;

    if (x->is_primary)
        flags |= ENCODE_PRIMARY;
    else if (x->is_unique)
        flags |= ENCODE_UNIQUE;
    if (x->n > 1)
        flags |= ENCODE_MULTIPLE;
    if (x == handle)
        flags |= ENCODE_HANDLE;
    for (size_t i = 0; i < x->n; i++)
        t->column[encode_column_of(t, x->column[i])].flags |= flags;
}

static enum err
find_keys(struct encode_table *t)
{
    const struct encode_index *handle = handle_of(t);
    enum err e = ERR_OK;

    for (size_t i = 0; i < t->n_indexes && e == ERR_OK; i++) {
        flag_index(t, &t->index[i], handle);
        if (t->index[i].is_primary && is_sent(t, &t->index[i]))
            e = take_columns(t, &t->index[i], &t->primary, &t->n_primary);
    }
    if (e == ERR_OK && handle != NULL)
        e = take_columns(t, handle, &t->handle, &t->n_handle);
    return e;
}

/* The primary key is in the log. */
static enum err
index_of_log(struct encode_table *t)
{
    const struct binlog_table *def = t->def;
    const char **names;

    if (def->n_key == 0)
        return ERR_OK;
    names = arena_array(t->arena, def->n_key, sizeof(*names));
    t->index = arena_array(t->arena, 1, sizeof(*t->index));
    if (names == NULL || t->index == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < def->n_key; i++)
        names[i] = def->column[def->key[i].column].name;
    t->index[0] =
        (struct encode_index){ "PRIMARY", true, true, def->n_key, names };
    t->n_indexes = 1;
    return ERR_OK;
}

static enum err
index_of_schema(struct encode_table *t, const struct encode_schema *s)
{
    t->index = arena_array(t->arena, s->n_indexes, sizeof(*t->index));
    if (t->index == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_indexes; i++) {
        const struct encode_index *x = &s->index[i];
        const char **names = arena_array(t->arena, x->n, sizeof(*names));
        bool known = true;

        if (names == NULL)
            return ERR_NOMEM;
        for (size_t k = 0; k < x->n; k++) {
            size_t c = encode_column_of(t, x->column[k]);

            known = known && c < t->n; /* of an expression: MySQL 8 */
            names[k] = c < t->n ? t->column[c].name : "";
        }
        if (!known || x->n == 0)
            continue;
        t->index[t->n_indexes] = *x;
        t->index[t->n_indexes].column = names;
        t->index[t->n_indexes].name = arena_strdup(t->arena, x->name);
        if (t->index[t->n_indexes].name == NULL)
            return ERR_NOMEM;
        t->n_indexes++;
    }
    return ERR_OK;
}

/* ---- the whole ---- */

static const struct encode_schema_column *
schema_column(const struct encode_schema *s, const char *name)
{
    for (size_t i = 0; s != NULL && i < s->n; i++)
        if (strcasecmp(s->column[i].name, name) == 0)
            return &s->column[i];
    return NULL;
}

/* A schema that was read after another statement has other columns, or keys.
 * (MariaDB's log has all columns, virtual ones too.) */
static bool
is_of(const struct encode_schema *s, const struct binlog_table *def)
{
    size_t n_key = 0;

    if (s == NULL || s->n != def->n)
        return false;
    for (size_t i = 0; i < def->n; i++) {
        const struct binlog_column *l = &def->column[i];

        if (strcasecmp(s->column[i].name, l->name) != 0 ||
            (l->is_unsigned != says(s->column[i].type, "unsigned") &&
             l->type != BINLOG_YEAR && l->type != BINLOG_BIT))
            return false;
    }
    for (size_t i = 0; i < s->n_indexes; i++)
        if (s->index[i].is_primary)
            n_key = s->index[i].n;
    return n_key == def->n_key || !def->is_described;
}

static int
by_name(const void *a, const void *b, void *ctx)
{
    const struct encode_table *t = ctx;

    return strcmp(t->column[*(const size_t *)a].name,
                  t->column[*(const size_t *)b].name);
}

/* {"id":"int","val":"varchar"}, of the columns that are sent. */
static enum err
render(struct encode_table *t)
{
    struct buf types_b = BUF_INIT(TABLE_BYTES), full = BUF_INIT(TABLE_BYTES);
    struct buf sql = BUF_INIT(TABLE_BYTES);
    struct json_writer w;
    bool first = true;
    enum err e = ERR_OK;

    for (size_t i = 0; i < t->n; i++) {
        const struct encode_column *c = &t->column[i];

        if (c->is_left_out)
            continue;
        for (size_t k = 0; k < 3; k++) {
            struct buf *b = k == 0 ? &types_b : k == 1 ? &full : &sql;

            buf_putc(b, first ? '{' : ',');
            buf_put(b, c->quoted.p, c->quoted.n);
            jw_init(&w, b, &style);
            if (k == 2)
                jw_i32(&w, c->sql_type);
            else
                jw_str(&w, k == 0 ? c->word : c->full);
        }
        first = false;
    }
    buf_puts(&types_b, first ? "{}" : "}");
    buf_puts(&full, first ? "{}" : "}");
    buf_puts(&sql, first ? "{}" : "}");
    t->types = settle_span(&types_b, t->arena, &e);
    t->full_types = settle_span(&full, t->arena, &e);
    t->sql_types = settle_span(&sql, t->arena, &e);
    return e;
}

static enum err
fill(struct encode_table *t, const struct encode_schema *schema,
     const struct encode_pick *pick)
{
    const struct binlog_table *def = t->def;
    enum err e = ERR_OK;

    t->schema = def->schema;
    t->name = def->name;
    t->n = def->n;
    t->column = arena_array(t->arena, def->n, sizeof(*t->column));
    t->sorted = arena_array(t->arena, def->n, sizeof(*t->sorted));
    if (t->column == NULL || t->sorted == NULL)
        return ERR_NOMEM;
    t->is_described = is_of(schema, def);
    for (size_t i = 0; i < def->n && e == ERR_OK; i++) {
        const struct binlog_column *l = &def->column[i];

        t->sorted[i] = i;
        e = add_column(t, &t->column[i], l,
                       t->is_described ? schema_column(schema, l->name) : NULL);
        if (pick != NULL && !pick->takes(pick->ctx, l->name))
            t->column[i].is_left_out = true;
        t->has_unsigned |= t->column[i].is_unsigned;
    }
    if (e == ERR_OK)
        e = t->is_described ? index_of_schema(t, schema) : index_of_log(t);
    if (e == ERR_OK)
        e = find_keys(t);
    if (e != ERR_OK)
        return e;
    qsort_r(t->sorted, t->n, sizeof(*t->sorted), by_name, t);
    return render(t);
}

enum err
encode_table_new(struct binlog_table *def, const struct encode_schema *schema,
                 const struct encode_pick *pick, uint64_t version,
                 struct encode_table **out)
{
    struct arena *a = arena_new(TABLE_BYTES);
    struct encode_table *t = a != NULL ? arena_alloc(a, sizeof(*t)) : NULL;
    enum err e;

    *out = NULL;
    if (t == NULL) {
        if (a != NULL)
            arena_free(a);
        return ERR_NOMEM;
    }
    t->arena = a;
    t->version = version;
    t->def = binlog_table_hold(def);
    e = fill(t, schema, pick);
    if (e != ERR_OK) {
        encode_table_free(t);
        return e;
    }
    *out = t;
    return ERR_OK;
}

void
encode_table_free(struct encode_table *t)
{
    if (t == NULL)
        return;
    if (t->user_free != NULL)
        t->user_free(t->user);
    binlog_table_let_go(t->def);
    arena_free(t->arena);
}
