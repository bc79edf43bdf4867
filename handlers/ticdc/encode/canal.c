/* canal: the protobuf messages of alibaba/canal 1.1.4, written by hand: five
 * of them, each a few fields of numbers, texts and messages. */
#include "encode_int.h"

#include <string.h>

#define MS_SHIFT 18

/* Room in front of a batch for the packet around it: two numbers, a tag and a
 * length of at most ten bytes. */
#define WRAP_BYTES 15

/* ---- protobuf ---- */

enum { VARINT = 0, BYTES = 2 };

static size_t
varint(char out[10], uint64_t v)
{
    size_t n = 0;

    for (; v >= 0x80; v >>= 7)
        out[n++] = (char)(0x80 | (v & 0x7f));
    out[n++] = (char)v;
    return n;
}

static void
put_varint(struct buf *b, uint64_t v)
{
    char p[10];

    buf_put(b, p, varint(p, v));
}

static void
put_number(struct buf *b, unsigned field, uint64_t v)
{
    put_varint(b, field << 3 | VARINT);
    put_varint(b, v);
}

static void
put_bytes(struct buf *b, unsigned field, const char *p, size_t n)
{
    put_varint(b, field << 3 | BYTES);
    put_varint(b, n);
    buf_put(b, p, n);
}

/* Empty texts are not there: proto3. */
static void
put_text(struct buf *b, unsigned field, const char *s)
{
    if (!str_empty(s))
        put_bytes(b, field, s, strlen(s));
}

static size_t
varint_bytes(uint64_t v)
{
    char p[10];

    return varint(p, v);
}

/* What was written behind `from` becomes a field in front of which its length
 * stands. */
static void
close_message(struct buf *b, unsigned field, size_t from)
{
    size_t n = b->n - from;
    size_t head = varint_bytes(field << 3 | BYTES) + varint_bytes(n);
    char zeros[20] = { 0 };
    char *p;

    buf_put(b, zeros, head);
    if (b->failed)
        return;
    p = b->p + from;
    memmove(p + head, p, n);
    p += varint(p, field << 3 | BYTES);
    (void)varint(p, n);
}

/* ---- messages ---- */

static void
put_header(struct buf *b, uint64_t ts, const char *schema, const char *table,
           unsigned event, bool is_row)
{
    static const char rows[] = "rowsCount";
    size_t from = b->n, pair;

    put_number(b, 1, 1);
    put_text(b, 5, "UTF-8");
    put_number(b, 6, ts >> MS_SHIFT);
    put_number(b, 7, 2);
    put_text(b, 8, schema);
    put_text(b, 9, table);
    put_number(b, 11, event);
    if (is_row) {
        pair = b->n;
        put_text(b, 1, rows);
        put_text(b, 2, "1");
        close_message(b, 12, pair);
    }
    close_message(b, 1, from);
}

/* The entry: a header, and the change in e->more. */
static enum err
put_entry(struct encoder *e, uint64_t ts, const char *schema, const char *table,
          unsigned event, bool is_row)
{
    put_header(&e->value, ts, schema, table, event, is_row);
    put_number(&e->value, 2, 2);
    put_bytes(&e->value, 3, buf_text(&e->more), e->more.n);
    return buf_err(&e->value);
}

static void
put_columns(struct encoder *e, const struct encode_event *ev, unsigned field,
            const struct binlog_value *v, const struct binlog_value *unlike)
{
    bool only_handle = encode_only_handle(e, ev);
    struct buf *b = &e->more;
    char room[ENCODE_FLOAT_MAX];

    for (size_t i = 0; i < ev->table->n; i++) {
        const struct encode_column *c = &ev->table->column[i];
        bool is_null = v[i].form == BINLOG_NULL;
        size_t from = b->n;

        if (!encode_has_column(ev, only_handle, i) ||
            (unlike != NULL && encode_same_value(&v[i], &unlike[i])))
            continue;
        /* int32: a negative one has ten bytes */
        put_number(b, 2, (uint64_t)(int64_t)encode_sql_type(c, &v[i]));
        put_text(b, 3, c->name);
        if ((c->flags & ENCODE_PRIMARY) != 0)
            put_number(b, 4, 1);
        if (ev->kind != BINLOG_DELETE)
            put_number(b, 5, 1);
        put_number(b, 6, is_null);
        if (!is_null) {
            struct span text = encode_canal_text(&v[i], room, &e->part);

            if (text.n > 0)
                put_bytes(b, 8, text.p, text.n);
        }
        put_text(b, 10, e->c.content_compatible ? c->full : c->word);
        close_message(b, field, from);
    }
}

static enum err
canal_row(struct encoder *e, const struct encode_event *ev, const char *topic,
          struct encode_piece *out)
{
    static const unsigned events[] = {
        [BINLOG_INSERT] = 1, [BINLOG_UPDATE] = 2, [BINLOG_DELETE] = 3
    };
    bool changed = e->c.only_updated || e->c.content_compatible;
    struct buf *b = &e->more;
    size_t from;

    (void)topic;
    buf_reset(b);
    put_number(b, 2, events[ev->kind]);
    put_number(b, 10, 0);
    from = b->n;
    if (ev->before != NULL)
        put_columns(e, ev, 1, ev->before,
                    changed && ev->kind == BINLOG_UPDATE ? ev->after : NULL);
    if (ev->after != NULL)
        put_columns(e, ev, 2, ev->after, NULL);
    close_message(b, 12, from);
    if (put_entry(e, ev->commit_ts, ev->table->schema, ev->table->name,
                  events[ev->kind], true) != ERR_OK)
        return buf_err(&e->value);
    return encode_end(e, out, false);
}

/* ---- packets ---- */

static void
canal_join(struct encode_batch *b, const struct encode_piece *p)
{
    static const char room[WRAP_BYTES] = { 0 };

    if (b->n == 0)
        buf_put(&b->value, room, sizeof(room));
    put_bytes(&b->value, 2, p->value.p, p->value.n);
}

static struct span
canal_wrap(struct encode_batch *b)
{
    static const char head[] = { 0x10, 0x01, 0x18, 0x07, 0x2a };
    size_t n = b->value.n - WRAP_BYTES;
    size_t length = varint_bytes(n);
    char *p = b->value.p + WRAP_BYTES - length;

    (void)varint(p, n);
    p -= sizeof(head);
    memcpy(p, head, sizeof(head));
    return (struct span){ p, sizeof(head) + length + n };
}

static enum err
canal_ddl(struct encoder *e, const struct encode_ddl *d,
          struct encode_piece *out)
{
    unsigned event = action_of(d->action)->event;
    struct buf *b = &e->more;

    buf_reset(b);
    put_number(b, 2, event);
    put_number(b, 10, 1);
    put_text(b, 11, d->sql);
    put_text(b, 14, d->schema);
    if (put_entry(e, d->commit_ts, d->schema, d->table, event, false) != ERR_OK)
        return buf_err(&e->value);
    close_message(&e->value, 2, 0); /* Messages */
    close_message(&e->value, 5, 0); /* Packet */
    /* version and kind of the packet in front */
    buf_put(&e->value, "\0\0\0\0", 4);
    if (buf_err(&e->value) != ERR_OK)
        return buf_err(&e->value);
    memmove(e->value.p + 4, e->value.p, e->value.n - 4);
    memcpy(e->value.p, "\x10\x01\x18\x07", 4);
    return encode_end(e, out, false);
}

const struct encoder_ops encode_canal_ops = {
    .joins = true,
    .head = WRAP_BYTES,
    .frame = 11,
    .row = canal_row,
    .ddl = canal_ddl,
    .join = canal_join,
    .wrap = canal_wrap,
};
