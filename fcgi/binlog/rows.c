/* Rows: images one behind the other, in each a bit for what is NULL, then the
 * values of what is not. Their types are the table's. */
#include "rows.h"

#include <stdlib.h>

#include "value.h"

struct binlog_decoder *
binlog_decoder_new(size_t max_bytes)
{
    struct binlog_decoder *d = calloc(1, sizeof(*d));

    if (d == NULL)
        return NULL;
    d->max = max_bytes;
    d->long_text = (struct buf)BUF_INIT(max_bytes);
    return d;
}

void
binlog_decoder_free(struct binlog_decoder *d)
{
    if (d == NULL)
        return;
    free(d->before);
    free(d->after);
    free(d->text);
    buf_free(&d->long_text);
    unpacker_close(&d->unpacker);
    converters_close(&d->converters);
    free(d);
}

const struct binlog_failure *
binlog_decoder_failure(const struct binlog_decoder *d)
{
    return &d->failure;
}

enum err
binlog_utf8(struct binlog_decoder *d, const char *charset, const char *p,
            size_t n, struct buf *out)
{
    return charset_to_utf8(&d->converters, charset, p, n, out);
}

/* ---- what stands in front ---- */

enum err
rows_head(struct cursor *c, bool v2, struct rows_head *out,
          struct binlog_failure *why)
{
    out->table_id = take_le(c, 6);
    out->ends = (take_le(c, 2) & 1) != 0;
    if (v2) {
        uint64_t more = take_le(c, 2); /* with these two bytes */

        (void)take(c, more >= 2 ? more - 2 : UINT64_MAX);
    }
    return c->cut ? binlog_fail(why, BINLOG_FAULT_CUT, "a rows event") : ERR_OK;
}

size_t
rows_prefix(struct cursor c, bool is_update)
{
    const uint8_t *from = c.p;
    uint64_t n = take_packed(&c), bytes = n / 8 + (n % 8 != 0);

    (void)take(&c, bytes);
    if (is_update)
        (void)take(&c, bytes);
    return c.cut ? 0 : (size_t)(c.p - from);
}

static enum err
fault(struct binlog_decoder *d, enum binlog_fault id, const char *what)
{
    return binlog_fail(&d->failure, id, "%s, rows of %s.%s", what,
                       d->table->schema, d->table->name);
}

/* Room for the values of rows of that table. */
static enum err
make_room(struct binlog_decoder *d, const struct binlog_table *t)
{
    size_t text = 2 * t->text_max;

    if (t->n > d->n_values) {
        free(d->before);
        free(d->after);
        d->n_values = 0;
        d->before = calloc(t->n, sizeof(*d->before));
        d->after = calloc(t->n, sizeof(*d->after));
        if (d->before == NULL || d->after == NULL)
            return fault(d, BINLOG_FAULT_MEMORY, "no memory");
        d->n_values = t->n;
    }
    if (text > d->text_cap) {
        free(d->text);
        d->text_cap = 0;
        d->text = malloc(text);
        if (d->text == NULL)
            return fault(d, BINLOG_FAULT_MEMORY, "no memory");
        d->text_cap = text;
    }
    return ERR_OK;
}

/* Every column is in the image. */
static bool
is_full(const uint8_t *bits, size_t n)
{
    unsigned rest = (1u << n % 8) - 1;

    for (size_t i = 0; i < n / 8; i++)
        if (bits[i] != 0xff)
            return false;
    return rest == 0 || (bits[n / 8] & rest) == rest;
}

enum err
rows_open(const struct binlog_rows *rows, struct cursor *out,
          struct binlog_failure *why)
{
    const struct binlog_table *t = rows->table;
    struct cursor c = cursor_on(rows->p, rows->n);
    uint64_t n = take_packed(&c);
    const uint8_t *bits = take(&c, (t->n + 7) / 8), *more = bits;

    if (rows->kind == BINLOG_UPDATE)
        more = take(&c, (t->n + 7) / 8);
    *out = c;
    if (n != t->n || more == NULL)
        return binlog_fail(why, BINLOG_FAULT_CUT, "rows of %s.%s", t->schema,
                           t->name);
    return is_full(bits, n) && is_full(more, n)
               ? ERR_OK
               : binlog_fail(why, BINLOG_FAULT_IMAGE, "%s.%s", t->schema,
                             t->name);
}

enum err
binlog_decode(struct binlog_decoder *d, const struct binlog_rows *rows)
{
    enum err e;

    d->table = rows->table;
    d->kind = rows->kind;
    e = rows_open(rows, &d->in, &d->failure);
    if (e == ERR_OK)
        e = make_room(d, rows->table);
    if (e != ERR_OK)
        d->in = cursor_on(NULL, 0);
    return e;
}

/* ---- values ---- */

/* Signed by the highest of its bytes. */
static int64_t
extend(uint64_t v, size_t bytes)
{
    unsigned shift = 64 - 8 * (unsigned)bytes;

    return (int64_t)(v << shift) >> shift;
}

static bool
take_int(const struct binlog_column *col, struct cursor *c, size_t bytes,
         struct binlog_value *v)
{
    uint64_t u = take_le(c, bytes);

    if (col->is_unsigned)
        *v = (struct binlog_value){ .form = BINLOG_U64, .u = u };
    else
        *v = (struct binlog_value){ .form = BINLOG_I64, .i = extend(u, bytes) };
    return true;
}

static bool
take_float(struct cursor *c, size_t bytes, struct binlog_value *v)
{
    uint64_t u = take_le(c, bytes);
    uint32_t half = (uint32_t)u;
    float f;

    v->form = bytes == 4 ? BINLOG_F32 : BINLOG_F64;
    if (bytes == 4) {
        memcpy(&f, &half, sizeof(f));
        v->f = (double)f;
    } else {
        memcpy(&v->f, &u, sizeof(v->f));
    }
    return true;
}

static bool
take_number(struct cursor *c, size_t bytes, bool highest_first, uint64_t max,
            struct binlog_value *v)
{
    v->form = BINLOG_U64;
    v->u = highest_first ? take_be(c, bytes) : take_le(c, bytes);
    return v->u <= max;
}

static uint64_t
most(unsigned bits)
{
    return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

static bool
take_year(struct cursor *c, struct binlog_value *v)
{
    v->form = BINLOG_U64;
    v->u = take_le(c, 1);
    if (v->u != 0)
        v->u += 1900;
    return true;
}

static bool
take_bytes(struct cursor *c, size_t length_bytes, struct binlog_value *v)
{
    uint64_t n = take_le(c, length_bytes);
    const uint8_t *p = take(c, n);

    *v = (struct binlog_value){ .form = BINLOG_BYTES,
                                .n = (uint32_t)n,
                                .p = (const char *)p };
    return true;
}

/* The server leaves the zeros at the end of BINARY out. */
static bool
take_string(struct binlog_decoder *d, const struct binlog_column *col,
            struct cursor *c, struct binlog_value *v)
{
    (void)take_bytes(c, col->pack_bytes, v);
    if (c->cut || v->n > col->max_bytes)
        return false;
    if (col->collation == BINLOG_BINARY && v->n < col->max_bytes) {
        memcpy(d->text_at, v->p, v->n);
        memset(d->text_at + v->n, 0, col->max_bytes - v->n);
        v->p = d->text_at;
        v->n = col->max_bytes;
        d->text_at += v->n;
    }
    return true;
}

/* Text that is shorter than its bound in table->text_max. */
static bool
keep_text(struct binlog_decoder *d, size_t n, struct binlog_value *v)
{
    *v = (struct binlog_value){ .form = BINLOG_TEXT,
                                .n = (uint32_t)n,
                                .p = d->text_at };
    d->text_at += n;
    return n > 0;
}

static bool
take_decimal(struct binlog_decoder *d, const struct binlog_column *col,
             struct cursor *c, struct binlog_value *v)
{
    const uint8_t *p = take(c, decimal_bytes(col->precision, col->scale));

    return p != NULL &&
           keep_text(d, decimal_text(p, col->precision, col->scale, d->text_at),
                     v);
}

static bool
take_time(struct binlog_decoder *d, const struct binlog_column *col,
          struct cursor *c, struct binlog_value *v)
{
    unsigned scale = col->scale;
    size_t n, fraction = (scale + 1u) / 2;
    const uint8_t *p;

    switch ((int)col->type) {
    case BINLOG_DATE:
        p = take(c, 3);
        n = p != NULL ? date_text(p, d->text_at) : 0;
        break;
    case BINLOG_TIME:
        p = take(c, 3 + fraction);
        n = p != NULL ? time_text(p, scale, d->text_at) : 0;
        break;
    case BINLOG_DATETIME:
        p = take(c, 5 + fraction);
        n = p != NULL ? datetime_text(p, scale, d->text_at) : 0;
        break;
    case BINLOG_TIME_OLD:
        p = take(c, 3);
        n = p != NULL ? old_time_text(p, d->text_at) : 0;
        break;
    default: /* BINLOG_DATETIME_OLD */
        p = take(c, 8);
        n = p != NULL ? old_datetime_text(p, d->text_at) : 0;
        break;
    }
    return keep_text(d, n, v);
}

static bool
take_stamp(const struct binlog_column *col, struct cursor *c,
           struct binlog_value *v)
{
    const uint8_t *p = take(c, 4 + (col->scale + 1u) / 2);

    v->form = BINLOG_STAMP;
    return p != NULL && timestamp_us(p, col->scale, &v->i);
}

static bool
take_old_stamp(struct cursor *c, struct binlog_value *v)
{
    v->form = BINLOG_STAMP;
    v->i = (int64_t)take_le(c, 4) * 1000000;
    return true;
}

/* Of what is made from from on in long_text; `fix` makes it a pointer. */
static bool
keep_long(struct binlog_decoder *d, size_t from, enum err e,
          enum binlog_form form, struct binlog_value *v)
{
    *v = (struct binlog_value){ .form = form,
                                .n = (uint32_t)(d->long_text.n - from),
                                .u = from };
    if (e == ERR_LIMIT || e == ERR_NOMEM)
        (void)fault(d,
                    e == ERR_LIMIT ? BINLOG_FAULT_LIMIT : BINLOG_FAULT_MEMORY,
                    "a document or an unpacked value");
    return e == ERR_OK;
}

static bool
take_document(struct binlog_decoder *d, const struct binlog_column *col,
              struct cursor *c, struct binlog_value *v)
{
    struct cursor part = take_part(c, take_le(c, col->pack_bytes));
    size_t from = d->long_text.n;

    return !part.cut &&
           keep_long(d, from,
                     document_text(part.p, cursor_left(&part), &d->long_text),
                     BINLOG_TEXT, v);
}

static bool
take_packed_bytes(struct binlog_decoder *d, const struct binlog_column *col,
                  struct cursor *c, struct binlog_value *v)
{
    struct cursor part = take_part(c, take_le(c, col->pack_bytes));
    size_t from = d->long_text.n;

    return !part.cut &&
           keep_long(d, from, unpack_column(&d->unpacker, part, &d->long_text),
                     BINLOG_BYTES, v);
}

static bool
take_value(struct binlog_decoder *d, const struct binlog_column *col,
           struct cursor *c, struct binlog_value *v)
{
    switch (col->type) {
    case BINLOG_TINY:
        return take_int(col, c, 1, v);
    case BINLOG_SHORT:
        return take_int(col, c, 2, v);
    case BINLOG_INT24:
        return take_int(col, c, 3, v);
    case BINLOG_LONG:
        return take_int(col, c, 4, v);
    case BINLOG_LONGLONG:
        return take_int(col, c, 8, v);
    case BINLOG_FLOAT:
    case BINLOG_DOUBLE:
        return take_float(c, col->pack_bytes, v);
    case BINLOG_DECIMAL:
        return take_decimal(d, col, c, v);
    case BINLOG_DATE:
    case BINLOG_TIME:
    case BINLOG_DATETIME:
    case BINLOG_TIME_OLD:
    case BINLOG_DATETIME_OLD:
        return take_time(d, col, c, v);
    case BINLOG_TIMESTAMP:
        return take_stamp(col, c, v);
    case BINLOG_TIMESTAMP_OLD:
        return take_old_stamp(c, v);
    case BINLOG_YEAR:
        return take_year(c, v);
    case BINLOG_BIT:
        return take_number(c, col->pack_bytes, true, most(col->max_bytes), v);
    case BINLOG_ENUM:
        return take_number(c, col->pack_bytes, false,
                           col->member != NULL ? col->n_members : UINT64_MAX,
                           v);
    case BINLOG_SET:
        return take_number(c, col->pack_bytes, false,
                           col->member != NULL ? most((unsigned)col->n_members)
                                               : UINT64_MAX,
                           v);
    case BINLOG_STRING:
        return take_string(d, col, c, v);
    case BINLOG_VARCHAR:
    case BINLOG_VAR_STRING:
        return take_bytes(c, col->pack_bytes, v) && v->n <= col->max_bytes;
    case BINLOG_BLOB:
    case BINLOG_GEOMETRY:
        return take_bytes(c, col->pack_bytes, v);
    case BINLOG_JSON:
        return take_document(d, col, c, v);
    case BINLOG_BLOB_COMPRESSED:
    case BINLOG_VARCHAR_COMPRESSED:
        return take_packed_bytes(d, col, c, v);
    default:
        return false;
    }
}

/* ---- images ---- */

static enum err
bad_value(struct binlog_decoder *d, size_t i, bool cut)
{
    const struct binlog_column *col = &d->table->column[i];

    if (d->failure.fault != BINLOG_FAULT_NONE)
        return d->failure.err; /* it has been said */
    return binlog_fail(&d->failure, cut ? BINLOG_FAULT_CUT : BINLOG_FAULT_VALUE,
                       "column %s (%s) of %s.%s", col->name,
                       binlog_type_word(col->type), d->table->schema,
                       d->table->name);
}

static enum err
take_image(struct binlog_decoder *d, struct binlog_value *v)
{
    const struct binlog_column *col = d->table->column;
    size_t n = d->table->n;
    const uint8_t *nulls = take(&d->in, (n + 7) / 8);

    if (nulls == NULL)
        return fault(d, BINLOG_FAULT_CUT, "cut");
    for (size_t i = 0; i < n; i++) {
        if (nulls[i / 8] >> i % 8 & 1)
            v[i] = (struct binlog_value){ .form = BINLOG_NULL };
        else if (!take_value(d, &col[i], &d->in, &v[i]) || d->in.cut)
            return bad_value(d, i, d->in.cut);
    }
    return ERR_OK;
}

/* long_text has moved while it grew. */
static void
fix(struct binlog_decoder *d, struct binlog_value *v)
{
    const struct binlog_column *col = d->table->column;

    for (size_t i = 0; i < d->table->n; i++)
        if (v[i].form != BINLOG_NULL &&
            (col[i].type == BINLOG_JSON ||
             col[i].type == BINLOG_BLOB_COMPRESSED ||
             col[i].type == BINLOG_VARCHAR_COMPRESSED))
            v[i].p = buf_text(&d->long_text) + v[i].u;
}

enum err
binlog_decode_next(struct binlog_decoder *d, struct binlog_row *out)
{
    enum err e = ERR_OK;

    *out = (struct binlog_row){ 0 };
    if (cursor_left(&d->in) == 0)
        return ERR_NOT_FOUND;
    d->failure.fault = BINLOG_FAULT_NONE;
    d->text_at = d->text;
    if (d->long_text.n > 0)
        buf_reset(&d->long_text);
    if (d->kind != BINLOG_INSERT) {
        e = take_image(d, d->before);
        out->before = d->before;
    }
    if (e == ERR_OK && d->kind != BINLOG_DELETE) {
        e = take_image(d, d->after);
        out->after = d->after;
    }
    if (e != ERR_OK || d->long_text.n == 0)
        return e;
    if (out->before != NULL)
        fix(d, d->before);
    if (out->after != NULL)
        fix(d, d->after);
    return ERR_OK;
}
