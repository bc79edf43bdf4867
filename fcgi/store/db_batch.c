/* Statements that leave together: what a transaction costs are its round
 * trips, and of most statements only success matters. They wait here for the
 * next one whose answer is needed, or for COMMIT, and are sent with it as one
 * (struct my_parts), prepared once for each combination. The server ends it
 * at the first that fails. Which one that was is not guessed: the transaction
 * is over, and its caller runs everything again with each statement sent by
 * itself, so that errors and their order are always those of single statements.
 */
#include "db_impl.h"

#include <string.h>

const char db_begin_sql[] = "START TRANSACTION";
const char db_commit_sql[] = "COMMIT";
/* of the next transaction only; READ COMMITTED has no snapshot */
const char db_repeatable_sql[] =
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ";
const char db_snapshot_sql[] =
    "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";

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

/* ---- what waits ---- */

bool
db_batch_may(const struct db *db)
{
    return db->batch.wanted && db->batch.able && my_is_connected(db->my) &&
           !db->snapshot && (db->tx == TX_NOTED || db->tx == TX_OPEN);
}

bool
db_batch_waits(const struct db *db)
{
    return db_batch_may(db) && (db->tx == TX_NOTED || db->batch.waiting.n > 0);
}

void
db_batch_forget(struct db *db)
{
    if (db->batch.waiting.n == 0 && db->batch.n_v == 0)
        return;
    db->batch.waiting.n = db->batch.waiting.one = 0;
    db->batch.n_v = db->batch.bytes = 0;
    arena_reset(db->batch.arena);
}

static size_t
bytes_of(struct db_args args)
{
    size_t n = 0;

    for (size_t i = 0; i < args.n; i++)
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

enum err
db_batch_copy(struct db *db, struct db_args args)
{
    struct batch *b = &db->batch;
    enum err e = ERR_OK;

    for (size_t i = 0; i < args.n && e == ERR_OK; i++)
        e = copy_value(b->arena, &args.v[i], &b->v[b->n_v + i]);
    if (e != ERR_OK)
        return e;
    b->n_v += args.n;
    b->bytes += bytes_of(args);
    return ERR_OK;
}

enum err
db_batch_keep(struct db *db, const char *sql, struct db_args args, bool one)
{
    struct batch *b = &db->batch;
    enum err e = db_batch_copy(db, args);

    if (e != ERR_OK)
        return e;
    b->waiting.one |= (unsigned)one << b->waiting.n;
    b->waiting.sql[b->waiting.n++] = sql;
    return ERR_OK;
}

bool
db_batch_has_room(const struct db *db, struct db_args args)
{
    return db->batch.waiting.n < DB_LATER_MAX && db_batch_fits(db, args);
}

/* ---- what leaves ---- */

static void
add_part(struct my_parts *p, const char *sql, bool one)
{
    p->one |= (unsigned)one << p->n;
    p->sql[p->n++] = sql;
}

void
db_batch_gather(struct db *db, const char *sql, struct db_args args,
                struct my_parts *p, struct db_args *all)
{
    struct batch *b = &db->batch;

    *p = (struct my_parts){ .n = 0 };
    *all = args;
    if (db->tx == TX_NOTED)
        add_part(p, db_begin_sql, false);
    for (unsigned i = 0; i < b->waiting.n; i++)
        add_part(p, b->waiting.sql[i], (b->waiting.one >> i & 1) != 0);
    if (sql != NULL)
        add_part(p, sql, false);
    if (b->waiting.n == 0)
        return;
    if (args.n > 0)
        memcpy(&b->v[b->n_v], args.v, args.n * sizeof(args.v[0]));
    *all = (struct db_args){ b->v, b->n_v + args.n };
}
