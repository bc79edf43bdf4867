/* Streams made by hand: events with their headers, and a taker that writes
 * down what it is told, a word each. */
#ifndef MG_TEST_STREAM_H
#define MG_TEST_STREAM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "hex.h"
#include "source/feed.h"

struct stream {
    struct feed f;
    struct source_taker taker;
    char said[4096];
    size_t n;
    enum err answer;     /* of the next call of the taker */
    const char *skipped; /* a table that is not wanted */
    bool crc;
    uint32_t pos;
};

static UNUSED void
say(struct stream *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    s->n += (size_t)vsnprintf(s->said + s->n, sizeof(s->said) - s->n, fmt, ap);
    va_end(ap);
}

static bool
stream_wants(void *ctx, const char *schema, const char *table)
{
    struct stream *s = ctx;

    (void)schema;
    say(s, " wants:%s", table);
    return s->skipped == NULL || strcmp(s->skipped, table) != 0;
}

static enum err
stream_answer(struct stream *s)
{
    enum err e = s->answer;

    s->answer = ERR_OK;
    return e;
}

static enum err
stream_begin(void *ctx, const struct source_txn *txn)
{
    char text[BINLOG_GTID_MAX];
    struct stream *s = ctx;

    binlog_gtid_text(&txn->gtid, text);
    if (txn->gtid.is_uuid) /* the number says enough */
        (void)snprintf(text, sizeof(text), ":%d", (int)txn->gtid.seq);
    say(s, " begin(%s)", text);
    return stream_answer(s);
}

static enum err
stream_rows(void *ctx, const struct binlog_rows *r)
{
    static const char *const kinds[] = { "insert", "update", "delete" };
    struct stream *s = ctx;

    say(s, " %s:%s", kinds[r->kind], r->table->name);
    return stream_answer(s);
}

static enum err
stream_statement(void *ctx, const struct binlog_statement *st)
{
    struct stream *s = ctx;

    say(s, " {%s}", st->sql);
    return stream_answer(s);
}

static enum err
stream_commit(void *ctx, const struct source_txn *txn)
{
    struct stream *s = ctx;

    say(s, txn->is_prepared ? " prepared" : " commit");
    return stream_answer(s);
}

static void
stream_drop(void *ctx)
{
    say(ctx, " drop");
}

static enum err
stream_idle(void *ctx)
{
    say(ctx, " idle");
    return stream_answer(ctx);
}

static UNUSED enum err
stream_dml(void *ctx, const struct binlog_statement *st)
{
    say(ctx, " dml{%s}", st->sql);
    return ERR_OK;
}

static UNUSED enum err
stream_savepoint(void *ctx, const char *name, size_t n)
{
    say(ctx, " savepoint:%.*s", (int)n, name);
    return ERR_OK;
}

static UNUSED enum err
stream_rollback_to(void *ctx, const char *name, size_t n)
{
    say(ctx, " back:%.*s", (int)n, name);
    return ERR_OK;
}

static UNUSED enum err
stream_xa(void *ctx, const struct binlog_xid *xid, bool commit)
{
    say(ctx, " xa_%s:%.*s", commit ? "commit" : "rollback",
        (int)xid->gtrid_bytes, xid->data);
    return ERR_OK;
}

static UNUSED bool
stream_open(struct stream *s)
{
    *s = (struct stream){ .taker = { .wants = stream_wants,
                                     .begin = stream_begin,
                                     .rows = stream_rows,
                                     .statement = stream_statement,
                                     .commit = stream_commit,
                                     .drop = stream_drop,
                                     .idle = stream_idle } };
    return feed_init(&s->f, &s->taker, s, 1u << 20, 16) == ERR_OK;
}

/* ---- events ---- */

/* An event of that type, with n bytes at body. */
static UNUSED enum err
give(struct stream *s, unsigned type, unsigned flags, const void *body,
     size_t n)
{
    size_t all = 19 + n + (s->crc ? 4 : 0);
    uint8_t *p = calloc(1, all);
    enum err e;

    s->pos += (uint32_t)all;
    p[0] = 1;
    p[4] = (uint8_t)type;
    p[5] = 1;
    for (size_t i = 0; i < 4; i++) {
        p[9 + i] = (uint8_t)(all >> 8 * i);
        p[13 + i] = (uint8_t)(s->pos >> 8 * i);
    }
    p[17] = (uint8_t)flags;
    memcpy(p + 19, body, n);
    if (s->crc) {
        uLong sum = crc32(0, p, (uInt)(19 + n));

        for (size_t i = 0; i < 4; i++)
            p[19 + n + i] = (uint8_t)(sum >> 8 * i);
    }
    e = feed_event(&s->f, p, all);
    free(p);
    return e;
}

static UNUSED enum err
give_hex(struct stream *s, unsigned type, const char *hex)
{
    char digits[4096];
    uint8_t bytes[2048];
    size_t n = 0;

    for (; *hex != '\0'; hex++)
        if (*hex != ' ')
            digits[n++] = *hex;
    if (!hex_read(digits, bytes, n / 2))
        abort();
    return give(s, type, 0, bytes, n / 2);
}

/* What every file begins with; made: the server has started with it. */
static UNUSED enum err
give_format(struct stream *s, bool made)
{
    uint8_t body[57 + 171 + 5] = { 4 };
    uint8_t *lengths = body + 57;
    bool crc = s->crc;
    uint8_t p[19 + sizeof(body)] = { [4] = EVENT_FORMAT_DESCRIPTION };

    body[52] = made;
    body[56] = 19;
    lengths[EVENT_QUERY - 1] = 13;
    lengths[EVENT_TABLE_MAP - 1] = 8;
    for (unsigned i = 0; i < 3; i++) {
        lengths[EVENT_WRITE_ROWS_V1 + i - 1] = 8;
        lengths[EVENT_WRITE_ROWS + i - 1] = 10;
    }
    body[sizeof(body) - 5] = crc;
    memcpy(p + 19, body, sizeof(body));
    p[9] = sizeof(p) & 0xff;
    p[10] = sizeof(p) >> 8;
    if (crc) {
        uLong sum = crc32(0, p, sizeof(p) - 4);

        for (size_t i = 0; i < 4; i++)
            p[sizeof(p) - 4 + i] = (uint8_t)(sum >> 8 * i);
    }
    return feed_event(&s->f, p, sizeof(p));
}

static UNUSED enum err
give_rotate(struct stream *s, const char *file, unsigned flags)
{
    char body[8 + 64] = { 4 };

    strcpy(body + 8, file);
    return give(s, EVENT_ROTATE, flags, body, 8 + strlen(file));
}

enum {
    ALONE_FLAG = 1,
    PREPARED_FLAG = 64,
    COMPLETED_FLAG = 128,
};

static UNUSED enum err
give_gtid(struct stream *s, unsigned seq, unsigned flags)
{
    char hex[128];

    (void)snprintf(
        hex, sizeof(hex), "%02x00000000000000 00000000 %02x %s", seq, flags,
        flags & (PREPARED_FLAG | COMPLETED_FLAG) ? "01000000 01 00 78"
                                                 : "000000000000");
    return give_hex(s, EVENT_GTID, hex);
}

static UNUSED enum err
give_gtid_mysql(struct stream *s, unsigned seq)
{
    char hex[128];

    (void)snprintf(hex, sizeof(hex),
                   "01 00112233445566778899aabbccddeeff %02x00000000000000",
                   seq);
    return give_hex(s, EVENT_GTID_MYSQL, hex);
}

static UNUSED enum err
give_query(struct stream *s, const char *sql)
{
    uint8_t body[1024] = { [8] = 1 };
    size_t n = strlen(sql);

    body[13] = 'd';
    memcpy(body + 15, sql, n);
    return give(s, EVENT_QUERY, 0, body, 15 + n);
}

/* Table t of that number, one INT. */
static UNUSED enum err
give_table(struct stream *s, unsigned id, const char *name)
{
    char hex[256];

    (void)snprintf(hex, sizeof(hex),
                   "%02x0000000000 0100 01 6400 01 %02x00 01 03 00 00"
                   "04 02 01 63",
                   id, (unsigned)*name);
    return give_hex(s, EVENT_TABLE_MAP, hex);
}

static UNUSED enum err
give_rows_of(struct stream *s, unsigned type, unsigned id, bool ends)
{
    char hex[256];

    (void)snprintf(
        hex, sizeof(hex),
        "%02x0000000000 %s00 %s 01 01 %s 00"
        "07000000 %s",
        id, ends ? "01" : "00", type >= EVENT_WRITE_ROWS ? "0200" : "",
        type == EVENT_UPDATE_ROWS || type == EVENT_UPDATE_ROWS_V1 ? "01" : "",
        type == EVENT_UPDATE_ROWS || type == EVENT_UPDATE_ROWS_V1
            ? "00 08000000"
            : "");
    return give_hex(s, type, hex);
}

static UNUSED enum err
give_xid(struct stream *s)
{
    return give_hex(s, EVENT_XID, "0100000000000000");
}

#endif
