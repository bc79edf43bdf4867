/* A binlog as a stream of bytes, cut between its transactions. Whoever takes it
 * is told where each begins and ends, and is given the bytes of those that he
 * wants, with the head that every binlog has: that is a binlog again. What is
 * between transactions is left out. Checksums of events are looked at; what
 * does not fit is refused (groups_wrong). */
#ifndef MG_JOURNAL_GROUPS_H
#define MG_JOURNAL_GROUPS_H

#include "binlog.h"

/* A transaction: a group of events with one GTID. */
struct group {
    uint32_t domain, server;
    uint64_t seq;
    uint32_t at_s;      /* when the statement that committed it has begun */
    int64_t begin, end; /* in the file; end: once it is whole */
};

/* False breaks off. Members may be NULL. */
struct group_taker {
    /* What was before this file. */
    bool (*before)(void *ctx, const struct binlog_gtids *list);
    /* *wanted (false at first): its bytes are to be given. */
    bool (*begins)(void *ctx, const struct group *g, bool *wanted);
    bool (*bytes)(void *ctx, const char *p, size_t n);
    bool (*ended)(void *ctx, const struct group *g);
    void *ctx;
};

struct groups;

/* The taker is copied. NULL without memory. */
struct groups *groups_new(const struct group_taker *t);
void groups_free(struct groups *g);

/* The next bytes of the file: a blob_write_fn, ctx is the struct groups. */
bool groups_write(void *ctx, const char *p, size_t n);
/* Those that follow are from there on, between two transactions; the head has
 * been given. */
void groups_jump(struct groups *g, int64_t at);

/* Whether the file may end here: no transaction has begun, no event. */
bool groups_may_end(const struct groups *g);
/* Why it is refused; NULL: it is not. Lives as long as g. */
const char *groups_wrong(const struct groups *g);

#define GROUPS_MAGIC    4    /* bytes before the first event */
#define GROUPS_HEAD_MAX 4096 /* magic and the description of the format */
/* How long the head is, by its first GROUPS_MAGIC + EVENT_HEADER_BYTES bytes;
 * 0: it is none. */
size_t groups_head_bytes(const char *p);

#endif
