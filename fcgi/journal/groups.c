/* Where transactions begin and end in a binlog. */
#include "groups.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "binlog/event.h"

#define WHOLE_MAX ((size_t)64 << 10) /* a larger event only passes by: rows */

enum state { OUTSIDE, ALONE, INSIDE };

struct groups {
    struct group_taker t;
    enum state state;
    struct group group;
    bool wanted; /* the bytes of this one */
    bool crc;    /* events have checksums */
    bool begun;  /* the head has been seen */
    int64_t at;  /* where the next byte is in the file */
    bool broken_off;
    char wrong[WHY_BYTES]; /* "" */
    struct binlog_failure why;

    /* ---- the event that is coming ---- */
    uint8_t *p;       /* its bytes so far, or, of one that passes, its header */
    size_t n;         /* how many of these */
    size_t long_left; /* of one that passes: bytes still to come ... */
    uLong sum;        /* ... and the checksum of those that came */
    uint8_t tail[EVENT_CRC_BYTES];
};

static const char magic[GROUPS_MAGIC] = { '\xfe', 'b', 'i', 'n' };

struct groups *
groups_new(const struct group_taker *t)
{
    struct groups *g = calloc(1, sizeof(*g));

    if (g == NULL)
        return NULL;
    g->t = *t;
    g->p = malloc(WHOLE_MAX);
    if (g->p != NULL)
        return g;
    free(g);
    return NULL;
}

void
groups_free(struct groups *g)
{
    if (g == NULL)
        return;
    free(g->p);
    free(g);
}

static bool
refuse(struct groups *g, const char *what)
{
    if (str_empty(g->wrong))
        why_say(g->wrong, "%s (at %lld)", what, (long long)g->at);
    return false;
}

static bool
refuse_event(struct groups *g)
{
    return refuse(g, g->why.why);
}

/* What a taker says. */
static bool
told(struct groups *g, bool goes_on)
{
    g->broken_off = g->broken_off || !goes_on;
    return goes_on;
}

static bool
give(struct groups *g, const void *p, size_t n)
{
    return g->t.bytes == NULL || told(g, g->t.bytes(g->t.ctx, p, n));
}

/* ---- what an event means ---- */

size_t
groups_head_bytes(const char *p)
{
    const uint8_t *header = (const uint8_t *)p + GROUPS_MAGIC;
    uint64_t n = le(header + EVENT_LENGTH_AT, 4);

    return memcmp(p, magic, GROUPS_MAGIC) == 0 &&
                   header[4] == EVENT_FORMAT_DESCRIPTION &&
                   n > EVENT_HEADER_BYTES && n <= GROUPS_HEAD_MAX - GROUPS_MAGIC
               ? GROUPS_MAGIC + (size_t)n
               : 0;
}

/* A file that is written has a mark, which is not in the checksum; a copy of
 * it is not written. */
static bool
take_head(struct groups *g)
{
    struct format f;

    if (g->n > GROUPS_HEAD_MAX ||
        event_format(g->p, g->n, &f, &g->why) != ERR_OK)
        return refuse(g, "it is no binlog of this kind of server");
    g->crc = f.crc;
    g->begun = true;
    g->p[EVENT_FLAGS_AT] &= (uint8_t)~EVENT_IS_IN_USE;
    return give(g, magic, sizeof(magic)) && give(g, g->p, g->n);
}

static bool
take_list(struct groups *g, struct event *e)
{
    struct binlog_gtids *list;
    bool ok;

    if (g->t.before == NULL)
        return true;
    list = binlog_gtids_new();
    if (list == NULL)
        return refuse(g, "out of memory");
    ok = event_gtid_list(e, list, &g->why) == ERR_OK
             ? told(g, g->t.before(g->t.ctx, list))
             : refuse_event(g);
    binlog_gtids_free(list);
    return ok;
}

static bool
take_gtid(struct groups *g, struct event *e)
{
    struct gtid_event x;

    if (event_gtid(e, &x, &g->why) != ERR_OK)
        return refuse_event(g);
    g->group = (struct group){ .domain = x.gtid.domain,
                               .server = x.gtid.server,
                               .seq = x.gtid.seq,
                               .at_s = e->at_s,
                               .begin = g->at - (int64_t)g->n };
    g->state = x.alone ? ALONE : INSIDE;
    g->wanted = false;
    return g->t.begins == NULL ||
           told(g, g->t.begins(g->t.ctx, &g->group, &g->wanted));
}

/* "COMMIT" of what is no transaction to the engines, "ROLLBACK": the text is
 * behind a NUL. */
static bool
is_end(const struct event *e, const char *word)
{
    size_t n = strlen(word) + 1;

    return cursor_left(&e->body) >= n &&
           memcmp(e->body.end - n + 1, word, n - 1) == 0 &&
           e->body.end[-(ptrdiff_t)n] == '\0';
}

/* Of one statement: what may stand before it. */
static bool
goes_before(unsigned type)
{
    return type == EVENT_INTVAR || type == EVENT_RAND ||
           type == EVENT_USER_VAR || type == EVENT_TABLE_MAP ||
           type == EVENT_ANNOTATE_ROWS;
}

static bool
is_last(const struct groups *g, const struct event *e)
{
    if (g->state == ALONE)
        return !goes_before(e->type);
    return e->type == EVENT_XID || e->type == EVENT_XA_PREPARE ||
           (e->type == EVENT_QUERY &&
            (is_end(e, "COMMIT") || is_end(e, "ROLLBACK")));
}

static bool
end_group(struct groups *g)
{
    g->state = OUTSIDE;
    g->group.end = g->at;
    return g->t.ended == NULL || told(g, g->t.ended(g->t.ctx, &g->group));
}

static bool
take_outside(struct groups *g, struct event *e)
{
    switch (e->type) {
    case EVENT_GTID_LIST:
        return take_list(g, e);
    case EVENT_ROTATE:
    case EVENT_STOP:
    case EVENT_BINLOG_CHECKPOINT:
    case EVENT_HEARTBEAT:
        return true;
    case EVENT_START_ENCRYPTION:
        return refuse(g, "it is encrypted");
    default:
        return refuse(g, "an event is in no transaction");
    }
}

/* A whole event, its checksum too. */
static bool
take_event(struct groups *g)
{
    struct event e;

    if (!g->begun)
        return take_head(g);
    if (event_open(g->p, g->n, g->crc, &e, &g->why) != ERR_OK)
        return refuse_event(g);
    if (e.type == EVENT_GTID) {
        if (g->state != OUTSIDE)
            return refuse(g, "a transaction has no end");
        return take_gtid(g, &e) && (!g->wanted || give(g, g->p, g->n));
    }
    if (g->state == OUTSIDE)
        return take_outside(g, &e);
    if (e.type == EVENT_INCIDENT)
        return refuse(g, "it says that events are missing");
    if (g->wanted && !give(g, g->p, g->n))
        return false;
    return !is_last(g, &e) || end_group(g);
}

/* ---- events out of bytes ---- */

/* The last bytes of a large one are its checksum, wherever they are cut. */
static void
pass_sum(struct groups *g, const uint8_t *p, size_t n)
{
    size_t rest = g->long_left - n; /* behind these */
    size_t of_sum = rest >= EVENT_CRC_BYTES      ? 0
                    : n < EVENT_CRC_BYTES - rest ? n
                                                 : EVENT_CRC_BYTES - rest;

    g->sum = crc32(g->sum, p, (uInt)(n - of_sum));
    for (size_t i = 0; i < of_sum; i++)
        g->tail[EVENT_CRC_BYTES - rest - of_sum + i] = p[n - of_sum + i];
}

static bool
pass(struct groups *g, const uint8_t *p, size_t n)
{
    if (g->crc)
        pass_sum(g, p, n);
    g->long_left -= n;
    if (g->wanted && !give(g, p, n))
        return false;
    if (g->long_left > 0)
        return true;
    g->n = 0;
    if (g->crc && g->sum != le(g->tail, EVENT_CRC_BYTES))
        return refuse(g, "the checksum of an event is wrong");
    return g->state != ALONE || end_group(g);
}

static size_t
event_bytes(const struct groups *g)
{
    return (size_t)le(g->p + EVENT_LENGTH_AT, 4);
}

/* The header is there. */
static bool
begin_event(struct groups *g)
{
    unsigned type = g->p[4];

    if (event_bytes(g) < EVENT_HEADER_BYTES + (g->crc ? EVENT_CRC_BYTES : 0))
        return refuse(g, "an event is shorter than its header");
    if (event_bytes(g) <= WHOLE_MAX)
        return true;
    if (g->state == OUTSIDE || type == EVENT_INCIDENT)
        return refuse(g, "an event is too long");
    g->long_left = event_bytes(g);
    g->sum = crc32(0, NULL, 0);
    /* what stands before a statement does not end it */
    if (g->state == ALONE && goes_before(type))
        return refuse(g, "an event is too long");
    return pass(g, g->p, EVENT_HEADER_BYTES);
}

/* Up to so many bytes of the event; how many were taken. */
static size_t
gather(struct groups *g, size_t want, const uint8_t *p, size_t n)
{
    size_t k = want - g->n < n ? want - g->n : n;

    memcpy(g->p + g->n, p, k);
    g->n += k;
    g->at += (int64_t)k;
    return k;
}

/* Bytes of the event that is coming; how many were taken, 0: refused. */
static size_t
take_piece(struct groups *g, const uint8_t *p, size_t n)
{
    size_t k;

    if (g->long_left > 0) {
        k = n < g->long_left ? n : g->long_left;
        g->at += (int64_t)k;
        return pass(g, p, k) ? k : 0;
    }
    if (g->n < EVENT_HEADER_BYTES) {
        k = gather(g, EVENT_HEADER_BYTES, p, n);
        if (g->n < EVENT_HEADER_BYTES)
            return k;
        if (!begin_event(g))
            return 0;
    } else {
        k = gather(g, event_bytes(g), p, n);
    }
    if (g->long_left > 0 || g->n < event_bytes(g))
        return k;
    if (!take_event(g))
        return 0;
    g->n = 0;
    return k;
}

bool
groups_write(void *ctx, const char *p, size_t n)
{
    struct groups *g = ctx;
    const uint8_t *b = (const uint8_t *)p;

    if (!str_empty(g->wrong) || g->broken_off)
        return false;
    while (n > 0) {
        size_t k;

        if (g->at < GROUPS_MAGIC) {
            if (*b != (uint8_t)magic[g->at])
                return refuse(g, "it is no binlog");
            g->at++;
            k = 1;
        } else {
            k = take_piece(g, b, n);
        }
        if (k == 0)
            return false;
        b += k;
        n -= k;
    }
    return true;
}

void
groups_jump(struct groups *g, int64_t at)
{
    g->at = at;
}

bool
groups_may_end(const struct groups *g)
{
    return g->begun && g->state == OUTSIDE && g->n == 0 &&
           str_empty(g->wrong) && !g->broken_off;
}

const char *
groups_wrong(const struct groups *g)
{
    return str_empty(g->wrong) ? NULL : g->wrong;
}
