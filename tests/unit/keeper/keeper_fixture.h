/* What tests of the keeper begin with: RUN_DIR and roots of their own, an
 * instance in them, and a server for it, which is this program once more: a
 * real process that listens, and does what files in its data directory say.
 *
 *     crash    ends at once, by status 3
 *     mute     takes connections and says nothing; until its next start
 *     backend  has a process in a session of its own while the file is there
 *
 * It notes each start in `starts`, and in `second` that another one was there
 * already. */
#ifndef MG_TEST_KEEPER_FIXTURE_H
#define MG_TEST_KEEPER_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"
#include "config.h"
#include "file.h"
#include "instance/paths.h"
#include "keeper/keeper_int.h"
#include "place.h"

#define ADDRESS "127.0.0.1"
#define HOLDER  7
#define LONG_MS 60000 /* what is awaited comes sooner, or never */

/* ---- the server: another process ---- */

static bool
told(const char *dir, const char *what)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, what);
    return access(path, F_OK) == 0;
}

static void
note(const char *dir, const char *what, const char *text)
{
    char path[PATH_MAX];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, what);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)!write(fd, text, strlen(text));
        (void)close(fd);
    }
}

static void
unnote(const char *dir, const char *what)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, what);
    (void)unlink(path);
}

static char self[PATH_MAX];

/* It has another title than the server, as PostgreSQL's have. */
static void
backend(const char *dir)
{
    if (fork() != 0)
        return;
    (void)setsid();
    (void)execl(self, self, "--backend", dir, NULL);
    _exit(1);
}

static int
be_backend(const char *dir)
{
    while (told(dir, "backend"))
        (void)poll(NULL, 0, 5);
    return 0;
}

static int
serve(const char *dir, unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port) };
    char path[PATH_MAX];
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, lock;

    note(dir, "starts", "x");
    unnote(dir, "mute");
    if (told(dir, "crash"))
        return 3;
    (void)snprintf(path, sizeof(path), "%s/alone", dir);
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) != 0) {
        note(dir, "second", "x");
        return 4;
    }
    if (told(dir, "backend"))
        backend(dir);
    (void)inet_pton(AF_INET, ADDRESS, &at.sin_addr);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
        listen(fd, 16) != 0)
        return 5;
    for (;;) {
        int c = accept(fd, NULL, NULL);

        if (c >= 0 && !told(dir, "mute")) {
            (void)!write(c, "R", 1);
            (void)close(c);
        } else if (c < 0) {
            return 6;
        }
    }
}

/* First in main: it does not return when this is the server. */
static void
serve_if_told(int argc, char **argv)
{
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

    if (n <= 0)
        _exit(1);
    if (argc == 3 && strcmp(argv[1], "--backend") == 0)
        _exit(be_backend(argv[2]));
    if (argc == 4 && strcmp(argv[1], "--serve") == 0)
        _exit(serve(strchr(argv[2], '=') + 1,
                    (unsigned)strtoul(strchr(argv[3], '=') + 1, NULL, 10)));
}

/* ---- its driver ---- */

static void
test_command(const struct instance *i, struct argv *out)
{
    argv_add(out, "%s", self);
    argv_add(out, "--serve");
    argv_add(out, "--datadir=%s", i->datadir);
    argv_add(out, "--port=%u", i->port);
}

static void
test_identity(const struct instance *i, char *out, size_t size)
{
    (void)snprintf(out, size, "--datadir=%s", i->datadir);
}

static int
dial(unsigned port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)inet_pton(AF_INET, ADDRESS, &at.sin_addr);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static bool
test_ready(const struct instance *i, int *fd)
{
    char byte;
    ssize_t n;

    if (*fd < 0)
        *fd = dial(i->port);
    if (*fd < 0)
        return false;
    n = recv(*fd, &byte, 1, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return false;
    (void)close(*fd);
    *fd = -1;
    return n == 1;
}

static enum err
test_probe(const struct instance_spec *s, int timeout_ms, char why[WHY_BYTES])
{
    struct pollfd p = { .fd = dial((unsigned)s->port), .events = POLLIN };
    int n;

    if (p.fd < 0)
        return why_fail(why, ERR_PEER, "nobody listens");
    n = poll(&p, 1, timeout_ms < 200 ? timeout_ms : 200);
    (void)close(p.fd);
    return n == 1 ? ERR_OK : why_fail(why, ERR_TIMEOUT, "it is mute");
}

static const struct instance_driver test_driver = {
    .name = "test",
    .command = test_command,
    .ready = test_ready,
    .identity = test_identity,
    .probe = test_probe,
    .stop_signal = SIGTERM,
    .kind = INSTANCE_STORAGE,
};

static const struct instance_driver *
find_test_driver(const char *name)
{
    return strcmp(name, "test") == 0 ? &test_driver : NULL;
}

/* As usual, a hundred times as fast. */
static const struct child_rules quick = {
    .backoff_ms = { 0, 10, 20, 50, 100 },
    .quick_ms = 5000,
    .loop_deaths = 5,
    .loop_ms = 60000,
    .failed_ms = 500,
    .stop_ms = 20000,
};

/* ---- the instance ---- */

struct ground {
    char dir[64], run[80], root[80], data[256];
    struct instance_spec spec;
    struct keeper *k;
    struct arena *a;
    bool store;
    void (*before_end)(struct arena *a, const struct instance_spec *s,
                       int timeout_ms);
};

static unsigned
free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)inet_pton(AF_INET, ADDRESS, &at.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    (void)close(fd);
    return ntohs(at.sin_port);
}

static struct keeper *
open_keeper(const struct ground *g)
{
    const struct keeper_config cfg = { .machine = ADDRESS,
                                       .driver = find_test_driver,
                                       .rules = &quick,
                                       .store = g->store,
                                       .before_end = g->before_end };
    struct keeper *k = keeper_start(&cfg);

    assert_non_null(k);
    return k;
}

static void
close_keeper(struct ground *g, bool end_all)
{
    if (g->k != NULL && end_all)
        assert_true(keeper_end_all(g->k, LONG_MS));
    if (g->k != NULL)
        assert_true(keeper_stop(g->k, LONG_MS));
    g->k = NULL;
}

static void
make_homes(const struct instance_spec *s)
{
    struct home home[HOMES_MAX];
    struct home_error why;
    int fd;

    for (size_t i = 0; i < instance_homes(s, home); i++) {
        assert_int_equal(home_make(&home[i], &fd, &why), ERR_OK);
        if (i == 0)
            (void)mkdirat(fd, DATA_DIR, 0700);
        (void)close(fd);
    }
}

/* With a keeper that has nothing to keep yet. */
static int
ground_setup(void **state)
{
    struct ground *g = calloc(1, sizeof(*g));
    char why[WHY_BYTES];

    assert_non_null(g);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)snprintf(g->dir, sizeof(g->dir), "/var/tmp/mgkeep.XXXXXX");
    assert_non_null(mkdtemp(g->dir));
    (void)snprintf(g->run, sizeof(g->run), "%s/run", g->dir);
    (void)snprintf(g->root, sizeof(g->root), "%s/root", g->dir);
    assert_int_equal(mkdir(g->run, 0700), 0);
    assert_int_equal(mkdir(g->root, 0700), 0);
    (void)setenv("METAGATE_SUPERVISE_PROBE_MS", "100", 1);
    (void)setenv("METAGATE_LOG_MAX_MIB", "1", 1);
    assert_int_equal(config_load(NULL, why), ERR_OK);
    config_place(g->run, "127.0.0");
    g->a = arena_new(16u << 20);
    g->spec = (struct instance_spec){
        .uuid = "0a1b",
        .driver = "test",
        .kind = INSTANCE_STORAGE,
        .address = ADDRESS,
        .port = (int32_t)free_port(),
        .data_root = g->root,
        .log_root = g->root,
        .wal_root = g->root,
        .admin_user = "admin",
        .admin_secret = "0123456789abcdef",
    };
    make_homes(&g->spec);
    (void)snprintf(g->data, sizeof(g->data),
                   "%s/instance_data/data_dir_path/%d/" DATA_DIR, g->root,
                   g->spec.port);
    g->k = open_keeper(g);
    *state = g;
    return 0;
}

/* No server outlives its test, whatever has become of the keeper. */
static void
kill_servers(const struct ground *g)
{
    char word[PATH_MAX];
    struct child_id id;

    unnote(g->data, "backend");
    (void)snprintf(word, sizeof(word), "--datadir=%s", g->data);
    while (child_find(self, word, &id) == ERR_OK) { /* the server alone */
        (void)kill(id.pid, SIGKILL);
        (void)waitpid(id.pid, NULL, 0);
    }
}

static int
ground_teardown(void **state)
{
    struct ground *g = *state;
    const char *const argv[] = { "rm", "-rf", g->dir, NULL };
    struct proc_result r;

    if (g->k != NULL &&
        (!keeper_end_all(g->k, LONG_MS) || !keeper_stop(g->k, LONG_MS)))
        return -1;
    kill_servers(g);
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
    (void)!proc_run(argv, LONG_MS, &r);
    arena_free(g->a);
    free(g);
    return 0;
}

/* ---- what tests ask ---- */

static void
ok(enum err e)
{
    assert_string_equal(err_name(e), "ok");
}

static unsigned
port_of(const struct ground *g)
{
    return (unsigned)g->spec.port;
}

static struct kept
shown(struct ground *g)
{
    struct list_of_kept all;

    arena_reset(g->a);
    ok(keeper_list(g->k, g->a, &all));
    assert_int_equal(all.n, 1);
    return all.v[0];
}

static struct kept
until_state(struct ground *g, enum kept_state s)
{
    int64_t until_ms = clock_mono_ms() + LONG_MS;
    struct kept x;

    while ((x = shown(g)).state != (int)s) {
        if (clock_mono_ms() > until_ms)
            fail_msg("%s (%s) instead of %s",
                     enum_text(kept_state_names, x.state), x.why,
                     enum_text(kept_state_names, (int)s));
        (void)poll(NULL, 0, 2);
    }
    return x;
}

/* It runs, and is another process than `old`. */
static pid_t
until_runs(struct ground *g, pid_t old)
{
    struct kept x;

    do
        x = until_state(g, KEPT_RUNNING);
    while (x.pid == old);
    return x.pid;
}

static void
add(struct ground *g)
{
    ok(keeper_add(g->k, &g->spec, HOLDER));
}

/* Added, released, to run, and running. */
static pid_t
begin(struct ground *g)
{
    char why[WHY_BYTES];

    add(g);
    ok(keeper_release(g->k, port_of(g), HOLDER));
    ok(keeper_tell(g->k, port_of(g), ORDER_START, 0));
    ok(keeper_await(g->k, port_of(g), KEPT_RUNNING, LONG_MS, why));
    return shown(g).pid;
}

static size_t
starts(const struct ground *g)
{
    char path[PATH_MAX];
    struct stat st;

    (void)snprintf(path, sizeof(path), "%s/starts", g->data);
    return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

/* As the store's answer would. */
static UNUSED void
pause_all(struct ground *g, int64_t until_ms)
{
    struct pullup_pause *v = calloc(1, sizeof(*v));

    assert_non_null(v);
    v->until_ms = until_ms;
    (void)pthread_mutex_lock(&g->k->mutex);
    free(g->k->pauses.v);
    g->k->pauses = (struct pullup_pauses){ 1, v };
    for (size_t i = 0; i < g->k->n; i++)
        g->k->v[i]->want.until_ms = until_ms;
    g->k->list_changed = true;
    keeper_poke(g->k);
    (void)pthread_mutex_unlock(&g->k->mutex);
}

#endif
