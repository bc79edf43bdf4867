/* TABLE_MAP: what a table was when the rows behind it were written. */
#include "table.h"

#include <stdlib.h>

#include "value.h"

#define COLUMNS_MAX 4096
#define ARENA_MAX   (16u << 20) /* of one table: members of ENUMs, mostly */

/* What binlog_types.def says of a type. */
enum traits { NUMERIC = 1, CHARS = 2 };

static const struct type {
    const char *word;
    int8_t meta;
    uint8_t traits;
    bool known;
} types[256] = {
#define TYPE(code, id, word, form, meta, traits) \
    [code] = { word, meta, traits, true },
#include "binlog_types.def"
#undef TYPE
};

const char *
binlog_type_word(enum binlog_type t)
{
    return types[t].word;
}

struct binlog_table *
binlog_table_hold(struct binlog_table *t)
{
    (void)atomic_fetch_add(&((struct table *)t)->holds, 1);
    return t;
}

void
binlog_table_let_go(struct binlog_table *t)
{
    struct table *whole = (struct table *)t;

    if (t == NULL || atomic_fetch_sub(&whole->holds, 1) != 1)
        return;
    if (t->user_free != NULL)
        t->user_free(t->user);
    arena_free(whole->a);
    free(whole);
}

/* ---- the head ---- */

/* A name by its length, and the NUL behind it. */
static const char *
take_name(struct cursor *c)
{
    uint64_t n = take_le(c, 1);
    const uint8_t *p = take(c, n + 1);

    if (p == NULL || n == 0 || memchr(p, '\0', n + 1) != p + n)
        return NULL;
    return (const char *)p;
}

enum err
table_head(struct cursor body, struct table_head *out,
           struct binlog_failure *why)
{
    struct cursor c = body;

    out->id = take_le(&c, 6);
    (void)take(&c, 2);
    out->schema = take_name(&c);
    out->name = out->schema != NULL ? take_name(&c) : NULL;
    out->rest = c;
    return out->name != NULL
               ? ERR_OK
               : binlog_fail(why, BINLOG_FAULT_CUT, "a table map");
}

/* ---- columns ---- */

struct parse {
    struct table *t;
    struct binlog_column *column;
    size_t n;
    const struct collations *cs;
    struct binlog_failure *why;
    bool old_times;
};

static enum err
bad(const struct parse *p, const char *what)
{
    return binlog_fail(p->why, BINLOG_FAULT_CUT, "a table map of %s.%s: %s",
                       p->t->t.schema, p->t->t.name, what);
}

static enum err
no_memory(const struct parse *p)
{
    return arena_is_full(p->t->a)
               ? binlog_fail(p->why, BINLOG_FAULT_LIMIT,
                             "the definition of %s.%s", p->t->t.schema,
                             p->t->t.name)
               : binlog_fail(p->why, BINLOG_FAULT_MEMORY, "%s", "");
}

static enum err
no_type(const struct parse *p, size_t i, unsigned code, const char *what)
{
    return binlog_fail(p->why, BINLOG_FAULT_TYPE,
                       "column %zu of %s.%s has type %u%s", i + 1,
                       p->t->t.schema, p->t->t.name, code, what);
}

/* A STRING is CHAR or BINARY of up to 1023 bytes, or one of two others whose
 * code it has in place of the highest bits. */
static void
read_string(struct binlog_column *col, unsigned meta)
{
    unsigned high = meta >> 8, low = meta & 0xff;

    if (high == BINLOG_ENUM || high == BINLOG_SET) {
        col->type = high;
        col->pack_bytes = (uint8_t)low;
        return;
    }
    col->max_bytes = ((high >> 4 & 3) ^ 3) << 8 | low;
    col->pack_bytes = col->max_bytes > 255 ? 2 : 1;
}

static bool
read_meta(struct binlog_column *col, unsigned meta)
{
    switch ((int)col->type) {
    case BINLOG_FLOAT:
    case BINLOG_DOUBLE:
        col->pack_bytes = (uint8_t)meta;
        return meta == (col->type == BINLOG_FLOAT ? 4 : 8);
    case BINLOG_VARCHAR:
    case BINLOG_VAR_STRING:
    case BINLOG_VARCHAR_COMPRESSED:
        col->max_bytes = meta;
        col->pack_bytes = meta > 255 ? 2 : 1;
        return true;
    case BINLOG_BLOB:
    case BINLOG_BLOB_COMPRESSED:
    case BINLOG_GEOMETRY:
    case BINLOG_JSON:
        col->pack_bytes = (uint8_t)meta;
        return meta >= 1 && meta <= 4;
    case BINLOG_BIT:
        col->max_bytes = (meta >> 8) * 8 + (meta & 0xff);
        col->pack_bytes = (uint8_t)((col->max_bytes + 7) / 8);
        return (meta & 0xff) < 8 && col->max_bytes >= 1 && col->max_bytes <= 64;
    case BINLOG_DECIMAL:
        col->precision = (uint8_t)(meta >> 8);
        col->scale = (uint8_t)(meta & 0xff);
        return col->precision >= 1 && col->precision <= DECIMAL_PRECISION_MAX &&
               col->scale <= col->precision;
    case BINLOG_TIMESTAMP:
    case BINLOG_DATETIME:
    case BINLOG_TIME:
        col->scale = (uint8_t)meta;
        return meta <= 6;
    case BINLOG_ENUM:
    case BINLOG_SET:
    case BINLOG_STRING:
        read_string(col, meta);
        return (col->type != BINLOG_ENUM ||
                (col->pack_bytes >= 1 && col->pack_bytes <= 2)) &&
               (col->type != BINLOG_SET ||
                (col->pack_bytes >= 1 && col->pack_bytes <= 8));
    default: /* without */
        return true;
    }
}

static bool
is_old_time(enum binlog_type t)
{
    return t == BINLOG_TIMESTAMP_OLD || t == BINLOG_TIME_OLD ||
           t == BINLOG_DATETIME_OLD;
}

static enum err
read_types(struct parse *p, struct cursor *c)
{
    const uint8_t *codes = take(c, p->n);
    struct cursor metas = take_part(c, take_packed(c));
    const uint8_t *nulls = take(c, (p->n + 7) / 8);

    if (c->cut || metas.cut)
        return bad(p, "its types");
    for (size_t i = 0; i < p->n; i++) {
        struct binlog_column *col = &p->column[i];
        const struct type *t = &types[codes[i]];
        size_t bytes = (size_t)(t->meta < 0 ? -t->meta : t->meta);

        if (!t->known)
            return no_type(p, i, codes[i], "");
        col->type = codes[i];
        if (is_old_time(col->type) && !p->old_times)
            return no_type(p, i, codes[i],
                           ", a form before MariaDB 10.1 that does not tell"
                           " its fraction: ALTER TABLE ... FORCE renews it");
        if (!read_meta(col, (unsigned)(t->meta < 0 ? take_be(&metas, bytes)
                                                   : take_le(&metas, bytes))))
            return no_type(p, i, codes[i], " of no such size");
        col->is_nullable = (nulls[i / 8] >> i % 8 & 1) != 0;
    }
    return metas.cut || cursor_left(&metas) > 0 ? bad(p, "sizes of its types")
                                                : ERR_OK;
}

/* ---- metadata: lists about columns of some types, in their order ---- */

static bool
has_trait(const struct binlog_column *col, unsigned trait)
{
    return (types[col->type].traits & trait) != 0;
}

static bool
is_numeric(const struct binlog_column *col)
{
    return has_trait(col, NUMERIC);
}

static bool
has_chars(const struct binlog_column *col)
{
    return has_trait(col, CHARS);
}

static bool
is_enum(const struct binlog_column *col)
{
    return col->type == BINLOG_ENUM;
}

static bool
is_set(const struct binlog_column *col)
{
    return col->type == BINLOG_SET;
}

static bool
has_members(const struct binlog_column *col)
{
    return is_enum(col) || is_set(col);
}

typedef bool column_fn(const struct binlog_column *col);

/* The next column of that kind from *i on; NULL: there is none. */
static struct binlog_column *
next_of(struct parse *p, column_fn *is, size_t *i)
{
    while (*i < p->n)
        if (is(&p->column[(*i)++]))
            return &p->column[*i - 1];
    return NULL;
}

static void
set_collation(struct parse *p, struct binlog_column *col, uint64_t collation)
{
    col->collation = (unsigned)collation;
    col->charset = collation_charset(p->cs, collation);
}

static enum err
read_signs(struct parse *p, struct cursor c)
{
    struct binlog_column *col;
    size_t bit = 0;

    for (size_t i = 0; (col = next_of(p, is_numeric, &i)) != NULL; bit++) {
        if (bit / 8 >= cursor_left(&c))
            return bad(p, "the list of signs");
        col->is_unsigned = (c.p[bit / 8] >> (7 - bit % 8) & 1) != 0;
    }
    return ERR_OK;
}

/* One for all, then those that have another, by their place among those that
 * have any. */
static enum err
read_collations(struct parse *p, struct cursor c, column_fn *is)
{
    uint64_t usual = take_packed(&c), at = 0, where = 0;
    struct binlog_column *col = NULL;
    size_t i = 0;

    for (size_t k = 0; (col = next_of(p, is, &k)) != NULL;)
        set_collation(p, col, usual);
    while (cursor_left(&c) > 0 && !c.cut) {
        where = take_packed(&c);
        if (where < at)
            return bad(p, "the list of collations");
        do
            col = next_of(p, is, &i);
        while (at++ < where && col != NULL);
        if (col == NULL)
            return bad(p, "the list of collations");
        set_collation(p, col, take_packed(&c));
    }
    return c.cut ? bad(p, "the list of collations") : ERR_OK;
}

static enum err
read_each_collation(struct parse *p, struct cursor c, column_fn *is)
{
    struct binlog_column *col;

    for (size_t i = 0; (col = next_of(p, is, &i)) != NULL;)
        set_collation(p, col, take_packed(&c));
    return c.cut ? bad(p, "the collations") : ERR_OK;
}

static enum err
read_names(struct parse *p, struct cursor c)
{
    for (size_t i = 0; i < p->n; i++) {
        uint64_t n = take_packed(&c);
        const uint8_t *name = take(&c, n);

        if (name == NULL || n == 0 || memchr(name, '\0', n) != NULL)
            return bad(p, "names of columns");
        p->column[i].name = arena_strndup(p->t->a, (const char *)name, n);
        if (p->column[i].name == NULL)
            return no_memory(p);
    }
    p->t->t.is_described = true;
    return ERR_OK;
}

static enum err
read_members(struct parse *p, struct cursor c, column_fn *is)
{
    struct binlog_column *col;

    for (size_t i = 0; (col = next_of(p, is, &i)) != NULL;) {
        uint64_t n = take_packed(&c);
        struct span *member;

        if (c.cut || n > cursor_left(&c) || n > (is_set(col) ? 64 : 65535))
            return bad(p, "members of ENUM or SET");
        member = arena_array(p->t->a, n, sizeof(*member));
        if (member == NULL)
            return no_memory(p);
        for (size_t k = 0; k < n; k++) {
            uint64_t bytes = take_packed(&c);
            const uint8_t *text = take(&c, bytes);

            if (text == NULL)
                return bad(p, "members of ENUM or SET");
            member[k] = (struct span){
                arena_strndup(p->t->a, (const char *)text, bytes), bytes
            };
            if (member[k].p == NULL)
                return no_memory(p);
        }
        col->member = member;
        col->n_members = n;
    }
    return ERR_OK;
}

static enum err
read_key(struct parse *p, struct cursor c, bool has_prefixes)
{
    struct binlog_key_part *key;
    size_t n = 0;

    if (cursor_left(&c) > 2 * 9 * COLUMNS_MAX)
        return bad(p, "the primary key");
    key = arena_array(p->t->a, cursor_left(&c), sizeof(*key));
    if (key == NULL)
        return no_memory(p);
    for (; cursor_left(&c) > 0; n++) {
        key[n].column = take_packed(&c);
        key[n].prefix = has_prefixes ? take_packed(&c) : 0;
        if (c.cut || key[n].column >= p->n)
            return bad(p, "the primary key");
    }
    p->t->t.key = key;
    p->t->t.n_key = n;
    return ERR_OK;
}

static enum err
read_visible(struct parse *p, struct cursor c)
{
    if (cursor_left(&c) < (p->n + 7) / 8)
        return bad(p, "visible columns");
    for (size_t i = 0; i < p->n; i++)
        p->column[i].is_invisible = (c.p[i / 8] >> (7 - i % 8) & 1) == 0;
    return ERR_OK;
}

static enum err
read_item(struct parse *p, unsigned what, struct cursor c)
{
    switch (what) {
    case 1:
        return read_signs(p, c);
    case 2:
        return read_collations(p, c, has_chars);
    case 3:
        return read_each_collation(p, c, has_chars);
    case 4:
        return read_names(p, c);
    case 5:
        return read_members(p, c, is_set);
    case 6:
        return read_members(p, c, is_enum);
    case 8:
        return read_key(p, c, false);
    case 9:
        return read_key(p, c, true);
    case 10:
        return read_collations(p, c, has_members);
    case 11:
        return read_each_collation(p, c, has_members);
    case 12:
        return read_visible(p, c);
    default: /* kinds of geometries, and what may come: not needed to read */
        return ERR_OK;
    }
}

static enum err
read_metadata(struct parse *p, struct cursor *c)
{
    enum err e = ERR_OK;

    while (cursor_left(c) > 0 && e == ERR_OK) {
        unsigned what = (unsigned)take_le(c, 1);
        struct cursor item = take_part(c, take_packed(c));

        e = item.cut ? bad(p, "its metadata") : read_item(p, what, item);
    }
    return e;
}

/* ---- the whole ---- */

/* What a value needs of an image's text beside its bytes. */
static size_t
text_max(const struct binlog_column *col)
{
    switch ((int)col->type) {
    case BINLOG_DECIMAL:
        return DECIMAL_TEXT_MAX;
    case BINLOG_DATE:
    case BINLOG_TIME:
    case BINLOG_DATETIME:
    case BINLOG_TIME_OLD:
    case BINLOG_DATETIME_OLD:
        return TIME_TEXT_MAX;
    case BINLOG_STRING: /* BINARY: the zeros at its end */
        return col->collation == BINLOG_BINARY ? col->max_bytes : 0;
    default:
        return 0;
    }
}

static void
measure(struct binlog_table *t)
{
    t->text_max = 0;
    for (size_t i = 0; i < t->n; i++)
        t->text_max += text_max(&t->column[i]);
}

static enum err
fill(struct parse *p, const struct table_head *h)
{
    struct binlog_table *t = &p->t->t;
    struct cursor c = h->rest;
    enum err e;

    t->schema = arena_strdup(p->t->a, h->schema);
    t->name = arena_strdup(p->t->a, h->name);
    if (t->schema == NULL || t->name == NULL)
        return binlog_fail(p->why, BINLOG_FAULT_MEMORY, "%s", "");
    p->n = t->n = take_packed(&c);
    if (c.cut || p->n == 0 || p->n > COLUMNS_MAX)
        return bad(p, "how many columns");
    p->column = arena_array(p->t->a, p->n, sizeof(*p->column));
    if (p->column == NULL)
        return no_memory(p);
    t->column = p->column;
    for (size_t i = 0; i < p->n; i++)
        p->column[i].name = "";
    e = read_types(p, &c);
    if (e == ERR_OK)
        e = read_metadata(p, &c);
    measure(t);
    return e;
}

enum err
table_parse(const struct table_head *h, const struct collations *cs,
            bool old_times, struct binlog_table **out,
            struct binlog_failure *why)
{
    struct parse p = { .cs = cs, .why = why, .old_times = old_times };
    enum err e;

    p.t = calloc(1, sizeof(*p.t));
    if (p.t == NULL)
        return binlog_fail(why, BINLOG_FAULT_MEMORY, "%s", "");
    atomic_init(&p.t->holds, 1);
    p.t->a = arena_new(ARENA_MAX);
    e = p.t->a != NULL ? fill(&p, h)
                       : binlog_fail(why, BINLOG_FAULT_MEMORY, "%s", "");
    if (e == ERR_OK) {
        *out = &p.t->t;
        return ERR_OK;
    }
    arena_free(p.t->a);
    free(p.t);
    return e;
}

enum err
binlog_table_describe(struct binlog_table *t,
                      const struct binlog_description *v, size_t n)
{
    struct arena *a = ((struct table *)t)->a;
    struct binlog_column *column;
    struct binlog_key_part *key;

    if (n != t->n)
        return ERR_BAD_PARAM;
    column = arena_array(a, n, sizeof(*column));
    key = arena_array(a, n, sizeof(*key));
    if (column == NULL || key == NULL)
        return arena_is_full(a) ? ERR_LIMIT : ERR_NOMEM;
    t->key = key;
    t->n_key = 0;
    for (size_t i = 0; i < n; i++) {
        if (str_empty(v[i].name))
            return ERR_BAD_PARAM;
        column[i] = t->column[i];
        column[i].is_unsigned = v[i].is_unsigned && is_numeric(&column[i]);
        column[i].collation = v[i].collation;
        column[i].charset = charset_known(v[i].charset);
        column[i].name = arena_strdup(a, v[i].name);
        if (column[i].name == NULL)
            return arena_is_full(a) ? ERR_LIMIT : ERR_NOMEM;
        if (v[i].is_key)
            key[t->n_key++].column = i;
    }
    t->column = column;
    t->is_described = true;
    measure(t);
    return ERR_OK;
}
