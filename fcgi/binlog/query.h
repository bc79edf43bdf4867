/* QUERY events: statements as texts, and which of them are none. */
#ifndef MG_BINLOG_QUERY_H
#define MG_BINLOG_QUERY_H

#include "binlog_int.h"

/* What a statement is to a reader of rows. */
enum query_kind {
    QUERY_OTHER,   /* for the taker: DDL, accounts and so on */
    QUERY_NOTHING, /* a comment; SAVEPOINTs that are released */
    QUERY_BEGIN,
    QUERY_COMMIT,
    QUERY_ROLLBACK,
    QUERY_SAVEPOINT,
    QUERY_ROLLBACK_TO,
    QUERY_XA_START,
    QUERY_XA_END,
    QUERY_XA_COMMIT,
    QUERY_XA_ROLLBACK,
    QUERY_DML,
};

struct query {
    enum query_kind kind;
    struct binlog_statement st; /* its sql is not NUL-terminated here */
    struct span name;           /* of a savepoint */
    struct binlog_xid xid;      /* of XA COMMIT and so on */
    char time_zone[256];
};

/* A QUERY event but for what its text is; of a compressed one that is the rest
 * of c, still packed. */
enum err query_head(struct cursor *c, uint32_t at_s, struct query *out,
                    struct binlog_failure *why) MUST_USE;
/* Its text, and by that its kind. CUT: an XID that cannot be read. */
enum err query_text(struct query *q, const char *sql, size_t n,
                    struct binlog_failure *why) MUST_USE;

#endif
