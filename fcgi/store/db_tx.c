/* Transactions: begun with their first statement, and never in doubt about
 * their end.
 *
 * When the reply to COMMIT is lost, the transaction may have taken effect,
 * may not, or may still do so. A new connection to the same server first ends
 * the old session; once it is gone nothing can change any more, and the
 * transaction's witness, a row that it wrote, says which it was. */
#include "db_impl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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
    db->snapshot = db->wrote = db->rerun = false;
    db->witness = NULL;
    db->touched.n = 0;
    db->batch.undone = false;
    db->failure.dup[0] = '\0';
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
    db->failure = (struct my_failure){ .code = 0 };
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
db_witness(struct db *db,
           enum err (*look)(struct db *db, const char *request_id))
{
    db->witness = look;
}

enum err
db_session_end(struct db *db, const struct my_session *old, int64_t until)
{
    enum err e = my_session_end(db->my, old, until);

    return e == ERR_OK || e == ERR_STATE || e == ERR_TIMEOUT ? e : db_fail(db);
}

/* ---- what became of a COMMIT ---- */

enum outcome {
    UNKNOWN,
    COMMITTED,
    UNDONE,
    UNKNOWABLE, /* it is over, but nothing tells how it ended */
};

/* One try by one host. Without the old session's end, only a row that is
 * there says something. */
static enum outcome
look_at(struct db *db, const struct my_session *old, size_t host, int64_t until)
{
    bool gone;
    enum err e;

    if (db_link_host(db, host, until) != ERR_OK)
        return UNKNOWN;
    gone = db_session_end(db, old, until) == ERR_OK;
    if (!my_is_connected(db->my))
        return UNKNOWN;
    if (db->witness == NULL || str_empty(db->request_id))
        return gone ? UNKNOWABLE : UNKNOWN;
    e = db->witness(db, db->request_id);
    if (e == ERR_OK)
        return COMMITTED;
    return e == ERR_NOT_FOUND && gone ? UNDONE : UNKNOWN;
}

static int64_t
settle_until(const struct db *db, int64_t now)
{
    int64_t until = now + OUTCOME_MAX_MS;

    if (db->deadline_ms != 0 && db->deadline_ms < until)
        until = db->deadline_ms;
    return until > now + OUTCOME_GRACE_MS ? until : now + OUTCOME_GRACE_MS;
}

/* Asks one host after the other until one knows. OK: it took effect. */
static enum err
in_doubt(struct db *db)
{
    static const char *const words[] = {
        [UNKNOWN] = "unknown",
        [COMMITTED] = "committed",
        [UNDONE] = "undone",
        [UNKNOWABLE] = "unknowable",
    };
    static const struct timespec nap = { 0, POLL_MS * 1000000L };
    const struct my_session old = *my_session(db->my);
    const size_t at = db->at, n = db_settings.n_hosts;
    int64_t deadline = db->deadline_ms;
    int64_t until = settle_until(db, clock_mono_ms());
    enum outcome found;

    metrics_add(METRIC_STORE_UNCERTAIN, 1);
    log_warn("db.commit_in_doubt errno=%u text=\"%s\" peer=%s id=%llu",
             db->failure.code, db->failure.text, db_peer(db), old.id);
    db->tx = TX_NONE;
    db->deadline_ms = until;
    for (size_t i = 0;; i++) {
        found = look_at(db, &old, (at + i) % n, until);
        if (found != UNKNOWN)
            break;
        db_hangup(db);
        if (i % n < n - 1)
            continue; /* the next host */
        if (clock_mono_ms() >= until)
            break;
        (void)nanosleep(&nap, NULL);
    }
    db->deadline_ms = deadline;
    db->rerun = found == UNDONE;
    log_warn("db.commit_settled outcome=%s", words[found]);
    if (found != UNKNOWN && db->touched.n > 0)
        watch->end(&db->touched);
    return found == COMMITTED ? ERR_OK : ERR_STORE;
}

/* A COMMIT has failed (db->failure): whether it is certain that nothing took
 * effect. The server that still has the transaction has not committed it. */
static bool
is_undone(struct db *db)
{
    struct my_failure *f = &db->failure;
    char open[4];

    if ((f->traits & MY_UNSENT) != 0 || f->err == ERR_BUSY ||
        f->err == ERR_EXISTS)
        return true;
    if ((f->traits & MY_LOST) != 0 && (f->traits & MY_UNDONE) == 0)
        return false;
    my_until(db->my, clock_mono_ms() + ROLLBACK_MS);
    if (my_value_of(db->my, "SELECT @@in_transaction", open, sizeof(open)) !=
            ERR_OK ||
        strcmp(open, "1") != 0)
        return false;
    f->traits |= MY_UNDONE;
    return true;
}

static void
roll_back(struct db *db)
{
    if (!my_is_connected(db->my))
        return; /* the server did it when the connection went */
    /* allowed after the deadline too */
    my_until(db->my, clock_mono_ms() + ROLLBACK_MS);
    if (db_text(db, "ROLLBACK") != ERR_OK)
        db_hangup(db);
}

static enum err
settle(struct db *db)
{
    return watch->settle(db, db->deadline_ms != 0
                                 ? db->deadline_ms
                                 : clock_mono_ms() + SETTLE_MS);
}

/* Others may show what was before as yet. The locks of the transaction are
 * let go while they learn of us. */
static enum err
make_ready(struct db *db)
{
    bool batch = db->batch.wanted;
    enum err e;

    db_batch_forget(db);
    roll_back(db);
    db->tx = TX_NONE;
    db->batch.wanted = false;
    e = settle(db);
    db->batch.wanted = batch;
    db->rerun = e == ERR_OK;
    return e == ERR_OK ? ERR_BUSY : e;
}

/* COMMIT leaves with the statements that wait, or alone; afterwards there is
 * no transaction any more, or one that is to be rolled back. What is done is
 * not said before nobody can show what was before. */
static enum err
commit(struct db *db)
{
    bool batched = db->batch.waiting.n > 0, batch = db->batch.wanted;
    struct my_stmt *st;
    enum err e;

    e = db_ready(db);
    if (e != ERR_OK)
        return e;
    if (db->touched.n > 0 && !watch->ready())
        return make_ready(db);
    if (db->touched.n > 0)
        watch->begin(&db->touched);
    if (batched) {
        e = db_leave(db, db_commit_sql, DB_NO_ARGS, NULL, &st);
    } else {
        e = db_text(db, db_commit_sql);
        db->failure = e == ERR_OK ? db->failure : *my_failure(db->my);
    }
    if (e != ERR_OK && !is_undone(db)) {
        if (batched || db->wrote)
            return in_doubt(db);
        db_hangup(db); /* what was read is right all the same */
        e = ERR_OK;
    } else if (e != ERR_OK) {
        e = db_judge(db);
    }
    if (db->touched.n > 0)
        watch->end(&db->touched);
    if (e != ERR_OK)
        return e;
    db->tx = TX_NONE;
    if (db->touched.n == 0)
        return ERR_OK;
    db->batch.wanted = false; /* a failure is no reason to run it again */
    e = settle(db);
    db->batch.wanted = batch;
    db->rerun = false;
    return e;
}

enum err
db_end(struct db *db, enum err e)
{
    enum db_tx was;

    db_rows_end(db);
    db_ahead_forget(db);
    if (db->tx == TX_NONE && e == ERR_OK)
        return db_fail_own(db, ERR_INTERNAL, "no transaction", "end");
    /* COMMIT never leaves with START TRANSACTION: a server that hangs has all
     * of it then, and does it when it goes on, long after the client was told
     * that it failed. One that has answered within the transaction was well
     * just now. */
    if (e == ERR_OK && db->tx == TX_NOTED && db->batch.waiting.n > 0)
        e = db_flush(db);
    /* what the caller found wrong comes after what they would have said */
    if (e != ERR_OK && db->batch.waiting.n > 0 && db->tx != TX_BROKEN)
        db->batch.undone = true;
    if (e == ERR_OK && db->tx == TX_BROKEN)
        e = db->tx_err;
    if (e == ERR_OK && db->tx == TX_OPEN && !db->snapshot)
        e = commit(db);
    db_batch_forget(db);
    was = db->tx;
    db->tx = TX_NONE;
    if (was == TX_OPEN || was == TX_BROKEN)
        roll_back(db); /* of a snapshot too: nothing to keep */
    return e;
}
