/* Events as they come: the header that all have, the checksum, and what those
 * say that are about the binlog itself. */
#ifndef MG_BINLOG_EVENT_H
#define MG_BINLOG_EVENT_H

#include "binlog_int.h"

enum event_type {
#define EVENT(code, id, how, fault) EVENT_##id = (code),
#include "binlog/events.def"
#undef EVENT
};

/* What is in front of and behind each event, and where. */
enum {
    EVENT_HEADER_BYTES = 19,
    EVENT_LENGTH_AT = 9,
    EVENT_FLAGS_AT = 17,
    EVENT_CRC_BYTES = 4,
};

enum event_flag {
    EVENT_IS_IN_USE = 0x01,     /* in the file alone, and not in its checksum */
    EVENT_IS_ARTIFICIAL = 0x20, /* made for the stream: in no file */
    EVENT_IS_IGNORABLE = 0x80,  /* may be passed over by who does not know it */
};

struct event {
    unsigned type;
    uint32_t at_s; /* 0: it is not of the time that the log speaks of */
    uint32_t server_id, next_pos;
    uint64_t pos; /* where it begins, as far as it is in a file */
    unsigned flags;
    struct cursor body; /* without header and checksum */
};

/* Takes n bytes apart; with crc their checksum must be right. A fault of
 * `why`. */
enum err event_open(const uint8_t *p, size_t n, bool crc, struct event *out,
                    struct binlog_failure *why) MUST_USE;

/* An artificial rotation stands between two files, of which one may have
 * checksums and the other not: whether this one has, if it is one; `crc` for
 * any other event. */
bool event_has_sum(const uint8_t *p, size_t n, bool crc);

struct format {
    bool crc;        /* events have checksums */
    uint32_t made_s; /* when the server has started; 0 = it is not new */
};
/* FORMAT_DESCRIPTION: the whole event, whose checksum says itself whether it
 * is there. */
enum err event_format(const uint8_t *p, size_t n, struct format *out,
                      struct binlog_failure *why) MUST_USE;

struct rotation {
    struct span file; /* the next */
    uint64_t pos;
};
enum err event_rotation(struct event *e, struct rotation *out,
                        struct binlog_failure *why) MUST_USE;

/* What a transaction begins with. */
struct gtid_event {
    struct binlog_gtid gtid;
    uint64_t at_us; /* 0 = not told */
    bool alone;     /* MariaDB: one statement, without an end of its own */
    bool prepared;  /* XA PREPARE */
    bool alter_begins, alter_fails; /* one of two parts of an ALTER TABLE */
    struct binlog_xid xid;
};
enum err event_gtid(struct event *e, struct gtid_event *out,
                    struct binlog_failure *why) MUST_USE;
enum err event_gtid_mysql(struct event *e, struct gtid_event *out,
                          struct binlog_failure *why) MUST_USE;
/* The GTIDs before a file, into an empty set. */
enum err event_gtid_list(struct event *e, struct binlog_gtids *out,
                         struct binlog_failure *why) MUST_USE;
enum err event_previous_gtids(struct event *e, struct binlog_gtids *out,
                              struct binlog_failure *why) MUST_USE;
enum err event_xa_prepare(struct event *e, struct binlog_xid *out,
                          bool *one_phase, struct binlog_failure *why) MUST_USE;

#endif
