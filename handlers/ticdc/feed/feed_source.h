/* What is asked of the source before a changefeed is made, changed or
 * resumed. Never in a transaction: it is another server. */
#ifndef TICDC_FEED_SOURCE_H
#define TICDC_FEED_SOURCE_H

#include "my.h"
#include "source.h"
#include "ticdc/rules/filter.h"
#include "ticdc/rules/sink.h"

struct feed_source {
    struct my_server server;
    struct my *my; /* goes with the arena */
    struct source_upstream says;
    uint64_t now_ts; /* by its clock, read after says.now */
    const char *file;
    uint64_t pos;
};

/* Connects, and looks whether it can be read, behind gtids when that is not
 * NULL. BAD_PARAM (what is wrong with it), STATE (it has thrown away what is
 * behind gtids), PEER (it cannot be reached), each with *why; NOMEM, TIMEOUT.
 */
enum err
feed_source_open(struct arena *a, const char *gtids, int64_t until_ms,
                 struct feed_source *out, struct sink_fault *why) MUST_USE;

/* How connections of ours read its log. */
struct source_config feed_source_config(const struct feed_source *s);
/* Why it did not answer, as a fault; answers the class. */
enum err feed_source_lost(struct feed_source *s, struct sink_fault *why);
enum err
feed_source_unreadable(const struct feed_source *s,
                       const struct binlog_failure *f, struct sink_fault *why);

/* ---- feed_log.c ---- */

/* The TSO before which it has nothing any more; what starts up to it would
 * miss something. */
enum err feed_source_oldest(struct feed_source *s, uint64_t *out,
                            struct sink_fault *why) MUST_USE;
/* Where reading begins when nothing behind that TSO may be missed: in the
 * newest of its log files that is certainly not too new, in the oldest when
 * that cannot be found out. NOMEM. */
enum err feed_source_from(struct arena *a, struct feed_source *s, uint64_t ts,
                          const char **gtids) MUST_USE;

/* ---- */

struct feed_table {
    const char *schema, *name;
    bool eligible, partitioned;
};
/* Its tables that the filter takes, by schema and name. */
enum err feed_source_tables(struct arena *a, struct feed_source *s,
                            const struct filter *f, struct feed_table **v,
                            size_t *n, struct sink_fault *why) MUST_USE;

/* Opens the sink: connects, logs in, and looks whether it is the source itself.
 * BAD_PARAM or PEER with *why. source NULL: it is not compared. */
enum err
feed_target_open(struct arena *a, const struct sink *sink,
                 const struct ticdc_config *config, struct feed_source *source,
                 int64_t until_ms, struct sink_fault *why) MUST_USE;

#endif
