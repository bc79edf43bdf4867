/* Looking at processes, ours and others. */
#include "proc_look.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "process.h"
#include "number.h"

static size_t
read_start(pid_t pid, const char *name, char *out, size_t size)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return file_start(path, out, size);
}

bool
proc_look_stat(pid_t pid, struct proc_stat *out)
{
    char text[1024], *p;

    (void)read_start(pid, "stat", text, sizeof(text));
    p = strrchr(text, ')'); /* the name may hold blanks and parentheses */
    if (p == NULL || p[1] != ' ')
        return false;
    *out = (struct proc_stat){ .state = p[2] };
    for (int field = 2; p != NULL && field < 22; field++) {
        p = strchr(p + 1, ' ');
        if (p != NULL && field == 3)
            out->parent = (pid_t)strtol(p, NULL, 10);
    }
    if (p != NULL)
        out->ticks = strtoull(p, NULL, 10);
    return p != NULL;
}

size_t
proc_look_arguments(pid_t pid, char *out, size_t size)
{
    return read_start(pid, "cmdline", out, size);
}

size_t
proc_look_title(pid_t pid, char *out, size_t size)
{
    size_t n = proc_look_arguments(pid, out, size);

    for (size_t i = 0; i < n; i++) {
        if (out[i] == '\0')
            out[i] = ' ';
    }
    return n;
}

/* ---- ourselves ---- */

static int64_t
started(void)
{
    struct proc_stat self;
    struct timespec up, now;
    double age = 0;

    (void)clock_gettime(CLOCK_BOOTTIME, &up);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (proc_look_stat(getpid(), &self))
        age = (double)up.tv_sec + (double)up.tv_nsec / 1e9 -
              (double)self.ticks / (double)sysconf(_SC_CLK_TCK);
    return now.tv_sec - (int64_t)age;
}

int64_t
process_start_s(void)
{
    static _Atomic int64_t start;

    if (start == 0)
        start = started();
    return start;
}

void
process_memory(int64_t *all, int64_t *resident)
{
    int64_t page = sysconf(_SC_PAGESIZE);
    char text[128], *end;

    (void)read_start(getpid(), "statm", text, sizeof(text));
    *all = strtoll(text, &end, 10) * page;
    *resident = strtoll(end, NULL, 10) * page;
}

bool
proc_look_each(bool (*look)(pid_t pid, void *ctx), void *ctx)
{
    DIR *dir = opendir("/proc");
    struct dirent *d;
    bool found = false;
    int64_t pid;

    while (dir != NULL && !found && (d = readdir(dir)) != NULL)
        found =
            number_read(d->d_name, INT32_MAX, &pid) && look((pid_t)pid, ctx);
    if (dir != NULL)
        (void)closedir(dir);
    return found;
}
