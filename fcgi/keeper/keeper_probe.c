/* What a keeper has to wait for, in a thread of its own: servers that listen
 * and do not answer, and logs that have become too large. */
#include "keeper_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "log.h"
#include "metrics.h"

#define PROBE_MS    2000  /* an answer takes no longer */
#define HUNG        3     /* probes in a row without one */
#define END_MS      10000 /* to end a server that hangs by itself */
#define ARENA_BYTES ((size_t)16 << 20)

/* ---- servers ---- */

/* The spec of the i-th instance that serves, copied; false past the last. */
static bool
nth(struct keeper *k, size_t i, struct arena *a, struct instance_spec *out,
    pid_t *pid, enum err *e)
{
    const char *text = NULL;
    bool there;

    pthread_mutex_lock(&k->mutex);
    there = i < k->n && !k->leave;
    *e = ERR_NOT_FOUND;
    if (there && k->v[i]->child.state == CHILD_READY &&
        k->v[i]->driver->probe != NULL) {
        *pid = k->v[i]->child.group;
        *e = instance_spec_text(a, &k->v[i]->spec, &text);
    }
    pthread_mutex_unlock(&k->mutex);
    if (*e == ERR_OK)
        *e = instance_spec_read(a, text, out);
    return there;
}

/* The one that was asked, if it is still the same run of it. */
static struct keep *
same_run(struct keeper *k, const char *uuid, pid_t pid)
{
    struct keep *one = keeper_find_uuid(k, uuid);

    return one != NULL && one->child.group == pid &&
                   one->child.state == CHILD_READY
               ? one
               : NULL;
}

/* Whether it hangs. Only silence is taken for a sign: a server that refuses a
 * login, or has no connection left, is at work. */
static bool
judge(struct keeper *k, const char *uuid, pid_t pid, enum err e,
      const char *why)
{
    struct keep *one;
    bool hangs = false;

    pthread_mutex_lock(&k->mutex);
    one = same_run(k, uuid, pid);
    if (one != NULL && e == ERR_TIMEOUT) {
        one->hung++;
        log_warn("keeper.silent name=%s pid=%d times=%u why=\"%s\"", one->name,
                 (int)pid, one->hung, why);
        hangs = one->hung >= HUNG && one->held_by == 0;
        if (hangs) {
            (void)snprintf(one->why, sizeof(one->why),
                           "it did not answer: "
                           "%.400s",
                           why);
            keeper_poke(k);
        }
    } else if (one != NULL) {
        if (one->hung >= HUNG)
            one->why[0] = '\0';
        one->hung = 0;
    }
    pthread_mutex_unlock(&k->mutex);
    return hangs;
}

/* Of some it is not the keeper's to say: a replica may have, not applied yet,
 * what its primary has told clients is safe, and its end drops that. Without a
 * word about it, it is left. */
static bool
may_end(struct keeper *k, struct db **db, struct arena *a, const char *uuid)
{
    if (k->cfg.may_end == NULL)
        return true;
    if (k->cfg.store && *db == NULL)
        *db = db_open();
    if (k->cfg.store && *db == NULL)
        return false;
    if (*db != NULL)
        db_deadline(*db, clock_mono_ms() + PROBE_MS);
    return k->cfg.may_end(*db, a, uuid);
}

static void
end_hung(struct keeper *k, const char *uuid, pid_t pid)
{
    int64_t now = clock_mono_ms();
    struct keep *one;

    pthread_mutex_lock(&k->mutex);
    one = same_run(k, uuid, pid);
    if (one != NULL && one->hung >= HUNG && one->held_by == 0) {
        one->hung = 0;
        one->child.restarts++;
        metrics_add(METRIC_INSTANCE_HANGS, 1);
        child_tell(&one->child, now);
        child_hurry(&one->child, now + END_MS);
        keeper_poke(k);
    }
    pthread_mutex_unlock(&k->mutex);
}

static void
probe_all(struct keeper *k, struct arena *a, struct db **db)
{
    struct instance_spec spec;
    char why[WHY_BYTES];
    pid_t pid = 0;
    enum err e;

    for (size_t i = 0; nth(k, i, a, &spec, &pid, &e); i++) {
        if (e == ERR_OK) {
            why[0] = '\0';
            e = k->cfg.driver(spec.driver)->probe(&spec, PROBE_MS, why);
            if (judge(k, spec.uuid, pid, e, why) &&
                may_end(k, db, a, spec.uuid))
                end_hung(k, spec.uuid, pid);
        }
        arena_reset(a);
    }
}

/* ---- logs ---- */

static enum err
copy(int from, int to)
{
    off_t at = 0;
    struct stat st;
    ssize_t n = 1;

    if (fstat(from, &st) != 0)
        return ERR_STATE;
    while (at < st.st_size && n > 0)
        n = sendfile(to, from, &at, (size_t)(st.st_size - at));
    return at >= st.st_size ? ERR_OK : ERR_STATE;
}

/* A server has its log open for appending and is not told: what is in it is
 * copied, then it begins anew. Lines that come in between are lost. */
static void
rotate(const char *path)
{
    char older[PATH_MAX + 16], old[PATH_MAX + 16];
    int from, to = -1;

    for (int64_t i = config()->log_keep; i > 1; i--) {
        (void)snprintf(older, sizeof(older), "%s.%d", path, (int)i);
        (void)snprintf(old, sizeof(old), "%s.%d", path, (int)i - 1);
        (void)rename(old, older);
    }
    (void)snprintf(old, sizeof(old), "%s.1", path);
    from = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (from >= 0)
        to = open(old, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                  0640);
    /* on a full disk the copy is what is missing, not the room */
    if (to < 0 || copy(from, to) != ERR_OK)
        log_warn("keeper.rotate path=%s errno=%d", path, errno);
    if (from >= 0 && ftruncate(from, 0) != 0)
        log_warn("keeper.rotate path=%s errno=%d", path, errno);
    if (to >= 0)
        (void)close(to);
    if (from >= 0)
        (void)close(from);
}

static void
watch_log(const struct instance_spec *spec, struct arena *a)
{
    char why[WHY_BYTES];
    struct instance at;
    struct stat st;

    if (instance_place(a, spec, &at, why) == ERR_OK && at.log != NULL &&
        stat(at.log, &st) == 0 && st.st_size >= config()->log_max_mib << 20)
        rotate(at.log);
}

static void
watch_logs(struct keeper *k, struct arena *a)
{
    struct instance_spec spec;
    pid_t pid;
    enum err e;

    for (size_t i = 0; nth(k, i, a, &spec, &pid, &e); i++) {
        if (e == ERR_OK)
            watch_log(&spec, a);
        arena_reset(a);
    }
}

/* ---- the thread ---- */

static bool
rest(struct keeper *k, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    const struct timespec t = { until_ms / 1000, until_ms % 1000 * 1000000 };
    bool leave;

    pthread_mutex_lock(&k->mutex);
    while (!k->leave && pthread_cond_timedwait(&k->change, &k->mutex, &t) == 0)
        ;
    leave = k->leave;
    pthread_mutex_unlock(&k->mutex);
    return !leave;
}

void *
keeper_probe_main(void *arg)
{
    struct keeper *k = arg;
    struct arena *a = arena_new(ARENA_BYTES);
    struct db *db = NULL;

    while (a != NULL && rest(k, config()->supervise_probe_ms)) {
        probe_all(k, a, &db);
        if (config()->log_max_mib > 0)
            watch_logs(k, a);
    }
    if (a == NULL)
        log_error("keeper.probe memory=0");
    if (db != NULL)
        db_close(db);
    arena_free(a);
    return NULL;
}
