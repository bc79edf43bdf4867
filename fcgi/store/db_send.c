/* How a statement leaves: connected, in the transaction that was begun, with
 * those that waited for it. */
#include "db_impl.h"

#include "metrics.h"

/* ---- before ---- */

/* START TRANSACTION by itself, for a transaction that is only noted. */
static enum err
start(struct db *db)
{
    const char *sql = db_begin_sql;
    enum err e = ERR_OK;

    if (db->snapshot) {
        e = db_text(db, db_repeatable_sql);
        sql = db_snapshot_sql;
    }
    if (e == ERR_OK)
        e = db_text(db, sql);
    if (e != ERR_OK)
        return db_fail(db);
    db->tx = TX_OPEN;
    return ERR_OK;
}

enum err
db_ready(struct db *db)
{
    enum err e;

    if (db->open != NULL || db->ahead.parts.n > 0)
        return db_fail_own(db, ERR_INTERNAL, "a result is being read", "");
    if (db->tx == TX_BROKEN)
        return db->tx_err;
    db->rerun = db->batch.batched = false;
    e = db_link(db);
    if (e == ERR_TIMEOUT)
        e = db_fail_own(db, e, "deadline passed", "");
    if (e == ERR_OK && db->tx == TX_NOTED && !db_batch_may(db))
        e = start(db);
    if (e == ERR_OK && db->batch.waiting.n > 0 && !db_batch_may(db))
        e = db_batch_fail(db); /* connected anew, to an older server */
    if (e != ERR_OK)
        db_break(db, e); /* what comes next must not begin without this */
    return e;
}

/* ---- sending ---- */

static enum err
plain_values(struct db *db, struct db_args args, struct my_arg *out)
{
    enum err e = args.n <= DB_VALUES_MAX ? ERR_OK : ERR_INTERNAL;

    for (size_t i = 0; i < args.n && e == ERR_OK; i++)
        e = db_plain(db, &args.v[i], &out[i]);
    return e;
}

enum err
db_send_parts(struct db *db, const struct my_parts *p, struct db_args all,
              const struct record *rec, struct my_stmt **out)
{
    struct my_arg v[DB_VALUES_MAX];
    enum err e = plain_values(db, all, v);

    if (e != ERR_OK) {
        db_note_own(db, e, "a value", p->sql[p->n - 1]);
    } else {
        metrics_add(METRIC_STORE_STATEMENTS, 1);
        e = my_send(db->my, p, (struct my_args){ v, all.n }, rec, out);
        if (e != ERR_OK)
            db->failure = *my_failure(db->my);
    }
    arena_reset(db->scratch);
    return e;
}

enum err
db_leave(struct db *db, const char *sql, struct db_args args,
         const struct record *rec, struct my_stmt **out)
{
    bool waited = db->batch.waiting.n > 0;
    struct db_args all;
    struct my_parts p;
    enum err e;

    db_batch_gather(db, sql, args, &p, &all);
    db->batch.batched = p.n > 1 || waited;
    e = db_send_parts(db, &p, all, rec, out);
    db_batch_forget(db);
    if (e == ERR_OK || (db->failure.traits & MY_UNSENT) == 0) {
        if (db->tx == TX_NOTED)
            db->tx = TX_OPEN; /* though what followed may have failed */
        db->wrote |= e == ERR_OK ? my_stmt_writes(*out)
                                 : (db->failure.traits & MY_WRITES) != 0;
    } else if (waited) {
        db_break(db, e); /* nobody sends it any more */
    }
    return e;
}

enum err
db_run(struct db *db, const char *sql, struct db_args args,
       const struct record *rec, struct my_stmt **out)
{
    enum err e = db_ready(db);

    if (e == ERR_OK && sql != NULL && db->batch.waiting.n > 0 &&
        !db_batch_fits(db, args)) {
        e = db_flush(db);
        if (e == ERR_OK)
            e = db_ready(db);
    }
    if (e != ERR_OK)
        return e;
    e = db_leave(db, sql, args, rec, out);
    return e == ERR_OK ? e : db_judge(db);
}

enum err
db_flush(struct db *db)
{
    struct my_stmt *st;
    enum err e = ERR_OK;

    if (db->batch.waiting.n > 0)
        e = db_run(db, NULL, DB_NO_ARGS, NULL, &st);
    else if (db->tx == TX_NOTED)
        e = start(db);
    if (e == ERR_OK)
        db->batch.batched = false;
    return e;
}
