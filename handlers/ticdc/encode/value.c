/* Values as all protocols have them: characters in UTF-8, times as texts,
 * numbers that can be printed. */
#include "encode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ticdc/rules/zone.h"

#define ROW_BYTES ((size_t)1 << 31)
#define DAY_US    INT64_C(86400000000)

struct encode_values {
    struct arena *a; /* of one row */
    struct binlog_decoder *converter;
    struct zone_choice zone;
};

struct encode_values *
encode_values_new(const struct zone_choice *zone)
{
    struct encode_values *v = calloc(1, sizeof(*v));

    if (v == NULL)
        return NULL;
    if (zone != NULL)
        v->zone = *zone;
    v->a = arena_new(ROW_BYTES);
    v->converter = binlog_decoder_new(1 << 20);
    if (v->a == NULL || v->converter == NULL) {
        encode_values_free(v);
        return NULL;
    }
    return v;
}

void
encode_values_free(struct encode_values *v)
{
    if (v == NULL)
        return;
    if (v->a != NULL)
        arena_free(v->a);
    binlog_decoder_free(v->converter);
    free(v);
}

static void
become_text(struct binlog_value *v, const char *p, size_t n)
{
    v->form = BINLOG_TEXT;
    v->p = p;
    v->n = (uint32_t)n;
}

static bool
is_utf8(const char *charset)
{
    return strncmp(charset, "utf8", 4) == 0 || strcmp(charset, "ascii") == 0;
}

static enum err
convert(struct encode_values *m, const struct encode_column *c,
        struct binlog_value *v)
{
    struct buf b = BUF_INIT(ROW_BYTES);
    const char *text;
    enum err e;

    if (is_utf8(c->log->charset)) {
        v->form = BINLOG_TEXT;
        return ERR_OK;
    }
    e = binlog_utf8(m->converter, c->log->charset, v->p, v->n, &b);
    if (e == ERR_OK && b.n > UINT32_MAX)
        e = ERR_LIMIT;
    if (e == ERR_OK) {
        size_t n = b.n;

        e = buf_settle(&b, m->a, &text);
        if (e == ERR_OK)
            become_text(v, text, n);
        return e;
    }
    buf_free(&b);
    return e;
}

/* Addresses and identifiers, as the server prints them; what is of some other
 * type by now stays as bytes. */
static enum err
unfold(struct encode_values *m, enum encode_way way, struct binlog_value *v)
{
    static const enum binlog_fixed types[] = { [ENCODE_UUID] = BINLOG_UUID,
                                               [ENCODE_INET4] = BINLOG_INET4,
                                               [ENCODE_INET6] = BINLOG_INET6 };
    char *text = arena_alloc(m->a, BINLOG_FIXED_TEXT);
    size_t n;

    if (text == NULL)
        return ERR_NOMEM;
    n = binlog_fixed_text(types[way], v->p, v->n, text);
    if (n > 0)
        become_text(v, text, n);
    return ERR_OK;
}

/* 0 is no point in time. A zone's clocks may have shown 1970's first moment
 * later, or earlier, which is written from the day behind it. */
static size_t
stamp_text(const struct zone_choice *z, int64_t us, unsigned scale,
           char out[BINLOG_STAMP_MAX])
{
    int64_t shifted = us;
    size_t n;

    if (us == 0 || z->local || z->zone == NULL)
        return binlog_stamp_text(us, scale, z->local, out);
    shifted += (int64_t)zone_offset_s(z->zone, us / 1000000) * 1000000;
    if (shifted > 0)
        return binlog_stamp_text(shifted, scale, false, out);
    n = binlog_stamp_text(shifted + DAY_US, scale, false, out);
    if (shifted == 0)
        memcpy(out, "1970-01-01", 10);
    else
        memcpy(out, "1969-12-31", 10);
    return n;
}

static enum err
one_value(struct encode_values *m, const struct encode_column *c,
          struct binlog_value *v)
{
    char *text;

    switch (v->form) {
    case BINLOG_F32:
    case BINLOG_F64:
        if (!isfinite(v->f))
            v->f = 0;
        return ERR_OK;
    case BINLOG_STAMP:
        text = arena_alloc(m->a, BINLOG_STAMP_MAX);
        if (text == NULL)
            return ERR_NOMEM;
        become_text(v, text, stamp_text(&m->zone, v->i, c->log->scale, text));
        return ERR_OK;
    case BINLOG_BYTES:
        if (c->way == ENCODE_TEXT)
            return convert(m, c, v);
        return c->way == ENCODE_BYTES ? ERR_OK : unfold(m, c->way, v);
    default:
        return ERR_OK;
    }
}

static enum err
all_values(struct encode_values *m, const struct encode_table *t,
           const struct binlog_value *from, const struct binlog_value **out)
{
    struct binlog_value *v;
    enum err e = ERR_OK;

    *out = NULL;
    if (from == NULL)
        return ERR_OK;
    v = arena_array(m->a, t->n, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    memcpy(v, from, t->n * sizeof(*v));
    for (size_t i = 0; i < t->n && e == ERR_OK; i++)
        e = one_value(m, &t->column[i], &v[i]);
    *out = v;
    return e;
}

enum err
encode_values_of(struct encode_values *v, struct encode_table *t,
                 enum binlog_kind kind, const struct binlog_row *row,
                 uint64_t commit_ts, struct encode_event *out)
{
    enum err e;

    arena_reset(v->a);
    *out = (struct encode_event){ .table = t,
                                  .kind = kind,
                                  .commit_ts = commit_ts };
    e = all_values(v, t, row->before, &out->before);
    return e == ERR_OK ? all_values(v, t, row->after, &out->after) : e;
}

bool
encode_same_value(const struct binlog_value *a, const struct binlog_value *b)
{
    if (a->form != b->form)
        return false;
    switch (a->form) {
    case BINLOG_NULL:
        return true;
    case BINLOG_F32:
    case BINLOG_F64:
        return memcmp(&a->f, &b->f, sizeof(a->f)) == 0;
    case BINLOG_TEXT:
    case BINLOG_BYTES:
        return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
    default:
        return a->u == b->u;
    }
}

bool
encode_changes_handle(const struct encode_event *e)
{
    const struct encode_table *t = e->table;

    if (e->kind != BINLOG_UPDATE)
        return false;
    for (size_t i = 0; i < t->n_handle; i++)
        if (!encode_same_value(&e->before[t->handle[i]],
                               &e->after[t->handle[i]]))
            return true;
    return false;
}

/* ---- texts ---- */

/* Digits without a point, and where the point is: v = 0.DIGITS * 10^*point. */
static size_t
shortest(double v, bool is_32, char digits[24], int *point)
{
    char text[40];
    size_t n = 0;
    int exponent = 0;

    for (int k = 1; k <= 17; k++) {
        (void)snprintf(text, sizeof(text), "%.*e", k - 1, v);
        if (is_32 ? strtof(text, NULL) == (float)v : strtod(text, NULL) == v)
            break;
    }
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == 'e') {
            exponent = (int)strtol(p + 1, NULL, 10);
            break;
        }
        if (*p >= '0' && *p <= '9')
            digits[n++] = *p;
    }
    while (n > 1 && digits[n - 1] == '0')
        n--;
    *point = exponent + 1;
    return n;
}

static size_t
plain_number(char *to, const char *digits, size_t n, int point)
{
    char *p = to;

    if (point <= 0) {
        *p++ = '0';
        *p++ = '.';
        for (int i = point; i < 0; i++)
            *p++ = '0';
        memcpy(p, digits, n);
        return (size_t)(p - to) + n;
    }
    for (int i = 0; i < point || (size_t)i < n; i++) {
        if (i == point)
            *p++ = '.';
        *p++ = (size_t)i < n ? digits[i] : '0';
    }
    return (size_t)(p - to);
}

static size_t
exponent_number(char *to, const char *digits, size_t n, int point)
{
    char *p = to;

    *p++ = digits[0];
    if (n > 1) {
        *p++ = '.';
        memcpy(p, digits + 1, n - 1);
        p += n - 1;
    }
    /* Go writes two digits at least, and takes a zero in front away again of
     * negative ones. */
    p += point - 1 < 0 ? sprintf(p, "e-%d", 1 - point)
                       : sprintf(p, "e+%02d", point - 1);
    return (size_t)(p - to);
}

size_t
encode_float(double v, bool is_32, bool is_json, char out[ENCODE_FLOAT_MAX])
{
    char digits[24];
    char *p = out;
    int point = 0;
    size_t n;

    if (!isfinite(v))
        v = 0;
    if (v == 0) {
        if (signbit(v))
            *p++ = '-';
        *p++ = '0';
        return (size_t)(p - out);
    }
    if (signbit(v))
        *p++ = '-';
    n = shortest(fabs(v), is_32, digits, &point);
    if (is_json && (point < -5 || point > 21))
        return (size_t)(p - out) + exponent_number(p, digits, n, point);
    return (size_t)(p - out) + plain_number(p, digits, n, point);
}

struct span
encode_text(const struct binlog_value *v, char room[ENCODE_FLOAT_MAX])
{
    switch (v->form) {
    case BINLOG_I64:
        return (struct span){ room, buf_signed_digits(room, v->i) };
    case BINLOG_U64:
        return (struct span){ room, buf_digits(room, v->u) };
    case BINLOG_F32:
    case BINLOG_F64:
        return (struct span){ room, encode_float(v->f, v->form == BINLOG_F32,
                                                 false, room) };
    case BINLOG_TEXT:
    case BINLOG_BYTES:
        return (struct span){ v->p, v->n };
    default:
        return (struct span){ "", 0 };
    }
}

void
encode_members(struct buf *b, const struct encode_column *c, uint64_t v)
{
    size_t before = b->n;

    if (c->log->type == BINLOG_ENUM) {
        if (v > 0 && v <= c->n_members)
            buf_put(b, c->member[v - 1].p, c->member[v - 1].n);
        return;
    }
    for (size_t i = 0; i < c->n_members && i < 64; i++)
        if ((v >> i & 1) != 0) {
            if (b->n > before)
                buf_putc(b, ',');
            buf_put(b, c->member[i].p, c->member[i].n);
        }
}
