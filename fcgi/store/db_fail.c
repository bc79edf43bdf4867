/* What a failure means for the store: class, log line, what becomes of the
 * connection and of the transaction, whether the caller may run again. */
#include "db_impl.h"

#include <stdio.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

/* How long the end of a statement is seen to that we no longer wait for. */
#define ABANDON_MS 1000

enum {
    READ_ONLY_TRANSACTION = 1792,
    SERVER_GONE = 2006, /* noticed before the statement was sent */
};

void
db_break(struct db *db, enum err e)
{
    if (db->tx == TX_OPEN || db->tx == TX_NOTED) {
        db->tx = TX_BROKEN;
        db->tx_err = e;
    }
}

enum err
db_batch_fail(struct db *db)
{
    db_batch_forget(db);
    db->batch.undone = true;
    db_break(db, ERR_BUSY);
    return ERR_BUSY;
}

/* It shall not take effect after we said that it failed. */
static void
abandon(struct db *db, const struct my_session *old, size_t host)
{
    int64_t until = clock_mono_ms() + ABANDON_MS;

    if (db_link_host(db, host, until) != ERR_OK)
        return; /* logged; nothing else can be done about it */
    if (my_session_end(db->my, old, until) != ERR_OK)
        log_warn("db.abandoned peer=%s id=%llu", db_peer(db), old->id);
}

/* A lost connection, hung up by now: was it us, and may the statement have
 * taken effect? When the wait was ended by us, the server may still be at
 * work. In a transaction the server undoes it. */
static enum err
judge_loss(struct db *db, unsigned traits)
{
    const struct my_session old = *my_session(db->my);
    bool in_tx = db->tx != TX_NONE, ours = (traits & MY_TIMEOUT) != 0,
         writes = (traits & (MY_WRITES | MY_UNSENT)) == MY_WRITES,
         gone = db->failure.code == SERVER_GONE;

    metrics_add(ours ? METRIC_STORE_TIMEOUTS : METRIC_STORE_LOST, 1);
    if (ours && writes && !in_tx)
        abandon(db, &old, db->at);
    db->rerun = !ours && (in_tx || !writes || gone);
    if (ours && db->deadline_ms != 0 && clock_mono_ms() >= db->deadline_ms)
        return ERR_TIMEOUT;
    return ERR_STORE;
}

/* A lock that was not obtained, a connection or a server of no use: it does
 * not matter which statement met it. */
static bool
is_the_same_for_all(enum err e, unsigned traits)
{
    return e == ERR_BUSY ||
           (e == ERR_STORE && (traits & (MY_LOST | MY_UNDONE)) != 0);
}

/* The class for those who know one server, the store. One that refuses us is
 * of no use; of a transaction that we made read-only it is right. */
static enum err
class_of(const struct db *db)
{
    const struct my_failure *f = &db->failure;

    if (f->code == READ_ONLY_TRANSACTION && db->snapshot)
        return ERR_INTERNAL;
    return f->err == ERR_PEER || f->err == ERR_DENIED ? ERR_STORE : f->err;
}

static void
log_failure(const struct db *db, const struct my_failure *f)
{
    if (f->code == 0)
        log_warn("db.failed err=%s text=\"%s\" sql=\"%.80s\"", err_name(f->err),
                 f->text, f->sql);
    else if ((f->traits & MY_QUIET) == 0)
        log_warn("db.failed errno=%u text=\"%s\" peer=%s sql=\"%.80s\"",
                 f->code, f->text, db_peer(db), f->sql);
}

enum err
db_judge(struct db *db)
{
    const struct my_failure *f = &db->failure;
    unsigned traits = f->traits;
    enum err e = class_of(db);

    db->rerun = false;
    if (f->code != 0 && db->batch.batched && !is_the_same_for_all(e, traits)) {
        log_debug("db.batch_failed errno=%u text=\"%s\" sql=\"%.80s\"", f->code,
                  f->text, f->sql);
        if ((traits & MY_LOST) != 0)
            db_hangup(db);
        return db_batch_fail(db);
    }
    log_failure(db, f);
    if (e == ERR_BUSY)
        metrics_add(METRIC_STORE_DEADLOCKS, 1);
    db->rerun = (traits & MY_UNDONE) != 0 &&
                ((traits & MY_NEXT) == 0 || db_settings.n_hosts > 1);
    if ((traits & MY_LOST) != 0)
        db_hangup(db);
    if (e == ERR_STORE && (traits & (MY_LOST | MY_UNDONE)) == MY_LOST)
        e = judge_loss(db, traits);
    if (e == ERR_BUSY || e == ERR_STORE || e == ERR_TIMEOUT ||
        (traits & MY_LOST) != 0)
        db_break(db, e);
    if ((traits & MY_NEXT) != 0)
        db->host = (db->host + 1) % db_settings.n_hosts;
    return e;
}

enum err
db_fail(struct db *db)
{
    db->failure = *my_failure(db->my);
    return db_judge(db);
}

void
db_note_own(struct db *db, enum err e, const char *text, const char *what)
{
    db->failure = (struct my_failure){ .err = e, .traits = MY_UNSENT };
    (void)snprintf(db->failure.text, sizeof(db->failure.text), "%s", text);
    (void)snprintf(db->failure.sql, sizeof(db->failure.sql), "%s", what);
}

enum err
db_fail_own(struct db *db, enum err e, const char *text, const char *what)
{
    db_note_own(db, e, text, what);
    return db_judge(db);
}

const char *
db_dup_index(const struct db *db)
{
    return db->failure.dup;
}

unsigned
db_errno(const struct db *db)
{
    return db->failure.code;
}

const char *
db_error(const struct db *db)
{
    return db->failure.text;
}

bool
db_may_rerun(const struct db *db)
{
    return db->rerun &&
           (db->deadline_ms == 0 || clock_mono_ms() < db->deadline_ms);
}
