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
#include "file.h"
#include "log.h"

#define SLOTS      64
#define NAME_BYTES 48
#define ROWS_MAX   1024

const double metrics_bound_s[METRICS_BOUNDS] = { 0.0005, 0.001, 0.0025, 0.005,
                                                 0.01,   0.025, 0.05,   0.1,
                                                 0.25,   0.5,   1,      2.5,
                                                 5,      10 };

struct row_counts {
    _Atomic uint64_t by_class[METRICS_CLASSES];
    _Atomic uint64_t bucket[METRICS_BOUNDS + 1];
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

const struct metric_words metric_words[METRIC__MAX] = {
#define GROUP(title)
#define COUNTER(id, name, help) [METRIC_##id] = { name, help },
#define GAUGE(id, name, help)   [METRIC_##id] = { name, help, .gauge = true },
#define MOST(id, name, help) \
    [METRIC_##id] = { name, help, .gauge = true, .most = true },
#define OWN(id, name, unit, help)                \
    [METRIC_##id] = { name, help, .per = (unit), \
                      .gauge = METRIC_##id != METRIC_CPU },
#include "metrics.def"
#undef GROUP
#undef COUNTER
#undef GAUGE
#undef MOST
#undef OWN
};

/* Another build must not read this one's numbers, so the file's name holds a
 * sum over what they stand for. */
static uint64_t
layout(uint64_t rows)
{
    uint64_t h = rows ^ sizeof(struct slot);

    for (size_t i = 0; i < METRIC__MAX; i++)
        for (const char *p = metric_words[i].name; *p != '\0'; p++)
            h = (h ^ (unsigned char)*p) * UINT64_C(1099511628211);
    return h;
}

static void
file_path(uint64_t rows, char *out, size_t size)
{
    (void)snprintf(out, size, "%s/metrics-%016llx", config_run_dir(),
                   (unsigned long long)layout(rows));
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
        if (str_empty(slots[i].name))
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
        if (metric_words[i].gauge)
            atomic_store_explicit(&s->value[i], 0, memory_order_relaxed);
}

enum err
metrics_open(const char *process, uint64_t rows)
{
    struct slot *slots, *s = NULL;
    char path[4096];
    int fd, why;

    file_path(rows, path, sizeof(path));
    slots = file_map(path, SLOTS * sizeof(struct slot), &fd);
    why = errno;
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
        metrics_self();
    }
    if (fd >= 0) {
        (void)flock(fd, LOCK_UN); /* the mapping would keep it locked */
        (void)close(fd);
    }
    if (s == NULL)
        log_warn("metrics.private process=%s errno=%d", process, why);
    return s != NULL ? ERR_OK : ERR_LIMIT;
}

/* One that has no room yet is being made: as if there were none. */
enum err
metrics_look(uint64_t rows)
{
    const size_t n = SLOTS * sizeof(struct slot);
    char path[4096];
    struct stat st;
    void *p = MAP_FAILED;
    int fd;

    file_path(rows, path, sizeof(path));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= (off_t)n)
        p = mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        (void)close(fd);
    if (p == MAP_FAILED)
        return ERR_NOT_FOUND;
    all = p;
    n_slots = SLOTS;
    return ERR_OK;
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

void
metrics_set(enum metric m, int64_t value)
{
    atomic_store_explicit(&mine->value[m], (uint64_t)value,
                          memory_order_relaxed);
}

static struct row_counts *
counts_of(struct slot *s, size_t row)
{
    return &s->row[row < ROWS_MAX ? row : ROWS_MAX - 1];
}

void
metrics_request(size_t row, int status, int64_t duration_us)
{
    struct row_counts *c = counts_of(mine, row);
    size_t class = status >= 100 && status < 600 ? (size_t)status / 100 : 5;
    size_t i = 0;

    while (i < METRICS_BOUNDS && (double)duration_us > metrics_bound_s[i] * 1e6)
        i++;
    atomic_fetch_add_explicit(&c->by_class[class], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->bucket[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&c->sum_us, (uint64_t)duration_us,
                              memory_order_relaxed);
}

enum err
metrics_process(size_t i, struct metrics_process *out)
{
    if (i >= n_slots)
        return ERR_NOT_FOUND;
    *out = (struct metrics_process){ .pid = atomic_load(&all[i].pid) };
    out->alive = alive(out->pid);
    (void)snprintf(out->name, sizeof(out->name), "%s", all[i].name);
    return ERR_OK;
}

/* ---- sums ---- */

static uint64_t
load(const _Atomic uint64_t *v)
{
    return atomic_load_explicit(v, memory_order_relaxed);
}

int64_t
metrics_of(const char *process, enum metric m)
{
    for (size_t i = 0; i < n_slots; i++)
        if (strcmp(all[i].name, process) == 0)
            return alive(all[i].pid) ? (int64_t)load(&all[i].value[m]) : -1;
    return -1;
}

int64_t
metrics_value(enum metric m)
{
    uint64_t sum = 0, v;

    for (size_t i = 0; i < n_slots; i++) {
        if (metric_words[m].gauge && &all[i] != &alone && !alive(all[i].pid))
            continue;
        v = load(&all[i].value[m]);
        if (!metric_words[m].most)
            sum += v;
        else if (v > sum)
            sum = v;
    }
    return (int64_t)sum;
}

void
metrics_row(size_t row, struct metrics_row *out)
{
    *out = (struct metrics_row){ .sum_us = 0 };
    for (size_t i = 0; i < n_slots; i++) {
        const struct row_counts *c = counts_of(&all[i], row);

        for (size_t k = 0; k < METRICS_CLASSES; k++)
            out->by_class[k] += load(&c->by_class[k]);
        for (size_t k = 0; k <= METRICS_BOUNDS; k++)
            out->bucket[k] += load(&c->bucket[k]);
        out->sum_us += load(&c->sum_us);
    }
}
