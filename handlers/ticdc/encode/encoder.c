/* One face for five protocols, and pieces put together to messages. */
#include "encode_int.h"

#include <stdlib.h>
#include <string.h>

const struct json_style encode_json = { .html_escape = true };

static const struct encoder_ops *const all_ops[ENCODE_PROTOCOL__MAX] = {
    [ENCODE_CANAL_JSON] = &encode_canal_json_ops,
    [ENCODE_OPEN] = &encode_open_ops,
    [ENCODE_CANAL] = &encode_canal_ops,
    [ENCODE_AVRO] = &encode_avro_ops,
    [ENCODE_MAXWELL] = &encode_maxwell_ops,
};

struct encoder *
encoder_new(const struct encode_config *c)
{
    struct encoder *e = calloc(1, sizeof(*e));
    struct buf empty = BUF_INIT(ENCODE_BYTES_MAX);

    if (e == NULL)
        return NULL;
    e->c = *c;
    e->ops = all_ops[c->protocol];
    e->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    e->key = e->value = e->part = e->more = empty;
    return e;
}

void
encoder_free(struct encoder *e)
{
    if (e == NULL)
        return;
    buf_free(&e->key);
    buf_free(&e->value);
    buf_free(&e->part);
    buf_free(&e->more);
    if (e->utf8 != (locale_t)0)
        freelocale(e->utf8);
    free(e);
}

static void
begin(struct encoder *e, struct encode_piece *out)
{
    buf_reset(&e->key);
    buf_reset(&e->value);
    *out = (struct encode_piece){ 0 };
}

enum err
encoder_row(struct encoder *e, const struct encode_event *ev, const char *topic,
            struct encode_piece *out)
{
    begin(e, out);
    return e->ops->row(e, ev, topic, out);
}

enum err
encoder_ddl(struct encoder *e, const struct encode_ddl *d,
            struct encode_piece *out)
{
    begin(e, out);
    return e->ops->ddl != NULL ? e->ops->ddl(e, d, out) : ERR_NOT_FOUND;
}

enum err
encoder_watermark(struct encoder *e, uint64_t ts, struct encode_piece *out)
{
    begin(e, out);
    return e->ops->watermark != NULL ? e->ops->watermark(e, ts, out)
                                     : ERR_NOT_FOUND;
}

bool
encoder_broadcasts(const struct encoder *e)
{
    return e->ops->broadcasts;
}

void
encoder_lower_limit(struct encoder *e, size_t message_bytes)
{
    if (message_bytes < e->c.message_bytes)
        e->c.message_bytes = message_bytes;
}

/* ---- what encoders share ---- */

void
encode_string(struct buf *b, const char *p, size_t n)
{
    struct json_writer w;

    jw_init(&w, b, &encode_json);
    jw_strn(&w, p, n);
}

void
encode_be64(struct buf *b, uint64_t v)
{
    encode_be32(b, (uint32_t)(v >> 32));
    encode_be32(b, (uint32_t)v);
}

void
encode_be32(struct buf *b, uint32_t v)
{
    char p[4] = { (char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v };

    buf_put(b, p, sizeof(p));
}

enum err
encode_end(const struct encoder *e, struct encode_piece *out, bool has_key)
{
    enum err err = buf_err(&e->value);

    if (err == ERR_OK)
        err = buf_err(&e->key);
    if (err == ERR_OK)
        err = buf_err(&e->part);
    if (err == ERR_OK)
        err = buf_err(&e->more);
    if (err != ERR_OK)
        return err;
    out->value = span_of(&e->value);
    if (has_key)
        out->key = span_of(&e->key);
    return ERR_OK;
}

bool
encode_has_column(const struct encode_event *ev, bool only_handle,
                  size_t column)
{
    const struct encode_column *c = &ev->table->column[column];

    return !c->is_left_out && (!only_handle || (c->flags & ENCODE_HANDLE) != 0);
}

bool
encode_only_handle(const struct encoder *e, const struct encode_event *ev)
{
    return ev->table->n_handle > 0 &&
           (ev->only_handle ||
            (ev->kind == BINLOG_DELETE && e->c.delete_only_handle));
}

/* ---- batches ---- */

void
encode_batch_init(struct encode_batch *b)
{
    struct buf empty = BUF_INIT(ENCODE_BYTES_MAX);

    *b = (struct encode_batch){ .key = empty, .value = empty };
}

void
encode_batch_free(struct encode_batch *b)
{
    buf_free(&b->key);
    buf_free(&b->value);
}

static size_t
bytes_with(const struct encoder *e, const struct encode_batch *b,
           const struct encode_piece *p)
{
    size_t n = ENCODE_MESSAGE_HEAD + p->key.n + p->value.n + e->ops->frame;

    return b != NULL && b->n > 0 ? n + b->key.n + b->value.n : n + e->ops->head;
}

bool
encode_piece_fits(const struct encoder *e, const struct encode_piece *p)
{
    return bytes_with(e, NULL, p) <= e->c.message_bytes;
}

bool
encode_batch_fits(const struct encoder *e, const struct encode_batch *b,
                  const struct encode_piece *p)
{
    if (b->n == 0)
        return encode_piece_fits(e, p);
    return e->ops->joins && b->n < e->c.batch &&
           bytes_with(e, b, p) <= e->c.message_bytes;
}

enum err
encode_batch_add(const struct encoder *e, struct encode_batch *b,
                 const struct encode_piece *p)
{
    if (e->ops->join != NULL) {
        e->ops->join(b, p);
    } else {
        buf_span(&b->key, p->key);
        buf_span(&b->value, p->value);
        b->no_value = p->no_value;
    }
    b->n++;
    return buf_err(&b->key) != ERR_OK ? buf_err(&b->key) : buf_err(&b->value);
}

struct encode_piece
encode_batch_message(const struct encoder *e, struct encode_batch *b)
{
    return (struct encode_piece){
        .key = span_of(&b->key),
        .value = e->ops->wrap != NULL ? e->ops->wrap(b) : span_of(&b->value),
        .no_value = b->no_value,
    };
}

void
encode_batch_reset(struct encode_batch *b)
{
    buf_reset(&b->key);
    buf_reset(&b->value);
    b->n = 0;
    b->no_value = false;
}
