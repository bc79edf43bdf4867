/* Statements without a result: sent at once, or kept for those that follow. */
#include "db_impl.h"

/* What an immediate statement answers, when it is followed by others. */
#define COUNTS(X, s)                        \
    X(s, I64, matched, "m", COLUMN_ONLY, -) \
    X(s, U64, insert_id, "i", COLUMN_ONLY, -)
STRUCT(counts, COUNTS);
TABLE(counts, COUNTS);
static const char counts_sql[] = "SELECT ROW_COUNT() AS m,"
                                 " LAST_INSERT_ID() AS i";

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
