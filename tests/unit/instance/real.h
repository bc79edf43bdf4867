/* Instances that really run, for unit tests: a RUN_DIR of the process's own in
 * /var/tmp, an address that no other process takes, and servers that end with
 * the test. Started as root, the process becomes an ordinary account first:
 * database servers are not run by root. */
#ifndef MG_TEST_REAL_INSTANCE_H
#define MG_TEST_REAL_INSTANCE_H

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "config.h"
#include "instance.h"
#include "my.h"
#include "host/proc.h"

#define REAL_MAX     8
#define REAL_WAIT_MS 120000 /* on a very busy machine */

static const char *real_parent = "/var/tmp"; /* where real_dir is made */
static char real_dir[64];
static char real_address[32];
static pid_t real_pid[REAL_MAX]; /* by slot; 0: it does not run */
static struct arena *real_arena;

static bool
real_drop_root(void)
{
    static const char *const names[] = { "metagate", "nobody" };
    const struct passwd *pw = NULL;

    if (geteuid() != 0)
        return true;
    for (size_t i = 0; pw == NULL && i < COUNT(names); i++)
        pw = getpwnam(names[i]);
    if (pw == NULL || setgroups(0, NULL) != 0 ||
        setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
        return false;
    (void)setenv("HOME", "/nonexistent", 1);
    /* the sanitizer looks at the process for leaks */
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static bool
real_begin(void)
{
    char why[WHY_BYTES], path[128];
    static const char *const folders[] = { "s", "data", "log", "wal" };

    (void)setenv("METAGATE_INSTANCE_DURABLE", "no", 1);
    (void)umask(027);
    if (!real_drop_root() || config_load(NULL, why) != ERR_OK ||
        my_library_begin() != ERR_OK)
        return false;
    (void)snprintf(real_dir, sizeof(real_dir), "%.40s/mgreal.XXXXXX",
                   real_parent);
    if (mkdtemp(real_dir) == NULL)
        return false;
    for (size_t i = 0; i < COUNT(folders); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", real_dir, folders[i]);
        if (mkdir(path, 0750) != 0)
            return false;
    }
    (void)snprintf(real_address, sizeof(real_address), "127.%d.%d.%d",
                   100 + (getpid() >> 16 & 63), getpid() >> 8 & 255,
                   (getpid() & 255) | 1);
    config_place(real_dir, "127.0.0");
    real_arena = arena_new(64 << 20);
    return real_arena != NULL;
}

static void
real_end(void)
{
    const char *const rm[] = { "rm", "-rf", real_dir, NULL };
    struct proc_result r;

    for (size_t i = 0; i < REAL_MAX; i++) {
        if (real_pid[i] != 0) {
            (void)kill(-real_pid[i], SIGKILL);
            (void)waitpid(real_pid[i], NULL, 0);
        }
    }
    arena_free(real_arena);
    my_library_end();
    if (proc_run(rm, REAL_WAIT_MS, &r) != ERR_OK)
        (void)fprintf(stderr, "%s: %s\n", real_dir, r.output);
}

static const char *
real_path(const char *rest)
{
    return arena_printf(real_arena, "%s/%s", real_dir, rest);
}

/* A storage instance for the slot, with its secrets; nothing is made. */
static UNUSED struct instance_spec
real_storage(unsigned slot)
{
    struct instance_spec s = {
        .driver = "mariadb",
        .kind = INSTANCE_STORAGE,
        .address = real_address,
        .port = 6000 + (int)slot,
        .data_root = real_path("data"),
        .log_root = real_path("log"),
        .wal_root = real_path("wal"),
        .memory_bytes = (int64_t)16 << 20,
        .max_connections = 50,
        .server_id = slot + 1,
        .domain_id = 7,
        .cluster = "c1",
        .shard = "s1",
        .admin_user = "clustmgr",
        .repl_user = "repl",
        .client_user = "pgx",
    };

    return instance_secrets(real_arena, &s) == ERR_OK
               ? s
               : (struct instance_spec){ 0 };
}

/* A computing one. */
static UNUSED struct instance_spec
real_computer(unsigned slot)
{
    struct instance_spec s = {
        .driver = "postgres",
        .kind = INSTANCE_COMPUTER,
        .address = real_address,
        .port = 6000 + (int)slot,
        .data_root = real_path("data"),
        .memory_bytes = (int64_t)16 << 20,
        .max_connections = 20,
        .cluster = "c1",
        .shard = "comp1",
        .admin_user = "clustmgr",
        .client_user = "abc",
    };

    return instance_secrets(real_arena, &s) == ERR_OK
               ? s
               : (struct instance_spec){ 0 };
}

static const char *
real_log(const struct instance_spec *s)
{
    struct instance i;
    char why[WHY_BYTES];
    const char *text;
    struct buf b = BUF_INIT(1 << 20);
    int fd;

    if (instance_place(real_arena, s, &i, why) != ERR_OK)
        return why[0] != '\0' ? "no place" : "";
    fd = open(i.log, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        char piece[4096];
        ssize_t got;

        while ((got = read(fd, piece, sizeof(piece))) > 0)
            buf_put(&b, piece, (size_t)got);
        (void)close(fd);
    }
    return buf_settle(&b, real_arena, &text) == ERR_OK ? text : "";
}

/* Starts its process and waits until it lets clients in. */
static UNUSED bool
real_start(unsigned slot, const struct instance_spec *s)
{
    const struct instance_driver *d = instance_driver_find(s->driver);
    struct argv argv = ARGV_INIT;
    struct instance i;
    char why[WHY_BYTES];
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;
    int fd = -1, status;
    bool ready = false;

    if (instance_place(real_arena, s, &i, why) != ERR_OK)
        return false;
    d->command(&i, &argv);
    if (argv_done(&argv) == ERR_OK) {
        struct proc_spec spec = PROC_SPEC(argv.v);

        spec.env = d->env;
        spec.own_group = true;
        spec.death_signal = SIGKILL;
        spec.err = open(i.log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (proc_spawn(&spec, &real_pid[slot]) != ERR_OK)
            real_pid[slot] = 0;
        if (spec.err >= 0)
            (void)close(spec.err);
    }
    argv_free(&argv);
    while (real_pid[slot] != 0 && !ready && clock_mono_ms() < until) {
        ready = d->ready(&i, &fd);
        if (!ready && waitpid(real_pid[slot], &status, WNOHANG) != 0)
            real_pid[slot] = 0;
        if (!ready)
            (void)usleep(5000);
    }
    if (fd >= 0)
        (void)close(fd);
    if (!ready)
        (void)fprintf(stderr, "%s\n", real_log(s));
    return ready;
}

/* With that signal; returns when it is gone. */
static UNUSED void
real_stop(unsigned slot, int sig)
{
    if (real_pid[slot] == 0)
        return;
    (void)kill(real_pid[slot], sig);
    (void)waitpid(real_pid[slot], NULL, 0);
    if (sig == SIGKILL)
        (void)kill(-real_pid[slot], SIGKILL);
    real_pid[slot] = 0;
}

#endif
