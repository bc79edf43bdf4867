/* One instance of a keeper: how it is started, adopted, seen to serve, and
 * what is shown of it. */
#include "keeper_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "address.h"
#include "base/beneath.h"
#include "clock.h"
#include "host/port.h"
#include "instance/paths.h"
#include "log.h"
#include "metrics.h"

#define LOCK_FILE    ".metagate-lock"
#define SPEC_BYTES   ((size_t)256 << 10)
#define CALL_BYTES   ((size_t)256 << 10) /* of what a call of a driver takes */
#define READY_MS     20                  /* asked so often whether it serves */
#define READY_LONG   200
#define START_LONG   10000
#define STARTING_MS  3000  /* to end before it serves */
#define BLOCKED_MS   200   /* a lock or a port that is not free */
#define LOST_MS      2000  /* a home that is not there */
#define ANSWER_MS    1500  /* the store is waited for before a start */
#define CLOCK_MAX_MS 60000 /* the wall clock may be set */

/* At once, then more and more rarely; five failures within a minute are a crash
 * loop. */
static const struct child_rules usual = {
    .backoff_ms = { 0, 1000, 2000, 5000, 10000 },
    .quick_ms = 15000,
    .loop_deaths = 5,
    .loop_ms = 60000,
    .failed_ms = 300000,
    .stop_ms = 120000,
};

struct keep *
keep_new(const struct home *h)
{
    struct keep *one = calloc(1, sizeof(*one));

    if (one == NULL)
        return NULL;
    one->port = h->port;
    one->ready_fd = -1;
    one->lost = true;
    one->rules = usual;
    one->since_ms = clock_unix_ms();
    one->unsaved = true;
    (void)snprintf(one->uuid, sizeof(one->uuid), "%s", h->uuid);
    (void)snprintf(one->root, sizeof(one->root), "%s", h->root);
    (void)snprintf(one->class, sizeof(one->class), "%s", h->class);
    (void)snprintf(one->name, sizeof(one->name), "instance:%u", h->port);
    child_init(&one->child, one->name, &one->rules);
    return one;
}

static struct home
home_of(const struct keep *one)
{
    return (struct home){ one->root, one->class, one->port, one->uuid };
}

enum err
keep_home(struct keep *one, int *fd)
{
    const struct home h = home_of(one);
    struct home_error why;
    enum err e = home_open(&h, fd, &why);

    if (e != ERR_OK)
        (void)snprintf(one->why, sizeof(one->why), "%s", why.text);
    return e;
}

static void
close_ready(struct keep *one)
{
    if (one->ready_fd >= 0)
        (void)close(one->ready_fd);
    one->ready_fd = -1;
}

void
keep_free(struct keep *one)
{
    if (one == NULL)
        return;
    close_ready(one);
    child_close(&one->child);
    arena_free(one->arena);
    free(one);
}

enum err
keep_spec(struct keeper *k, struct keep *one, const struct instance_spec *spec)
{
    struct arena *a = arena_new(SPEC_BYTES);
    struct home home[HOMES_MAX];
    struct instance_spec copy;
    char at[ADDRESS_BYTES];
    const char *text;
    enum err e = a != NULL ? instance_spec_text(a, spec, &text) : ERR_NOMEM;

    if (e == ERR_OK)
        e = instance_spec_read(a, text, &copy);
    if (e != ERR_OK) {
        arena_free(a);
        return e;
    }
    arena_free(one->arena);
    one->arena = a;
    one->spec = copy;
    (void)instance_homes(&copy, home);
    (void)snprintf(one->root, sizeof(one->root), "%s", home[0].root);
    (void)snprintf(one->class, sizeof(one->class), "%s", home[0].class);
    (void)snprintf(one->driver_name, sizeof(one->driver_name), "%s",
                   copy.driver);
    (void)snprintf(one->kind, sizeof(one->kind), "%s",
                   enum_text(instance_kind_names, copy.kind));
    (void)snprintf(
        one->name, sizeof(one->name), "%s:%s", one->driver_name,
        address_print(k->cfg.machine, (int)one->port, at, sizeof(at)));
    one->driver = k->cfg.driver(copy.driver);
    one->lost = one->driver == NULL;
    if (one->lost) {
        (void)snprintf(one->why, sizeof(one->why),
                       "this metagate has no driver %s", one->driver_name);
        return ERR_NOT_FOUND;
    }
    if (k->cfg.rules != NULL)
        one->rules = *k->cfg.rules;
    one->rules.stop_signal = one->driver->stop_signal;
    return ERR_OK;
}

/* ---- what it is ---- */

bool
keep_is_alive(const struct keep *one)
{
    return (one->child.state == CHILD_STARTING ||
            one->child.state == CHILD_READY) &&
           one->part == PART_NOT_YET;
}

enum kept_state
keep_state(const struct keep *one)
{
    enum kept_state rest;

    if (one->lost)
        return KEPT_LOST;
    switch (one->child.state) {
    case CHILD_STARTING:
        return KEPT_STARTING;
    case CHILD_READY:
        return one->part == PART_NOT_YET ? KEPT_RUNNING : KEPT_ENDING;
    case CHILD_ENDING:
        return KEPT_ENDING;
    default:
        break;
    }
    rest = pullup_rest(&one->want, clock_unix_ms());
    if (one->ending)
        return KEPT_STOPPED;
    return rest == KEPT_WAITING && one->child.looping ? KEPT_FAILED : rest;
}

void
keep_show(const struct keep *one, struct kept *out)
{
    *out = (struct kept){ 0 };
    PUT(out, kept, uuid, one->uuid);
    PUT(out, kept, port, (int32_t)one->port);
    PUT(out, kept, driver, one->driver_name);
    PUT(out, kept, kind, one->kind);
    PUT(out, kept, state, (int)keep_state(one));
    PUT(out, kept, since_ms, one->since_ms);
    PUT(out, kept, pid, (int32_t)one->child.group);
    PUT(out, kept, restarts,
        (int32_t)(one->restarts_before + one->child.restarts));
    PUT(out, kept, to_run, one->want.to_run);
    PUT(out, kept, paused_ms, one->want.until_ms);
    PUT(out, kept, held_by, one->held_by);
    PUT(out, kept, why, one->why);
}

void
keep_end(struct keeper *k, struct keep *one, int64_t now, bool for_good)
{
    bool starting = one->child.state == CHILD_STARTING && !one->child.adopted;

    if (one->part == PART_GOES_ON) {
        one->part_for_good = one->part_for_good || for_good;
        return;
    }
    if (one->part == PART_NOT_YET && one->child.state == CHILD_READY &&
        keeper_part(k, one, now)) {
        one->part_for_good = for_good;
        return;
    }
    if (for_good)
        child_unwant(&one->child, now);
    else
        child_tell(&one->child, now);
    if (starting)
        child_hurry(&one->child, now + STARTING_MS);
}

/* ---- what its driver is asked ---- */

struct call {
    struct arena *a;
    struct instance at;
    struct argv args;
    char home[PATH_MAX];
    char why[WHY_BYTES];
};

static enum err
begin_call(const struct keep *one, struct call *c)
{
    const struct home h = home_of(one);

    *c = (struct call){ .a = arena_new(CALL_BYTES), .args = ARGV_INIT };
    if (c->a == NULL)
        return ERR_NOMEM;
    if (home_path(&h, c->home, sizeof(c->home)) != ERR_OK)
        return ERR_LIMIT;
    return instance_place(c->a, &one->spec, &c->at, c->why);
}

static enum err
make_command(const struct keep *one, struct call *c)
{
    one->driver->command(&c->at, &c->args);
    return argv_done(&c->args);
}

static void
end_call(struct call *c)
{
    argv_free(&c->args);
    arena_free(c->a);
}

/* The process that runs for it, whoever has started it. */
static bool
adopt(struct keep *one, struct call *c, int64_t now)
{
    char word[PATH_MAX + 64];
    struct child_id id;

    one->driver->identity(&c->at, word, sizeof(word));
    return child_find(c->args.v[0], word, &id) == ERR_OK &&
           child_adopt(&one->child, &id, word, now) == ERR_OK;
}

void
keep_adopt(struct keep *one, int64_t now)
{
    struct call c;

    if (!one->lost && begin_call(one, &c) == ERR_OK &&
        make_command(one, &c) == ERR_OK)
        (void)adopt(one, &c, now);
    end_call(&c);
}

/* ---- starting ---- */

static void say(struct keep *one, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void
say(struct keep *one, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(one->why, sizeof(one->why), fmt, ap);
    va_end(ap);
}

/* The lock lies in the home and is inherited by the server: it is free only
 * when the last process of it has ended, those of PostgreSQL's sessions too.
 * So there is never a second server on these files, whoever starts it. -1:
 * somebody has it, or it cannot be had (errno). */
static int
take_lock(struct keep *one)
{
    int home, fd, code;

    if (keep_home(one, &home) != ERR_OK) {
        errno = 0; /* it has been said */
        return -1;
    }
    fd = open_beneath(home, LOCK_FILE, O_RDWR | O_CREAT, 0600);
    code = errno;
    (void)close(home);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        code = errno;
        (void)close(fd);
        fd = -1;
    }
    errno = code;
    return fd;
}

static bool
port_is_free(struct keep *one)
{
    char text[ADDRESS_BYTES];
    struct port_address at;
    struct port_holder by;

    (void)address_print(one->spec.address, (int)one->port, text, sizeof(text));
    if (port_address(text, &at) != ERR_OK)
        return true; /* the server will say what is wrong with it */
    port_probe(&at, &by);
    if (by.use == PORT_FREE)
        return true;
    if (by.use == PORT_ABSENT || by.use == PORT_REFUSED)
        say(one, "%s cannot be listened on: %s", text,
            by.use == PORT_ABSENT ? "no address of this machine"
                                  : strerror(by.error));
    else if (by.pid != 0)
        say(one, "%s is taken by process %d (%.200s)", text, (int)by.pid,
            by.command);
    else
        say(one, "%s is taken by another process", text);
    return false;
}

static enum err
spawn(struct keep *one, struct call *c, int lock, int64_t now)
{
    struct proc_spec s = PROC_SPEC(c->args.v);
    int log =
        c->at.log != NULL
            ? open(c->at.log,
                   O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640)
            : -1;
    enum err e;

    s.out = s.err = log;
    s.keep_fd = lock;
    s.own_session = true;
    s.dir = c->home;
    s.env = one->driver->env;
    e = child_start(&one->child, &s, now);
    if (e != ERR_OK)
        say(one, "%s cannot be started: %s", c->args.v[0],
            e == ERR_NOT_FOUND ? "it is not installed (make deps)"
                               : strerror(errno));
    if (log >= 0)
        (void)close(log);
    return e;
}

/* Whatever is not free is waited for: that is no failure of the instance. */
static void
start(struct keep *one, int64_t now)
{
    struct call c;
    enum err e = begin_call(one, &c);
    int lock = -1;

    if (e == ERR_OK)
        e = make_command(one, &c);
    if (e != ERR_OK) {
        say(one, "%s", !str_empty(c.why) ? c.why : "it cannot be started");
        child_put_off(&one->child, now);
    } else if ((lock = take_lock(one)) < 0 && errno != EWOULDBLOCK) {
        if (errno != 0)
            say(one, "its lock cannot be taken: %s", strerror(errno));
        child_put_off(&one->child, now);
    } else if (lock < 0 && !adopt(one, &c, now)) {
        say(one, "waits for processes of it that have not ended yet");
        one->again_ms = now + BLOCKED_MS;
    } else if (lock >= 0 && !port_is_free(one)) {
        one->again_ms = now + BLOCKED_MS;
    } else if (lock >= 0) {
        e = spawn(one, &c, lock, now);
    }
    if (e != ERR_OK)
        log_warn("keeper.start name=%s why=\"%s\"", one->name, one->why);
    if (keep_is_alive(one)) {
        one->why[0] = '\0';
        if (!one->want.ordered && !one->child.adopted)
            metrics_add(METRIC_INSTANCE_PULLUPS, 1);
    }
    if (keep_is_alive(one) || (e != ERR_OK && one->child.looping))
        pullup_started(&one->want);
    if (lock >= 0)
        (void)close(lock); /* the server has it now, if there is one */
    end_call(&c);
}

/* Pauses are the store's: before it is started by itself, the store is asked
 * whether there is a new one; one that does not answer is not waited for. */
static bool
is_answered(struct keeper *k, struct keep *one, int64_t now)
{
    if (!k->cfg.store || one->want.ordered)
        return true;
    if (one->ask == 0) {
        one->ask = ++k->asked;
        one->ask_ms = now;
        k->sync_now = true;
        pthread_cond_broadcast(&k->sync_change);
    }
    if (k->answered < one->ask && now - one->ask_ms < ANSWER_MS)
        return false;
    one->ask = 0;
    return true;
}

/* ---- a step ---- */

static void
watch_start(struct keep *one, int64_t now, int64_t *next)
{
    struct call c;
    bool ready = begin_call(one, &c) == ERR_OK &&
                 one->driver->ready(&c.at, &one->ready_fd);

    end_call(&c);
    if (ready) {
        close_ready(one);
        one->hung = 0;
        child_ready(&one->child, now);
        return;
    }
    *next = now +
            (now - one->child.started_ms < START_LONG ? READY_MS : READY_LONG);
}

static void
read_cause(const struct keep *one, char *out, size_t size)
{
    struct call c;

    *out = '\0';
    if (begin_call(one, &c) == ERR_OK)
        keep_says_why(c.at.log, out, size);
    end_call(&c);
}

static void
note_end(struct keep *one, bool served)
{
    char how[64], cause[KEPT_WHY / 2] = "";

    close_ready(one);
    one->part = PART_NOT_YET;
    if (one->child.told)
        return;
    metrics_add(METRIC_INSTANCE_DEATHS, 1);
    child_describe_end(&one->child, how, sizeof(how));
    if (!served)
        read_cause(one, cause, sizeof(cause));
    say(one, "it %s%s%s", how, str_empty(cause) ? "" : ": ", cause);
}

static void
sooner(int64_t *next, int64_t at)
{
    if (at != 0 && (*next == 0 || at < *next))
        *next = at;
}

static void
go_on(struct keeper *k, struct keep *one, int64_t now, int64_t *next)
{
    int64_t unix_ms = clock_unix_ms(), again_ms, left;
    enum pullup_do what =
        pullup_decide(&one->want, keep_is_alive(one), unix_ms, &again_ms);
    enum child_state s = one->child.state;

    left =
        again_ms - unix_ms < CLOCK_MAX_MS ? again_ms - unix_ms : CLOCK_MAX_MS;
    if (again_ms != 0)
        sooner(next, now + left);
    if (what == PULLUP_END) {
        keep_end(k, one, now, true);
    } else if (s == CHILD_STARTING) {
        watch_start(one, now, next);
    } else if (s != CHILD_READY && s != CHILD_ENDING) {
        if (what == PULLUP_LEAVE) {
            child_unwant(&one->child, now);
            one->ask = 0; /* the next start has a question of its own */
        } else if (s == CHILD_DOWN) {
            child_want(&one->child, now);
        }
        if (what == PULLUP_START && now < one->again_ms) {
            sooner(next, one->again_ms);
        } else if (what == PULLUP_START &&
                   child_step(&one->child, now) == CHILD_DUE) {
            if (is_answered(k, one, now))
                start(one, now);
            sooner(next, now + READY_MS);
        }
    }
}

/* What was to be done before its end is done, or takes too long. */
static void
end_parted(struct keeper *k, struct keep *one, int64_t now, int64_t *next)
{
    if (one->part == PART_GOES_ON && now >= one->part_until_ms)
        one->part = PART_DONE;
    if (one->part == PART_GOES_ON)
        sooner(next, one->part_until_ms);
    else if (one->part == PART_DONE && one->child.state == CHILD_READY)
        keep_end(k, one, now, one->part_for_good);
}

void
keep_step(struct keeper *k, struct keep *one, int64_t now, int64_t *next)
{
    bool served = one->child.state != CHILD_STARTING;

    *next = 0;
    if (one->lost) {
        if (now >= one->again_ms) {
            one->again_ms = now + LOST_MS;
            if (keep_load(k, one) == ERR_OK)
                keep_adopt(one, now);
        }
        *next = one->lost ? one->again_ms : now;
        return;
    }
    if (child_step(&one->child, now) == CHILD_ENDED)
        note_end(one, served);
    end_parted(k, one, now, next);
    if (one->ending)
        keep_end(k, one, now, true);
    else if (!k->stopping)
        go_on(k, one, now, next);
    if (keep_is_alive(one) || one->child.state == CHILD_ENDING || *next == 0)
        sooner(next, child_next(&one->child, now));
}
