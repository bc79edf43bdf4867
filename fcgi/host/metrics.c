/* The shared counters: layout, slots, sums. */
#include "metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "log.h"

#define SLOTS      64
#define NAME_BYTES 48
#define ROWS_MAX   1024
#define DURATION   "metagate_request_duration_seconds"
#define CLASSES    6 /* status / 100; 0 unused */

static const double bound_s[] = { 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                  0.025,  0.05,  0.1,    0.25,  0.5,
                                  1,      2.5,   5,      10 };
#define BOUNDS COUNT(bound_s)

struct row_counts {
    _Atomic uint64_t by_class[CLASSES];
    _Atomic uint64_t bucket[BOUNDS + 1]; /* not cumulative; last = +Inf */
    _Atomic uint64_t sum_us;
};

struct slot {
    _Atomic int32_t pid; /* 0 = free */
    char name[NAME_BYTES];
    _Atomic uint64_t value[METRIC__MAX];
    struct row_counts row[ROWS_MAX];
};

static struct slot alone; /* counts of a process without the file */
static struct slot *all = &alone;
static struct slot *mine = &alone;
static size_t n_slots = 1;

static const struct {
    const char *name, *help;
    bool gauge;
} texts[METRIC__MAX] = {
#define COUNTER(id, name, help) [METRIC_##id] = { name, help, false },
#define GAUGE(id, name, help)   [METRIC_##id] = { name, help, true },
#define ALERT(name, expr, wait, severity, summary)
#include "metrics.def"
#undef COUNTER
#undef GAUGE
#undef ALERT
};

/* Rows are counted by their place in the tables: another build must not read
 * this one's numbers, so the file's name holds a sum over the tables. */
static uint64_t
layout(void)
{
    uint64_t h = UINT64_C(14695981039346656037) ^ sizeof(struct slot);
    const char *p;

    for (size_t i = 0; dialects[i] != NULL; i++)
        for (size_t k = 0; k < dialects[i]->n_rows; k++)
            for (p = dialects[i]->rows[k].path; p != NULL && *p != '\0'; p++)
                h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    for (size_t i = 0; i < METRIC__MAX; i++)
        for (p = texts[i].name; *p != '\0'; p++)
            h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    return h;
}

static struct slot *
map_file(int *fd)
{
    char path[4096];
    void *p = MAP_FAILED;

    snprintf(path, sizeof(path), "%s/metrics-%016llx", config_run_dir(),
             (unsigned long long)layout());
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return NULL;
    if (flock(*fd, LOCK_EX) == 0 &&
        ftruncate(*fd, (off_t)(SLOTS * sizeof(struct slot))) == 0)
        p = mmap(NULL, SLOTS * sizeof(struct slot), PROT_READ | PROT_WRITE,
                 MAP_SHARED, *fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

static bool
alive(int32_t pid)
{
    return pid != 0 && (kill(pid, 0) == 0 || errno != ESRCH);
}

/* The slot of that name, else one that was never used, else a dead one's. */
static struct slot *
choose(struct slot *slots, const char *name)
{
    struct slot *dead = NULL;

    for (size_t i = 0; i < SLOTS; i++)
        if (strcmp(slots[i].name, name) == 0)
            return &slots[i];
    for (size_t i = 0; i < SLOTS; i++) {
        if (slots[i].name[0] == '\0')
            return &slots[i];
        if (dead == NULL && !alive(slots[i].pid))
            dead = &slots[i];
    }
    return dead;
}

static void
clear_gauges(struct slot *s)
{
    for (size_t i = 0; i < METRIC__MAX; i++)
        if (texts[i].gauge)
            atomic_store_explicit(&s->value[i], 0, memory_order_relaxed);
}

enum err
metrics_open(const char *process)
{
    struct slot *slots, *s = NULL;
    int fd;

    slots = map_file(&fd);
    if (slots != NULL)
        s = choose(slots, process);
    if (s != NULL) {
        snprintf(s->name, sizeof(s->name), "%s", process);
        clear_gauges(s);
        atomic_store(&s->pid, (int32_t)getpid());
        all = slots;
        n_slots = SLOTS;
        mine = s;
        metrics_gauge(METRIC_PROCESSES, 1);
    }
    if (fd >= 0) {
        (void)flock(fd, LOCK_UN); /* the mapping would keep it locked */
        (void)close(fd);
    }
    if (s == NULL)
        log_warn("metrics.private process=%s errno=%d", process, errno);
    return s != NULL ? ERR_OK : ERR_LIMIT;
}

void
metrics_add(enum metric m, uint64_t n)
{
    atomic_fetch_add_explicit(&mine->value[m], n, memory_order_relaxed);
}

void
metrics_gauge(enum metric m, int64_t n)
{
    atomic_fetch_add_explicit(&mine->value[m], (uint64_t)n,
                              memory_order_relaxed);
}

static size_t
row_number(const struct dialect *d, const struct row *row)
{
    size_t base = 0;

    for (size_t i = 0; dialects[i] != d; i++)
        base += dialects[i]->n_rows;
    base += (size_t)(row - d->rows);
    return base < ROWS_MAX ? base : ROWS_MAX - 1;
}

void
metrics_request(const struct dialect *d, const struct row *row, int status,
                int64_t duration_us)
{
    struct row_counts *c = &mine->row[row_number(d, row)];
    size_t class = status >= 100 && status < 600 ? (size_t)status / 100 : 5;
    size_t i = 0;

    while (i < BOUNDS && (double)duration_us > bound_s[i] * 1e6)
        i++;
    atomic_fetch_add_explicit(&c->by_class[class], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->sum_us, (uint64_t)duration_us,
                              memory_order_relaxed);
}

/* ---- printing ---- */

static uint64_t
load(const _Atomic uint64_t *v)
{
    return atomic_load_explicit(v, memory_order_relaxed);
}

/* A dead process's counters still count, its gauges do not. */
static int64_t
sum_value(size_t m)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n_slots; i++)
        if (!texts[m].gauge || &all[i] == &alone || alive(all[i].pid))
            sum += load(&all[i].value[m]);
    return (int64_t)sum;
}

static void
head(struct buf *b, const char *name, const char *help, const char *type)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static uint64_t
sum_class(size_t row, size_t class)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n_slots; i++)
        sum += load(&all[i].row[row].by_class[class]);
    return sum;
}

static uint64_t
sum_bucket(size_t row, size_t bucket)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n_slots; i++)
        sum += load(&all[i].row[row].bucket[bucket]);
    return sum;
}

static uint64_t
sum_us(size_t row)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n_slots; i++)
        sum += load(&all[i].row[row].sum_us);
    return sum;
}

/* The listeners of the mounts right above a row. A row that is served on two
 * kinds of listener is counted once, and says so: "pegasus-meta,…". */
static void
put_listeners(struct buf *b, const struct dialect *d, const struct row *row)
{
    const struct row *last, *first;

    while (row > d->rows && row->kind != ROW_MOUNT)
        row--;
    for (first = last = row; first > d->rows; first--)
        if (first[-1].kind != ROW_MOUNT)
            break;
    for (row = first; row <= last && row->kind == ROW_MOUNT; row++)
        if (row == first || strcmp(row->listener, row[-1].listener) != 0)
            buf_printf(b, "%s%s", row == first ? "" : ",", row->listener);
}

static const char *
method_of(const struct row *row)
{
    static const char *const names[] = { "GET", "POST", "PUT", "DELETE",
                                         "OPTIONS" };

    for (size_t i = 0; i < COUNT(names); i++)
        if (row->methods == 1u << i)
            return names[i];
    return "ANY";
}

/* Without the closing brace. */
static void
put_labels(struct buf *b, const char *name, const struct dialect *d,
           const struct row *row)
{
    buf_printf(b, "%s{dialect=\"%s\",listener=\"", name, d->name);
    put_listeners(b, d, row);
    buf_printf(b, "\",endpoint=\"%s\",method=\"%s\"",
               strcmp(row->verb, "-") != 0 ? row->verb : row->path,
               method_of(row));
}

static void
print_counts(struct buf *b, const struct dialect *d, const struct row *row)
{
    size_t no = row_number(d, row);

    for (size_t c = 1; c < CLASSES; c++) {
        uint64_t n = sum_class(no, c);

        if (n == 0)
            continue;
        put_labels(b, "metagate_requests_total", d, row);
        buf_printf(b, ",code=\"%zuxx\"} %llu\n", c, (unsigned long long)n);
    }
}

static void
print_histogram(struct buf *b, const struct dialect *d, const struct row *row)
{
    size_t no = row_number(d, row);
    uint64_t n = 0, total = 0;

    for (size_t i = 0; i <= BOUNDS; i++)
        total += sum_bucket(no, i);
    if (total == 0)
        return;
    for (size_t i = 0; i <= BOUNDS; i++) {
        n += sum_bucket(no, i);
        put_labels(b, DURATION "_bucket", d, row);
        if (i < BOUNDS)
            buf_printf(b, ",le=\"%g\"} %llu\n", bound_s[i],
                       (unsigned long long)n);
        else
            buf_printf(b, ",le=\"+Inf\"} %llu\n", (unsigned long long)n);
    }
    put_labels(b, DURATION "_sum", d, row);
    buf_printf(b, "} %.6f\n", (double)sum_us(no) / 1e6);
    put_labels(b, DURATION "_count", d, row);
    buf_printf(b, "} %llu\n", (unsigned long long)total);
}

static void
each_row(struct buf *b, void (*print)(struct buf *, const struct dialect *,
                                      const struct row *))
{
    for (size_t i = 0; dialects[i] != NULL; i++)
        for (size_t k = 0; k < dialects[i]->n_rows; k++)
            if (dialects[i]->rows[k].kind == ROW_ENDPOINT)
                print(b, dialects[i], &dialects[i]->rows[k]);
}

void
metrics_print(struct buf *b)
{
    head(b, "metagate_requests_total", "Requests answered.", "counter");
    each_row(b, print_counts);
    head(b, DURATION,
         "Time from the request's arrival at the worker to its reply.",
         "histogram");
    each_row(b, print_histogram);
    for (size_t m = 0; m < METRIC__MAX; m++) {
        head(b, texts[m].name, texts[m].help,
             texts[m].gauge ? "gauge" : "counter");
        buf_printf(b, "%s %lld\n", texts[m].name, (long long)sum_value(m));
    }
}

static void
yaml_text(struct buf *b, const char *key, const char *s)
{
    buf_printf(b, "%s: '", key);
    for (; *s != '\0'; s++) {
        if (*s == '\'')
            buf_putc(b, '\'');
        buf_putc(b, *s);
    }
    buf_puts(b, "'\n");
}

void
metrics_print_rules(struct buf *b)
{
    static const struct {
        const char *name, *expr, *wait, *severity, *summary;
    } alerts[] = {
#define COUNTER(id, name, help)
#define GAUGE(id, name, help)
#define ALERT(name, expr, wait, severity, summary) \
    { name, expr, wait, severity, summary },
#include "metrics.def"
#undef COUNTER
#undef GAUGE
#undef ALERT
    };

    buf_puts(b, "groups:\n  - name: metagate\n    rules:\n");
    for (size_t i = 0; i < COUNT(alerts); i++) {
        yaml_text(b, "      - alert", alerts[i].name);
        yaml_text(b, "        expr", alerts[i].expr);
        yaml_text(b, "        for", alerts[i].wait);
        buf_puts(b, "        labels:\n");
        yaml_text(b, "          severity", alerts[i].severity);
        buf_puts(b, "        annotations:\n");
        yaml_text(b, "          summary", alerts[i].summary);
    }
}
