/* The hosts of a store: rows that live for some seconds, and who is alone. */
#include "coherence_int.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "build_info.h"
#include "clock.h"
#include "config.h"
#include "log.h"
#include "runner.h"
#include "listener.h"
#include "store/store.h"

#define LIFE_MS COHERENCE_LIFE_MS
/* How much of it a host does not count on. */
#define MARGIN_MS 500
/* With less left, the row is renewed. */
#define RENEW_MS 3000

/* How often the rows are looked at. */
#define EVERY_MS 1000

#define HOSTS_MAX    10000
#define WAIT_MS      20
#define LISTEN_BYTES 2048 /* as wide as its column */

#define HOST_ROW(X, s)                           \
    X(s, STR, host, "host", COLUMN_ONLY, -)      \
    X(s, BOOL, shared, "shared", COLUMN_ONLY, -) \
    X(s, I64, expires_ms, "expires_ms", COLUMN_ONLY, -)
STRUCT(host_row, HOST_ROW);
TABLE(host_row, HOST_ROW);
TABLE(coherence_host, COHERENCE_HOST);

LIST_OF(host_row);

/* The row without a name is the lock of all of them. */
static const char lock_sql[] =
    "SELECT shared FROM coherence_host WHERE host = '' FOR UPDATE";
static const char list_sql[] =
    "SELECT host, shared, expires_ms FROM coherence_host WHERE host <> ''";
static const char live_sql[] =
    "SELECT host, name, version, listen, shared, since_ms FROM coherence_host"
    " WHERE host <> '' AND expires_ms > " DB_NOW_MS " ORDER BY name, host";
/* since_ms is judged by the old expires_ms, so it is set first. */
static const char put_sql[] =
    "INSERT INTO coherence_host (host, shared, since_ms, expires_ms, name,"
    " version, listen)"
    " VALUES (?, ?, " DB_NOW_MS ", " DB_NOW_MS " + ?, ?, ?, ?)"
    " ON DUPLICATE KEY UPDATE"
    " since_ms = IF(expires_ms > " DB_NOW_MS ", since_ms, VALUES(since_ms)),"
    " shared = VALUES(shared), expires_ms = VALUES(expires_ms),"
    " name = VALUES(name), version = VALUES(version),"
    " listen = VALUES(listen)";
static const char remove_sql[] = "DELETE FROM coherence_host WHERE host = ?";

/* What this process has seen of the others. */
static struct coherence_sight sight;
static pthread_mutex_t sight_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- the rules ---- */

/* NULL: there is no room. One that has not been there for long is gone. */
static struct coherence_seen *
seen_of(struct coherence_sight *s, const char *host, int64_t now)
{
    struct coherence_seen *room = NULL;

    for (unsigned i = 0; i < s->n; i++) {
        if (strcmp(s->v[i].host, host) == 0)
            return &s->v[i];
        if (now - s->v[i].last_ms > 2 * LIFE_MS)
            room = &s->v[i];
    }
    if (room == NULL && s->n < COHERENCE_SEEN)
        room = &s->v[s->n++];
    if (room != NULL) {
        *room = (struct coherence_seen){ .since_ms = now };
        (void)snprintf(room->host, sizeof(room->host), "%s", host);
    }
    return room;
}

bool
coherence_is_dead(struct coherence_sight *s, const char *host, bool shared,
                  int64_t expires_ms, int64_t now)
{
    struct coherence_seen *seen = seen_of(s, host, now);

    if (seen == NULL)
        return false;
    if (seen->expires_ms != expires_ms || seen->shared != shared)
        seen->since_ms = now;
    seen->expires_ms = expires_ms;
    seen->shared = shared;
    seen->last_ms = now;
    return now - seen->since_ms >= LIFE_MS;
}

bool
coherence_must_share(const struct coherence_peers *p, bool may_keep)
{
    return p->live || !may_keep;
}

bool
coherence_is_settled(const struct coherence_peers *p)
{
    return !p->alone;
}

/* ---- the rows ---- */

static bool
is_dead(const struct host_row *h, int64_t now)
{
    bool dead;

    (void)pthread_mutex_lock(&sight_lock);
    dead = coherence_is_dead(&sight, h->host, h->shared, h->expires_ms, now);
    (void)pthread_mutex_unlock(&sight_lock);
    return dead;
}

/* Removes the dead, whose hosts come back with a row of its own: a process
 * that begins later has not seen for how long they have been dead. Only under
 * the lock, or a host may have renewed its row just now. */
static enum err
look_at_peers(struct db *db, bool locked, struct coherence_peers *out)
{
    struct arena *a = arena_new((size_t)4 << 20);
    struct list_of_host_row rows = { 0 };
    enum err e = a == NULL ? ERR_NOMEM : ERR_OK;
    int64_t now;

    *out = (struct coherence_peers){ 0 };
    if (e == ERR_OK)
        e = db_list(db, a, list_sql, DB_NO_ARGS, &host_row_rec, HOSTS_MAX,
                    &rows);
    now = coherence_clock_ms();
    for (size_t i = 0; e == ERR_OK && i < rows.n; i++) {
        const struct host_row *h = &rows.v[i];

        if (strcmp(h->host, coherence_file->host) == 0)
            continue;
        if (is_dead(h, now)) {
            if (locked)
                e = db_exec(db, remove_sql, DB_ARGS(db_str(h->host)));
            continue;
        }
        out->live = true;
        out->alone |= !h->shared;
    }
    arena_free(a);
    return e;
}

/* From an earlier step's word: how long it said that the host is alone. */
static int64_t
until_of(uint64_t word)
{
    return (int64_t)(word & ALONE_UNTIL_MASK) * ALONE_UNIT_MS;
}

/* Nothing is kept from here on, whatever becomes of the transaction. */
static void
end_alone(void)
{
    uint64_t seen;

    do {
        seen = atomic_load(&coherence_file->alone);
    } while (!coherence_alone_set(seen, 0));
}

/* "console=127.0.0.1:8080 …", the first of each name. */
static void
describe(struct buf *b)
{
    struct listening l;
    enum err e;

    for (size_t i = 0; (e = listener_at(i, &l)) != ERR_NOT_FOUND; i++)
        if (e == ERR_OK && l.rank == 0)
            buf_printf(b, "%s%s=%s", b->n > 0 ? " " : "", l.row->name,
                       l.address);
}

static enum err
write_row(struct db *db, bool shared)
{
    struct buf listen = BUF_INIT(LISTEN_BYTES);
    char name[HOST_NAME_MAX + 1] = "";
    enum err e;

    (void)gethostname(name, sizeof(name) - 1);
    describe(&listen);
    e = db_exec(db, put_sql,
                DB_ARGS(db_str(coherence_file->host), db_bool(shared),
                        db_i64(LIFE_MS), db_str(name), db_str(build_version),
                        db_str(buf_text(&listen))));
    buf_free(&listen);
    return e;
}

static enum err
change_row(struct db *db, struct coherence_peers *peers, bool *shared)
{
    int64_t locked;
    enum err e;

    e = db_one_i64(db, lock_sql, DB_NO_ARGS, &locked);
    if (e == ERR_OK)
        e = look_at_peers(db, true, peers);
    *shared = coherence_must_share(peers, coherence_may_keep);
    if (e == ERR_OK && *shared)
        end_alone();
    return e == ERR_OK ? write_row(db, *shared) : e;
}

/* What was kept before holds on when the row has lived all the time: the old
 * one was still counted on after the new one was there. */
static void
be_alone(uint64_t seen, int64_t until_ms)
{
    if (coherence_clock_ms() >= until_of(seen))
        atomic_fetch_add(&coherence_file->epoch, 1);
    if (!coherence_alone_set(seen, until_ms))
        log_debug("coherence.overtaken");
}

static void
be_settled(int64_t until_ms)
{
    int64_t seen = atomic_load(&coherence_file->settled_ms);

    while (seen < until_ms && !atomic_compare_exchange_weak(
                                  &coherence_file->settled_ms, &seen, until_ms))
        ;
}

static enum err
renew(struct db *db)
{
    uint64_t seen = atomic_load(&coherence_file->alone);
    int64_t until_ms = coherence_clock_ms() + LIFE_MS - MARGIN_MS;
    struct coherence_peers peers = { 0 };
    bool shared = true;
    enum err e;

    e = db_begin(db);
    if (e == ERR_OK)
        e = db_end(db, change_row(db, &peers, &shared));
    if (e != ERR_OK)
        return e;
    if (coherence_is_settled(&peers))
        be_settled(until_ms);
    if (!shared)
        be_alone(seen, until_ms);
    return ERR_OK;
}

/* ---- the loop ---- */

/* One process of the host looks, in each interval. */
static bool
is_our_turn(int64_t now)
{
    int64_t looked = atomic_load(&coherence_file->looked_ms);

    return now - looked >= EVERY_MS * 9 / 10 &&
           atomic_compare_exchange_strong(&coherence_file->looked_ms, &looked,
                                          now);
}

/* Whether the row says what it should for some time to come. */
static bool
is_right(const struct coherence_peers *p, int64_t now)
{
    int64_t alone = until_of(atomic_load(&coherence_file->alone));
    bool shared = coherence_must_share(p, coherence_may_keep);

    if (atomic_load(&coherence_file->settled_ms) < now + RENEW_MS)
        return false;
    return shared ? alone == 0 : alone >= now + RENEW_MS;
}

static enum turn
step(void *ctx, struct db *db, struct arena *a, void **memory)
{
    int64_t now = coherence_clock_ms();
    struct coherence_peers peers;
    enum err e;

    (void)ctx;
    (void)a;
    (void)memory;
    if (!is_our_turn(now))
        return TURN_IDLE;
    coherence_sweep(now);
    e = look_at_peers(db, false, &peers);
    if (e == ERR_OK && !is_right(&peers, now))
        e = renew(db);
    return e == ERR_OK ? TURN_IDLE : TURN_FAILED;
}

static const struct runner_task task = {
    .name = "coherence",
    .every_ms = EVERY_MS,
    .step = step,
};
static struct runner *runner;

void
coherence_start(void)
{
    runner = runner_start(&task);
    if (runner == NULL)
        log_error("coherence.start");
}

bool
coherence_stop(int64_t timeout_ms)
{
    if (runner == NULL)
        return true;
    runner_stop(runner);
    if (!runner_join(runner, timeout_ms))
        return false;
    runner = NULL;
    return true;
}

/* ---- writers ---- */

bool
coherence_ready(void)
{
    return coherence_clock_ms() < atomic_load(&coherence_file->settled_ms);
}

enum err
coherence_settle(struct db *db, int64_t until)
{
    const struct timespec t = { 0, WAIT_MS * 1000000L };
    enum err e = ERR_OK;

    while (!coherence_ready()) {
        if (clock_mono_ms() >= until) {
            log_error("coherence.unsettled err=%s", err_name(e));
            return e == ERR_OK ? ERR_TIMEOUT : e;
        }
        e = renew(db);
        if (!coherence_ready())
            (void)nanosleep(&t, NULL);
    }
    return ERR_OK;
}

/* ---- the store tells what changes ---- */

static const struct db_watch watch = {
    .touch = coherence_touch,
    .ready = coherence_ready,
    .begin = coherence_begin,
    .end = coherence_end,
    .settle = coherence_settle,
};

void
coherence_open(void)
{
    /* what one server has, another may not have yet */
    coherence_map(config()->serve_cache_mib > 0 && store_has_one_host());
    db_watch(&watch);
}

/* ---- for people ---- */

enum err
coherence_list(struct db *db, struct arena *a,
               struct list_of_coherence_host *out)
{
    return db_list(db, a, live_sql, DB_NO_ARGS, &coherence_host_rec, HOSTS_MAX,
                   out);
}

const char *
coherence_listen(struct arena *a, const struct coherence_host *h,
                 const char *listener)
{
    size_t n = strlen(listener);
    const char *p = h->listen, *at;

    while (p != NULL && (strncmp(p, listener, n) != 0 || p[n] != '=')) {
        p = strchr(p, ' ');
        p = p == NULL ? NULL : p + 1;
    }
    if (p == NULL)
        return "";
    at = arena_strndup(a, p + n + 1, strcspn(p + n + 1, " "));
    return at == NULL ? "" : at;
}
