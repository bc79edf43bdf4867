/* A daemon's start, sleep and end. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/commands.h"
#include "clock.h"
#include "config.h"
#include "config_live.h"
#include "db.h"
#include "dialect.h"
#include "duty.h"
#include "lease.h"
#include "log.h"
#include "place.h"
#include "profiler.h"
#include "role.h"
#include "worker/role_socket.h"
#include "host/notify.h"
#include "host/wake.h"

#define ID_MAX  64
#define END_MS  1000
#define TURN_MS 5000  /* WatchdogSec of the units is some times longer */
#define GIVE_MS 30000 /* between two looks at what is free */

static bool
is_id(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
                            "WXYZ0123456789.-:_");

    return n > 0 && n <= ID_MAX && text[n] == '\0';
}

const char *
daemon_option(int argc, char **argv, const char *option)
{
    size_t n = strlen(option);
    const char *v = NULL;

    if (argc == 3 && strcmp(argv[1], option) == 0)
        v = argv[2];
    else if (argc == 2 && strncmp(argv[1], option, n) == 0 && argv[1][n] == '=')
        v = argv[1] + n + 1;
    if (v != NULL && is_id(v))
        return v;
    (void)fprintf(stderr,
                  "metagate %s: %s VALUE is needed (metagate %s --help)\n",
                  argv[0], option, argv[0]);
    return NULL;
}

const char *
daemon_lock_file(const char *role, const char *id, char out[DAEMON_LOCK_BYTES])
{
    (void)snprintf(out, DAEMON_LOCK_BYTES, "%s-%s.lock", role, id);
    return out;
}

/* Two of one name would take each other's leases in turn. */
static enum err
lock_name(struct daemon *d, const char *role, const char *id)
{
    char path[PLACE_BYTES], file[DAEMON_LOCK_BYTES];

    if (place_path(path, sizeof(path), daemon_lock_file(role, id, file)) !=
        ERR_OK)
        return ERR_LIMIT;
    d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (d->lock_fd >= 0 && flock(d->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_OK;
    (void)fprintf(stderr, "metagate: %s runs already (lock %s)\n", d->name,
                  path);
    return ERR_EXISTS;
}

enum err
daemon_begin(struct daemon *d, const char *role, const char *id)
{
    sigset_t signals;
    enum err e;

    *d = (struct daemon){ .lock_fd = -1, .signal_fd = -1, .wake_fd = -1 };
    (void)snprintf(d->name, sizeof(d->name), "%s-%s", role, id);
    e = lock_name(d, role, id);
    if (e == ERR_OK)
        e = role_begin(d->name, &signals);
    if (e != ERR_OK)
        return e;
    d->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
    if (d->signal_fd < 0) {
        log_error("%s.start errno=%d", role, errno);
        return ERR_INTERNAL;
    }
    d->wake_fd = wake_open(d->name);
    d->socket = role_socket_open(d->name);
    config_watch_start();
    log_info("%s.start id=%s", role, id);
    notify("READY=1");
    return ERR_OK;
}

bool
daemon_note(struct daemon *d, const char *text)
{
    ssize_t n = (ssize_t)strlen(text);

    if (ftruncate(d->lock_fd, 0) == 0 &&
        pwrite(d->lock_fd, text, (size_t)n, 0) == n)
        return true;
    log_error("daemon.note name=%s errno=%d", d->name, errno);
    return false;
}

/* A thread that hangs in the store is left behind with the process. */
void
daemon_end(struct daemon *d)
{
    if (!config_watch_stop(END_MS))
        _exit(EXIT_SUCCESS);
    role_socket_close(d->socket);
    wake_close(d->wake_fd, d->name);
    if (d->signal_fd >= 0)
        (void)close(d->signal_fd);
    if (d->lock_fd >= 0)
        (void)close(d->lock_fd);
}

/* SIGHUP reloads; everything else ends the daemon. */
static bool
is_told_to_stop(struct daemon *d)
{
    struct signalfd_siginfo info;
    bool stop = false;

    while (read(d->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGHUP) {
            role_reload();
        } else {
            d->stop_signal = (int)info.ssi_signo;
            stop = true;
        }
    }
    return stop;
}

/* What a leader held for what has gone is not kept from others. */
static void
give_back(struct daemon *d)
{
    int64_t now_ms = clock_mono_ms();

    if (now_ms < d->give_back_ms)
        return;
    d->give_back_ms = now_ms + GIVE_MS;
    profiler_give_back();
}

enum daemon_event
daemon_wait(struct daemon *d, int64_t timeout_ms)
{
    struct pollfd p[] = { { .fd = d->signal_fd, .events = POLLIN },
                          { .fd = d->wake_fd, .events = POLLIN } };

    notify("WATCHDOG=1");
    give_back(d);
    if (timeout_ms > TURN_MS)
        timeout_ms = TURN_MS;
    (void)poll(p, COUNT(p), timeout_ms < 0 ? 0 : (int)timeout_ms);
    if (is_told_to_stop(d)) {
        notify("STOPPING=1");
        return DAEMON_STOP;
    }
    if (d->wake_fd < 0 || (p[1].revents & POLLIN) == 0)
        return DAEMON_TIMEOUT;
    wake_drain(d->wake_fd);
    return DAEMON_WOKEN;
}

/* ---- metagate capture: a daemon that does what its dialect brings ---- */

static bool
wait_on(void *ctx, int64_t ms)
{
    return daemon_wait(ctx, ms) != DAEMON_STOP;
}

static int (*find_capture(void))(const struct role_run *run)
{
    for (size_t i = 0; dialects[i] != NULL; i++)
        if (dialects[i]->capture != NULL)
            return dialects[i]->capture;
    return NULL;
}

int
capture_main(int argc, char **argv)
{
    int (*capture)(const struct role_run *run) = find_capture();
    const char *id = daemon_option(argc, argv, "--id");
    char owner[LEASE_OWNER_BYTES];
    struct daemon d;
    struct role_run run = {
        .id = id, .owner = owner, .wait = wait_on, .ctx = &d
    };
    int status = EXIT_FAILURE;

    if (id == NULL || capture == NULL)
        return 2;
    lease_owner(id, owner);
    if (daemon_begin(&d, "capture", id) == ERR_OK && daemon_note(&d, owner))
        status = capture(&run);
    log_info("capture.end");
    daemon_end(&d);
    db_fini();
    return status;
}
