/* decode_key and encode_key: the fields of a key, drawn over its digits. */
#include <stdlib.h>
#include <string.h>

#include "doris/doris.h"
#include "key.h"
#include "hex.h"
#include "key_codec.h"

TABLE(doris_decode_key, DORIS_DECODE_KEY);
TABLE(doris_encode_key, DORIS_ENCODE_KEY);
TABLE(doris_key_fields, DORIS_KEY_FIELDS);

CHECKS(doris_decode_key, NEED(key, DORIS_KEY_UNSET));

NO_CHECKS(doris_encode_key); /* parameters depend on the type */

/* The drawing of a key of n bytes and f fields has 2n(f+2) cells, and a client
 * chooses both. */
#define DRAWING_BYTES_MAX ((size_t)1 << 20)

static const struct key_type key_types[] = {
#define KEY(name, space, fields) { name, space, fields },
#include "key_types.def"
#undef KEY
};

/* ---- drawing ---- */

struct cells {
    const char *corner, *dash, *bar, *arrow;
};

static const struct cells box = { "┌", "─", "│", "▼" };
static const struct cells ascii = { "/", "-", "|", "v" };

/* The drawing of one key. */
struct drawing {
    const struct cells *cells;
    const struct key_field *v;
    size_t n, width;
};

/* A line with a mark at each of the first n fields' columns. */
static void
draw_marks(struct buf *b, const struct drawing *d, const char *mark, size_t n,
           size_t width)
{
    size_t k = 0;

    for (size_t c = 0; c < width; c++) {
        bool here = k < n && d->v[k].offset * 2 == c;

        buf_puts(b, here ? mark : " ");
        k += here;
    }
}

static void
draw_field(struct buf *b, const struct drawing *d, size_t k)
{
    size_t column = d->v[k].offset * 2;

    draw_marks(b, d, d->cells->bar, k, column);
    buf_puts(b, d->cells->corner);
    for (size_t c = column + 1; c < d->width; c++)
        buf_puts(b, d->cells->dash);
    buf_printf(b, " %zu. ", k);
    buf_puts(b, d->v[k].text);
    buf_putc(b, '\n');
}

static void
draw(struct buf *b, const struct drawing *d, const char *key)
{
    for (size_t k = 0; k < d->n && !b->failed; k++)
        draw_field(b, d, k);
    draw_marks(b, d, d->cells->bar, d->n, d->width);
    buf_putc(b, '\n');
    draw_marks(b, d, d->cells->arrow, d->n, d->width);
    buf_putc(b, '\n');
    buf_puts(b, key);
    buf_putc(b, '\n');
}

/* Anything but "false" asks for box drawing characters. */
static const struct cells *
cells_of(const char *unicode)
{
    return unicode != NULL && strcmp(unicode, "false") == 0 ? &ascii : &box;
}

static enum err
draw_key(struct req *r, struct buf *b, const unsigned char *key, size_t n,
         const char *digits, const char *unicode)
{
    struct drawing d = { .cells = cells_of(unicode) };
    struct key_field *v;
    enum err e;

    e = key_decode(r->arena, key, n, &v, &d.n);
    if (e != ERR_OK)
        return e;
    d.v = v;
    d.width = v[d.n - 1].offset * 2 + 2;
    draw(b, &d, digits);
    return buf_err(b);
}

/* The same for who asks for JSON: the key and its fields. */
static enum err
send_fields(struct req *r, const unsigned char *key, size_t n,
            const char *digits)
{
    struct doris_key_fields *out = arena_alloc(r->arena, sizeof(*out));
    struct key_field *v;
    size_t fields;
    enum err e;

    e = key_decode(r->arena, key, n, &v, &fields);
    if (e != ERR_OK)
        return e;
    if (out == NULL)
        return ERR_NOMEM;
    PUT(out, doris_key_fields, key, digits);
    out->fields.n = fields;
    out->fields.v = arena_array(r->arena, fields, sizeof(struct STR));
    if (out->fields.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < fields; i++)
        out->fields.v[i].v = v[i].text;
    return req_send(r, &doris_key_fields_rec, out);
}

/* ---- decode ---- */

unsigned char *
doris_key_from_hex(struct arena *a, const char *hex, size_t *n)
{
    size_t digits = strlen(hex);
    unsigned char *key;

    if (digits == 0 || digits % 2 != 0 || digits > 2 * DORIS_KEY_BYTES)
        return NULL;
    *n = digits / 2;
    key = arena_alloc(a, *n);
    return key != NULL && hex_read(hex, key, *n) ? key : NULL;
}

enum err
doris_key_decode(struct req *r, const struct doris_decode_key *in)
{
    struct buf b = BUF_INIT(DRAWING_BYTES_MAX);
    unsigned char *key;
    size_t n = 0;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    key = doris_key_from_hex(r->arena, in->key, &n);
    if (key != NULL && req_wants_json(r)) {
        e = send_fields(r, key, n, in->key);
        return e == ERR_BAD_PARAM ? req_fail(r, DORIS_KEY_BAD, ARGS()) : e;
    }
    e = key == NULL ? ERR_BAD_PARAM
                    : draw_key(r, &b, key, n, in->key, in->unicode);
    buf_putc(&b, '\n'); /* the transport's */
    e = doris_send_buf(r, e, &b);
    return e == ERR_BAD_PARAM ? req_fail(r, DORIS_KEY_BAD, ARGS()) : e;
}

/* ---- encode ---- */

const struct key_type *
doris_key_type(const char *name)
{
    for (size_t i = 0; i < COUNT(key_types); i++)
        if (strcmp(key_types[i].name, name) == 0)
            return &key_types[i];
    return NULL;
}

/* One field of the type's text: a literal, or a parameter's value. */
static enum err
encode_field(struct req *r, struct buf *key, const char *word)
{
    const char *value;
    int64_t v;

    if (str_empty(word) || word[1] != ':') {
        key_put_bytes(key, word, strlen(word));
        return ERR_OK;
    }
    value = req_query(r, word + 2);
    if (str_empty(value))
        return req_fail(r, DORIS_KEY_PARAM, ARGS(arg("param", word + 2)));
    if (*word == 's') {
        key_put_bytes(key, value, strlen(value));
        return ERR_OK;
    }
    if (json_to_i64(value, false, &v) != ERR_OK)
        return req_fail(r, DORIS_KEY_NUMBER, ARGS(arg("param", word + 2)));
    key_put_int(key, v);
    return ERR_OK;
}

enum err
doris_key_build(struct req *r, const struct key_type *type, struct buf *key)
{
    const char *p = type->fields;
    enum err e = ERR_OK;

    buf_putc(key, (char)type->space);
    while (*p != '\0' && e == ERR_OK) {
        size_t n = strcspn(p, " ");
        const char *word = arena_strndup(r->arena, p, n);

        e = word == NULL ? ERR_NOMEM : encode_field(r, key, word);
        p += n + strspn(p + n, " ");
    }
    return e == ERR_OK ? buf_err(key) : e;
}

const char *
doris_key_hex(struct req *r, const struct buf *key, const char *before)
{
    struct buf b = BUF_INIT(4 * DORIS_KEY_BYTES);
    const char *s;

    for (size_t i = 0; i < key->n; i++)
        buf_printf(&b, "%s%02x", before, (unsigned char)key->p[i]);
    return buf_settle(&b, r->arena, &s) == ERR_OK ? s : NULL;
}

static enum err
send_encoded(struct req *r, const struct buf *key, const char *unicode)
{
    struct buf b = BUF_INIT(DRAWING_BYTES_MAX);
    const char *digits = doris_key_hex(r, key, "");
    const char *escaped = doris_key_hex(r, key, "\\x");
    enum err e = ERR_NOMEM;

    if (digits != NULL && req_wants_json(r))
        return send_fields(r, (const unsigned char *)key->p, key->n, digits);
    if (digits != NULL && escaped != NULL) {
        e = draw_key(r, &b, (const unsigned char *)key->p, key->n, digits,
                     unicode);
        buf_puts(&b, escaped);
        buf_puts(&b, "\n\n"); /* the line's, the transport's */
    }
    return doris_send_buf(r, e, &b);
}

enum err
doris_key_encode(struct req *r, const struct doris_encode_key *in)
{
    const char *name = in->key_type == NULL ? "" : in->key_type;
    const struct key_type *type = doris_key_type(name);
    struct buf key = BUF_INIT(DORIS_KEY_BYTES);
    enum err e;

    if (type == NULL)
        return req_fail(r, DORIS_KEY_TYPE,
                        ARGS(arg("type", str_empty(name) ? "(empty)" : name)));
    e = doris_key_build(r, type, &key);
    if (e == ERR_OK)
        e = send_encoded(r, &key, in->unicode);
    buf_free(&key);
    return e;
}
