/* Definitions as JSON, byte for byte as Go prints them: the sum is of that
 * text. */
#include "shape.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define SHAPE_BYTES ((size_t)64 << 20)
#define WORD_MAX    32

static const struct json_style style = { .indent = 4, .html_escape = true };

/* A type taken apart: "DECIMAL UNSIGNED", and what its parentheses have. */
struct type {
    char word[2 * WORD_MAX];
    char first[12], second[12];
};

static const char *
read_digits(const char *p, char out[12])
{
    size_t n = 0;

    while (*p >= '0' && *p <= '9') {
        if (n < 11)
            out[n++] = *p;
        p++;
    }
    out[n] = '\0';
    return p;
}

static void
read_type(const char *text, struct type *t)
{
    size_t n = 0;

    *t = (struct type){ .word = "" };
    while (n < WORD_MAX &&
           (isalnum((unsigned char)text[n]) || text[n] == '_')) {
        t->word[n] = (char)toupper((unsigned char)text[n]);
        n++;
    }
    if (text[n] == '(') {
        const char *p = read_digits(text + n + 1, t->first);

        if (*p == ',' && !str_empty(t->first))
            (void)read_digits(p + 1, t->second);
    }
    /* behind the last parenthesis: members of an ENUM may say anything */
    text = strrchr(text, ')') != NULL ? strrchr(text, ')') : text;
    if (strstr(text, " unsigned") != NULL)
        memcpy(t->word + n, " UNSIGNED", sizeof(" UNSIGNED"));
}

/* Of times the digits of a second's fraction are a scale. */
static bool
is_time(const char *word)
{
    return strcmp(word, "TIME") == 0 || strcmp(word, "DATETIME") == 0 ||
           strcmp(word, "TIMESTAMP") == 0;
}

static void
write_column(struct json_writer *w, const struct shape_column *c)
{
    struct type t;
    bool time;

    read_type(c->type, &t);
    time = is_time(t.word);
    jw_object(w);
    jw_key_str(w, "ColumnName", c->name);
    jw_key_str(w, "ColumnType", t.word);
    if (c->otherwise != NULL)
        jw_key_str(w, "ColumnDefault", c->otherwise);
    if (!time && !str_empty(t.first))
        jw_key_str(w, "ColumnPrecision", t.first);
    if (!str_empty(time ? t.first : t.second))
        jw_key_str(w, "ColumnScale", time ? t.first : t.second);
    if (!c->is_nullable)
        jw_key_str(w, "ColumnNullable", "false");
    if (c->is_key)
        jw_key_str(w, "ColumnIsPk", "true");
    jw_object_end(w);
}

static void
write_shape(struct buf *b, const struct shape *s, uint64_t file_version,
            uint64_t version, const char *sql, unsigned action)
{
    struct json_writer w;

    jw_init(&w, b, &style);
    jw_object(&w);
    jw_key_str(&w, "Table", s->table);
    jw_key_str(&w, "Schema", s->schema);
    jw_key(&w, "Version");
    jw_u64(&w, file_version);
    jw_key(&w, "TableVersion");
    jw_u64(&w, version);
    jw_key_str(&w, "Query", sql);
    jw_key(&w, "Type");
    jw_u64(&w, action);
    jw_key(&w, "TableColumns");
    if (s->n == 0) {
        jw_null(&w);
    } else {
        jw_array(&w);
        for (size_t i = 0; i < s->n; i++)
            write_column(&w, &s->column[i]);
        jw_array_end(&w);
    }
    jw_key(&w, "TableColumnsTotal");
    jw_u64(&w, s->n);
    jw_object_end(&w);
}

void
shape_write(struct buf *b, const struct shape *s, uint64_t version,
            const char *sql, unsigned action)
{
    write_shape(b, s, 1, version, sql, action);
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(((const struct shape_column *)a)->name,
                  ((const struct shape_column *)b)->name);
}

/* Of the text without what differs between two makers, columns by name. */
static enum err
sum_up(struct arena *a, struct shape *s)
{
    struct buf b = BUF_INIT(SHAPE_BYTES);
    struct shape sorted = *s;
    enum err e;

    sorted.column = arena_array(a, s->n + 1, sizeof(*sorted.column));
    if (sorted.column == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n; i++) {
        const char *name = s->column[i].name;

        sorted.column[i] = s->column[i];
        s->names = (uint32_t)crc32_z(s->names, (const unsigned char *)name,
                                     strlen(name) + 1);
    }
    qsort(sorted.column, s->n, sizeof(*sorted.column), by_name);
    write_shape(&b, &sorted, 0, 0, "", 0);
    e = buf_err(&b);
    if (e == ERR_OK)
        s->sum = (uint32_t)crc32_z(0, (const unsigned char *)b.p, b.n);
    buf_free(&b);
    return e;
}

enum err
shape_of_table(struct arena *a, const struct encode_table *t, struct shape *out)
{
    *out = (struct shape){ .schema = t->schema,
                           .table = t->name,
                           .is_whole = t->is_described };
    out->column = arena_array(a, t->n + 1, sizeof(*out->column));
    if (out->column == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < t->n; i++) {
        const struct encode_column *c = &t->column[i];

        if (c->is_left_out)
            continue;
        out->column[out->n++] = (struct shape_column){
            .name = c->name,
            .type = c->full,
            .otherwise = c->default_value,
            .is_nullable = (c->flags & ENCODE_NULLABLE) != 0,
            .is_key = (c->flags & ENCODE_PRIMARY) != 0,
        };
    }
    return sum_up(a, out);
}

static bool
is_key(const struct encode_schema *s, const char *name)
{
    for (size_t i = 0; i < s->n_indexes; i++)
        for (size_t k = 0; s->index[i].is_primary && k < s->index[i].n; k++)
            if (strcmp(s->index[i].column[k], name) == 0)
                return true;
    return false;
}

enum err
shape_of_schema(struct arena *a, const char *schema, const char *table,
                const struct encode_schema *s, struct shape *out)
{
    size_t n = s != NULL ? s->n : 0;

    *out = (struct shape){ .schema = schema, .table = table, .is_whole = true };
    out->column = arena_array(a, n + 1, sizeof(*out->column));
    if (out->column == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct encode_schema_column *c = &s->column[i];

        if (c->is_virtual)
            continue;
        out->column[out->n++] = (struct shape_column){
            .name = c->name,
            .type = c->type,
            .otherwise = c->default_value,
            .is_nullable = c->is_nullable,
            .is_key = is_key(s, c->name),
        };
    }
    return sum_up(a, out);
}
