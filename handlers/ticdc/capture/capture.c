/* The life of a capture: it registers under a lease, has a processor for each
 * changefeed that tells it anything, and stands for the owner. One thread looks
 * at all that a few times a second; processors have theirs. */
#include "capture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "duty.h"
#include "hex.h"
#include "listener.h"
#include "log.h"
#include "metrics.h"
#include "owner.h"
#include "processor.h"
#include "ticdc/store/tables.h"
#include "ticdc/stream/source_clock.h"

#define BEAT_MS     1000
#define WOKEN_MS    100  /* ... and when it is woken, after no less than that */
#define MARGIN_MS   2000 /* before its end that a lease counts */
#define LOOK_MS     200
#define QUIET_MS    1000 /* between looks when there is nothing to do */
#define RENEW_MS    3000
#define APPLY_MS    1000
#define RESIGNED_MS 3000
#define AGAIN_MS    1000 /* a processor that has ended is begun again */
#define DRAIN_MS    5000
#define ARENA_BYTES ((size_t)256 << 20)
#define FEEDS_MAX   10000

struct running {
    struct processor *p;
    int64_t ended_ms;
};

struct life {
    const struct role_run *run;
    struct capture c;
    char address[ADDRESS_BYTES];
    struct db *db;
    struct arena *a;
    struct running *running;
    size_t n;
    bool registered, stopping, busy, blind;
    bool woken; /* a client has changed something */
    int64_t beat_ms;
    struct lease lease;
    struct owner *owner; /* NULL: another has the lease, or nobody */
    int64_t renewed_ms, apply_ms;
    char level[16]; /* what POST /log has last asked for */
};

bool
capture_may_write(const struct capture *c)
{
    return clock_mono_ms() < atomic_load(&c->until_ms);
}

/* ---- its row ---- */

/* UUID v4: new at each registration, so that nobody takes it for one before. */
static void
new_id(struct life *l)
{
    static const unsigned char dash[] = { 4, 6, 8, 10 };
    unsigned char b[16];
    char *to = l->c.id;

    while (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
        continue;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0, d = 0; i < sizeof(b); i++) {
        if (d < sizeof(dash) && i == dash[d]) {
            *to++ = '-';
            d++;
        }
        hex_write(b + i, 1, to);
        to += 2;
    }
    *to = '\0';
}

static void
own_address(struct life *l)
{
    unsigned k = (unsigned)strtoul(l->run->id + (*l->run->id == 'c'), NULL, 10);
    struct listening at;

    if (k == 0 || (listener_named("ticdc", k - 1, &at) != ERR_OK &&
                   listener_named("ticdc", 0, &at) != ERR_OK))
        (void)snprintf(l->address, sizeof(l->address), "%s", l->run->id);
    else
        (void)snprintf(l->address, sizeof(l->address), "%s", at.address);
}

static enum err
enrol(struct life *l)
{
    int64_t asked = clock_mono_ms();
    struct capture_row row = { .name = l->run->id,
                               .owner = l->run->owner,
                               .address = l->address,
                               .pid = getpid() };
    enum err e;

    new_id(l);
    row.capture_id = l->c.id;
    e = rows_capture_add(l->db, &row);
    if (e != ERR_OK)
        return e;
    atomic_store(&l->c.until_ms, asked + CAPTURE_TTL_MS - MARGIN_MS);
    l->registered = true;
    l->beat_ms = asked;
    log_info("ticdc.capture id=%s name=%s", l->c.id, l->run->id);
    return ERR_OK;
}

/* Nothing of it writes any more; then it is another one. */
static void
lose(struct life *l)
{
    log_warn("ticdc.capture.lost id=%s", l->c.id);
    atomic_store(&l->c.until_ms, 0);
    for (size_t i = 0; i < l->n; i++)
        processor_stop(l->running[i].p);
    l->registered = false;
}

/* POST /log: until the capture ends, or [core] log_level is changed. */
static void
take_level(struct life *l, const char *level)
{
    if (str_empty(level) || strcmp(level, l->level) == 0)
        return;
    (void)snprintf(l->level, sizeof(l->level), "%s", level);
    log_set_level(LOG_LV_INFO);
    log_info("ticdc.capture.log_level level=%s", level);
    log_set_level_name(level);
}

static enum err
beat(struct life *l)
{
    int64_t asked = clock_mono_ms(), liveness;
    const char *level;
    enum err e;

    if (asked - l->beat_ms < (l->woken ? WOKEN_MS : BEAT_MS))
        return ERR_OK;
    l->woken = false;
    e = rows_capture_beat(l->db, l->a, l->c.id, &liveness, &level);
    if (e == ERR_NOT_FOUND) {
        lose(l);
        return ERR_OK;
    }
    if (e != ERR_OK)
        return e;
    l->beat_ms = asked;
    atomic_store(&l->c.until_ms, asked + CAPTURE_TTL_MS - MARGIN_MS);
    take_level(l, level);
    log_debug("ticdc.capture.beat id=%s processors=%zu owner=%d", l->c.id, l->n,
              l->owner != NULL);
    return ERR_OK;
}

/* ---- its processors ---- */

static struct running *
running_of(struct life *l, uint64_t feed)
{
    for (size_t i = 0; i < l->n; i++)
        if (processor_feed(l->running[i].p) == feed)
            return &l->running[i];
    return NULL;
}

/* Those that have ended go after a while: a failure that could not be stored
 * must not be tried without a pause. */
static void
reap(struct life *l)
{
    int64_t now = clock_mono_ms();
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        struct running *r = &l->running[i];

        if (processor_ended(r->p) && r->ended_ms == 0)
            r->ended_ms = now;
        if (r->ended_ms != 0 && now - r->ended_ms >= AGAIN_MS)
            processor_free(r->p);
        else
            l->running[n++] = *r;
    }
    l->n = n;
}

static enum err
start(struct life *l, uint64_t feed, uint64_t epoch)
{
    struct running *more = reallocarray(l->running, l->n + 1, sizeof(*more));
    struct processor *p;

    if (more == NULL)
        return ERR_NOMEM;
    l->running = more;
    p = processor_start(&l->c, feed, epoch);
    if (p == NULL)
        return ERR_NOMEM;
    l->running[l->n++] = (struct running){ .p = p };
    return ERR_OK;
}

static const struct ticdc_feed *
feed_of(const struct list_of_ticdc_feed *feeds, uint64_t feed)
{
    for (size_t i = 0; i < feeds->n; i++)
        if (feeds->v[i].feed == feed)
            return &feeds->v[i];
    return NULL;
}

/* Whether its tables have been given out by its present epoch. */
static bool
is_to_run(const struct ticdc_feed *f)
{
    return f != NULL && health_runs(health_of_word(f->state)) &&
           f->scheduled_epoch == f->epoch;
}

static enum err
heed_one(struct life *l, const struct ticdc_feed *f,
         const struct table_row *rows, size_t n)
{
    struct running *r = running_of(l, f->feed);

    if (r == NULL)
        return start(l, f->feed, f->epoch);
    processor_told(r->p, processor_signature(rows, n, l->c.id));
    return ERR_OK;
}

static void
stop_others(struct life *l, const struct list_of_ticdc_feed *feeds)
{
    for (size_t i = 0; i < l->n; i++) {
        struct processor *p = l->running[i].p;
        const struct ticdc_feed *f = feed_of(feeds, processor_feed(p));

        if (!is_to_run(f) || f->epoch != processor_epoch(p))
            processor_stop(p);
    }
}

/* A processor that is told nothing any more hears that, too: it reports, and
 * waits. */
static void
tell_idle(struct life *l, const struct list_of_table_row *told)
{
    for (size_t i = 0; i < l->n; i++) {
        struct processor *p = l->running[i].p;
        bool any = false;

        for (size_t k = 0; k < told->n; k++)
            any = any || told->v[k].feed == processor_feed(p);
        if (!any)
            processor_told(p, processor_signature(NULL, 0, l->c.id));
    }
}

static enum err
heed(struct life *l)
{
    struct list_of_ticdc_feed feeds = { 0 };
    struct list_of_table_row told = { 0 };
    enum err e = ticdc_feed_list(l->db, l->a, &feeds);

    if (e == ERR_OK && feeds.n > 0)
        e = rows_told(l->db, l->a, l->c.id, &told);
    if (e != ERR_OK)
        return e;
    l->busy = feeds.n > 0;
    stop_others(l, &feeds);
    tell_idle(l, &told);
    for (size_t i = 0, end; i < told.n && e == ERR_OK; i = end) {
        const struct ticdc_feed *f = feed_of(&feeds, told.v[i].feed);

        for (end = i; end < told.n && told.v[end].feed == told.v[i].feed;)
            end++;
        if (is_to_run(f))
            e = heed_one(l, f, told.v + i, end - i);
    }
    return e;
}

/* ---- ownership ---- */

static void
step_down(struct life *l, const char *why, int64_t pause_ms)
{
    log_info("ticdc.owner.end id=%s epoch=%" PRIu64 " why=\"%s\"", l->c.id,
             l->lease.epoch, why);
    owner_free(l->owner);
    l->owner = NULL;
    l->apply_ms = clock_mono_ms() + pause_ms;
    metrics_gauge(METRIC_LEASES, -1);
}

static enum err
apply(struct life *l)
{
    int64_t asked = clock_mono_ms();
    enum err e;

    if (asked < l->apply_ms)
        return ERR_OK;
    l->apply_ms = asked + APPLY_MS;
    l->lease = (struct lease){ .name = TICDC_OWNER_LEASE,
                               .owner = l->run->owner,
                               .ttl_ms = DUTY_LEASE_MS };
    e = lease_retake(l->db, &l->lease);
    if (e == ERR_BUSY)
        return ERR_OK;
    if (e != ERR_OK)
        return e;
    (void)!lease_note(l->db, &l->lease);
    l->owner = owner_new(l->c.id);
    if (l->owner == NULL)
        return ERR_NOMEM;
    metrics_gauge(METRIC_LEASES, 1);
    l->renewed_ms = asked;
    log_info("ticdc.owner id=%s epoch=%" PRIu64, l->c.id, l->lease.epoch);
    return owner_begin(l->owner, l->db, &l->lease);
}

static enum err
own(struct life *l)
{
    int64_t asked = clock_mono_ms();
    bool resign = false;
    enum err e = ERR_OK;

    if (l->owner == NULL)
        return apply(l);
    if (asked - l->renewed_ms >= RENEW_MS) {
        e = lease_renew(l->db, &l->lease);
        if (e == ERR_OK)
            l->renewed_ms = asked;
    }
    if (e == ERR_OK)
        e = owner_turn(l->owner, l->db, l->a, &l->lease, &resign);
    if (resign) {
        (void)!lease_release(l->db, &l->lease);
        step_down(l, "it was asked to resign", RESIGNED_MS);
        return ERR_OK;
    }
    if (e == ERR_STATE) {
        step_down(l, "another has taken the lease", APPLY_MS);
        return ERR_OK;
    }
    return e;
}

/* ---- turns ---- */

static enum err
turn(struct life *l)
{
    enum err e = ERR_OK;

    reap(l);
    if (!l->registered)
        return l->n == 0 && !l->stopping ? enrol(l) : ERR_OK;
    e = beat(l);
    if (e == ERR_OK && l->registered)
        e = heed(l);
    if (e == ERR_OK && l->registered && !l->stopping)
        e = own(l);
    return e;
}

static void
take_turn(struct life *l)
{
    enum err e = turn(l);

    if (e != ERR_OK && !l->blind)
        log_warn("ticdc.store err=%s errno=%u why=\"%s\"", err_name(e),
                 db_errno(l->db), db_error(l->db));
    l->blind = e != ERR_OK;
    arena_reset(l->a);
}

static bool
has_work(struct life *l)
{
    struct list_of_ticdc_capture others = { 0 };
    struct list_of_table_row told = { 0 };
    bool work = ticdc_capture_list(l->db, l->a, &others) == ERR_OK &&
                others.n > 1 &&
                rows_told(l->db, l->a, l->c.id, &told) == ERR_OK && told.n > 0;

    arena_reset(l->a);
    return work;
}

/* Its tables move to others, as far as there are any and there is time; then
 * everything ends, and all that it had is given back at once. */
static void
end(struct life *l)
{
    int64_t until = clock_mono_ms() + DRAIN_MS;

    l->stopping = true;
    if (l->owner != NULL) {
        (void)!lease_release(l->db, &l->lease);
        step_down(l, "the capture ends", 0);
    }
    if (l->registered && rows_capture_stopping(l->db, l->c.id) == ERR_OK)
        while (clock_mono_ms() < until && l->registered && has_work(l)) {
            take_turn(l);
            (void)usleep(LOOK_MS * 1000);
        }
    for (size_t i = 0; i < l->n; i++)
        processor_stop(l->running[i].p);
    for (size_t i = 0; i < l->n; i++)
        processor_free(l->running[i].p);
    l->n = 0;
    if (l->registered && rows_capture_remove(l->db, l->c.id) != ERR_OK)
        log_warn("ticdc.capture.left id=%s", l->c.id);
}

/* False: it is to end. */
static bool
rest(struct life *l)
{
    int64_t ms = l->busy || !l->registered ? LOOK_MS : QUIET_MS;
    int64_t until = clock_mono_ms() + ms;
    bool goes_on = l->run->wait(l->run->ctx, ms);

    l->woken = l->woken || clock_mono_ms() < until - 1; /* poll rounds */
    return goes_on;
}

int
ticdc_capture_run(const struct role_run *run)
{
    struct life l = { .run = run };
    int status = EXIT_FAILURE;

    own_address(&l);
    l.c.name = run->id;
    l.c.address = l.address;
    l.db = db_open();
    l.a = arena_new(ARENA_BYTES);
    l.c.clock = source_clock_open();
    if (l.db != NULL && l.a != NULL && l.c.clock != NULL) {
        do
            take_turn(&l);
        while (rest(&l));
        end(&l);
        status = EXIT_SUCCESS;
    }
    free(l.running);
    source_clock_close(l.c.clock);
    if (l.db != NULL)
        db_close(l.db);
    if (l.a != NULL)
        arena_free(l.a);
    return status;
}
