/* metagate up: a whole deployment on one machine, watched until it is told
 * to stop. One loop over signals, the control socket and the clock; the only
 * other thread writes nginx's log. */
#include "up.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "host/account.h"
#include "clock.h"
#include "base/commands.h"
#include "config.h"
#include "log.h"
#include "front/nginx.h"

#define LOGS_MS 2000

/* ---- signals ---- */

/* Blocked before any thread is made, so that they come by the descriptor. */
static enum err
open_signals(struct up *up)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return ERR_INTERNAL;
    up->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return up->signal_fd >= 0 ? ERR_OK : ERR_INTERNAL;
}

/* MariaDB is not told: it would rotate its binlog too. Its log, and what nginx
 * says before it has one, are files of ours. */
static void
reopen_logs(struct up *up)
{
    log_reopen();
    redact_reopen(&up->nginx_log.redact);
    redact_reopen(&up->mariadb_log.redact);
    up_signal_role(up, "serve", SIGHUP);
    up_signal_role(up, "control", SIGHUP);
    up_signal_role(up, "supervise", SIGHUP);
    up_signal_role(up, "capture", SIGHUP);
    up_signal_role(up, "nginx", SIGUSR1);
}

static void
begin_stop(struct up *up, int sig)
{
    if (up->stopping)
        up->hurry = true;
    else
        up_say(up, "\nstopping%s\n",
               up->background ? "" : " (once more to hurry)");
    up->stopping = true;
    log_info("up.stop signal=%d", sig);
}

static void
take_signals(struct up *up)
{
    struct signalfd_siginfo si;

    while (read(up->signal_fd, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
        if (si.ssi_signo == SIGCHLD)
            continue; /* reaped in each round */
        if (si.ssi_signo == SIGHUP && up->background)
            reopen_logs(up);
        else
            begin_stop(up, (int)si.ssi_signo);
    }
}

/* ---- what children of other makers say ---- */

static enum err
open_pipe(struct up_pipe *p, const char *file)
{
    if (place_path(p->path, sizeof(p->path), file) != ERR_OK)
        return ERR_LIMIT;
    return redact_start(&p->redact, p->path, &p->writer);
}

/* ---- the loop ---- */

/* From here on a background deployment has nobody who reads its words. */
static void
announce(struct up *up)
{
    up->announced = true;
    up_print_ready(up);
    log_info("up.ready after_ms=%lld",
             (long long)(clock_mono_ms() - up->began_ms));
    if (up->background) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

        (void)putchar(UP_READY);
        (void)fflush(stdout);
        (void)dup2(null, STDOUT_FILENO);
        (void)dup2(null, STDERR_FILENO);
        (void)close(null);
    }
}

static void
wait_for_event(struct up *up, int64_t next)
{
    struct pollfd p[1 + CONTROL_MAX];
    int64_t left = next - clock_mono_ms();
    size_t n;

    p[0] = (struct pollfd){ .fd = up->signal_fd, .events = POLLIN };
    n = control_poll(up, p + 1);
    if (left < 0)
        left = 0;
    if (poll(p, n + 1, next == 0 ? -1 : (int)left) <= 0)
        return;
    take_signals(up);
    control_serve(up, p + 1, n);
}

static int64_t
watch_logs(struct up *up, int64_t next)
{
    int64_t now = clock_mono_ms();

    if (config()->log_max_mib == 0)
        return next;
    if (now >= up->logs_ms) {
        up->logs_ms = now + LOGS_MS;
        if (up_rotate_logs())
            reopen_logs(up);
    }
    return next != 0 && next < up->logs_ms ? next : up->logs_ms;
}

static void
run(struct up *up)
{
    for (;;) {
        int64_t next;

        next = watch_logs(up, up_step(up));
        up_reap(up);
        control_settle(up);
        if (up->stopping && up_all_ended(up))
            return;
        if (!up->announced && up_all_ready(up))
            announce(up);
        wait_for_event(up, next);
    }
}

/* ---- start and end ---- */

static enum err
fail(char why[WHY_BYTES], const char *what)
{
    return why_fail(why, ERR_STATE, "%s: %s", what, strerror(errno));
}

/* The first start has written metagate.ini after it was read: it says
 * nothing, so what was read still holds. */
static enum err
prepare(struct up *up, char why[WHY_BYTES])
{
    char log[PLACE_BYTES];
    enum err e = up_lock(up, why);

    if (e == ERR_OK)
        e = up_check_ports(why);
    if (e == ERR_OK)
        e = up_make_files(up, why);
    if (e != ERR_OK)
        return e;
    if (account_name(up->account, sizeof(up->account)) != ERR_OK)
        return fail(why, "this account has no name");
    if (place_path(log, sizeof(log), "log/up.log") != ERR_OK ||
        log_open(log, "up") != ERR_OK)
        return fail(why, "log/up.log");
    if (open_signals(up) != ERR_OK ||
        open_pipe(&up->nginx_log, "log/nginx-error.log") != ERR_OK ||
        open_pipe(&up->mariadb_log, "log/mariadb.log") != ERR_OK)
        return fail(why, "pipes");
    e = up_make_children(up, why);
    return e == ERR_OK ? control_open(up, why) : e;
}

/* The lock goes before the control socket: whoever waits for the end of the
 * connection finds RUN_DIR free. */
static void
finish(struct up *up)
{
    up_drop_sockets();
    up_free_children(up);
    redact_settle(&up->nginx_log.redact);
    redact_settle(&up->mariadb_log.redact);
    if (up->lock_fd >= 0)
        (void)close(up->lock_fd);
    if (up->children_lock_fd >= 0)
        (void)close(up->children_lock_fd);
    control_close(up);
}

static int
refuse(const char *why)
{
    (void)fprintf(stderr, "metagate: %s\n", why);
    return EXIT_FAILURE;
}

static int
deploy(struct up *up)
{
    char why[WHY_BYTES] = "";
    ssize_t n = readlink("/proc/self/exe", up->self, sizeof(up->self) - 1);

    if (n <= 0)
        return refuse("/proc is not mounted");
    up->self[n] = '\0';
    printf("metagate in %s, NET %s\n", config_run_dir(), config_net());
    (void)fflush(stdout);
    if (prepare(up, why) != ERR_OK) {
        if (up->lock_fd >= 0)
            finish(up);
        return refuse(why);
    }
    log_info("up.start run_dir=%s net=%s account=%s", config_run_dir(),
             config_net(), up->account);
    run(up);
    up_say(up, up->failed ? "the start has failed\n" : "stopped\n");
    finish(up);
    log_info("up.end");
    return up->failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
up_main(int argc, char **argv)
{
    struct up up = { .lock_fd = -1,
                     .children_lock_fd = -1,
                     .signal_fd = -1,
                     .control_fd = -1,
                     .nginx_log = UP_NO_PIPE,
                     .mariadb_log = UP_NO_PIPE };
    char why[WHY_BYTES] = "";

    up.background = argc == 2 && strcmp(argv[1], "--background") == 0;
    if (argc > 1 && !up.background)
        return refuse("up takes no arguments (metagate up --help)");
    up.began_ms = clock_mono_ms();
    if (up_settle(argc, argv, why) != ERR_OK)
        return refuse(why);
    /* orphans of children come to us; nobody below gains rights by exec */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return deploy(&up);
}
