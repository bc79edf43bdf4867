/* Reads that leave together: what several small reads of one snapshot cost are
 * their round trips, eight for an instance of which everything is asked. Those
 * that are announced are sent as one (struct my_parts), between the snapshot's
 * beginning and its end, and their results are read one after the other:
 *
 *     SET TRANSACTION ...; START TRANSACTION ...; <a>; <b>; <c>; COMMIT */
#include "db_impl.h"

/* ---- announced ---- */

enum err
db_ahead(struct db *db, const char *sql, struct db_args args)
{
    struct my_parts *p = &db->ahead.parts;
    enum err e;

    if (db->tx != TX_NOTED || !db->snapshot || db->ahead.st != NULL)
        return db_fail_own(db, ERR_INTERNAL, "announced too late", sql);
    if (!db->batch.able || !my_is_connected(db->my))
        return ERR_OK; /* they run one after the other */
    if (p->n == DB_AHEAD_MAX || !db_batch_fits(db, args))
        return db_fail_own(db, ERR_INTERNAL, "too many announced", sql);
    e = db_batch_copy(db, args);
    if (e != ERR_OK)
        return db_fail_own(db, e, "no memory", sql);
    p->sql[p->n++] = sql;
    return ERR_OK;
}

void
db_ahead_forget(struct db *db)
{
    if (db->ahead.parts.n == 0)
        return;
    if (db->ahead.st != NULL)
        my_finish(db->my, db->ahead.st);
    db->ahead = (struct ahead){ .at = 0 };
    db_batch_forget(db);
}

/* ---- run ---- */

/* Connected, or why not; a new connection knows of nothing announced. */
static enum err
link_again(struct db *db)
{
    enum err e;

    if (db->open != NULL)
        return db_fail_own(db, ERR_INTERNAL, "a result is being read", "");
    db->rerun = db->batch.batched = false;
    e = db_link(db);
    if (e == ERR_TIMEOUT)
        e = db_fail_own(db, e, "deadline passed", "");
    if (e != ERR_OK)
        db_break(db, e);
    return e;
}

static enum err
send_all(struct db *db, const struct record *rec)
{
    struct my_parts p = { .sql = { db_repeatable_sql, db_snapshot_sql },
                          .n = 2 };
    enum err e;

    for (unsigned i = 0; i < db->ahead.parts.n; i++)
        p.sql[p.n++] = db->ahead.parts.sql[i];
    p.sql[p.n++] = db_commit_sql;
    e = db_send_parts(db, &p, (struct db_args){ db->batch.v, db->batch.n_v },
                      rec, &db->ahead.st);
    db_batch_forget(db);
    if (e == ERR_OK || (db->failure.traits & MY_UNSENT) == 0)
        db->tx = TX_OPEN;
    return e;
}

/* Whether another answer is to be had from them one by one: the server has
 * refused all of them, and is still there. */
static bool
is_worth_it(struct db *db, enum err e)
{
    const struct my_failure *f = &db->failure;

    return e != ERR_BUSY && f->code != 0 &&
           (f->traits & (MY_LOST | MY_TIMEOUT | MY_UNDONE)) == 0 &&
           db_text(db, "ROLLBACK") == ERR_OK;
}

static enum err
first(struct db *db, const char *sql, struct db_args args,
      const struct record *rec, struct my_stmt **out)
{
    enum err e = link_again(db);

    if (e == ERR_OK && db->ahead.parts.n > 0)
        e = send_all(db, rec);
    else if (e == ERR_OK)
        return db_run(db, sql, args, rec, out);
    else
        return e;
    if (e != ERR_OK && is_worth_it(db, e)) {
        db_ahead_forget(db);
        db->tx = TX_NOTED;
        return db_run(db, sql, args, rec, out);
    }
    return e == ERR_OK ? e : db_judge(db);
}

static enum err
next(struct db *db, const char *sql, const struct record *rec)
{
    enum err e = my_next(db->my, db->ahead.st, rec);

    if (e == ERR_NOT_FOUND)
        return db_fail_own(db, ERR_INTERNAL, "no result", sql);
    return e == ERR_OK ? e : db_fail(db);
}

enum err
db_read(struct db *db, const char *sql, struct db_args args,
        const struct record *rec, struct my_stmt **out)
{
    struct ahead *a = &db->ahead;
    enum err e;

    if (a->parts.n == 0)
        return db_run(db, sql, args, rec, out);
    if (db->tx == TX_BROKEN)
        return db->tx_err;
    if (a->at == a->parts.n || a->parts.sql[a->at] != sql)
        return db_fail_own(db, ERR_INTERNAL, "another read was announced", sql);
    e = a->st == NULL ? first(db, sql, args, rec, out) : next(db, sql, rec);
    if (e != ERR_OK) {
        db_ahead_forget(db);
    } else if (a->st != NULL) {
        a->at++;
        *out = a->st;
    }
    return e;
}

/* The snapshot has ended when the last result was read: nothing is left to be
 * rolled back, and what is read next is another's. */
void
db_finish(struct db *db, struct my_stmt *st)
{
    if (st != db->ahead.st) {
        my_finish(db->my, st);
    } else if (db->ahead.at == db->ahead.parts.n) {
        db_ahead_forget(db);
        if (db->tx == TX_OPEN)
            db->tx = TX_NOTED;
    }
}
