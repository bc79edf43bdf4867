/* MySQL's binary JSON as text, as MySQL prints it: a blank behind each colon
 * and comma, names in the order that they are stored in. MariaDB's JSON is
 * text already.
 * https://dev.mysql.com/doc/dev/mysql-server/latest/json__binary_8h.html */
#include "value.h"

#include <math.h>
#include <stdio.h>

#include "json.h"
#include "number.h"

#define DEPTH_MAX 100 /* MySQL's own bound */

enum {
    SMALL_OBJECT,
    LARGE_OBJECT,
    SMALL_ARRAY,
    LARGE_ARRAY,
    LITERAL,
    INT16,
    UINT16,
    INT32,
    UINT32,
    INT64,
    UINT64,
    DOUBLE,
    STRING,
    OPAQUE = 15,
};

/* A value may lie anywhere in its container, and two may share their bytes: a
 * document of few bytes can be a text without end. What bounds it is `out`. */
struct writer {
    struct json_writer strings;
    struct buf *out;
    unsigned depth;
};

static bool put_value(struct writer *w, unsigned type, struct cursor c);

/* ---- scalars ---- */

static bool
put_literal(struct writer *w, uint64_t v)
{
    static const char *const words[] = { "null", "true", "false" };

    if (v >= COUNT(words))
        return false;
    buf_puts(w->out, words[v]);
    return true;
}

static bool
put_double(struct writer *w, uint64_t bits)
{
    char text[32];
    double v;

    memcpy(&v, &bits, sizeof(v));
    if (!isfinite(v))
        return false;
    (void)number_shortest(text, sizeof(text), v);
    buf_puts(w->out, text);
    if (strpbrk(text, ".e") == NULL)
        buf_puts(w->out, ".0"); /* or it would be an integer */
    return true;
}

static void
put_string(struct writer *w, const uint8_t *p, size_t n)
{
    w->strings.need_comma = false; /* containers are written here */
    jw_strn(&w->strings, (const char *)p, n);
}

/* Seven bits in each byte, the lowest first. */
static uint64_t
take_length(struct cursor *c)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 5; i++) {
        uint64_t byte = take_le(c, 1);

        v |= (byte & 0x7f) << 7 * i;
        if (!(byte & 0x80))
            return v;
    }
    c->cut = true;
    return 0;
}

static bool
put_text(struct writer *w, size_t n, const char *p, bool quoted)
{
    if (n == 0)
        return false;
    if (quoted)
        buf_putc(w->out, '"');
    buf_put(w->out, p, n);
    if (quoted)
        buf_putc(w->out, '"');
    return true;
}

static bool
put_decimal(struct writer *w, struct cursor c)
{
    unsigned precision = (unsigned)take_le(&c, 1);
    unsigned scale = (unsigned)take_le(&c, 1);
    char text[DECIMAL_TEXT_MAX];

    if (precision == 0 || precision > DECIMAL_PRECISION_MAX ||
        scale > precision || cursor_left(&c) != decimal_bytes(precision, scale))
        return false;
    return put_text(w, decimal_text(c.p, precision, scale, text), text, false);
}

static void
put_base64(struct writer *w, unsigned type, const uint8_t *p, size_t n)
{
    size_t quote;

    buf_printf(w->out, "\"base64:type%u:", type);
    quote = w->out->n;
    w->strings.need_comma = false;
    jw_base64(&w->strings, p, n);
    if (w->out->failed)
        return;
    /* there is one at the beginning already */
    memmove(w->out->p + quote, w->out->p + quote + 1,
            w->out->n - quote); /* with the NUL */
    w->out->n--;
}

/* What JSON has no type for is MySQL's own form of it. */
static bool
put_opaque(struct writer *w, struct cursor c)
{
    unsigned type = (unsigned)take_le(&c, 1);
    struct cursor data = take_part(&c, take_length(&c));
    char text[TIME_TEXT_MAX];
    struct cursor at = data;
    int64_t packed = (int64_t)take_le(&at, 8);

    if (c.cut || data.cut)
        return false;
    switch (type) {
    case BINLOG_DECIMAL:
        return put_decimal(w, data);
    case BINLOG_DATE:
        return !at.cut &&
               put_text(w, packed_date_text(packed, text), text, true);
    case BINLOG_DATETIME_OLD:
    case BINLOG_TIMESTAMP_OLD:
        return !at.cut &&
               put_text(w, packed_datetime_text(packed, text), text, true);
    case BINLOG_TIME_OLD:
        return !at.cut &&
               put_text(w, packed_time_text(packed, text), text, true);
    default:
        put_base64(w, type, data.p, cursor_left(&data));
        return true;
    }
}

static bool
put_scalar(struct writer *w, unsigned type, struct cursor c)
{
    uint64_t n;

    switch (type) {
    case LITERAL:
        return put_literal(w, take_le(&c, 1)) && !c.cut;
    case INT16:
        buf_i64(w->out, (int16_t)take_le(&c, 2));
        return !c.cut;
    case UINT16:
        buf_u64(w->out, take_le(&c, 2));
        return !c.cut;
    case INT32:
        buf_i64(w->out, (int32_t)take_le(&c, 4));
        return !c.cut;
    case UINT32:
        buf_u64(w->out, take_le(&c, 4));
        return !c.cut;
    case INT64:
        buf_i64(w->out, (int64_t)take_le(&c, 8));
        return !c.cut;
    case UINT64:
        buf_u64(w->out, take_le(&c, 8));
        return !c.cut;
    case DOUBLE:
        return put_double(w, take_le(&c, 8)) && !c.cut;
    case STRING:
        n = take_length(&c);
        if (c.cut || n > cursor_left(&c))
            return false;
        put_string(w, c.p, n);
        return true;
    case OPAQUE:
        return put_opaque(w, c);
    default:
        return false;
    }
}

/* ---- containers ---- */

/* What stands in a container's own list: the value itself when it is small. */
static bool
is_inline(unsigned type, size_t width)
{
    return type == LITERAL || type == INT16 || type == UINT16 ||
           (width == 4 && (type == INT32 || type == UINT32));
}

static bool
put_entry(struct writer *w, struct cursor *list, struct cursor whole,
          size_t width)
{
    unsigned type = (unsigned)take_le(list, 1);
    struct cursor at = take_part(list, width);

    if (at.cut)
        return false;
    if (!is_inline(type, width)) {
        at = whole;
        (void)take(&at, le(list->p - width, width));
        if (at.cut)
            return false;
    }
    return put_value(w, type, at);
}

static bool
put_name(struct writer *w, struct cursor *list, struct cursor whole,
         size_t width)
{
    uint64_t from = take_le(list, width), n = take_le(list, 2);

    (void)take(&whole, from);
    if (list->cut || whole.cut || n > cursor_left(&whole))
        return false;
    put_string(w, whole.p, n);
    buf_puts(w->out, ": ");
    return true;
}

static bool
put_container(struct writer *w, bool is_object, size_t width, struct cursor c)
{
    struct cursor whole, names, values;
    uint64_t n = take_le(&c, width), bytes = take_le(&c, width);

    /* offsets are from where the number of members stands */
    if (c.cut || bytes < 2 * width || bytes - 2 * width > cursor_left(&c))
        return false;
    whole = cursor_on(c.p - 2 * width, bytes);
    values = cursor_on(c.p, bytes - 2 * width);
    names = take_part(&values, is_object ? n * (width + 2) : 0);
    if (n > bytes || names.cut)
        return false;
    buf_putc(w->out, is_object ? '{' : '[');
    for (uint64_t i = 0; i < n; i++) {
        if (i > 0)
            buf_puts(w->out, ", ");
        if (w->out->failed ||
            (is_object && !put_name(w, &names, whole, width)) ||
            !put_entry(w, &values, whole, width))
            return false;
    }
    buf_putc(w->out, is_object ? '}' : ']');
    return true;
}

static bool
put_value(struct writer *w, unsigned type, struct cursor c)
{
    size_t width = type == LARGE_OBJECT || type == LARGE_ARRAY ? 4 : 2;
    bool ok;

    if (type > LARGE_ARRAY)
        return put_scalar(w, type, c);
    if (w->depth >= DEPTH_MAX)
        return false;
    w->depth++;
    ok = put_container(w, type == SMALL_OBJECT || type == LARGE_OBJECT, width,
                       c);
    w->depth--;
    return ok;
}

enum err
document_text(const uint8_t *p, size_t n, struct buf *out)
{
    struct writer w = { .out = out };
    struct cursor c = cursor_on(p, n);
    unsigned type;
    bool ok;

    jw_init(&w.strings, out, &json_compact);
    if (n == 0) { /* what MySQL leaves when a column was made NOT NULL */
        buf_puts(out, "null");
        return buf_err(out);
    }
    type = (unsigned)take_le(&c, 1);
    ok = put_value(&w, type, c);
    if (out->failed)
        return buf_err(out);
    return ok ? ERR_OK : ERR_BAD_PARAM;
}
