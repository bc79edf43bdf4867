/* open-protocol: TiCDC's own. A message is a list of keys and a list of values,
 * each with its length in front; columns by name. */
#include "encode_int.h"

#include <stdio.h>
#include <string.h>
#include <wctype.h>

#include "utf8.h"

/* ---- keys ---- */

static void
put_name(struct buf *b, const char *member, const char *name)
{
    if (str_empty(name))
        return;
    buf_puts(b, member);
    encode_string(b, name, strlen(name));
}

void
encode_open_key(struct buf *b, uint64_t ts, const char *schema,
                const char *table, unsigned t, const struct encode_event *ev,
                bool only_handle)
{
    buf_puts(b, "{\"ts\":");
    buf_u64(b, ts);
    put_name(b, ",\"scm\":", schema);
    put_name(b, ",\"tbl\":", table);
    buf_puts(b, ",\"t\":");
    buf_u64(b, t);
    if (only_handle)
        buf_puts(b, ",\"ohk\":true");
    if (ev != NULL)
        put_name(b, ",\"ccl\":", ev->claim);
    buf_putc(b, '}');
}

/* ---- bytes, as Go quotes a string ---- */

/* What Go prints as it is: letters, marks, numbers, punctuation, symbols. */
static bool
is_printed(locale_t utf8, uint32_t code)
{
    if (code == 0xad || (code >= 0xe000 && code <= 0xf8ff) ||
        (code >= 0x200b && code <= 0x200f) ||
        (code >= 0x2028 && code <= 0x202e) ||
        (code >= 0x2060 && code <= 0x206f) || code == 0xfeff ||
        (code >= 0xfff9 && code <= 0xfffb) || code >= 0xe0000)
        return false;
    return utf8 != (locale_t)0 && iswgraph_l((wint_t)code, utf8) != 0;
}

static void
put_byte(struct buf *b, unsigned char c)
{
    static const char letters[] = "abtnvfr"; /* of 7 to 13 */

    if (c == '"' || c == '\\')
        buf_printf(b, "\\%c", c);
    else if (c >= 7 && c <= 13)
        buf_printf(b, "\\%c", letters[c - 7]);
    else if (c < ' ' || c >= 0x7f)
        buf_printf(b, "\\x%02x", c);
    else
        buf_putc(b, (char)c);
}

static void
put_quoted(struct buf *b, locale_t utf8, const char *p, size_t n)
{
    for (size_t i = 0, k; i < n; i += k) {
        uint32_t code;

        k = utf8_len(p + i, n - i);
        if (k <= 1) {
            put_byte(b, (unsigned char)p[i]);
            k = 1;
            continue;
        }
        code = utf8_decode(p + i, k);
        if (is_printed(utf8, code))
            buf_put(b, p + i, k);
        else
            buf_printf(b, code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
    }
}

/* ---- values ---- */

static bool
is_blob(const struct encode_column *c)
{
    return c->code >= 249 && c->code <= 252;
}

static void
put_value(struct encoder *e, const struct encode_column *c,
          const struct binlog_value *v)
{
    struct buf *b = &e->value;
    char room[ENCODE_FLOAT_MAX];
    struct json_writer w;

    jw_init(&w, b, &encode_json);
    switch (v->form) {
    case BINLOG_NULL:
        buf_put(b, "null", 4);
        return;
    case BINLOG_I64:
        buf_i64(b, v->i);
        return;
    case BINLOG_U64:
        buf_u64(b, v->u);
        return;
    case BINLOG_F32:
    case BINLOG_F64:
        buf_put(b, room, encode_float(v->f, v->form == BINLOG_F32, true, room));
        return;
    default:
        break;
    }
    if (is_blob(c) || c->code == 255) {
        jw_base64(&w, v->p, v->n);
    } else if (v->form == BINLOG_BYTES) {
        buf_reset(&e->part);
        put_quoted(&e->part, e->utf8, v->p, v->n);
        jw_strn(&w, buf_text(&e->part), e->part.n);
    } else {
        jw_strn(&w, v->p, v->n);
    }
}

/* By name, as Go sorts what a map has. */
static void
put_columns(struct encoder *e, const struct encode_event *ev, bool only_handle,
            const struct binlog_value *v, const struct binlog_value *unlike)
{
    struct buf *b = &e->value;
    char mark = '{';

    for (size_t k = 0; k < ev->table->n; k++) {
        size_t i = ev->table->sorted[k];
        const struct encode_column *c = &ev->table->column[i];

        if (!encode_has_column(ev, only_handle, i) ||
            (unlike != NULL && encode_same_value(&v[i], &unlike[i])))
            continue;
        buf_putc(b, mark);
        mark = ',';
        buf_span(b, c->quoted);
        buf_puts(b, "{\"t\":");
        buf_u64(b, c->code);
        if ((c->flags & ENCODE_HANDLE) != 0)
            buf_puts(b, ",\"h\":true");
        buf_puts(b, ",\"f\":");
        buf_u64(b, c->flags);
        buf_puts(b, ",\"v\":");
        put_value(e, c, &v[i]);
        buf_putc(b, '}');
    }
    buf_puts(b, mark == '{' ? "{}" : "}");
}

static enum err
open_row(struct encoder *e, const struct encode_event *ev, const char *topic,
         struct encode_piece *out)
{
    bool only_handle = encode_only_handle(e, ev);
    struct buf *b = &e->value;

    (void)topic;
    encode_open_key(&e->key, ev->commit_ts, ev->table->schema, ev->table->name,
                    1, ev, only_handle);
    if (ev->kind == BINLOG_DELETE) {
        buf_puts(b, "{\"d\":");
        put_columns(e, ev, only_handle, ev->before, NULL);
    } else {
        buf_puts(b, "{\"u\":");
        put_columns(e, ev, only_handle, ev->after, NULL);
    }
    if (ev->kind == BINLOG_UPDATE) {
        buf_puts(b, ",\"p\":");
        put_columns(e, ev, only_handle, ev->before,
                    e->c.only_updated ? ev->after : NULL);
    }
    buf_putc(b, '}');
    return encode_end(e, out, true);
}

/* ---- messages ---- */

static void
frame(struct buf *b, struct span s)
{
    encode_be64(b, s.n);
    buf_span(b, s);
}

static void
open_join(struct encode_batch *b, const struct encode_piece *p)
{
    if (b->n == 0)
        encode_be64(&b->key, 1);
    frame(&b->key, p->key);
    frame(&b->value, p->value);
}

/* A message of one key: `part` framed behind the version. */
static void
put_whole_key(struct encoder *e)
{
    encode_be64(&e->key, 1);
    frame(&e->key, span_of(&e->part));
}

static enum err
open_ddl(struct encoder *e, const struct encode_ddl *d,
         struct encode_piece *out)
{
    buf_reset(&e->part);
    encode_open_key(&e->part, d->commit_ts, d->schema, d->table, 2, NULL,
                    false);
    put_whole_key(e);
    buf_reset(&e->part);
    buf_puts(&e->part, "{\"q\":");
    encode_string(&e->part, d->sql, strlen(d->sql));
    buf_puts(&e->part, ",\"t\":");
    buf_u64(&e->part, d->action);
    buf_putc(&e->part, '}');
    frame(&e->value, span_of(&e->part));
    return encode_end(e, out, true);
}

static enum err
open_watermark(struct encoder *e, uint64_t ts, struct encode_piece *out)
{
    buf_reset(&e->part);
    encode_open_key(&e->part, ts, "", "", 3, NULL, false);
    put_whole_key(e);
    encode_be64(&e->value, 0);
    return encode_end(e, out, true);
}

const struct encoder_ops encode_open_ops = {
    .joins = true,
    .broadcasts = true,
    .head = 8,
    .frame = 16,
    .row = open_row,
    .ddl = open_ddl,
    .watermark = open_watermark,
    .join = open_join,
};
