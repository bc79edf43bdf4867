/* A sink as a changefeed is to have it: its URI and sink_config put together
 * (the URI wins) and judged, without a connection. spec/ticdc section 4. */
#ifndef TICDC_SINK_H
#define TICDC_SINK_H

#include "sink_config.h"
#include "uri.h"

enum sink_kind {
    SINK_BLACKHOLE,
    SINK_MYSQL,
    SINK_KAFKA,
    SINK_PULSAR,
    SINK_STORAGE,
};

/* Why not: TiCDC's code, and a sentence without a secret. */
struct sink_fault {
    const char *code; /* "CDC:ErrSinkURIInvalid"; static */
    char text[WHY_BYTES];
};

/* Of the database sinks; times in ms. */
struct sink_mysql {
    const char *user, *password; /* "root" and "" when not given */
    const char *host;
    unsigned port;
    bool tls;                                /* +ssl */
    const char *ssl_ca, *ssl_cert, *ssl_key; /* NULL: none */
    unsigned worker_count, max_txn_row, max_multi_update_row;
    unsigned max_multi_update_row_size;
    bool pessimistic, safe_mode;
    const char *time_zone; /* NULL: the server's zone; "": the downstream's */
    int64_t write_timeout_ms, read_timeout_ms, timeout_ms;
    bool batch_dml, multi_stmt, cache_prep_stmts;
};

struct sink {
    enum sink_kind kind;
    struct sink_uri uri;
    bool whole_tables;    /* transaction-atomicity=table */
    const char *protocol; /* in its first name ("open-protocol"); NULL */
    struct sink_mysql mysql;
};

/* What a sink may use of this host. */
struct sink_rules {
    const char *tls_root; /* files of ssl-ca and so on lie below it; "": none */
    const char *file_root; /* what file:// names lies below it; "": nothing */
};

/* In the arena. BAD_PARAM with *why, NOMEM. config may be NULL. */
enum err sink_settle(struct arena *a, const char *uri,
                     const struct ticdc_sink_config *config,
                     const struct sink_rules *rules, struct sink *out,
                     struct sink_fault *why) MUST_USE;

/* What cannot be together with force_replicate: BAD_PARAM. */
enum err
sink_forced(const struct sink *s, const struct ticdc_sink_config *config,
            struct sink_fault *why) MUST_USE;

#endif
