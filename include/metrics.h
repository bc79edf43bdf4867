/* Room: host/ */
/* Counters of all processes of the host: one file in RUN_DIR, mapped shared,
 * a slot per process ("serve-0"), relaxed atomics; whoever is asked sums the
 * slots. A process that comes back under its name goes on counting where the
 * last one ended, so that counters never fall. Nothing here needs the store.
 */
#ifndef MG_METRICS_H
#define MG_METRICS_H

#include "base.h"
#include "buf.h"
#include "dialect.h"

enum metric {
#define COUNTER(id, name, help) METRIC_##id,
#define GAUGE(id, name, help) METRIC_##id,
#define ALERT(name, expr, wait, severity, summary)
#include "metrics.def"
#undef COUNTER
#undef GAUGE
#undef ALERT
    METRIC__MAX
};

/* Takes the slot of `process` in RUN_DIR/metrics (made when absent). Before
 * that, or when it fails, counting goes to private memory. After
 * dispatch_init in processes that serve requests. */
enum err metrics_open(const char *process) MUST_USE;

void metrics_add(enum metric m, uint64_t n);
/* A gauge goes up or down by n. */
void metrics_gauge(enum metric m, int64_t n);

/* A request to that row of that dialect was answered. */
void metrics_request(const struct dialect *d, const struct row *row,
                     int status, int64_t duration_us);

/* The Prometheus text of the whole host. */
void metrics_print(struct buf *b);

/* The alert rules as a Prometheus rules file (YAML). */
void metrics_print_rules(struct buf *b);

#endif
