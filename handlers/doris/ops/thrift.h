/* One call of Apache Thrift's binary protocol: HeartbeatService.heartbeat of
 * a compute node. Nothing else of Thrift is needed here. */
#ifndef MG_DORIS_THRIFT_H
#define MG_DORIS_THRIFT_H

#include "base.h"
#include "buf.h"

/* What the front end that heartbeats is known by. */
struct doris_master {
    const char *host;
    int32_t port, cluster_id;
    int64_t epoch;
};

/* What a node says of itself; -1 and 0 when it says nothing. */
struct doris_beat {
    bool ok; /* its status was OK, and it said who it is */
    int32_t be_port, http_port, brpc_port;
    int64_t fragments, fragment_time_ms;
};

/* The call, as it is sent. */
void doris_beat_ask(struct buf *b, const struct doris_master *m);

/* n bytes of the answer: BUSY when they are not all of it yet, PEER when it
 * is none, OK when *out is filled. */
enum err
doris_beat_read(const void *p, size_t n, struct doris_beat *out) MUST_USE;

/* Longest answer that is waited for. */
#define DORIS_BEAT_BYTES 65536

#endif
