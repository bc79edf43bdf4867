/* Transactions: begun with their first statement, and never in doubt about
 * their end.
 *
 * When the reply to COMMIT is lost, the transaction may have taken effect,
 * may not, or may still do so. A new connection to the same server first ends
 * the old session; once it is gone nothing can change any more, and the audit
 * row of the request says which it was. */
#include "db_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

/* The look-up writes nothing, so it may end a little after the deadline:
 * nginx waits for longer than that. */
#define OUTCOME_GRACE_MS 1000
#define OUTCOME_MAX_MS   5000
#define ROLLBACK_MS      500
#define POLL_MS          20
#define SETTLE_MS        10000

static const char audit_sql[] = "SELECT 1 FROM audit WHERE request_id = ?";

static const struct db_watch *watch;

void
db_watch(const struct db_watch *w)
{
    watch = w;
}

enum err
db_begin(struct db *db)
{
    if (db->tx != TX_NONE)
        return db_fail_own(db, ERR_INTERNAL, "a transaction is open", "begin");
    db->tx = TX_NOTED;
    db->snapshot = db->wrote = db->audited = db->rerun = false;
    db->touched.n = 0;
    db->batch.undone = false;
    db->dup[0] = '\0';
    return ERR_OK;
}

enum err
db_begin_snapshot(struct db *db)
{
    enum err e = db_begin(db);

    if (e == ERR_OK)
        db->snapshot = true;
    return e;
}

enum err
db_tx_open(struct db *db)
{
    const char *sql = db_begin_sql;
    unsigned code = 0;

    if (db->snapshot) {
        /* of the next transaction only; READ COMMITTED has no snapshot */
        code = db_query(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        sql = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
    }
    if (code == 0)
        code = db_query(db, sql);
    if (code != 0)
        return db_fail(db, code, mysql_error(db->my), sql, false);
    db->tx = TX_OPEN;
    return ERR_OK;
}

bool
db_in_transaction(const struct db *db)
{
    return db->tx != TX_NONE;
}

void
db_request_id(struct db *db, const char *request_id)
{
    bool fits =
        request_id != NULL && strlen(request_id) < sizeof(db->request_id);

    /* one that its column would not hold could not be found again */
    (void)snprintf(db->request_id, sizeof(db->request_id), "%s",
                   fits ? request_id : "");
}

void
db_touch(struct db *db, const char *thing)
{
    if (watch != NULL)
        watch->touch(&db->touched, thing);
    else
        db_break(db, db_fail_own(db, ERR_INTERNAL, "nobody watches", thing));
}

void
db_audited(struct db *db)
{
    db->audited = true;
}

/* ---- the end of another session ---- */

static void
nap(void)
{
    const struct timespec t = { 0, POLL_MS * 1000000L };

    (void)nanosleep(&t, NULL);
}

/* Session numbers start again with the server, so an old one may by now be
 * somebody else's. */
static unsigned
has_restarted(struct db *db, int64_t since_ms, bool *out)
{
    char up_s[32];
    unsigned code = db_query_value(
        db,
        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS"
        " WHERE VARIABLE_NAME = 'UPTIME'",
        up_s, sizeof(up_s));

    if (code != 0) /* MySQL keeps it elsewhere */
        code = db_query_value(
            db,
            "SELECT VARIABLE_VALUE FROM performance_schema.global_status"
            " WHERE VARIABLE_NAME = 'Uptime'",
            up_s, sizeof(up_s));
    *out = (strtoll(up_s, NULL, 10) + 1) * 1000 < clock_mono_ms() - since_ms;
    return code;
}

static unsigned
is_gone(struct db *db, unsigned long long id, bool *out)
{
    char sql[96], found[16];
    unsigned code;

    (void)snprintf(sql, sizeof(sql),
                   "SELECT COUNT(*) FROM information_schema.PROCESSLIST"
                   " WHERE ID = %llu",
                   id);
    code = db_query_value(db, sql, found, sizeof(found));
    *out = strcmp(found, "0") == 0;
    return code;
}

static enum err
kill_and_wait(struct db *db, unsigned long long id, int64_t until)
{
    bool gone = false;
    unsigned code;
    char sql[64];

    (void)snprintf(sql, sizeof(sql), "KILL CONNECTION %llu", id);
    code = db_query(db, sql);
    if (code != 0 && code != ER_NO_SUCH_THREAD)
        return db_fail(db, code, mysql_error(db->my), sql, false);
    for (;;) {
        code = is_gone(db, id, &gone);
        if (code != 0)
            return db_fail(db, code, mysql_error(db->my), "processlist", false);
        if (gone)
            return ERR_OK;
        if (clock_mono_ms() >= until)
            return ERR_TIMEOUT;
        nap();
    }
}

const struct db_session *
db_session(const struct db *db)
{
    return &db->session;
}

enum err
db_session_end(struct db *db, const struct db_session *old, int64_t until)
{
    bool restarted;
    unsigned code;

    if (strcmp(db->session.server, old->server) != 0)
        return ERR_STATE;
    code = has_restarted(db, old->since_ms, &restarted);
    if (code != 0)
        return db_fail(db, code, mysql_error(db->my), "uptime", false);
    return restarted ? ERR_OK : kill_and_wait(db, old->id, until);
}

void
db_session_abandon(struct db *db, const struct db_session *old)
{
    int64_t until = clock_mono_ms() + OUTCOME_GRACE_MS;

    if (db_connect_host(db, old->host, until) != ERR_OK)
        return; /* logged; nothing else can be done about it */
    db_arm(db, clock_mono_ms(), until);
    if (db_session_end(db, old, until) != ERR_OK)
        log_warn("db.abandoned peer=%s id=%llu", db_peer(db), old->id);
}

/* ---- what became of a COMMIT ---- */

static void
watch_begin(const struct db *db)
{
    if (db->touched.n > 0)
        watch->begin(&db->touched);
}

static void
watch_end(const struct db *db)
{
    if (db->touched.n > 0)
        watch->end(&db->touched);
}

enum outcome {
    UNKNOWN,
    COMMITTED,
    UNDONE,
    UNKNOWABLE, /* it is over, but nothing tells how it ended */
};

static enum outcome
look_up(struct db *db)
{
    int64_t one;
    enum err e;

    if (!db->audited || db->request_id[0] == '\0')
        return UNKNOWABLE;
    e = db_one_i64(db, audit_sql, DB_ARGS(db_str(db->request_id)), &one);
    if (e == ERR_OK)
        return COMMITTED;
    return e == ERR_NOT_FOUND ? UNDONE : UNKNOWN;
}

/* One try by one host. Without the old session's end, only a row that is
 * there says something. */
static enum outcome
settle_at(struct db *db, const struct db_session *old, size_t host,
          int64_t until)
{
    enum outcome found;
    bool gone;

    if (db_connect_host(db, host, until) != ERR_OK)
        return UNKNOWN;
    db_arm(db, clock_mono_ms(), until);
    gone = db_session_end(db, old, until) == ERR_OK;
    found = db->my != NULL ? look_up(db) : UNKNOWN;
    return found == COMMITTED || gone ? found : UNKNOWN;
}

static enum outcome
settle(struct db *db, const struct db_session *old, int64_t until)
{
    enum outcome found = UNKNOWN;
    size_t i;

    for (;;) {
        for (i = 0; i < db_settings.n_hosts && found == UNKNOWN; i++) {
            found = settle_at(db, old, (old->host + i) % db_settings.n_hosts,
                              until);
            if (found == UNKNOWN)
                db_hangup(db);
        }
        if (found != UNKNOWN || clock_mono_ms() >= until)
            return found;
        nap();
    }
}

static int64_t
settle_until(const struct db *db, int64_t now)
{
    int64_t until = now + OUTCOME_MAX_MS;

    if (db->deadline_ms != 0 && db->deadline_ms < until)
        until = db->deadline_ms;
    return until > now + OUTCOME_GRACE_MS ? until : now + OUTCOME_GRACE_MS;
}

static enum err
commit_in_doubt(struct db *db, unsigned code, const char *text)
{
    static const char *const words[] = {
        [UNKNOWN] = "unknown",
        [COMMITTED] = "committed",
        [UNDONE] = "undone",
        [UNKNOWABLE] = "unknowable",
    };
    struct db_session old = db->session;
    int64_t deadline = db->deadline_ms;
    int64_t until = settle_until(db, clock_mono_ms());
    enum outcome found;

    metrics_add(METRIC_STORE_UNCERTAIN, 1);
    log_warn("db.commit_in_doubt errno=%u text=\"%s\" peer=%s id=%llu", code,
             text, db_peer(db), old.id);
    db_hangup(db);
    db->deadline_ms = until;
    found = settle(db, &old, until);
    db->deadline_ms = deadline;
    db->rerun = found == UNDONE;
    if (found != UNKNOWN)
        watch_end(db);
    log_warn("db.commit_settled outcome=%s", words[found]);
    return found == COMMITTED ? ERR_OK : ERR_STORE;
}

/* Errors after which the server has rolled back for certain. */
static bool
is_refusal(unsigned code)
{
    unsigned traits;

    return (db_classify(code, &traits) == ERR_BUSY) || code == ER_DUP_ENTRY;
}

static enum err
commit(struct db *db)
{
    unsigned code;

    db_arm(db, clock_mono_ms(), db->deadline_ms);
    watch_begin(db);
    code = db_query(db, db_commit_sql);
    if (code != 0 && !is_refusal(code) && db->wrote)
        return commit_in_doubt(db, code, mysql_error(db->my));
    watch_end(db);
    if (code == 0)
        db->used_ms = db->sent_ms;
    else if (is_refusal(code))
        return db_fail(db, code, mysql_error(db->my), "COMMIT", true);
    else /* what was read is right all the same */
        db_hangup(db);
    return ERR_OK;
}

/* A COMMIT that left with others has failed: whether it is certain that
 * nothing took effect. */
static bool
is_undone(struct db *db, unsigned code)
{
    int64_t now = clock_mono_ms();
    char open[4];

    if (is_refusal(code))
        return true;
    db_arm(db, now, now + ROLLBACK_MS);
    return db_query_value(db, "SELECT @@in_transaction", open, sizeof(open)) ==
               0 &&
           strcmp(open, "1") == 0;
}

static void
roll_back(struct db *db)
{
    int64_t now = clock_mono_ms();

    if (db->my == NULL)
        return; /* the server did it when the connection went */
    db_arm(db, now, now + ROLLBACK_MS); /* allowed after the deadline too */
    if (db_query(db, "ROLLBACK") != 0)
        db_hangup(db);
}

/* COMMIT leaves with the statements that wait. */
static enum err
commit_joined(struct db *db)
{
    char text[MYSQL_ERRMSG_SIZE];
    struct stmt *st;
    unsigned code;
    enum err e;

    watch_begin(db);
    e = db_send(db, db_commit_sql, DB_NO_ARGS, NULL, &st, &code);
    db_batch_forget(db);
    if (e == ERR_OK && code != 0) {
        (void)snprintf(text, sizeof(text), "%s", mysql_stmt_error(st->my));
        if (!is_undone(db, code)) {
            db->tx = TX_NONE;
            return commit_in_doubt(db, code, text);
        }
        e = db_fail(db, code, text, st->sql, true);
    }
    watch_end(db);
    db->tx = TX_NONE;
    if (e != ERR_OK)
        roll_back(db);
    return e;
}

/* What is done is not said before no host can show what was before. */
static enum err
commit_and_settle(struct db *db)
{
    enum err e = db->batch.waiting.n > 0 ? commit_joined(db) : commit(db);
    bool batch = db->batch.wanted;
    int64_t until = db->deadline_ms;

    if (e != ERR_OK || db->touched.n == 0)
        return e;
    if (until == 0)
        until = clock_mono_ms() + SETTLE_MS;
    db->batch.wanted = false; /* a failure is no reason to run it again */
    e = watch->settle(db, until);
    db->batch.wanted = batch;
    db->rerun = false;
    return e;
}

/* COMMIT never leaves with START TRANSACTION: a server that hangs has all of
 * it then, and does it when it goes on, long after the client was told that
 * it failed. One that has answered within the transaction was well just now. */
static enum err
open_before_commit(struct db *db, enum err e)
{
    bool whole = db->tx == TX_NOTED && db->batch.waiting.n > 0;

    return e == ERR_OK && whole ? db_flush(db) : e;
}

enum err
db_end(struct db *db, enum err e)
{
    enum db_tx was;

    db_rows_end(db);
    e = open_before_commit(db, e);
    was = db->tx;
    if (db->batch.waiting.n > 0 && was != TX_BROKEN) {
        if (e == ERR_OK)
            return commit_and_settle(db);
        /* what the caller found wrong comes after what they would have said */
        db->batch.undone = true;
    }
    db_batch_forget(db);
    db->tx = TX_NONE;
    if (was == TX_NONE && e == ERR_OK)
        return db_fail_own(db, ERR_INTERNAL, "no transaction", "end");
    if (was == TX_NONE || was == TX_NOTED)
        return e;
    if (was == TX_BROKEN && e == ERR_OK)
        e = db->tx_err;
    else if (was == TX_OPEN && e == ERR_OK && db->deadline_ms != 0 &&
             clock_mono_ms() >= db->deadline_ms)
        e = db_fail_own(db, ERR_TIMEOUT, "deadline passed", "COMMIT");
    if (e == ERR_OK && !db->snapshot)
        return commit_and_settle(db);
    roll_back(db); /* of a snapshot too: nothing to keep */
    return e;
}
