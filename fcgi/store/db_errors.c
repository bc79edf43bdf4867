/* What the server's error numbers mean: a class each, and what becomes of the
 * connection and of the transaction on it. */
#include "db_impl.h"

#include <stdio.h>
#include <string.h>

#include <mariadb/errmsg.h>
#include <mariadb/mysqld_error.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"

/* Numbers that one of the two servers does not name in its header. */
enum {
    NOT_READY = 1047, /* Galera: not a member of the primary part */
    ACCESS_DENIED_SOCKET = 1698,
    STATEMENT_TIMEOUT = 1969, /* MariaDB's max_statement_time */
    CONNECTION_KILLED = 1927,
    DISCONNECTED_IDLE = 4031, /* MySQL 8's wait_timeout */
    CHECK_FAILED_MYSQL = 3819,
    CHECK_FAILED = 4025,
    SERVER_LOST_EXTENDED = 2055,
};

static const struct meaning {
    unsigned code;
    enum err err;
    unsigned traits;
} meanings[] = {
    { ER_LOCK_DEADLOCK, ERR_BUSY, DB_UNDONE },
    { ER_LOCK_WAIT_TIMEOUT, ERR_BUSY, DB_UNDONE },
    { ER_CHECKREAD, ERR_BUSY, DB_UNDONE }, /* snapshot isolation */

    { ER_DUP_ENTRY, ERR_EXISTS, DB_QUIET },
    { ER_DUP_ENTRY_WITH_KEY_NAME, ERR_EXISTS, DB_QUIET },
    { ER_NO_REFERENCED_ROW, ERR_STATE, 0 },
    { ER_NO_REFERENCED_ROW_2, ERR_STATE, 0 },
    { ER_ROW_IS_REFERENCED, ERR_STATE, 0 },
    { ER_ROW_IS_REFERENCED_2, ERR_STATE, 0 },
    { ER_DATA_TOO_LONG, ERR_BAD_PARAM, 0 },
    { ER_WARN_DATA_OUT_OF_RANGE, ERR_BAD_PARAM, 0 },
    { ER_DATA_OUT_OF_RANGE, ERR_LIMIT, 0 }, /* a sum beyond its column */
    { ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, ERR_BAD_PARAM, 0 },
    { CHECK_FAILED, ERR_BAD_PARAM, 0 },
    { CHECK_FAILED_MYSQL, ERR_BAD_PARAM, 0 },
    { ER_NET_PACKET_TOO_LARGE, ERR_LIMIT, DB_LOST },
    { CR_NET_PACKET_TOO_LARGE, ERR_LIMIT, DB_LOST },

    { ER_PARSE_ERROR, ERR_INTERNAL, 0 },
    { ER_NO_SUCH_TABLE, ERR_INTERNAL, 0 },
    { ER_BAD_FIELD_ERROR, ERR_INTERNAL, 0 },
    { ER_BAD_NULL_ERROR, ERR_INTERNAL, 0 },
    { ER_NO_DEFAULT_FOR_FIELD, ERR_INTERNAL, 0 },
    { ER_WRONG_VALUE_COUNT_ON_ROW, ERR_INTERNAL, 0 },
    { ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, ERR_INTERNAL, 0 },
    { CR_COMMANDS_OUT_OF_SYNC, ERR_INTERNAL, DB_LOST },
    { CR_PARAMS_NOT_BOUND, ERR_INTERNAL, 0 },
    { CR_UNSUPPORTED_PARAM_TYPE, ERR_INTERNAL, 0 },
    { CR_OUT_OF_MEMORY, ERR_NOMEM, DB_LOST },

    { NOT_READY, ERR_STORE, DB_LOST | DB_NEXT | DB_UNDONE },
    { ER_OPTION_PREVENTS_STATEMENT, ERR_STORE, /* --read-only */
      DB_LOST | DB_NEXT | DB_UNDONE },
    { ER_READ_ONLY_MODE, ERR_STORE, DB_LOST | DB_NEXT | DB_UNDONE },
    { ER_CON_COUNT_ERROR, ERR_STORE, DB_LOST | DB_NEXT },
    { ER_SERVER_SHUTDOWN, ERR_STORE, DB_LOST | DB_NEXT },
    { ER_NEW_ABORTING_CONNECTION, ERR_STORE, DB_LOST },
    { CONNECTION_KILLED, ERR_STORE, DB_LOST },
    { DISCONNECTED_IDLE, ERR_STORE, DB_LOST },
    { ER_ACCESS_DENIED_ERROR, ERR_STORE, DB_LOST | DB_NEXT },
    { ACCESS_DENIED_SOCKET, ERR_STORE, DB_LOST | DB_NEXT },
    { STATEMENT_TIMEOUT, ERR_STORE, 0 },
    { SERVER_LOST_EXTENDED, ERR_STORE, DB_LOST },
};

enum err
db_classify(unsigned code, unsigned *traits)
{
    size_t i;

    for (i = 0; i < COUNT(meanings); i++) {
        if (meanings[i].code == code) {
            *traits = meanings[i].traits;
            return meanings[i].err;
        }
    }
    /* 2000..2999 are the library's own: it lost the server or the thread */
    *traits = code >= CR_MIN_ERROR && code < 3000 ? DB_LOST | DB_NEXT : 0;
    return ERR_STORE;
}

void
db_dup_parse(const char *message, char *out, size_t out_size)
{
    size_t n = strlen(message), name_n;
    const char *end = message + n, *p;

    out[0] = '\0';
    if (n < 2 || *--end != '\'')
        return;
    /* from the right: what stands before is the client's value */
    p = memrchr(message, '\'', (size_t)(end - message));
    if (p == NULL)
        return;
    p++;
    name_n = (size_t)(end - p);
    if (memrchr(p, '.', name_n) != NULL) /* MySQL 8: table.index */
        p = (const char *)memrchr(p, '.', name_n) + 1;
    name_n = (size_t)(end - p);
    if (name_n >= out_size ||
        (name_n == strlen("PRIMARY") && memcmp(p, "PRIMARY", name_n) == 0))
        return;
    memcpy(out, p, name_n);
    out[name_n] = '\0';
}

/* ---- one failure ---- */

void
db_note(struct db *db, unsigned code, const char *text)
{
    db->code = code;
    db->dup[0] = '\0';
    (void)snprintf(db->text, sizeof(db->text), "%s", text);
}

void
db_break(struct db *db, enum err e)
{
    if (db->tx == TX_OPEN || db->tx == TX_NOTED) {
        db->tx = TX_BROKEN;
        db->tx_err = e;
    }
}

/* Whether the wait was ended by us: then the server may still be at work. */
static bool
own_timeout(const struct db *db, int64_t now)
{
    return now - db->sent_ms >= db->wait_ms;
}

/* A lost connection: was it us, and may the statement have taken effect? */
static enum err
judge_loss(struct db *db, unsigned code, bool writes)
{
    const struct db_session old = db->session;
    int64_t now = clock_mono_ms();
    bool in_tx = db->tx != TX_NONE, ours = own_timeout(db, now);

    metrics_add(ours ? METRIC_STORE_TIMEOUTS : METRIC_STORE_LOST, 1);
    db_hangup(db);
    if (ours && writes && !in_tx)
        db_session_abandon(db, &old);
    /* 2006: it was not sent. In a transaction the server undoes it. */
    db->rerun = !ours && (in_tx || !writes || code == CR_SERVER_GONE_ERROR);
    if (ours && db->deadline_ms != 0 && now >= db->deadline_ms)
        return ERR_TIMEOUT;
    return ERR_STORE;
}

/* A lock that was not obtained, a connection or a server of no use: it does
 * not matter which statement met it. */
static bool
is_the_same_for_all(enum err e, unsigned traits)
{
    return e == ERR_BUSY ||
           (e == ERR_STORE && (traits & (DB_LOST | DB_UNDONE)) != 0);
}

static enum err
fail_joined(struct db *db, unsigned traits, const char *what)
{
    log_debug("db.batch_failed errno=%u text=\"%s\" sql=\"%.80s\"", db->code,
              db->text, what);
    db->rerun = false;
    if ((traits & DB_LOST) != 0)
        db_hangup(db);
    return db_batch_fail(db);
}

enum err
db_fail(struct db *db, unsigned code, const char *text, const char *what,
        bool writes)
{
    unsigned traits;
    enum err e = db_classify(code, &traits);

    db_note(db, code, text);
    if (db->batch.joined && !is_the_same_for_all(e, traits))
        return fail_joined(db, traits, what);
    if (e == ERR_BUSY)
        metrics_add(METRIC_STORE_DEADLOCKS, 1);
    if (e == ERR_EXISTS)
        db_dup_parse(db->text, db->dup, sizeof(db->dup));
    if ((traits & DB_QUIET) == 0)
        log_warn("db.failed errno=%u text=\"%s\" peer=%s sql=\"%.80s\"", code,
                 db->text, db_peer(db), what);
    db->rerun = (traits & DB_UNDONE) != 0 &&
                ((traits & DB_NEXT) == 0 || db_settings.n_hosts > 1);
    if (e == ERR_STORE && (traits & (DB_LOST | DB_UNDONE)) == DB_LOST)
        e = judge_loss(db, code, writes);
    if (e == ERR_BUSY || e == ERR_STORE || (traits & DB_LOST) != 0)
        db_break(db, e);
    if ((traits & DB_LOST) != 0)
        db_hangup(db);
    if ((traits & DB_NEXT) != 0)
        db->host = (db->host + 1) % db_settings.n_hosts;
    return e;
}

enum err
db_fail_own(struct db *db, enum err e, const char *text, const char *what)
{
    db_note(db, 0, text);
    db->rerun = false;
    log_warn("db.failed err=%s text=\"%s\" sql=\"%.80s\"", err_name(e), text,
             what);
    if (e == ERR_TIMEOUT)
        db_break(db, e);
    return e;
}

const char *
db_dup_index(const struct db *db)
{
    return db->dup;
}

unsigned
db_errno(const struct db *db)
{
    return db->code;
}

const char *
db_error(const struct db *db)
{
    return db->text;
}

bool
db_may_rerun(const struct db *db)
{
    return db->rerun &&
           (db->deadline_ms == 0 || clock_mono_ms() < db->deadline_ms);
}
