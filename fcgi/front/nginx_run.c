/* The running nginx: how it is started, checked, and told to read its files
 * again. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "config.h"
#include "file.h"
#include "nginx.h"
#include "place.h"
#include "host/proc.h"
#include "host/proc_look.h"
#include "host/redact.h"

#define TEST_MS       30000
#define RELOAD_MS     20000
#define POLL_MS       5
#define PROCESSES_MAX 512

const char *const *
nginx_argv(void)
{
    static char conf[PLACE_BYTES], prefix[PLACE_BYTES];
    static const char *argv[8];

    /* a RUN_DIR that is too long for these was refused by nginx_write */
    if (place_path(conf, sizeof(conf), "nginx/nginx.conf") != ERR_OK ||
        place_path(prefix, sizeof(prefix), "nginx/") != ERR_OK)
        conf[0] = prefix[0] = '\0';
    argv[0] = config()->nginx_binary;
    argv[1] = "-e"; /* before it has read the error_log directive */
    argv[2] = "stderr";
    argv[3] = "-c";
    argv[4] = conf;
    argv[5] = "-p";
    argv[6] = prefix;
    return argv;
}

enum err
nginx_test(bool ours, char why[WHY_BYTES])
{
    char check[PLACE_BYTES];
    const char *argv[10] = { NULL };
    struct proc_result r;
    size_t n;
    enum err e;

    if (place_path(check, sizeof(check), "nginx/check.conf") != ERR_OK)
        return ERR_LIMIT;
    memcpy(argv, nginx_argv(), 7 * sizeof(argv[0]));
    if (!ours)
        argv[4] = check;
    argv[7] = "-t";
    argv[8] = "-q";
    e = proc_run(argv, TEST_MS, &r);
    n = redact_line(r.output, strlen(r.output));
    while (n > 0 && r.output[n - 1] == '\n')
        n--;
    why_say(why, "%.*s", (int)n, r.output);
    return e;
}

/* ---- processes ---- */

/* Whether the process is a master of this RUN_DIR's nginx, by its title. */
static bool
is_master(pid_t pid)
{
    char title[2 * PLACE_BYTES], want[PLACE_BYTES + 8];

    (void)proc_look_title(pid, title, sizeof(title));
    (void)snprintf(want, sizeof(want), " -c %s ", nginx_argv()[4]);
    return strstr(title, want) != NULL;
}

/* A pid file may be left over and its number belong to another process by
 * now. */
static enum err
find_master(pid_t *out)
{
    char path[PLACE_BYTES], text[10];
    long pid;

    if (place_path(path, sizeof(path), "nginx/nginx.pid") != ERR_OK)
        return ERR_LIMIT;
    (void)file_start(path, text, sizeof(text));
    pid = strtol(text, NULL, 10); /* 0: nginx -t leaves an empty one */
    if (pid < 2 || !is_master((pid_t)pid))
        return ERR_NOT_FOUND;
    *out = (pid_t)pid;
    return ERR_OK;
}

bool
nginx_runs(void)
{
    pid_t master;

    return find_master(&master) == ERR_OK;
}

struct children {
    pid_t parent;
    pid_t *v;
    size_t n, max;
};

static bool
note_child(pid_t pid, void *ctx)
{
    struct children *c = ctx;
    struct proc_stat child;

    if (c->n < c->max && pid > 1 && proc_look_stat(pid, &child) &&
        child.parent == c->parent)
        c->v[c->n++] = pid;
    return c->n >= c->max;
}

static size_t
find_children(pid_t parent, pid_t *out, size_t max)
{
    struct children c = { .parent = parent, .v = out, .max = max };

    (void)proc_look_each(note_child, &c);
    return c.n;
}

/* Whether an old worker has left the listeners: it is gone, or says so. */
static bool
has_left(pid_t pid, pid_t master)
{
    struct proc_stat worker;
    char title[256];

    if (!proc_look_stat(pid, &worker) || worker.parent != master)
        return true;
    (void)proc_look_title(pid, title, sizeof(title));
    return str_empty(title) || strstr(title, "shutting down") != NULL;
}

enum err
nginx_reload(void)
{
    int64_t deadline = clock_mono_ms() + RELOAD_MS;
    pid_t master, old[PROCESSES_MAX];
    size_t n;
    enum err e;

    e = find_master(&master);
    if (e != ERR_OK)
        return e;
    n = find_children(master, old, COUNT(old));
    if (kill(master, SIGHUP) != 0)
        return errno == ESRCH ? ERR_NOT_FOUND : ERR_DENIED;
    while (n > 0) {
        if (has_left(old[n - 1], master)) {
            n--;
            continue;
        }
        if (clock_mono_ms() > deadline)
            return ERR_TIMEOUT;
        (void)poll(NULL, 0, POLL_MS);
    }
    return ERR_OK;
}
