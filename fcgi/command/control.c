/* metagate control: the duties of the cluster. The main thread looks at the
 * leases once a second, and when one of others runs out; it renews what this
 * process holds, takes what is free, and has each duty held done by a thread of
 * its own, so that one that is blocked on a dead machine holds up no other. A
 * short lease has another one, that renews it (lease_keeper.h). */
#include "base/commands.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "crypt/certificate.h"
#include "daemon.h"
#include "db.h"
#include "duty.h"
#include "jobs.h"
#include "lease.h"
#include "log.h"
#include "metrics.h"
#include "runner.h"
#include "schema/keys.h"
#include "store/lease_keeper.h"

#define LOOK_MS            950
#define LOOK_SPREAD_MS     150
#define RENEW_MS           3000
#define END_MS             3000 /* for steps under way, after SIGTERM */
#define LONG_STEP_MS       60000
#define LEADERLESS_MS      (3 * DUTY_LEASE_MS)
#define CERTIFICATE_MS     60000
#define JOBS_QUEUE         "cluster"
#define JOBS_MACHINE       "" /* of no machine */
#define LEASES_ARENA_BYTES ((size_t)64 << 20)

/* One duty in this process. */
struct post {
    const struct duty *duty;
    const char *id;
    struct lease lease;
    struct lease_keeper keeper; /* of a short one */
    struct runner_task task;
    struct runner *runner; /* NULL: not held here */
    int64_t renewed_ms;    /* monotonic: when the last renewal was sent */
    bool leaving, long_step;
    bool refused; /* the last statement about its row was */
    /* While another has it: its row, and since when it looks like that,
     * monotonic; 0: not seen. */
    uint64_t seen_epoch;
    int64_t seen_expires_ms, seen_since_ms;
    /* The same for /metrics, whoever has it: since when nobody has renewed it,
     * by the rows that could be read. */
    uint64_t led_epoch;
    int64_t led_expires_ms, unled_since_ms;
};

struct control {
    struct daemon daemon;
    const char *id;
    char owner[LEASE_OWNER_BYTES];
    struct db *db;
    struct arena *arena;
    struct post *post;
    size_t n;
    struct jobs jobs;
    bool jobs_begun;
    bool blind; /* the store cannot be asked */
    bool keys_known;
    int64_t look_ms;        /* from now until the next look */
    int64_t certificate_ms; /* monotonic: when it is looked at again */
};

static bool
is_short(const struct post *p)
{
    return duty_lease_ms(p->duty) < DUTY_LEASE_MS;
}

/* ---- a duty's thread ---- */

static enum turn
post_step(void *ctx, struct db *db, struct arena *a, void **memory)
{
    const struct post *p = ctx;
    struct duty_run run = { db, a, p->id, &p->lease, *memory };
    enum turn t = p->duty->step(&run);

    *memory = run.memory;
    return t;
}

static void
post_start(struct control *c, struct post *p, int64_t asked_ms)
{
    p->renewed_ms = asked_ms;
    p->leaving = p->long_step = false;
    p->task = (struct runner_task){ .name = p->duty->lease,
                                    .every_ms = p->duty->every_ms,
                                    .ctx = p,
                                    .step = post_step,
                                    .forget = p->duty->forget };
    p->runner = runner_start(&p->task);
    if (p->runner != NULL) {
        metrics_gauge(METRIC_LEASES, 1);
        return;
    }
    log_error("control.thread lease=%s", p->duty->lease);
    if (is_short(p))
        lease_keeper_stop(&p->keeper, c->db);
}

static void
post_leave(struct post *p, const char *why)
{
    if (!p->leaving)
        log_warn("control.lost lease=%s epoch=%llu why=\"%s\"", p->duty->lease,
                 (unsigned long long)p->lease.epoch, why);
    p->leaving = true;
    runner_stop(p->runner);
}

/* ---- leases ---- */

/* The lease counts from before the renewal was sent: the store's clock runs
 * from when it was received. */
static enum err
renew(struct control *c, struct post *p)
{
    int64_t asked_ms = clock_mono_ms();
    enum err e;

    if (is_short(p) || asked_ms - p->renewed_ms < RENEW_MS)
        return ERR_OK;
    e = lease_renew(c->db, &p->lease);
    if (e == ERR_OK)
        p->renewed_ms = asked_ms;
    else if (e == ERR_STATE)
        post_leave(p, "another has taken it");
    return e == ERR_STATE ? ERR_OK : e;
}

/* By this host's clock. */
static bool
is_over(const struct post *p)
{
    return is_short(p) ? !lease_lasts(&p->lease)
                       : clock_mono_ms() - p->renewed_ms > p->lease.ttl_ms;
}

static void
check_thread(struct control *c, struct post *p)
{
    bool long_step = runner_busy_ms(p->runner) > LONG_STEP_MS;

    if (long_step && !p->long_step)
        log_warn("control.long_step lease=%s", p->duty->lease);
    p->long_step = long_step;
    if (!p->leaving && is_over(p))
        post_leave(p, "not renewed in time");
    if (runner_ended(p->runner) && runner_join(p->runner, 0)) {
        p->runner = NULL;
        if (is_short(p))
            lease_keeper_stop(&p->keeper, c->db);
        metrics_gauge(METRIC_LEASES, -1);
    }
}

/* For how long the row has been as it is. */
static int64_t
seen_ms(struct post *p, const struct lease_row *row, int64_t now_ms)
{
    uint64_t epoch = row != NULL ? row->epoch : 0;
    int64_t expires_ms = row != NULL ? row->expires_ms : 0;

    if (p->seen_since_ms == 0 || p->seen_epoch != epoch ||
        p->seen_expires_ms != expires_ms) {
        p->seen_epoch = epoch;
        p->seen_expires_ms = expires_ms;
        p->seen_since_ms = now_ms;
    }
    return now_ms - p->seen_since_ms;
}

static enum err
keep(struct control *c, struct post *p, int64_t asked_ms)
{
    if (!is_short(p))
        return ERR_OK;
    p->keeper.lease = p->lease;
    p->lease.time = &p->keeper.time;
    return lease_keeper_start(&p->keeper, c->db, asked_ms);
}

static enum err
apply_for(struct control *c, struct post *p, const struct lease_row *row)
{
    int64_t asked_ms = clock_mono_ms();
    enum err e;

    if (!duty_may_take(p->duty, c->id, c->owner, row,
                       seen_ms(p, row, asked_ms))) {
        c->look_ms = duty_look_ms(p->duty, row, c->look_ms);
        return ERR_OK;
    }
    p->lease = (struct lease){ .name = p->duty->lease,
                               .owner = c->owner,
                               .ttl_ms = duty_lease_ms(p->duty) };
    e = row != NULL ? lease_take_seen(c->db, &p->lease, row)
                    : lease_take(c->db, &p->lease);
    if (e == ERR_BUSY)
        return ERR_OK; /* another was quicker */
    if (e != ERR_OK)
        return e;
    log_info("control.taken lease=%s epoch=%llu", p->duty->lease,
             (unsigned long long)p->lease.epoch);
    e = keep(c, p, asked_ms);
    if (e != ERR_OK)
        return e;
    (void)!lease_note(c->db, &p->lease);
    post_start(c, p, asked_ms);
    return ERR_OK;
}

/* With another key than the store's a duty would seal what nobody can open. */
static enum err
compare_keys(struct control *c)
{
    char why[WHY_BYTES] = "";
    enum err e = keys_check(c->db, why);

    if (e == ERR_STATE && !c->blind)
        log_error("control.keys why=\"%s\"", why);
    c->keys_known = e == ERR_OK;
    metrics_set(METRIC_KEYS_DIFFER, e == ERR_STATE);
    return e;
}

/* Their arguments are sealed: not before the keys are known to be the
 * store's. */
static enum err
begin_jobs(struct control *c)
{
    enum err e;

    if (c->jobs_begun)
        return ERR_OK;
    e = jobs_start(&c->jobs, c->id, JOBS_QUEUE, JOBS_MACHINE,
                   (unsigned)config()->control_jobs, NULL);
    c->jobs_begun = e == ERR_OK;
    return e;
}

static void
note_leader(struct post *p, const struct lease_row *row)
{
    uint64_t epoch = row != NULL ? row->epoch : 0;
    int64_t expires_ms = row != NULL ? row->expires_ms : 0;

    if (p->unled_since_ms != 0 && p->led_epoch == epoch &&
        p->led_expires_ms == expires_ms)
        return;
    p->led_epoch = epoch;
    p->led_expires_ms = expires_ms;
    p->unled_since_ms = clock_mono_ms();
}

/* For longer than whoever might take it waits. */
static bool
is_leaderless(const struct post *p, int64_t now_ms)
{
    return p->unled_since_ms != 0 && now_ms - p->unled_since_ms > LEADERLESS_MS;
}

/* What /metrics tells of the cluster as seen from here. */
static void
count(struct control *c)
{
    int64_t now_ms = clock_mono_ms(), n = 0;

    for (size_t i = 0; i < c->n; i++)
        n += is_leaderless(&c->post[i], now_ms);
    metrics_set(METRIC_LEADERLESS, n);
    if (now_ms < c->certificate_ms)
        return;
    c->certificate_ms = now_ms + CERTIFICATE_MS;
    metrics_set(METRIC_TLS_EXPIRES,
                certificate_end_s(config()->nginx_tls_certificate));
}

/* One lease; the others do not wait for a row that somebody holds locked, or
 * whose statement the server refuses: only that duty is without its holder. */
static enum err
look_at(struct control *c, struct post *p, const struct lease_row *row)
{
    enum err e;

    if (p->runner == NULL) {
        e = apply_for(c, p, row);
    } else {
        p->seen_since_ms = 0;
        e = renew(c, p);
    }
    if (e == ERR_OK || e == ERR_STORE || e == ERR_TIMEOUT) {
        p->refused = false;
        return e;
    }
    if (!p->refused)
        log_warn("control.refused lease=%s err=%s errno=%u why=\"%s\"",
                 p->duty->lease, err_name(e), db_errno(c->db), db_error(c->db));
    p->refused = true;
    return ERR_OK;
}

static enum err
look(struct control *c)
{
    struct list_of_lease_row rows;
    enum err e;

    e = c->keys_known ? ERR_OK : compare_keys(c);
    if (e == ERR_OK)
        e = begin_jobs(c);
    if (e == ERR_OK)
        e = lease_list(c->db, c->arena, &rows);
    for (size_t i = 0; i < c->n && e == ERR_OK; i++)
        note_leader(&c->post[i], lease_find(&rows, c->post[i].duty->lease));
    for (size_t i = 0; i < c->n && e == ERR_OK; i++)
        e = look_at(c, &c->post[i], lease_find(&rows, c->post[i].duty->lease));
    return e;
}

static void
turn(struct control *c)
{
    enum err e;

    c->look_ms = LOOK_MS - LOOK_SPREAD_MS;
    e = look(c);
    if (e != ERR_OK && !c->blind)
        log_warn("control.store err=%s errno=%u why=\"%s\"", err_name(e),
                 db_errno(c->db), db_error(c->db));
    c->blind = e != ERR_OK;
    for (size_t i = 0; i < c->n; i++) {
        if (c->blind)
            c->post[i].seen_since_ms = 0;
        if (c->post[i].runner != NULL)
            check_thread(c, &c->post[i]);
    }
    count(c);
    arena_reset(c->arena);
}

/* ---- the process ---- */

static void
wake_all(struct control *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->post[i].runner != NULL)
            runner_wake(c->post[i].runner);
    jobs_wake(&c->jobs);
}

static void
loop(struct control *c)
{
    int64_t next_ms = clock_mono_ms();
    enum daemon_event event;

    for (;;) {
        event = daemon_wait(&c->daemon, next_ms - clock_mono_ms());
        if (event == DAEMON_STOP)
            return;
        if (event == DAEMON_WOKEN)
            wake_all(c);
        if (clock_mono_ms() < next_ms)
            continue;
        turn(c);
        /* never in step with the others */
        next_ms = clock_mono_ms() + c->look_ms + rand() % LOOK_SPREAD_MS;
    }
}

/* Leases that others may have at once are given back; a step that does not
 * end in time is left behind: whatever it still writes carries its epoch. */
static void
leave_all(struct control *c)
{
    int64_t until_ms = clock_mono_ms() + END_MS;

    for (size_t i = 0; i < c->n; i++)
        if (c->post[i].runner != NULL)
            runner_stop(c->post[i].runner);
    for (size_t i = 0; i < c->n; i++) {
        struct post *p = &c->post[i];

        if (p->runner == NULL)
            continue;
        if (!runner_join(p->runner, until_ms - clock_mono_ms())) {
            log_warn("control.left lease=%s", p->duty->lease);
            _exit(EXIT_SUCCESS);
        }
        if (is_short(p))
            lease_keeper_stop(&p->keeper, c->db);
        else if (!p->duty->sticky && lease_release(c->db, &p->lease) != ERR_OK)
            log_warn("control.kept lease=%s", p->duty->lease);
    }
    if (!jobs_stop(&c->jobs, until_ms - clock_mono_ms())) {
        log_warn("control.left jobs=1");
        _exit(EXIT_SUCCESS); /* whoever follows performs the step again */
    }
}

static bool
make_posts(struct control *c)
{
    while (duty_at(c->n) != NULL)
        c->n++;
    c->post = calloc(c->n + 1, sizeof(*c->post));
    for (size_t i = 0; c->post != NULL && i < c->n; i++)
        c->post[i] = (struct post){ .duty = duty_at(i), .id = c->id };
    return c->post != NULL;
}

int
control_main(int argc, char **argv)
{
    struct control c = { .id = daemon_option(argc, argv, "--id") };
    int status = EXIT_FAILURE;

    if (c.id == NULL)
        return 2;
    srand((unsigned)clock_mono_us());
    lease_owner(c.id, c.owner);
    if (daemon_begin(&c.daemon, "control", c.id) == ERR_OK &&
        daemon_note(&c.daemon, c.owner) && (c.db = db_open()) != NULL &&
        (c.arena = arena_new(LEASES_ARENA_BYTES)) != NULL && make_posts(&c)) {
        loop(&c);
        leave_all(&c);
        log_info("control.end");
        status = EXIT_SUCCESS;
    }
    free(c.post);
    if (c.arena != NULL)
        arena_free(c.arena);
    if (c.db != NULL)
        db_close(c.db);
    daemon_end(&c.daemon);
    db_fini();
    return status;
}
