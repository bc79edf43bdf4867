/* Room: host/ */
/* Counters of all processes of the host: one file in RUN_DIR, mapped shared,
 * a slot per process ("serve-0"), relaxed atomics; whoever is asked sums the
 * slots. A process that comes back under its name goes on counting where the
 * last one ended, so that counters never fall. Nothing here needs the store.
 */
#ifndef MG_METRICS_H
#define MG_METRICS_H

#include "base.h"

enum metric {
#define GROUP(title)
#define COUNTER(id, name, help)  METRIC_##id,
#define GAUGE(id, name, help)    METRIC_##id,
#define MOST(id, name, help)     METRIC_##id,
#define OWN(id, name, per, help) METRIC_##id,
#include "metrics.def"
#undef GROUP
#undef COUNTER
#undef GAUGE
#undef MOST
#undef OWN
    METRIC__MAX
};

struct metric_words {
    const char *name, *help;
    bool gauge; /* it may fall */
    bool most;  /* of the host: the largest of its processes, not the sum */
    unsigned per; /* of each process by itself, in 1/per of the unit; 0: of
                   * the host */
};
extern const struct metric_words metric_words[METRIC__MAX];

/* Takes the slot of `process` in RUN_DIR/metrics-… (made when absent). Before
 * that, or when it fails (it has logged so), counting goes to private memory.
 * rows stands for what the numbers of rows mean (tables_sum): processes of
 * another meaning have another file. */
enum err metrics_open(const char *process, uint64_t rows) MUST_USE;

void metrics_add(enum metric m, uint64_t n);
/* A gauge goes up or down by n. */
void metrics_gauge(enum metric m, int64_t n);
/* A value that this process knows as a whole. */
void metrics_set(enum metric m, int64_t value);
/* What this process takes of the host (the rows OWN), at most every few
 * seconds: called now and then by each process. */
void metrics_self(void);

/* A request to the row of that number (tables_row) was answered. */
void metrics_request(size_t row, int status, int64_t duration_us);

/* Before what is below, by who is no process of the deployment: reads the
 * file, and takes no slot. NOT_FOUND when there is none of that meaning. */
enum err metrics_look(uint64_t rows) MUST_USE;
/* A value of that process alone; -1 when it does not run. */
int64_t metrics_of(const char *process, enum metric m);

/* The i-th process that counts here, or has; NOT_FOUND past the last. A name
 * is "" where there was never one. */
struct metrics_process {
    char name[48];
    int32_t pid;
    bool alive;
};
enum err metrics_process(size_t i, struct metrics_process *out) MUST_USE;

/* ---- sums over the host ---- */

/* A dead process's counters still count, its gauges do not. */
int64_t metrics_value(enum metric m);

#define METRICS_CLASSES 6 /* status / 100; 0 unused */
#define METRICS_BOUNDS  14
extern const double metrics_bound_s[METRICS_BOUNDS];

struct metrics_row {
    uint64_t by_class[METRICS_CLASSES];
    uint64_t bucket[METRICS_BOUNDS + 1]; /* not cumulative; last: +Inf */
    uint64_t sum_us;
};
void metrics_row(size_t row, struct metrics_row *out);

#endif
