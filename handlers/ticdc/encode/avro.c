/* avro, framed as Confluent does: a zero byte, the schema's id, the record.
 * Schemas are registered when the first row of a definition comes. */
#include "encode_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MS_SHIFT      18
#define TOPIC_MAX     256
#define DECIMAL_BYTES 40 /* of an unscaled number of 81 digits */

/* What a table is to the registry. */
struct avro_ids {
    char topic[TOPIC_MAX];
    uint32_t key, value;
};

/* ---- types ---- */

struct avro_type {
    const char *type;      /* "int" */
    const char *tidb_type; /* "INT UNSIGNED" */
};

static bool
is_bytes(const struct encode_column *c)
{
    return c->way == ENCODE_BYTES;
}

static struct avro_type
type_of(const struct encoder *e, const struct encode_column *c)
{
    const char *whole = c->is_unsigned ? "INT UNSIGNED" : "INT";

    switch (c->code) {
    case 1:
    case 2:
    case 9:
        return (struct avro_type){ "int", whole };
    case 3:
        return (struct avro_type){ c->is_unsigned ? "long" : "int", whole };
    case 8:
        if (!c->is_unsigned)
            return (struct avro_type){ "long", "BIGINT" };
        return (struct avro_type){ e->c.bigint_as_text ? "string" : "long",
                                   "BIGINT UNSIGNED" };
    case 4:
        return (struct avro_type){ "float", "FLOAT" };
    case 5:
        return (struct avro_type){ "double", "DOUBLE" };
    case 7:
        return (struct avro_type){ "string", "TIMESTAMP" };
    case 10:
        return (struct avro_type){ "string", "DATE" };
    case 11:
        return (struct avro_type){ "string", "TIME" };
    case 12:
        return (struct avro_type){ "string", "DATETIME" };
    case 13:
        return (struct avro_type){ "int", "YEAR" };
    case 16:
        return (struct avro_type){ "bytes", "BIT" };
    case 245:
        return (struct avro_type){ "string", "JSON" };
    case 246:
        return (struct avro_type){ e->c.decimal_as_text ? "string" : "bytes",
                                   "DECIMAL" };
    case 247:
        return (struct avro_type){ "string", "ENUM" };
    case 248:
        return (struct avro_type){ "string", "SET" };
    default:
        return is_bytes(c) ? (struct avro_type){ "bytes", "BLOB" }
                           : (struct avro_type){ "string", "TEXT" };
    }
}

static bool
is_decimal(const struct encoder *e, const struct encode_column *c)
{
    return c->code == 246 && !e->c.decimal_as_text;
}

/* ---- schemas ---- */

static void
put_name(struct buf *b, const char *name)
{
    if (*name >= '0' && *name <= '9')
        buf_putc(b, '_');
    for (; *name != '\0'; name++) {
        unsigned char c = (unsigned char)*name;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     (c >= '0' && c <= '9') || c == '_';

        if (plain)
            buf_putc(b, (char)c);
        else if ((c & 0xc0) != 0x80) /* one for each character */
            buf_putc(b, '_');
    }
}

/* "a,b": what is between is marked where it is part of a name. */
static void
put_allowed(struct buf *b, const struct encode_column *c)
{
    struct buf list = BUF_INIT(ENCODE_BYTES_MAX);

    for (size_t i = 0; i < c->n_members; i++) {
        if (i > 0)
            buf_putc(&list, ',');
        for (size_t k = 0; k < c->member[i].n; k++) {
            char x = c->member[i].p[k];

            if (x == ',' || x == '\\')
                buf_putc(&list, '\\');
            buf_putc(&list, x);
        }
    }
    buf_puts(b, "\"allowed\":");
    encode_string(b, buf_text(&list), list.n);
    buf_putc(b, ',');
    b->failed |= list.failed;
    buf_free(&list);
}

static void
put_type(struct encoder *e, struct buf *b, const struct encode_column *c)
{
    struct avro_type t = type_of(e, c);

    buf_printf(b, "{\"type\":\"%s\",\"connect.parameters\":{", t.type);
    if (c->code == 16)
        buf_printf(b, "\"length\":\"%u\",", c->log->max_bytes);
    if (c->n_members > 0)
        put_allowed(b, c);
    buf_printf(b, "\"tidb_type\":\"%s\"}", t.tidb_type);
    if (is_decimal(e, c))
        buf_printf(b,
                   ",\"logicalType\":\"decimal\",\"precision\":%u,"
                   "\"scale\":%u",
                   c->log->precision, c->log->scale);
    buf_putc(b, '}');
}

/* A default that is a value of the type: of numbers and texts. */
static bool
put_default(struct encoder *e, struct buf *b, const struct encode_column *c)
{
    const char *type = type_of(e, c).type, *text = c->default_value;
    long long whole;
    char *end;

    if (text == NULL)
        return false;
    errno = 0;
    if (strcmp(type, "int") == 0 || strcmp(type, "long") == 0) {
        whole = strtoll(text, &end, 10);
        if (*text == '\0' || *end != '\0' || errno != 0)
            return false;
        buf_puts(b, "\"default\":");
        buf_i64(b, whole);
    } else if (strcmp(type, "float") == 0 || strcmp(type, "double") == 0) {
        char room[ENCODE_FLOAT_MAX];
        double v = strtod(text, &end);

        if (*text == '\0' || *end != '\0' || errno != 0)
            return false;
        buf_puts(b, "\"default\":");
        buf_put(b, room, encode_float(v, c->code == 4, true, room));
    } else if (strcmp(type, "string") == 0) {
        buf_puts(b, "\"default\":");
        encode_string(b, text, strlen(text));
    } else {
        return false;
    }
    buf_putc(b, ',');
    return true;
}

/* Whether the value stands before null in the union. */
static bool
is_value_first(struct encoder *e, const struct encode_column *c)
{
    struct buf none = BUF_INIT(ENCODE_BYTES_MAX);
    bool given = put_default(e, &none, c);

    buf_free(&none);
    return given;
}

static void
put_field(struct encoder *e, struct buf *b, const struct encode_column *c)
{
    bool nullable = (c->flags & ENCODE_NULLABLE) != 0, given;

    buf_putc(b, '{');
    given = put_default(e, b, c);
    if (nullable && !given)
        buf_puts(b, "\"default\":null,");
    buf_puts(b, "\"name\":\"");
    put_name(b, c->name);
    buf_puts(b, "\",\"type\":");
    if (nullable)
        buf_puts(b, given ? "[" : "[\"null\",");
    put_type(e, b, c);
    if (nullable)
        buf_puts(b, given ? ",\"null\"]" : "]");
    buf_putc(b, '}');
}

static void
put_schema(struct encoder *e, struct buf *b, const struct encode_table *t,
           bool is_key)
{
    bool first = true;

    buf_puts(b, "{\"type\":\"record\",\"name\":\"");
    put_name(b, t->name);
    buf_puts(b, "\",\"namespace\":\"");
    put_name(b, e->c.namespace);
    buf_putc(b, '.');
    put_name(b, t->schema);
    buf_puts(b, "\",\"fields\":[");
    for (size_t i = 0; i < t->n; i++) {
        const struct encode_column *c = &t->column[i];

        if (c->is_left_out || (is_key && (c->flags & ENCODE_HANDLE) == 0))
            continue;
        if (!first)
            buf_putc(b, ',');
        first = false;
        put_field(e, b, c);
    }
    if (!is_key && e->c.tidb_extension) {
        buf_puts(b, first ? "" : ",");
        buf_puts(b, "{\"name\":\"_tidb_op\",\"type\":\"string\"},"
                    "{\"name\":\"_tidb_commit_ts\",\"type\":\"long\"},"
                    "{\"name\":\"_tidb_commit_physical_time\","
                    "\"type\":\"long\"}");
    }
    buf_puts(b, "]}");
}

static enum err
register_one(struct encoder *e, const struct encode_table *t, const char *topic,
             bool is_key, uint32_t *id)
{
    char subject[TOPIC_MAX + 8];
    size_t n = 0;
    enum err err;

    for (; topic[n] != '\0'; n++)
        subject[n] = topic[n];
    memcpy(subject + n, is_key ? "-key" : "-value", is_key ? 5 : 7);
    for (size_t i = 0; i < n; i++)
        if (subject[i] == '.')
            subject[i] = '_';
    buf_reset(&e->part);
    put_schema(e, &e->part, t, is_key);
    err = buf_err(&e->part);
    return err == ERR_OK
               ? e->c.registers(e->c.ctx, subject, span_of(&e->part), id)
               : err;
}

static enum err
ids_of(struct encoder *e, struct encode_table *t, const char *topic,
       struct avro_ids **out)
{
    struct avro_ids *ids = t->user;
    struct avro_ids now = { .key = 0 };
    enum err err = ERR_OK;

    *out = ids;
    if (ids != NULL && strcmp(ids->topic, topic) == 0)
        return ERR_OK;
    if (strlen(topic) >= sizeof(now.topic))
        return ERR_LIMIT;
    memcpy(now.topic, topic, strlen(topic) + 1);
    if (t->n_handle > 0)
        err = register_one(e, t, topic, true, &now.key);
    if (err == ERR_OK)
        err = register_one(e, t, topic, false, &now.value);
    if (err != ERR_OK)
        return err;
    if (ids == NULL)
        ids = malloc(sizeof(*ids));
    if (ids == NULL)
        return ERR_NOMEM;
    *ids = now;
    t->user = ids;
    t->user_free = free;
    *out = ids;
    return ERR_OK;
}

/* ---- values ---- */

static void
put_long(struct buf *b, int64_t v)
{
    uint64_t z = ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0);

    for (; z >= 0x80; z >>= 7)
        buf_putc(b, (char)(0x80 | (z & 0x7f)));
    buf_putc(b, (char)z);
}

static void
put_bytes(struct buf *b, const char *p, size_t n)
{
    put_long(b, (int64_t)n);
    buf_put(b, p, n);
}

/* The number without its point, in as few bytes as a sign leaves. */
static void
put_decimal(struct buf *b, const char *p, size_t n)
{
    unsigned char v[DECIMAL_BYTES] = { 0 }; /* the last byte is the lowest */
    bool negative = n > 0 && *p == '-';
    size_t from = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned carry;

        if (p[i] < '0' || p[i] > '9')
            continue;
        carry = (unsigned)(p[i] - '0');
        for (size_t k = DECIMAL_BYTES; k > 0; k--) {
            carry += v[k - 1] * 10u;
            v[k - 1] = (unsigned char)carry;
            carry >>= 8;
        }
    }
    if (negative) {
        unsigned carry = 1;

        for (size_t k = DECIMAL_BYTES; k > 0; k--) {
            carry += (unsigned char)~v[k - 1];
            v[k - 1] = (unsigned char)carry;
            carry >>= 8;
        }
    }
    while (from + 1 < DECIMAL_BYTES &&
           ((v[from] == 0 && v[from + 1] < 0x80) ||
            (v[from] == 0xff && v[from + 1] >= 0x80)))
        from++;
    put_bytes(b, (const char *)v + from, DECIMAL_BYTES - from);
}

static void
put_little(struct buf *b, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_putc(b, (char)(v >> 8 * i));
}

static void
put_float(struct buf *b, double v, bool is_32)
{
    float f = (float)v;
    uint32_t half;
    uint64_t whole;

    memcpy(&half, &f, sizeof(half));
    memcpy(&whole, &v, sizeof(whole));
    put_little(b, is_32 ? half : whole, is_32 ? 4 : 8);
}

static void
put_bits(struct buf *b, uint64_t v, unsigned bits)
{
    size_t n = (bits + 7) / 8;

    put_long(b, (int64_t)n);
    for (size_t i = n; i > 0; i--)
        buf_putc(b, (char)(v >> 8 * (i - 1)));
}

static void
put_value(struct encoder *e, struct buf *b, const struct encode_column *c,
          const struct binlog_value *v)
{
    const char *type = type_of(e, c).type;
    char room[ENCODE_FLOAT_MAX];
    struct span text;

    if (c->n_members > 0) {
        buf_reset(&e->part);
        encode_members(&e->part, c, v->u);
        put_bytes(b, buf_text(&e->part), e->part.n);
    } else if (c->code == 16) {
        put_bits(b, v->u, c->log->max_bytes);
    } else if (is_decimal(e, c)) {
        put_decimal(b, v->p, v->n);
    } else if (strcmp(type, "float") == 0 || strcmp(type, "double") == 0) {
        put_float(b, v->f, *type == 'f');
    } else if (strcmp(type, "string") == 0 || strcmp(type, "bytes") == 0) {
        text = encode_text(v, room);
        put_bytes(b, text.p, text.n);
    } else {
        put_long(b, v->i); /* an unsigned one above 2^63 wraps, as TiCDC's */
    }
}

static void
put_record(struct encoder *e, struct buf *b, const struct encode_event *ev,
           bool is_key, uint32_t id)
{
    const struct binlog_value *v =
        ev->kind == BINLOG_DELETE ? ev->before : ev->after;

    buf_putc(b, '\0');
    encode_be32(b, id);
    for (size_t i = 0; i < ev->table->n; i++) {
        const struct encode_column *c = &ev->table->column[i];
        bool is_null = v[i].form == BINLOG_NULL;

        if (!encode_has_column(ev, is_key, i))
            continue;
        if ((c->flags & ENCODE_NULLABLE) != 0)
            put_long(b, is_value_first(e, c) ? is_null : !is_null);
        if (!is_null)
            put_value(e, b, c, &v[i]);
    }
    if (!is_key && e->c.tidb_extension) {
        put_bytes(b, ev->kind == BINLOG_INSERT ? "c" : "u", 1);
        put_long(b, (int64_t)ev->commit_ts);
        put_long(b, (int64_t)(ev->commit_ts >> MS_SHIFT));
    }
}

static enum err
avro_row(struct encoder *e, const struct encode_event *ev, const char *topic,
         struct encode_piece *out)
{
    bool has_key = ev->table->n_handle > 0;
    struct avro_ids *ids;
    enum err err;

    if (!has_key && ev->kind == BINLOG_DELETE)
        return ERR_BAD_PARAM; /* a tombstone needs a key */
    err = ids_of(e, ev->table, topic, &ids);
    if (err != ERR_OK)
        return err;
    if (has_key)
        put_record(e, &e->key, ev, true, ids->key);
    out->no_value = ev->kind == BINLOG_DELETE;
    if (!out->no_value)
        put_record(e, &e->value, ev, false, ids->value);
    return encode_end(e, out, has_key);
}

const struct encoder_ops encode_avro_ops = {
    .broadcasts = true,
    .row = avro_row,
};
