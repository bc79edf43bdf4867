/* Sets of GTIDs, as the room uses them. */
#ifndef MG_BINLOG_GTID_H
#define MG_BINLOG_GTID_H

#include "binlog_int.h"

/* Transactions first to last of one server. */
struct gtid_span {
    uint64_t first, last;
};

struct gtid_server {
    uint8_t uuid[16];
    size_t n, cap;
    struct gtid_span *span; /* rising, with room between them */
};

struct binlog_gtids {
    size_t n_domains, cap_domains;
    struct binlog_gtid *domain; /* MariaDB: rising by domain */
    size_t n_servers, cap_servers;
    struct gtid_server *server; /* MySQL: in the order of their coming */
    size_t n_spans;
};

/* MariaDB: what the set has of that domain; NULL = nothing. */
const struct binlog_gtid *
gtids_domain(const struct binlog_gtids *s, uint32_t domain);

void gtids_clear(struct binlog_gtids *s);
/* Transactions first to last of a server. LIMIT, NOMEM. */
enum err gtids_add_span(struct binlog_gtids *s, const uint8_t uuid[16],
                        uint64_t first, uint64_t last) MUST_USE;
/* MySQL: whether all of `part` is in `all`. */
bool
gtids_within(const struct binlog_gtids *part, const struct binlog_gtids *all);

/* The set as COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS have it. */
void gtids_pack(const struct binlog_gtids *s, struct buf *out);
/* Into an empty set. BAD_PARAM: it is none. */
enum err gtids_unpack(struct binlog_gtids *s, struct cursor *c) MUST_USE;

#endif
