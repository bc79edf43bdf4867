/* metagate serve: one worker on the listening socket it inherits. The main
 * thread prepares everything, starts the threads and waits for signals. */
#include "base/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cache.h"
#include "coherence.h"
#include "config.h"
#include "config/deployment.h"
#include "config_live.h"
#include "db.h"
#include "dialect.h"
#include "api/dispatch.h"
#include "host/confine.h"
#include "host/notify.h"
#include "log.h"
#include "metrics.h"
#include "number.h"
#include "place.h"
#include "role.h"
#include "schema/keys.h"
#include "schema/migrate.h"
#include "worker/worker.h"

#define LISTEN_FD         STDIN_FILENO
#define SYSTEMD_LISTEN_FD 3

#define MAX_ID           255
#define END_MS           1000
#define THREADS_PER_CORE 4
#define REFUSED_S        10

/* ---- the schema ---- */

/* Whether the store's schema is ours and suits this binary, and our keys it.
 * While the store
 * cannot be asked, requests that need it are answered 503, and main asks
 * again and again: a worker may be started before its store. */
struct schema {
    struct db *db; /* NULL once it is known */
    enum err e;
};

static bool
schema_is_refused(const struct schema *s)
{
    return s->e != ERR_OK && !err_may_retry(s->e);
}

static void
ask_schema(struct schema *s)
{
    enum err before = s->e;
    char id[DEPLOYMENT_ID_BYTES], why[WHY_BYTES] = "";

    s->e = deployment_id(id);
    if (s->e == ERR_OK)
        s->e = migrate_check(s->db, id, why);
    if (s->e == ERR_OK)
        s->e = keys_check(s->db, why);
    if (s->e != before)
        log_write(s->e == ERR_OK ? LOG_LV_INFO : LOG_LV_ERROR,
                  "serve.schema err=%s why=\"%s\"", err_name(s->e), why);
    if (s->e != ERR_OK)
        return;
    notify("STATUS=serves");
    db_close(s->db);
    s->db = NULL;
}

static bool
open_schema(struct schema *s)
{
    s->db = db_open();
    s->e = ERR_OK;
    if (s->db == NULL)
        return false;
    ask_schema(s);
    return !schema_is_refused(s);
}

/* ---- signals ---- */

/* One second, or less; false when a signal ends it. */
static bool
wait_a_second(const sigset_t *set)
{
    const struct timespec second = { .tv_sec = 1 };
    int sig;

    notify("WATCHDOG=1");
    sig = sigtimedwait(set, NULL, &second);
    if (sig == SIGHUP)
        role_reload();
    return sig <= 0 || sig == SIGHUP;
}

/* Until somebody has migrated: requests wait in the listening socket, as they
 * do for a worker that is started again and again. */
static bool
wait_for_migration(const sigset_t *set, struct schema *schema)
{
    if (schema->e == ERR_BUSY)
        notify("READY=1\nSTATUS=waits for metagate migrate");
    while (schema->e == ERR_BUSY) {
        if (!wait_a_second(set))
            return false;
        ask_schema(schema);
    }
    return !schema_is_refused(schema);
}

/* A service manager starts us again at once: not every second, when that
 * changes nothing. */
static void
wait_refused(const sigset_t *set)
{
    notify("STATUS=the schema is refused; see the log and metagate check");
    for (int i = 0; i < REFUSED_S && getenv("NOTIFY_SOCKET") != NULL; i++)
        if (!wait_a_second(set))
            return;
}

/* Until a signal ends it, or the schema turns out not to be ours, or not yet
 * to be migrated. */
static void
wait_for_the_end(const sigset_t *set, struct schema *schema)
{
    while (!schema_is_refused(schema) && schema->e != ERR_BUSY) {
        if (!wait_a_second(set))
            return;
        if (schema->db != NULL)
            ask_schema(schema);
    }
}

/* ---- the start ---- */

/* systemd hands sockets over from descriptor 3 on and says so. */
static void
take_systemd_socket(void)
{
    const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");

    if (pid == NULL || n == NULL || atol(pid) != (long)getpid() || atoi(n) < 1)
        return;
    if (dup2(SYSTEMD_LISTEN_FD, LISTEN_FD) == LISTEN_FD)
        (void)close(SYSTEMD_LISTEN_FD);
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
}

static bool
is_listening(int fd)
{
    int on = 0;
    socklen_t n = sizeof(on);

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) == 0 && on != 0;
}

/* As many descriptors as we may have. */
static void
raise_limits(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

static size_t
threads(void)
{
    int64_t n = config()->serve_threads;

    if (n == 0)
        n = THREADS_PER_CORE * sysconf(_SC_NPROCESSORS_ONLN) /
            config()->serve_workers;
    return n > 0 ? (size_t)n : 1;
}

/* The folders of files that a worker writes: its log (by a link, these may lie
 * elsewhere), marks of tokens. What it has mapped is open by now. */
static bool
make_folders(char path[][PLACE_BYTES], const char **out)
{
    static const char *const names[] = { "log", "used", "nginx/revoked" };
    char nginx[PLACE_BYTES];

    if (place_path(nginx, sizeof(nginx), "nginx") != ERR_OK)
        return false;
    (void)mkdir(nginx, 0750); /* the front end may come later */
    for (size_t i = 0; i < COUNT(names); i++) {
        if (place_path(path[i], PLACE_BYTES, names[i]) != ERR_OK)
            return false;
        (void)mkdir(path[i], 0750);
        out[i] = path[i];
    }
    return true;
}

/* Before there are threads: what they may is what this one may. */
static bool
give_up_rights(void)
{
    char path[3][PLACE_BYTES];
    const char *folders[COUNT(path) + 1] = { NULL };
    struct confine_kernel k;
    char id[DEPLOYMENT_ID_BYTES];

    if (!config()->serve_confine)
        return true;
    (void)!deployment_id(id); /* whose file is made now */
    if (make_folders(path, folders) && confine(folders, &k) == ERR_OK) {
        metrics_gauge(METRIC_CONFINED_EXEC, k.seccomp);
        metrics_gauge(METRIC_CONFINED_FILES, k.landlock > 0);
        log_info("serve.confined landlock=%d seccomp=%s", k.landlock,
                 k.seccomp ? "yes" : "no");
        return true;
    }
    log_error("serve.confine errno=%d", errno);
    return false;
}

static void
open_dialects(void)
{
    for (size_t i = 0; dialects[i] != NULL; i++)
        if (dialects[i]->open != NULL)
            dialects[i]->open();
}

static bool
prepare(struct worker_plan *plan)
{
    plan->listen_fd = LISTEN_FD;
    plan->threads = threads();
    plan->slow_threads = (size_t)config()->serve_slow_threads;
    plan->heavy_us = config()->serve_heavy_ms * 1000;
    raise_limits();
    cache_init((size_t)config()->serve_cache_mib << 20);
    open_dialects();
    return request_rules_load(&plan->rules) && dispatch_init() == ERR_OK &&
           request_init() && give_up_rights();
}

static struct worker *
start_worker(const struct worker_plan *plan)
{
    struct worker *w;

    config_watch_start();
    w = worker_start(plan);
    coherence_start();
    if (w != NULL)
        log_info("serve.start threads=%zu slow_threads=%zu", plan->threads,
                 plan->slow_threads);
    return w;
}

/* False when it could not be started, or had to stop by itself. */
static bool
serve(const struct worker_plan *plan, const sigset_t *signals)
{
    struct schema schema = { 0 };
    struct worker *w = NULL;
    bool well = open_schema(&schema);

    if (well && !wait_for_migration(signals, &schema)) {
        well = !schema_is_refused(&schema); /* told to stop meanwhile */
    } else if (well && (w = start_worker(plan)) != NULL) {
        notify(schema.db != NULL ? "READY=1\nSTATUS=waits for the store"
                                 : "READY=1");
        wait_for_the_end(signals, &schema);
        notify("STOPPING=1");
        worker_stop(w);
        well = !schema_is_refused(&schema) && schema.e != ERR_BUSY;
    } else {
        well = false;
    }
    if (schema_is_refused(&schema))
        wait_refused(signals);
    db_close(schema.db);
    return well;
}

static int
run(int id)
{
    struct worker_plan plan = { 0 };
    sigset_t signals;
    char name[32];
    bool well;
    int status;

    (void)snprintf(name, sizeof(name), "serve-%d", id);
    well = role_begin(name, &signals) == ERR_OK && prepare(&plan) &&
           serve(&plan, &signals);
    request_rules_forget();
    status = well ? EXIT_SUCCESS : EXIT_FAILURE;
    log_info("serve.end");
    if (!coherence_stop(END_MS) || !config_watch_stop(END_MS))
        _exit(status);
    db_fini();
    return status;
}

/* --id N or --id=N; -1 when it is neither. */
static int
parse_id(int argc, char **argv)
{
    const char *text = NULL;
    int64_t id = -1;

    if (argc == 3 && strcmp(argv[1], "--id") == 0)
        text = argv[2];
    else if (argc == 2 && strncmp(argv[1], "--id=", 5) == 0)
        text = argv[1] + 5;
    (void)!number_read(text, MAX_ID, &id);
    return (int)id;
}

int
serve_main(int argc, char **argv)
{
    int id = parse_id(argc, argv);

    if (id < 0) {
        (void)fprintf(stderr,
                      "metagate serve: --id N is needed, N from 0 to %d "
                      "(metagate serve --help)\n",
                      MAX_ID);
        return 2;
    }
    take_systemd_socket();
    if (!is_listening(LISTEN_FD)) {
        (void)fprintf(stderr,
                      "metagate serve: descriptor 0 is no listening socket; "
                      "`metagate up` or systemd starts this command\n");
        return EXIT_FAILURE;
    }
    return run(id);
}
