/* One deployment per RUN_DIR, and none on top of what the last one left.
 *
 * up.lock is held by up alone. up.children.lock is held by every child too:
 * it is free only when the last of them has ended, also after a kill -9 of
 * up. up.children lists "group start-time name" for the one case in which
 * waiting is not enough: a child that is stopped or hangs. */
#include "up.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "file.h"
#include "log.h"

/* First they are asked to end, by then they have been told twice. */
#define LAST_KILL_MS    30000
#define LAST_GIVE_UP_MS 60000
#define CHILDREN_BYTES  65536

void
up_note_children(const struct up *up)
{
    struct buf text = BUF_INIT(CHILDREN_BYTES);

    for (size_t i = 0; i < up->n; i++) {
        const struct up_child *c = &up->child[i];

        if (c->child.group != 0)
            buf_printf(&text, "%d %llu %s\n", (int)c->child.group,
                       (unsigned long long)c->child.id.ticks, c->name);
    }
    if (up_write_file("up.children", buf_text(&text), 0640) != ERR_OK)
        log_warn("up.children.note errno=%d", errno);
    buf_free(&text);
}

/* Sends sig to every noted group that is still there; their names to out. */
static void
signal_noted(const char *run_dir, int sig, char *out, size_t size)
{
    char path[PLACE_BYTES + 16], text[CHILDREN_BYTES], name[32];
    unsigned long long started;
    size_t used = 0;
    int group, n;

    out[0] = '\0';
    (void)snprintf(path, sizeof(path), "%s/up.children", run_dir);
    (void)file_start(path, text, sizeof(text));
    for (const char *p = text;
         sscanf(p, "%d %llu %31s%n", &group, &started, name, &n) == 3; p += n) {
        if (group <= 1 || !child_group_lives(group, started))
            continue;
        (void)kill(-group, sig);
        (void)kill(-group, SIGCONT);
        if (used < size)
            used += (size_t)snprintf(out + used, size - used, "%s%s (%d)",
                                     used > 0 ? ", " : "", name, group);
    }
}

static enum err
wait_for_lock(const char *run_dir, int fd, char why[WHY_BYTES])
{
    int64_t began = clock_mono_ms(), waited = 0;
    char names[256];

    signal_noted(run_dir, SIGTERM, names, sizeof(names));
    printf("  waiting for the last deployment's processes to end%s%s\n",
           !str_empty(names) ? ": " : "", names);
    (void)fflush(stdout);
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (waited > LAST_GIVE_UP_MS)
            return why_fail(why, ERR_TIMEOUT,
                            "processes of the last deployment still hold "
                            "%s/up.children.lock",
                            run_dir);
        if (waited > LAST_KILL_MS)
            signal_noted(run_dir, SIGKILL, names, sizeof(names));
        (void)poll(NULL, 0, 50);
        waited = clock_mono_ms() - began;
    }
    return ERR_OK;
}

static int
open_lock(const char *run_dir, const char *name, int flags)
{
    char path[PLACE_BYTES + 32];

    (void)snprintf(path, sizeof(path), "%s/%s", run_dir, name);
    return open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0640);
}

enum err
up_wait_for_last(const char *run_dir, char why[WHY_BYTES])
{
    int fd = open_lock(run_dir, "up.children.lock", O_RDONLY);
    enum err e = ERR_OK;

    if (fd < 0)
        return ERR_OK;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        e = wait_for_lock(run_dir, fd, why);
    (void)close(fd);
    return e;
}

/* The holder writes its process id into the lock. */
static pid_t
read_pid(int fd)
{
    char text[16];
    size_t n;

    return file_read_fd(fd, text, sizeof(text) - 1, &n) == ERR_OK
               ? (pid_t)strtol(text, NULL, 10)
               : 0;
}

enum err
up_is_free(const char *run_dir, pid_t *pid)
{
    int fd = open_lock(run_dir, "up.lock", O_RDONLY);
    enum err e = ERR_OK;

    *pid = 0;
    if (fd < 0)
        return ERR_OK;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        e = ERR_EXISTS;
        *pid = read_pid(fd);
    }
    (void)close(fd);
    return e;
}

/* `metagate status` holds the lock for an instant when nothing runs. */
static bool
take_lock(int fd)
{
    for (int tries = 0; tries < 10; tries++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK)
            return false;
        (void)poll(NULL, 0, 20);
    }
    errno = EWOULDBLOCK; /* poll may have changed it */
    return false;
}

static enum err
refuse_lock(int fd, char why[WHY_BYTES])
{
    if (errno != EWOULDBLOCK)
        return why_fail(why, ERR_STATE, "%s/up.lock: %s", config_run_dir(),
                        strerror(errno));
    return why_fail(
        why, ERR_EXISTS,
        "a deployment runs in %s already (pid %d): metagate status, "
        "metagate stop",
        config_run_dir(), (int)read_pid(fd));
}

enum err
up_lock(struct up *up, char why[WHY_BYTES])
{
    int fd = open_lock(config_run_dir(), "up.lock", O_RDWR | O_CREAT);
    char text[16];
    int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
    enum err e;

    if (fd < 0 || !take_lock(fd))
        return refuse_lock(fd, why);
    if (ftruncate(fd, 0) != 0 || write(fd, text, (size_t)n) != n)
        return refuse_lock(fd, why);
    up->lock_fd = fd;
    e = up_wait_for_last(config_run_dir(), why);
    if (e != ERR_OK)
        return e;
    fd = open_lock(config_run_dir(), "up.children.lock", O_RDWR | O_CREAT);
    if (fd < 0 || !take_lock(fd))
        return why_fail(why, ERR_STATE, "%s/up.children.lock: %s",
                        config_run_dir(), strerror(errno));
    up->children_lock_fd = fd;
    return ERR_OK;
}
