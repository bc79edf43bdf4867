/* Protobuf's text format: on one line, as some of Doris's messages have it
 * (name: "value" number: 1 child { ... }), or on many, as the replies of its
 * debug operations; set fields in the record's order. */
#include <string.h>

#include "doris.h"

static void put_record(struct buf *b, const struct record *rec, const void *in);

/* A string literal: quotes, backslashes, control bytes and everything beyond
 * ASCII are escaped, as protobuf does. */
static void
put_string(struct buf *b, const char *s)
{
    buf_putc(b, '"');
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\' || c == '\'')
            buf_printf(b, "\\%c", c);
        else if (c == '\n' || c == '\r' || c == '\t')
            buf_printf(b, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        else if (c < 0x20 || c >= 0x7f)
            buf_printf(b, "\\%03o", c);
        else
            buf_putc(b, (char)c);
    }
    buf_putc(b, '"');
}

static void
put_scalar(struct buf *b, const struct field *f, const char *at)
{
    const char *s;
    int32_t i32;
    int64_t i64;

    if (f->type == F_STR) {
        memcpy(&s, at, sizeof(s));
        put_string(b, (f->flags & SECRET) != 0 ? "***" : s);
    } else if (f->type == F_I64) {
        memcpy(&i64, at, sizeof(i64));
        buf_i64(b, i64);
    } else if (f->type == F_BOOL) {
        buf_puts(b, *(const bool *)at ? "true" : "false");
    } else {
        memcpy(&i32, at, sizeof(i32));
        if (f->type == F_ENUM)
            buf_puts(b, enum_text(f->names, i32));
        else
            buf_i64(b, i32);
    }
}

static void
put_name(struct buf *b, const char *name)
{
    if (b->n > 0)
        buf_putc(b, ' ');
    buf_puts(b, name);
}

static void
put_message(struct buf *b, const char *name, const struct record *rec,
            const void *in)
{
    put_name(b, name);
    buf_puts(b, " {");
    put_record(b, rec, in);
    buf_puts(b, " }");
}

/* One name per element; elements of scalar lists stand like members. */
static void
put_list(struct buf *b, const struct field *f, const char *at)
{
    struct {
        size_t n;
        const char *v;
    } list;

    memcpy(&list, at, sizeof(list));
    for (size_t i = 0; i < list.n; i++) {
        const char *element = list.v + i * f->more->size;
        const struct field *only = &f->more->fields[0];

        if (f->more->n == 1 && str_empty(only->key)) {
            put_name(b, f->key);
            buf_puts(b, ": ");
            put_scalar(b, only, element + only->off);
        } else {
            put_message(b, f->key, f->more, element);
        }
    }
}

static void
put_field(struct buf *b, const struct field *f, const char *at)
{
    const void *child;

    switch (f->type) {
    case F_OBJ:
        memcpy(&child, at, sizeof(child));
        put_message(b, f->key, f->more, child);
        break;
    case F_LIST:
        put_list(b, f, at);
        break;
    case F_STR:
    case F_I32:
    case F_I64:
    case F_BOOL:
    case F_ENUM:
        put_name(b, f->key);
        buf_puts(b, ": ");
        put_scalar(b, f, at);
        break;
    default: /* no message prints maps, raw JSON or rows */
        break;
    }
}

static void
put_record(struct buf *b, const struct record *rec, const void *in)
{
    uint64_t has;

    memcpy(&has, in, sizeof(has));
    for (size_t i = 0; i < rec->n; i++)
        if ((has >> rec->fields[i].bit & 1) != 0)
            put_field(b, &rec->fields[i],
                      (const char *)in + rec->fields[i].off);
}

/* ---- many lines ---- */

static void put_lines(struct buf *b, const struct record *rec, const void *in,
                      size_t depth);

static void
put_block(struct buf *b, const struct field *f, const void *in, size_t depth)
{
    buf_fill(b, ' ', 2 * depth);
    buf_puts(b, f->key);
    buf_puts(b, " {\n");
    put_lines(b, f->more, in, depth + 1);
    buf_fill(b, ' ', 2 * depth);
    buf_puts(b, "}\n");
}

static void
put_blocks(struct buf *b, const struct field *f, const char *at, size_t depth)
{
    struct {
        size_t n;
        const char *v;
    } list;

    memcpy(&list, at, sizeof(list));
    for (size_t i = 0; i < list.n; i++)
        put_block(b, f, list.v + i * f->more->size, depth);
}

static void
put_line(struct buf *b, const struct field *f, const char *at, size_t depth)
{
    const void *child;

    if (f->type == F_LIST) {
        put_blocks(b, f, at, depth);
    } else if (f->type == F_OBJ) {
        memcpy(&child, at, sizeof(child));
        put_block(b, f, child, depth);
    } else {
        buf_fill(b, ' ', 2 * depth);
        buf_puts(b, f->key);
        buf_puts(b, ": ");
        put_scalar(b, f, at);
        buf_putc(b, '\n');
    }
}

static void
put_lines(struct buf *b, const struct record *rec, const void *in, size_t depth)
{
    for (size_t i = 0; i < rec->n; i++)
        if ((rec->fields[i].flags & OUT) != 0 &&
            field_present(&rec->fields[i], in))
            put_line(b, &rec->fields[i], (const char *)in + rec->fields[i].off,
                     depth);
}

void
doris_text_lines(struct buf *b, const struct record *rec, const void *in)
{
    put_lines(b, rec, in, 0);
}

/* ---- one line ---- */

const char *
doris_text(struct req *r, const struct record *rec, const void *in)
{
    struct buf b = BUF_INIT(8192);
    const char *s;

    put_record(&b, rec, in);
    b.failed = false; /* in a message its beginning will do */
    return buf_settle(&b, r->arena, &s) == ERR_OK ? s : "";
}
