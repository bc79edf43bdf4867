/* Statements of the store: each at once, or with those that waited for it. */
#include "db_impl.h"

#include "metrics.h"

const char db_begin_sql[] = "START TRANSACTION";
const char db_commit_sql[] = "COMMIT";

/* What an immediate statement answers, when it is followed by others. */
#define COUNTS(X, s)                        \
    X(s, I64, matched, "m", COLUMN_ONLY, -) \
    X(s, U64, insert_id, "i", COLUMN_ONLY, -)
STRUCT(counts, COUNTS);
TABLE(counts, COUNTS);
static const char counts_sql[] = "SELECT ROW_COUNT() AS m,"
                                 " LAST_INSERT_ID() AS i";

/* ---- before ---- */

/* START TRANSACTION by itself, for a transaction that is only noted. */
static enum err
start(struct db *db)
{
    const char *sql = db_begin_sql;
    enum err e = ERR_OK;

    if (db->snapshot) {
        /* of the next transaction only; READ COMMITTED has no snapshot */
        e = db_text(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        sql = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
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

    if (db->open != NULL)
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
db_leave(struct db *db, const char *sql, struct db_args args,
         const struct record *rec, struct my_stmt **out)
{
    bool waited = db->batch.waiting.n > 0;
    struct my_arg v[DB_VALUES_MAX];
    struct db_args all;
    struct my_parts p;
    enum err e;

    db_batch_gather(db, sql, args, &p, &all);
    db->batch.batched = p.n > 1 || waited;
    e = plain_values(db, all, v);
    if (e != ERR_OK) {
        db_note_own(db, e, "a value", p.sql[p.n - 1]);
    } else {
        metrics_add(METRIC_STORE_STATEMENTS, 1);
        e = my_send(db->my, &p, (struct my_args){ v, all.n }, rec, out);
        if (e != ERR_OK)
            db->failure = *my_failure(db->my);
    }
    arena_reset(db->scratch);
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

/* ---- statements without a result ---- */

static enum err
exec_alone(struct db *db, const char *sql, struct db_args args)
{
    struct my_stmt *st;
    enum err e;

    e = db_run(db, sql, args, NULL, &st);
    if (e != ERR_OK)
        return e;
    db->matched = my_matched(db->my);
    db->insert_id = my_insert_id(db->my);
    return ERR_OK;
}

/* One that does not leave alone: its counts come with another. */
static enum err
exec_batched(struct db *db, const char *sql, struct db_args args)
{
    struct counts c;
    enum err e;

    e = db_batch_keep(db, sql, args, false);
    if (e != ERR_OK)
        return db_fail_own(db, e, "no memory", sql);
    e = db_one(db, db->row_arena, counts_sql, DB_NO_ARGS, &counts_rec, &c);
    if (e != ERR_OK)
        return e;
    db->matched = (uint64_t)c.matched;
    db->insert_id = c.insert_id;
    return ERR_OK;
}

enum err
db_exec(struct db *db, const char *sql, struct db_args args)
{
    enum err e = ERR_OK;

    db->matched = db->insert_id = 0;
    if (db->batch.wanted)
        e = db_ready(db);
    if (e == ERR_OK && db_batch_waits(db) && !db_batch_has_room(db, args))
        e = db_flush(db);
    if (e == ERR_OK && db_batch_waits(db))
        return exec_batched(db, sql, args);
    return e == ERR_OK ? exec_alone(db, sql, args) : e;
}

enum err
db_exec_one(struct db *db, const char *sql, struct db_args args)
{
    enum err e = db_exec(db, sql, args);

    return e == ERR_OK && db->matched == 0 ? ERR_NOT_FOUND : e;
}

static enum err
later(struct db *db, const char *sql, struct db_args args, bool one)
{
    enum err e = ERR_OK;

    db->matched = db->insert_id = 0;
    if (db->batch.wanted)
        e = db_ready(db);
    if (e == ERR_OK && db_batch_may(db) && !db_batch_has_room(db, args))
        e = db_flush(db);
    if (e != ERR_OK)
        return e;
    if (!db_batch_may(db) || !db_batch_has_room(db, args))
        return one ? db_exec_one(db, sql, args) : db_exec(db, sql, args);
    e = db_batch_keep(db, sql, args, one);
    return e == ERR_OK ? e : db_fail_own(db, e, "no memory", sql);
}

enum err
db_later(struct db *db, const char *sql, struct db_args args)
{
    return later(db, sql, args, false);
}

enum err
db_later_one(struct db *db, const char *sql, struct db_args args)
{
    return later(db, sql, args, true);
}

uint64_t
db_matched(const struct db *db)
{
    return db->matched;
}

uint64_t
db_insert_id(const struct db *db)
{
    return db->insert_id;
}

enum err
db_exec_text(struct db *db, const char *sql)
{
    enum err e = db_ready(db);

    if (e == ERR_OK)
        e = db_flush(db);
    if (e != ERR_OK)
        return e;
    e = db_text(db, sql);
    return e == ERR_OK ? e : db_fail(db);
}

enum err
db_prepare_only(struct db *db, const char *sql)
{
    enum err e = db_ready(db);

    if (e != ERR_OK)
        return e;
    e = my_prepare(db->my, MY_SQL(sql));
    return e == ERR_OK ? e : db_fail(db);
}
