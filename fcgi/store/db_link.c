/* Connections to the metadata store: made when they are needed, to whichever
 * of its hosts serves, and given up rather than waited for beyond a
 * deadline. */
#include "db_impl.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

#define SCRATCH_BYTES    (64u << 20)
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS   1000

/* A process that is stopped in the middle of a transaction would hold its row
 * locks, the lease it fences by among them, for ever: the server rolls it back
 * before any lease could end. For MariaDB; to others it is a comment. */
#define IDLE_TRANSACTION_S "6"

static const char session_sql[] =
    "SET SESSION sql_mode = 'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',"
    " time_zone = '+00:00', lc_messages = 'en_US', autocommit = 1,"
    " innodb_lock_wait_timeout = %u, lock_wait_timeout = %u"
    " /*M!100300 , idle_transaction_timeout = " IDLE_TRANSACTION_S " */";
static const char isolation_sql[] =
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/* ---- one host ---- */

enum err
db_text(struct db *db, const char *sql)
{
    metrics_add(METRIC_STORE_STATEMENTS, 1);
    return my_do(db->my, sql);
}

static enum err
set_session(struct db *db)
{
    char sql[sizeof(session_sql) + 32];
    enum err e;

    (void)snprintf(sql, sizeof(sql), session_sql,
                   db_settings.lock_wait_timeout_s,
                   db_settings.lock_wait_timeout_s);
    e = db_text(db, sql);
    return e == ERR_OK ? db_text(db, isolation_sql) : e;
}

static atomic_bool down; /* the last attempt of this process has failed */

/* What /metrics says of the store: whether this process reached it last. */
static void
count_connect(struct db *db, bool reached)
{
    if (atomic_exchange(&down, !reached) == reached)
        metrics_gauge(METRIC_STORE_DOWN, reached ? -1 : 1);
    metrics_add(reached ? METRIC_STORE_CONNECTS : METRIC_STORE_LOST, 1);
    if (reached)
        metrics_gauge(METRIC_STORE_CONNECTIONS, 1);
    db->counted = reached;
}

enum err
db_link_host(struct db *db, size_t i, int64_t until)
{
    struct my_server server = db_settings.server[i];
    enum err e;

    if (db->bare)
        server.database = NULL;
    db_hangup(db);
    e = my_connect(db->my, &server, until);
    my_until(db->my, until);
    if (e == ERR_OK)
        e = set_session(db);
    count_connect(db, e == ERR_OK);
    if (e == ERR_OK) {
        db->host = db->at = i;
        db->backoff_ms = db->retry_ms = 0;
        db->batch.able = db_settings.batch && my_has_compounds(db->my);
        log_debug("db.connected peer=%s id=%llu", server.at.label,
                  my_session(db->my)->id);
        return ERR_OK;
    }
    db->failure = *my_failure(db->my);
    log_warn("db.connect_failed peer=%s errno=%u text=\"%s\"", server.at.label,
             db->failure.code, db->failure.text);
    db_hangup(db);
    return e == ERR_NOMEM ? e : ERR_STORE;
}

void
db_hangup(struct db *db)
{
    db->open = NULL;
    db->ahead = (struct ahead){ .at = 0 };
    if (db->counted)
        metrics_gauge(METRIC_STORE_CONNECTIONS, -1);
    db->counted = false;
    my_hangup(db->my);
}

/* ---- whichever serves ---- */

/* After a round without success the next try waits, longer each time; what
 * is asked for in between fails at once rather than holding its thread. */
static void
back_off(struct db *db, int64_t now)
{
    int64_t jitter;

    db->backoff_ms =
        db->backoff_ms == 0 ? BACKOFF_FIRST_MS : db->backoff_ms * 2;
    if (db->backoff_ms > BACKOFF_MAX_MS)
        db->backoff_ms = BACKOFF_MAX_MS;
    jitter = (int64_t)((uint64_t)clock_mono_us() * 2654435761u >> 8) %
             (db->backoff_ms / 2);
    db->retry_ms = now + db->backoff_ms / 2 + jitter;
}

static bool
is_too_late(const struct db *db)
{
    return db->deadline_ms != 0 && clock_mono_ms() >= db->deadline_ms;
}

static enum err
connect_any(struct db *db)
{
    size_t first = db->host;
    enum err e = ERR_STORE;

    if (clock_mono_ms() < db->retry_ms)
        return ERR_STORE; /* code and text are those of the last try */
    for (size_t i = 0; i < db_settings.n_hosts && e == ERR_STORE; i++) {
        if (is_too_late(db))
            return ERR_TIMEOUT;
        e = db_link_host(db, (first + i) % db_settings.n_hosts,
                         db->deadline_ms);
    }
    /* one whose time was up while it connected has learned nothing */
    if (e != ERR_OK && !is_too_late(db))
        back_off(db, clock_mono_ms());
    return e;
}

enum err
db_link(struct db *db)
{
    enum err e;

    if (is_too_late(db))
        return ERR_TIMEOUT;
    if (db->tx != TX_OPEN && my_is_stale(db->my))
        db_hangup(db);
    if (!my_is_connected(db->my)) {
        e = connect_any(db);
        if (e != ERR_OK)
            return e;
        if (is_too_late(db)) /* it may have taken that long */
            return ERR_TIMEOUT;
    }
    my_until(db->my, db->deadline_ms);
    return ERR_OK;
}

/* ---- handles ---- */

struct db *
db_open(void)
{
    struct db *db = calloc(1, sizeof(*db));

    if (db == NULL)
        return NULL;
    db->my = my_open();
    db->scratch = arena_new(SCRATCH_BYTES);
    db->row_arena = arena_new(SCRATCH_BYTES);
    db->batch.arena = arena_new(SCRATCH_BYTES);
    if (db->my == NULL || db->scratch == NULL || db->row_arena == NULL ||
        db->batch.arena == NULL) {
        db_close(db);
        return NULL;
    }
    my_seal(db->my, &db_seal);
    return db;
}

struct db *
db_open_bare(void)
{
    struct db *db = db_open();

    if (db != NULL)
        db->bare = true;
    return db;
}

void
db_close(struct db *db)
{
    if (db == NULL)
        return;
    if (db->my != NULL)
        db_hangup(db);
    my_close(db->my);
    if (db->scratch != NULL)
        arena_free(db->scratch);
    if (db->row_arena != NULL)
        arena_free(db->row_arena);
    if (db->batch.arena != NULL)
        arena_free(db->batch.arena);
    free(db);
}

void
db_deadline(struct db *db, int64_t mono_ms)
{
    db->deadline_ms = mono_ms;
}

const char *
db_peer(const struct db *db)
{
    return my_is_connected(db->my) ? db_settings.server[db->at].at.label : "";
}

unsigned
db_version(const struct db *db)
{
    return my_version(db->my);
}

bool
db_is_mariadb(const struct db *db)
{
    return my_is_mariadb(db->my);
}

const struct my_session *
db_session(const struct db *db)
{
    return my_session(db->my);
}
