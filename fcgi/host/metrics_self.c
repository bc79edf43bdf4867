/* What this process takes of its host, as Prometheus' own clients tell it. Each
 * counts for itself: nobody else may look at the descriptors of a process that
 * writes no core file. */
#include "metrics.h"

#include <dirent.h>
#include <stdatomic.h>
#include <sys/resource.h>

#include "clock.h"
#include "process.h"

#define EVERY_MS 5000

static int64_t
microseconds(const struct timeval *t)
{
    return (int64_t)t->tv_sec * 1000000 + t->tv_usec;
}

/* Without the one that is opened to count them. */
static int64_t
open_files(void)
{
    DIR *dir = opendir("/proc/self/fd");
    const struct dirent *d;
    int64_t n = -1;

    while (dir != NULL && (d = readdir(dir)) != NULL)
        n += d->d_name[0] != '.';
    if (dir != NULL)
        (void)closedir(dir);
    return n > 0 ? n : 0;
}

void
metrics_self(void)
{
    static _Atomic int64_t next_ms;
    int64_t now_ms = clock_mono_ms(), due_ms = atomic_load(&next_ms);
    int64_t all, resident;
    struct rusage used;
    struct rlimit files;

    if (now_ms < due_ms ||
        !atomic_compare_exchange_strong(&next_ms, &due_ms, now_ms + EVERY_MS))
        return;
    if (getrusage(RUSAGE_SELF, &used) == 0)
        metrics_set(METRIC_CPU, microseconds(&used.ru_utime) +
                                    microseconds(&used.ru_stime));
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        metrics_set(METRIC_MAX_FDS, (int64_t)files.rlim_cur);
    process_memory(&all, &resident);
    metrics_set(METRIC_RESIDENT, resident);
    metrics_set(METRIC_OPEN_FDS, open_files());
    metrics_set(METRIC_STARTED, process_start_s());
}
