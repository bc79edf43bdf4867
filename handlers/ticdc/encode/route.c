/* Topics by expression, partitions by TiCDC's hash: groups of bytes, each by
 * its CRC, put together by XOR so that their order does not matter. */
#include "route.h"

#include <string.h>
#include <strings.h>
#include <zlib.h>

/* ---- topics ---- */

static bool
is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* One '_' for each character that a topic cannot have. */
static size_t
put_name(char *out, size_t n, const char *name)
{
    for (; *name != '\0' && n + 1 < ROUTE_TOPIC_MAX; name++) {
        if (is_plain(*name))
            out[n++] = *name;
        else if (((unsigned char)*name & 0xc0) != 0x80)
            out[n++] = '_';
    }
    return n;
}

void
route_topic(const char *expression, const char *schema, const char *table,
            char out[ROUTE_TOPIC_MAX])
{
    size_t n = 0;

    while (*expression != '\0' && n + 1 < ROUTE_TOPIC_MAX) {
        if (strncmp(expression, "{schema}", 8) == 0) {
            n = put_name(out, n, schema);
            expression += 8;
        } else if (strncmp(expression, "{table}", 7) == 0) {
            n = put_name(out, n, table);
            expression += 7;
        } else {
            out[n++] = is_plain(*expression) ? *expression : '_';
            expression++;
        }
    }
    out[n] = '\0';
    /* brokers keep these two for themselves */
    if (strcmp(out, ".") == 0)
        memcpy(out, "_", 2);
    else if (strcmp(out, "..") == 0)
        memcpy(out, "__", 3);
}

/* ---- partitions ---- */

enum route_by
route_by_word(const char *word, bool *known)
{
    static const struct {
        const char *word;
        enum route_by by;
    } words[] = {
        { "default", ROUTE_TABLE },
        { "table", ROUTE_TABLE },
        { "ts", ROUTE_TS },
        { "rowid", ROUTE_INDEX },
        { "index-value", ROUTE_INDEX },
        { "columns", ROUTE_COLUMNS },
        { "", ROUTE_TABLE },
    };

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcasecmp(word, words[i].word) == 0) {
            *known = true;
            return words[i].by;
        }
    *known = false;
    return ROUTE_TABLE;
}

enum err
route_check(const struct route *r, const struct encode_table *t,
            char why[WHY_BYTES])
{
    if (r->by == ROUTE_INDEX && !str_empty(r->index) &&
        encode_unique(t, r->index) == NULL)
        return why_fail(why, ERR_BAD_PARAM,
                        "index not found when dispatch event, table: %s.%s, "
                        "index: %s: it is not there, or not unique",
                        t->schema, t->name, r->index);
    for (size_t i = 0; r->by == ROUTE_COLUMNS && i < r->n_columns; i++)
        if (encode_column_of(t, r->column[i]) == t->n)
            return why_fail(why, ERR_BAD_PARAM,
                            "column not found when dispatch event, table: "
                            "%s.%s, column: %s",
                            t->schema, t->name, r->column[i]);
    return ERR_OK;
}

static uint32_t
crc(uint32_t so_far, const char *p, size_t n)
{
    return (uint32_t)crc32_z(so_far, (const unsigned char *)p, n);
}

/* A group: the column's name and its value. */
static uint32_t
crc_column(const struct encode_column *c, const struct binlog_value *v)
{
    char room[ENCODE_FLOAT_MAX];
    struct span text = { "null", 4 };

    if (v->form != BINLOG_NULL)
        text = encode_text(v, room);
    return crc(crc(0, c->name, strlen(c->name)), text.p, text.n);
}

uint64_t
route_hash(const struct route *r, const struct encode_event *e,
           const struct binlog_value *image)
{
    const struct encode_table *t = e->table;
    const struct encode_index *x;
    uint32_t h;

    if (r->by == ROUTE_TS)
        return e->commit_ts;
    h = crc(crc(0, t->schema, strlen(t->schema)), t->name, strlen(t->name));
    if (r->by == ROUTE_TABLE)
        return h;
    if (r->by == ROUTE_INDEX && str_empty(r->index)) {
        for (size_t i = 0; i < t->n_handle; i++)
            h ^= crc_column(&t->column[t->handle[i]], &image[t->handle[i]]);
        return h;
    }
    x = r->by == ROUTE_INDEX ? encode_unique(t, r->index) : NULL;
    for (size_t i = 0, n = x != NULL ? x->n : r->n_columns; i < n; i++) {
        size_t c = encode_column_of(t, x != NULL ? x->column[i] : r->column[i]);

        if (c < t->n)
            h ^= crc_column(&t->column[c], &image[c]);
    }
    return h;
}

uint32_t
route_partition(const struct route *r, const struct encode_event *e,
                uint32_t partitions)
{
    const struct binlog_value *image =
        e->kind == BINLOG_DELETE ? e->before : e->after;

    return partitions > 0 ? (uint32_t)(route_hash(r, e, image) % partitions)
                          : 0;
}

bool
route_splits(const struct route *r, const struct encode_event *e,
             uint32_t partitions)
{
    if (e->kind != BINLOG_UPDATE)
        return false;
    return encode_changes_handle(e) ||
           (partitions > 1 && route_hash(r, e, e->before) % partitions !=
                                  route_hash(r, e, e->after) % partitions);
}
