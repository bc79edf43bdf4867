/* Statements that leave together: what a transaction costs are its round
 * trips, and of most statements only success matters. They wait for the next
 * one whose answer is needed, or for COMMIT, and are sent with it as
 *
 *     BEGIN NOT ATOMIC START TRANSACTION; <a>; <b>; <c>; END
 *
 * prepared once for each combination. The server ends it at the first that
 * fails. Which one that was is not guessed: the transaction is over, and its
 * caller runs everything again with each statement sent by itself, so that
 * errors and their order are always those of single statements. */
#include "db_impl.h"

#include <string.h>

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

/* ---- for those who can run everything again ---- */

void
db_batch(struct db *db, bool on)
{
    db->batch.wanted = on;
}

bool
db_batch_undone(const struct db *db)
{
    return db->batch.undone;
}

enum err
db_batch_fail(struct db *db)
{
    db_batch_forget(db);
    db->batch.undone = true;
    db_break(db, ERR_BUSY);
    return ERR_BUSY;
}

/* ---- what waits ---- */

bool
db_batches(const struct db *db)
{
    return db->batch.wanted && db->batch.able && db->my != NULL &&
           !db->snapshot && (db->tx == TX_NOTED || db->tx == TX_OPEN);
}

bool
db_has_company(const struct db *db)
{
    return db_batches(db) && (db->tx == TX_NOTED || db->batch.waiting.n > 0);
}

void
db_batch_forget(struct db *db)
{
    if (db->batch.waiting.n == 0)
        return;
    db->batch.waiting.n = db->batch.waiting.one = 0;
    db->batch.n_v = db->batch.bytes = 0;
    arena_reset(db->batch.arena);
}

static size_t
bytes_of(struct db_args args)
{
    size_t n = 0, i;

    for (i = 0; i < args.n; i++)
        n += args.v[i].n;
    return n;
}

bool
db_batch_fits(const struct db *db, struct db_args args)
{
    return args.n <= DB_VALUES_MAX - db->batch.n_v &&
           bytes_of(args) <= DB_BATCH_BYTES - db->batch.bytes;
}

/* The caller's texts may be gone when the value is sent. */
static enum err
copy_value(struct arena *a, const struct db_value *from, struct db_value *to)
{
    *to = *from;
    if (from->type != DBV_STR && from->type != DBV_SECRET)
        return ERR_OK;
    if (from->n > 0)
        to->p = arena_strndup(a, from->p, from->n);
    if (from->type == DBV_SECRET)
        to->row = arena_strdup(a, from->row);
    return (from->n == 0 || to->p != NULL) &&
                   (from->type == DBV_STR || to->row != NULL)
               ? ERR_OK
               : ERR_NOMEM;
}

static enum err
keep_waiting(struct db *db, const char *sql, struct db_args args, bool one)
{
    struct batch *b = &db->batch;
    enum err e = ERR_OK;
    size_t i;

    for (i = 0; i < args.n && e == ERR_OK; i++)
        e = copy_value(b->arena, &args.v[i], &b->v[b->n_v + i]);
    if (e != ERR_OK)
        return db_fail_own(db, e, "no memory", sql);
    b->n_v += args.n;
    b->bytes += bytes_of(args);
    b->waiting.one |= (unsigned)one << b->waiting.n;
    b->waiting.sql[b->waiting.n++] = sql;
    return ERR_OK;
}

bool
db_batch_has_room(const struct db *db, struct db_args args)
{
    return db->batch.waiting.n < DB_LATER_MAX && db_batch_fits(db, args);
}

static enum err
later(struct db *db, const char *sql, struct db_args args, bool one)
{
    enum err e = ERR_OK;

    db->matched = db->insert_id = 0;
    if (db->batch.wanted)
        e = db_ready(db);
    if (e == ERR_OK && db_batches(db) && !db_batch_has_room(db, args))
        e = db_flush(db);
    if (e != ERR_OK)
        return e;
    if (db_batches(db) && db_batch_has_room(db, args))
        return keep_waiting(db, sql, args, one);
    return one ? db_exec_one(db, sql, args) : db_exec(db, sql, args);
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

enum err
db_exec_joined(struct db *db, const char *sql, struct db_args args)
{
    struct counts c;
    enum err e;

    e = keep_waiting(db, sql, args, false);
    if (e == ERR_OK)
        e = db_one(db, db->row_arena, counts_sql, DB_NO_ARGS, &counts_rec, &c);
    if (e != ERR_OK)
        return e;
    db->matched = (uint64_t)c.matched;
    db->insert_id = c.insert_id;
    return ERR_OK;
}

/* ---- what leaves ---- */

static void
add_part(struct parts *p, const char *sql, bool one)
{
    p->one |= (unsigned)one << p->n;
    p->sql[p->n++] = sql;
}

void
db_batch_gather(struct db *db, const char *sql, struct db_args args,
                struct parts *p, struct db_args *all)
{
    struct batch *b = &db->batch;
    unsigned i;

    *p = (struct parts){ .n = 0 };
    *all = args;
    if (db->tx == TX_NOTED)
        add_part(p, db_begin_sql, false);
    for (i = 0; i < b->waiting.n; i++)
        add_part(p, b->waiting.sql[i], (b->waiting.one >> i & 1) != 0);
    if (sql != NULL)
        add_part(p, sql, false);
    if (b->waiting.n == 0)
        return;
    if (args.n > 0)
        memcpy(&b->v[b->n_v], args.v, args.n * sizeof(args.v[0]));
    *all = (struct db_args){ b->v, b->n_v + args.n };
}

/* With CLIENT_FOUND_ROWS, ROW_COUNT() counts the rows that matched. */
static const char *
after_part(const struct parts *p, unsigned i)
{
    return (p->one >> i & 1) != 0 ? "; IF ROW_COUNT() = 0 THEN"
                                    " SIGNAL SQLSTATE '45000'; END IF; "
                                  : "; ";
}

const char *
db_batch_text(struct arena *a, const struct parts *p)
{
    const char *text = "BEGIN NOT ATOMIC ";
    unsigned i;

    for (i = 0; i < p->n && text != NULL; i++)
        text = arena_printf(a, "%s%s%s", text, p->sql[i], after_part(p, i));
    return text != NULL ? arena_printf(a, "%sEND", text) : NULL;
}

enum err
db_flush(struct db *db)
{
    struct stmt *st;
    enum err e = ERR_OK;

    if (db->batch.waiting.n > 0)
        e = db_run(db, NULL, DB_NO_ARGS, NULL, &st);
    else if (db->tx == TX_NOTED)
        e = db_tx_open(db);
    if (e == ERR_OK)
        db->batch.joined = false;
    return e == ERR_OK ? db_in_time(db) : e;
}
