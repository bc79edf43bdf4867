/* Thrift's binary protocol, as much as a heartbeat takes. A field is a type
 * byte, a 16-bit id and a value; type 0 ends a struct. All is big-endian. */

#include <string.h>

#include "thrift.h"

enum {
    T_STOP = 0,
    T_BOOL = 2,
    T_BYTE = 3,
    T_DOUBLE = 4,
    T_I16 = 6,
    T_I32 = 8,
    T_I64 = 10,
    T_STRING = 11,
    T_STRUCT = 12,
    T_MAP = 13,
    T_SET = 14,
    T_LIST = 15,
};

#define VERSION_1 0x80010000u
#define CALL      1
#define REPLY     2
#define DEPTH_MAX 16

static const char method[] = "heartbeat";

/* ---- writing ---- */

static void
put_i16(struct buf *b, uint16_t v)
{
    buf_putc(b, (char)(v >> 8));
    buf_putc(b, (char)(v & 0xff));
}

static void
put_i32(struct buf *b, uint32_t v)
{
    put_i16(b, (uint16_t)(v >> 16));
    put_i16(b, (uint16_t)(v & 0xffff));
}

static void
put_i64(struct buf *b, uint64_t v)
{
    put_i32(b, (uint32_t)(v >> 32));
    put_i32(b, (uint32_t)(v & 0xffffffff));
}

static void
put_text(struct buf *b, const char *s)
{
    size_t n = strlen(s);

    put_i32(b, (uint32_t)n);
    buf_put(b, s, n);
}

static void
put_field(struct buf *b, int type, uint16_t id)
{
    buf_putc(b, (char)type);
    put_i16(b, id);
}

void
doris_beat_ask(struct buf *b, const struct doris_master *m)
{
    put_i32(b, VERSION_1 | CALL);
    put_text(b, method);
    put_i32(b, 0);             /* sequence */
    put_field(b, T_STRUCT, 1); /* master_info */
    put_field(b, T_STRUCT, 1); /* network_address */
    put_field(b, T_STRING, 1);
    put_text(b, m->host);
    put_field(b, T_I32, 2);
    put_i32(b, (uint32_t)m->port);
    buf_putc(b, T_STOP);
    put_field(b, T_I32, 2);
    put_i32(b, (uint32_t)m->cluster_id);
    put_field(b, T_I64, 3);
    put_i64(b, (uint64_t)m->epoch);
    buf_putc(b, T_STOP);
    buf_putc(b, T_STOP);
}

/* ---- reading ---- */

/* What is still to be read. After `more` or `bad` nothing is. */
struct reader {
    const unsigned char *p;
    size_t n;
    bool more, bad;
};

static const unsigned char *
take(struct reader *r, size_t n)
{
    const unsigned char *p = r->p;

    if (r->more || r->bad)
        return NULL;
    if (n > r->n) {
        r->more = true;
        return NULL;
    }
    r->p += n;
    r->n -= n;
    return p;
}

/* n bytes as a number; 0 when they are not there. */
static uint64_t
number(struct reader *r, size_t n)
{
    const unsigned char *p = take(r, n);
    uint64_t v = 0;

    for (size_t i = 0; p != NULL && i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static size_t
length(struct reader *r)
{
    uint32_t n = (uint32_t)number(r, 4);

    if (n > DORIS_BEAT_BYTES)
        r->bad = true;
    return r->bad ? 0 : n;
}

static void skip(struct reader *r, int type, int depth);

static void
skip_fields(struct reader *r, int depth)
{
    int type;

    while ((type = (int)number(r, 1)) != T_STOP && !r->more && !r->bad) {
        (void)number(r, 2);
        skip(r, type, depth);
    }
}

/* An element takes a byte at least, so a length that lies ends soon. */
static void
skip_elements(struct reader *r, int type, int second, size_t n, int depth)
{
    for (size_t i = 0; i < n && !r->more && !r->bad; i++) {
        skip(r, type, depth);
        if (second != T_STOP)
            skip(r, second, depth);
    }
}

static void
skip_container(struct reader *r, int type, int depth)
{
    int first = (int)number(r, 1), second = T_STOP;

    if (type == T_MAP)
        second = (int)number(r, 1);
    skip_elements(r, first, second, length(r), depth);
}

static void
skip(struct reader *r, int type, int depth)
{
    static const unsigned char bytes[] = {
        [T_BOOL] = 1, [T_BYTE] = 1, [T_DOUBLE] = 8,
        [T_I16] = 2,  [T_I32] = 4,  [T_I64] = 8,
    };

    if (depth == 0)
        r->bad = true;
    else if (type == T_STRUCT)
        skip_fields(r, depth - 1);
    else if (type == T_MAP || type == T_SET || type == T_LIST)
        skip_container(r, type, depth - 1);
    else if (type == T_STRING)
        (void)take(r, length(r));
    else if (type < (int)sizeof(bytes) && bytes[type] > 0)
        (void)take(r, bytes[type]);
    else
        r->bad = true;
}

/* The next field of a struct; false at its end. */
static bool
next_field(struct reader *r, int *type, int *id)
{
    *type = (int)number(r, 1);
    if (*type == T_STOP || r->more || r->bad)
        return false;
    *id = (int)number(r, 2);
    return !r->more;
}

static void
read_status(struct reader *r, struct doris_beat *out)
{
    int type, id;

    while (next_field(r, &type, &id)) {
        if (id == 1 && type == T_I32)
            out->ok = number(r, 4) == 0;
        else
            skip(r, type, DEPTH_MAX);
    }
}

static void
read_info(struct reader *r, struct doris_beat *out)
{
    int type, id;

    while (next_field(r, &type, &id)) {
        if (type == T_I32 && (id == 1 || id == 2 || id == 4)) {
            int32_t v = (int32_t)number(r, 4);

            *(id == 1   ? &out->be_port
              : id == 2 ? &out->http_port
                        : &out->brpc_port) = v;
        } else if (type == T_I64 && (id == 1000 || id == 1001)) {
            int64_t v = (int64_t)number(r, 8);

            *(id == 1000 ? &out->fragments : &out->fragment_time_ms) = v;
        } else {
            skip(r, type, DEPTH_MAX);
        }
    }
}

static void
read_result(struct reader *r, struct doris_beat *out)
{
    int type, id;

    while (next_field(r, &type, &id)) {
        if (id == 1 && type == T_STRUCT)
            read_status(r, out);
        else if (id == 2 && type == T_STRUCT)
            read_info(r, out);
        else
            skip(r, type, DEPTH_MAX);
    }
}

static void
read_reply(struct reader *r, struct doris_beat *out)
{
    const unsigned char *name;
    int type, id;

    if (number(r, 4) != (VERSION_1 | REPLY))
        r->bad = r->bad || !r->more;
    if (length(r) != sizeof(method) - 1)
        r->bad = r->bad || !r->more;
    name = take(r, sizeof(method) - 1);
    if (name != NULL && memcmp(name, method, sizeof(method) - 1) != 0)
        r->bad = true;
    (void)number(r, 4); /* sequence */
    while (next_field(r, &type, &id)) {
        if (id == 0 && type == T_STRUCT)
            read_result(r, out);
        else
            skip(r, type, DEPTH_MAX);
    }
}

enum err
doris_beat_read(const void *p, size_t n, struct doris_beat *out)
{
    struct reader r = { .p = p, .n = n };

    *out =
        (struct doris_beat){ .be_port = -1, .http_port = -1, .brpc_port = -1 };
    read_reply(&r, out);
    if (r.bad || (r.more && n >= DORIS_BEAT_BYTES))
        return ERR_PEER;
    return r.more ? ERR_BUSY : ERR_OK;
}
