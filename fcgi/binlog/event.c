/* Events: header, checksum, and those that are about the binlog itself. */
#include "event.h"

#include <zlib.h>

#include "gtid.h"

/* Flags of MariaDB's GTID event. */
enum {
    GTID_ALONE = 1,
    GTID_GROUP_COMMIT = 2,
    GTID_PREPARED_XA = 64,
    GTID_COMPLETED_XA = 128,
};
enum { /* behind them */
       GTID_MORE_ENGINES = 1,
       GTID_START_ALTER = 2,
       GTID_ROLLBACK_ALTER = 8,
};

static enum err
cut(struct binlog_failure *why, const char *what)
{
    return binlog_fail(why, BINLOG_FAULT_CUT, "%s", what);
}

/* ---- header and checksum ---- */

enum err
event_open(const uint8_t *p, size_t n, bool crc, struct event *out,
           struct binlog_failure *why)
{
    size_t tail = crc ? EVENT_CRC_BYTES : 0;

    if (n < EVENT_HEADER_BYTES + tail)
        return cut(why, "shorter than a header");
    if (le(p + 9, 4) != n)
        return cut(why, "not as long as its header says");
    if (crc && crc32(0, p, (uInt)(n - EVENT_CRC_BYTES)) !=
                   le(p + n - EVENT_CRC_BYTES, 4))
        return binlog_fail(why, BINLOG_FAULT_SUM, "type %u", p[4]);
    *out = (struct event){
        .type = p[4],
        .at_s = (uint32_t)le(p, 4),
        .server_id = (uint32_t)le(p + 5, 4),
        .next_pos = (uint32_t)le(p + 13, 4),
        .pos = le(p + 13, 4) > n ? le(p + 13, 4) - n : 0,
        .flags = (unsigned)le(p + EVENT_FLAGS_AT, 2),
        .body =
            cursor_on(p + EVENT_HEADER_BYTES, n - EVENT_HEADER_BYTES - tail),
    };
    return ERR_OK;
}

bool
event_has_sum(const uint8_t *p, size_t n, bool crc)
{
    if (n < EVENT_HEADER_BYTES + EVENT_CRC_BYTES ||
        !(p[EVENT_FLAGS_AT] & EVENT_IS_ARTIFICIAL))
        return crc;
    return crc32(0, p, (uInt)(n - EVENT_CRC_BYTES)) ==
           le(p + n - EVENT_CRC_BYTES, 4);
}

/* ---- FORMAT_DESCRIPTION ---- */

static bool
is_sum_right(const uint8_t *p, size_t n)
{
    uint8_t flags = p[EVENT_FLAGS_AT] & (uint8_t)~EVENT_IS_IN_USE;
    uLong sum = crc32(0, p, EVENT_FLAGS_AT);

    sum = crc32(sum, &flags, 1);
    sum = crc32(sum, p + EVENT_FLAGS_AT + 1,
                (uInt)(n - EVENT_FLAGS_AT - 1 - EVENT_CRC_BYTES));
    return sum == le(p + n - EVENT_CRC_BYTES, 4);
}

/* The lengths of what events begin with, in the order of their types: those
 * that are read here have been the same since MySQL 5.6. */
static bool
is_known_format(struct cursor lengths)
{
    static const struct {
        enum event_type type;
        uint8_t n;
        bool may_lack; /* MariaDB has none of it */
    } known[] = {
        { EVENT_QUERY, 13, false },         { EVENT_TABLE_MAP, 8, false },
        { EVENT_WRITE_ROWS_V1, 8, false },  { EVENT_UPDATE_ROWS_V1, 8, false },
        { EVENT_DELETE_ROWS_V1, 8, false }, { EVENT_WRITE_ROWS, 10, true },
        { EVENT_UPDATE_ROWS, 10, true },    { EVENT_DELETE_ROWS, 10, true },
    };

    for (size_t i = 0; i < COUNT(known); i++) {
        uint8_t n;

        if (known[i].type > cursor_left(&lengths))
            return false;
        n = lengths.p[known[i].type - 1];
        if (n != known[i].n && !(n == 0 && known[i].may_lack))
            return false;
    }
    return true;
}

enum err
event_format(const uint8_t *p, size_t n, struct format *out,
             struct binlog_failure *why)
{
    struct cursor c;
    uint64_t binlog_version, header_bytes;

    if (n < EVENT_HEADER_BYTES + 57 + 1 + EVENT_CRC_BYTES)
        return cut(why, "a format description");
    c = cursor_on(p + EVENT_HEADER_BYTES,
                  n - EVENT_HEADER_BYTES - 1 - EVENT_CRC_BYTES);
    binlog_version = take_le(&c, 2);
    (void)take(&c, 50); /* the server's version, as text */
    out->made_s = (uint32_t)take_le(&c, 4);
    header_bytes = take_le(&c, 1);
    out->crc = p[n - 1 - EVENT_CRC_BYTES] == 1;
    if (p[n - 1 - EVENT_CRC_BYTES] > 1 || binlog_version != 4 ||
        header_bytes != EVENT_HEADER_BYTES || !is_known_format(c))
        return binlog_fail(why, BINLOG_FAULT_UNKNOWN,
                           "a binlog of another format");
    return !out->crc || is_sum_right(p, n)
               ? ERR_OK
               : binlog_fail(why, BINLOG_FAULT_SUM, "a format description");
}

enum err
event_rotation(struct event *e, struct rotation *out,
               struct binlog_failure *why)
{
    out->pos = take_le(&e->body, 8);
    out->file = (struct span){ (const char *)e->body.p, cursor_left(&e->body) };
    return e->body.cut || out->file.n == 0 ? cut(why, "a rotation") : ERR_OK;
}

/* ---- GTIDs ---- */

static bool
take_xid(struct cursor *c, size_t length_bytes, struct binlog_xid *out)
{
    uint64_t gtrid, bqual;
    const uint8_t *data;

    out->format = (uint32_t)take_le(c, 4);
    gtrid = take_le(c, length_bytes);
    bqual = take_le(c, length_bytes);
    if (gtrid > 64 || bqual > 64)
        return false;
    data = take(c, gtrid + bqual);
    if (data == NULL)
        return false;
    out->gtrid_bytes = (unsigned)gtrid;
    out->bqual_bytes = (unsigned)bqual;
    memcpy(out->data, data, gtrid + bqual);
    return true;
}

enum err
event_gtid(struct event *e, struct gtid_event *out, struct binlog_failure *why)
{
    struct cursor *c = &e->body;
    unsigned flags, more;

    *out = (struct gtid_event){ .gtid.server = e->server_id };
    out->gtid.seq = take_le(c, 8);
    out->gtid.domain = (uint32_t)take_le(c, 4);
    flags = (unsigned)take_le(c, 1);
    out->alone = (flags & GTID_ALONE) != 0;
    out->prepared = (flags & GTID_PREPARED_XA) != 0;
    if (flags & GTID_GROUP_COMMIT)
        (void)take(c, 8);
    if ((flags & (GTID_PREPARED_XA | GTID_COMPLETED_XA)) &&
        !take_xid(c, 1, &out->xid))
        return cut(why, "a GTID with an XID");
    if (c->cut || out->gtid.seq == 0)
        return cut(why, "a GTID");
    if (cursor_left(c) == 0)
        return ERR_OK;
    more = (unsigned)take_le(c, 1); /* or zeros that fill up */
    out->alter_begins = (more & GTID_START_ALTER) != 0;
    out->alter_fails = (more & GTID_ROLLBACK_ALTER) != 0;
    return ERR_OK;
}

enum err
event_gtid_mysql(struct event *e, struct gtid_event *out,
                 struct binlog_failure *why)
{
    struct cursor *c = &e->body;
    const uint8_t *uuid;

    *out = (struct gtid_event){ .gtid.is_uuid = true };
    (void)take(c, 1);
    uuid = take(c, 16);
    out->gtid.seq = take_le(c, 8);
    if (uuid == NULL || c->cut || out->gtid.seq == 0 ||
        out->gtid.seq >= INT64_MAX)
        return cut(why, "a GTID");
    memcpy(out->gtid.uuid, uuid, 16);
    /* of 5.7 on: two numbers of the group commit; of 8 on: the time, whose
     * highest bit says that the first server's time follows */
    if (cursor_left(c) >= 1 + 16 + 7 && take_le(c, 1) == 2) {
        (void)take(c, 16);
        out->at_us = take_le(c, 7) & ~(UINT64_C(1) << 55);
    }
    return ERR_OK;
}

enum err
event_gtid_list(struct event *e, struct binlog_gtids *out,
                struct binlog_failure *why)
{
    struct cursor *c = &e->body;
    uint32_t n = (uint32_t)take_le(c, 4) & 0x0fffffff; /* above: flags */

    for (uint32_t i = 0; i < n && !c->cut; i++) {
        struct binlog_gtid g = { 0 };
        const struct binlog_gtid *had;
        enum err err;

        g.domain = (uint32_t)take_le(c, 4);
        g.server = (uint32_t)take_le(c, 4);
        g.seq = take_le(c, 8);
        had = gtids_domain(out, g.domain);
        /* one of each server of a domain: the furthest counts */
        if (c->cut || (had != NULL && had->seq >= g.seq))
            continue;
        err = binlog_gtids_add(out, &g);
        if (err != ERR_OK)
            return binlog_fail(why,
                               err == ERR_NOMEM ? BINLOG_FAULT_MEMORY
                                                : BINLOG_FAULT_LIMIT,
                               "a list of GTIDs");
    }
    return c->cut ? cut(why, "a list of GTIDs") : ERR_OK;
}

enum err
event_previous_gtids(struct event *e, struct binlog_gtids *out,
                     struct binlog_failure *why)
{
    switch (gtids_unpack(out, &e->body)) {
    case ERR_OK:
        return ERR_OK;
    case ERR_NOMEM:
        return binlog_fail(why, BINLOG_FAULT_MEMORY, "a set of GTIDs");
    case ERR_LIMIT:
        return binlog_fail(why, BINLOG_FAULT_LIMIT, "a set of GTIDs");
    default:
        return cut(why, "a set of GTIDs");
    }
}

enum err
event_xa_prepare(struct event *e, struct binlog_xid *out, bool *one_phase,
                 struct binlog_failure *why)
{
    *one_phase = take_le(&e->body, 1) != 0;
    return take_xid(&e->body, 4, out) ? ERR_OK : cut(why, "an XA PREPARE");
}
