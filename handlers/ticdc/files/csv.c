/* CSV. */
#include "csv.h"

#include <stdlib.h>
#include <string.h>

#include "hex.h"

/* A line under way. */
struct line {
    struct buf *b;
    const struct csv_config *c;
    bool begun;
};

static void
next_field(struct line *l)
{
    if (l->begun)
        buf_puts(l->b, l->c->delimiter);
    l->begun = true;
}

static void
put_quoted(struct buf *b, const char *quote, const char *p, size_t n)
{
    const char *end = p + n, *at;

    buf_puts(b, quote);
    while ((at = memchr(p, *quote, (size_t)(end - p))) != NULL) {
        buf_put(b, p, (size_t)(at + 1 - p));
        buf_putc(b, *quote);
        p = at + 1;
    }
    buf_put(b, p, (size_t)(end - p));
    buf_puts(b, quote);
}

static void
put_escaped(struct buf *b, const char *delimiter, const char *p, size_t n)
{
    size_t len = strlen(delimiter);

    for (size_t i = 0; i < n; i++) {
        if (n - i >= len && memcmp(p + i, delimiter, len) == 0) {
            for (size_t k = 0; k < len; k++) {
                buf_putc(b, '\\');
                buf_putc(b, delimiter[k]);
            }
            i += len - 1;
            continue;
        }
        if (p[i] == '\n' || p[i] == '\r' || p[i] == '\\') {
            buf_putc(b, '\\');
            buf_putc(b, p[i] == '\n' ? 'n' : p[i] == '\r' ? 'r' : '\\');
        } else {
            buf_putc(b, p[i]);
        }
    }
}

static void
put_text(struct line *l, const char *p, size_t n)
{
    next_field(l);
    if (!str_empty(l->c->quote))
        put_quoted(l->b, l->c->quote, p, n);
    else
        put_escaped(l->b, l->c->delimiter, p, n);
}

static void
put_word(struct line *l, const char *text)
{
    put_text(l, text, strlen(text));
}

static void
put_bare(struct line *l, const char *p, size_t n)
{
    next_field(l);
    buf_put(l->b, p, n);
}

/* In pieces of whole groups of three, so that padding is at the end alone. */
static void
put_bytes(struct line *l, const char *p, size_t n)
{
    enum { PIECE = 1536 };
    char out[PIECE * 2 + 1];
    const char *quote = l->c->quote;

    next_field(l);
    buf_puts(l->b, quote);
    while (n > 0) {
        size_t part = n < PIECE ? n : PIECE;

        if (l->c->hex)
            hex_write(p, part, out);
        else
            base64_write(p, part, out);
        buf_puts(l->b, out);
        p += part;
        n -= part;
    }
    buf_puts(l->b, quote);
}

static void
put_members(struct line *l, const struct encode_column *c, uint64_t v)
{
    struct buf names = BUF_INIT((size_t)1 << 24);

    encode_members(&names, c, v);
    put_text(l, buf_text(&names), names.n);
    if (buf_err(&names) != ERR_OK)
        l->b->failed = true;
    buf_free(&names);
}

static void
put_value(struct line *l, const struct encode_column *c,
          const struct binlog_value *v)
{
    char room[ENCODE_FLOAT_MAX];
    struct span text;

    switch (v->form) {
    case BINLOG_NULL:
        put_bare(l, l->c->null, strlen(l->c->null));
        break;
    case BINLOG_BYTES:
        put_bytes(l, v->p, v->n);
        break;
    case BINLOG_TEXT:
        put_text(l, v->p, v->n);
        break;
    default:
        if (c->n_members > 0) {
            put_members(l, c, v->u);
            break;
        }
        text = encode_text(v, room);
        put_bare(l, text.p, text.n);
    }
}

/* The value of the key, or of all its columns: {1, a}. */
static void
put_handle(struct line *l, const struct encode_table *t,
           const struct binlog_value *v)
{
    struct buf b = BUF_INIT((size_t)1 << 30);
    char room[ENCODE_FLOAT_MAX];

    if (t->n_handle > 1)
        buf_putc(&b, '{');
    for (size_t i = 0; i < t->n_handle; i++) {
        struct span text = encode_text(&v[t->handle[i]], room);

        if (i > 0)
            buf_puts(&b, ", ");
        buf_put(&b, text.p, text.n);
    }
    if (t->n_handle > 1)
        buf_putc(&b, '}');
    put_text(l, buf_text(&b), b.n);
    if (buf_err(&b) != ERR_OK)
        l->b->failed = true;
    buf_free(&b);
}

static void
put_line(struct buf *b, const struct csv_config *c,
         const struct encode_event *ev, const char *op,
         const struct binlog_value *v)
{
    const struct encode_table *t = ev->table;
    struct line l = { .b = b, .c = c };
    char digits[20];

    put_word(&l, op);
    put_word(&l, t->name);
    put_word(&l, t->schema);
    if (c->commit_ts)
        put_bare(&l, digits, buf_digits(digits, ev->commit_ts));
    if (c->old_value && ev->kind == BINLOG_UPDATE)
        put_bare(&l, "true", 4);
    else if (c->old_value)
        put_bare(&l, "false", 5);
    if (c->handle_key)
        put_handle(&l, t, v);
    for (size_t i = 0; i < t->n; i++)
        if (!t->column[i].is_left_out)
            put_value(&l, &t->column[i], &v[i]);
    buf_puts(b, c->terminator);
}

void
csv_row(struct buf *b, const struct csv_config *c,
        const struct encode_event *ev)
{
    switch (ev->kind) {
    case BINLOG_INSERT:
        put_line(b, c, ev, "I", ev->after);
        break;
    case BINLOG_DELETE:
        put_line(b, c, ev, "D", ev->before);
        break;
    case BINLOG_UPDATE:
        if (c->old_value) {
            put_line(b, c, ev, "D", ev->before);
            put_line(b, c, ev, "I", ev->after);
        } else {
            put_line(b, c, ev, "U", ev->after);
        }
        break;
    }
}

void
csv_header(struct buf *b, const struct csv_config *c,
           const struct encode_table *t)
{
    struct line l = { .b = b, .c = c };
    const struct {
        const char *name;
        bool is_there;
    } heads[] = {
        { "ticdc-meta$operation", true },
        { "ticdc-meta$table", true },
        { "ticdc-meta$schema", true },
        { "ticdc-meta$commit-ts", c->commit_ts },
        { "ticdc-meta$is-update", c->old_value },
        { "ticdc-meta$handle-key", c->handle_key },
    };

    for (size_t i = 0; i < COUNT(heads); i++)
        if (heads[i].is_there)
            put_bare(&l, heads[i].name, strlen(heads[i].name));
    for (size_t i = 0; i < t->n; i++)
        if (!t->column[i].is_left_out)
            put_bare(&l, t->column[i].name, strlen(t->column[i].name));
    buf_puts(b, c->terminator);
}
