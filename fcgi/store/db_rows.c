/* Results of the store's statements: one row, a list, or row by row. */
#include "db_impl.h"

#include <string.h>

static enum err
fetch(struct db *db, struct my_stmt *st, struct arena *a, void *out)
{
    enum err e = my_fetch(db->my, st, a, out);

    return e == ERR_OK || e == ERR_NOT_FOUND ? e : db_fail(db);
}

enum err
db_one(struct db *db, struct arena *a, const char *sql, struct db_args args,
       const struct record *rec, void *out)
{
    struct my_stmt *st;
    enum err e;

    e = db_read(db, sql, args, rec, &st);
    if (e != ERR_OK)
        return e;
    e = fetch(db, st, a, out);
    db_finish(db, st);
    return e;
}

enum err
db_list(struct db *db, struct arena *a, const char *sql, struct db_args args,
        const struct record *rec, size_t max, void *list)
{
    static const struct {
        size_t n;
        char *v;
    } none = { 0, NULL };
    struct my_stmt *st;
    enum err e;

    memcpy(list, &none, sizeof(none));
    e = db_read(db, sql, args, rec, &st);
    if (e != ERR_OK)
        return e;
    e = my_fetch_all(db->my, st, a, max, list);
    if (e != ERR_OK && e != ERR_LIMIT)
        e = db_fail(db);
    db_finish(db, st);
    return e;
}

enum err
db_one_i64(struct db *db, const char *sql, struct db_args args, int64_t *out)
{
    struct I64 row;
    enum err e;

    e = db_one(db, db->row_arena, sql, args, &I64_rec, &row);
    if (e == ERR_OK && !HAS(&row, I64, v))
        e = ERR_NOT_FOUND;
    if (e == ERR_OK)
        *out = row.v;
    return e;
}

enum err
db_one_str(struct db *db, struct arena *a, const char *sql, struct db_args args,
           const char **out)
{
    struct STR row;
    enum err e;

    e = db_one(db, a, sql, args, &STR_rec, &row);
    if (e == ERR_OK && !HAS(&row, STR, v))
        e = ERR_NOT_FOUND;
    if (e == ERR_OK)
        *out = row.v;
    return e;
}

/* ---- streamed ---- */

struct rows_state {
    struct db *db;
    struct my_stmt *st;
    void *row;
    enum err ended; /* what next answers once it is over; OK = going on */
};

void
db_rows_end(struct db *db)
{
    struct rows_state *s = db->open;

    if (s == NULL)
        return;
    db->open = NULL;
    db_finish(db, s->st);
}

static void
rows_close(void *thing)
{
    struct rows_state *s = thing;

    if (s->db->open == s)
        db_rows_end(s->db);
}

static enum err
rows_next(struct rows *rows, struct arena *a, const void **row)
{
    struct rows_state *s = rows->state;

    (void)a; /* a row lives until the next: it has an arena of its own */
    if (s->ended == ERR_OK && s->db->open != s)
        s->ended = ERR_STORE; /* the connection was lost or used */
    if (s->ended != ERR_OK)
        return s->ended;
    arena_reset(s->db->row_arena);
    s->ended = fetch(s->db, s->st, s->db->row_arena, s->row);
    if (s->ended != ERR_OK)
        rows_close(s);
    *row = s->row;
    return s->ended;
}

enum err
db_rows(struct db *db, struct arena *a, const char *sql, struct db_args args,
        const struct record *rec, struct rows *out)
{
    struct rows_state *s = arena_alloc(a, sizeof(*s));
    enum err e;

    if (s == NULL)
        return ERR_NOMEM;
    s->row = arena_alloc(a, rec->size);
    if (s->row == NULL)
        return ERR_NOMEM;
    s->db = db;
    e = db_read(db, sql, args, rec, &s->st);
    if (e != ERR_OK)
        return e;
    db->open = s;
    out->next = rows_next;
    out->state = s;
    return arena_defer(a, rows_close, s);
}

enum err
db_each(struct db *db, struct arena *a, const char *sql, struct db_args args,
        const struct record *rec, enum err (*f)(void *ctx, const void *row),
        void *ctx)
{
    struct rows rows;
    const void *row;
    enum err e;

    e = db_rows(db, a, sql, args, rec, &rows);
    while (e == ERR_OK) {
        e = rows.next(&rows, a, &row);
        if (e == ERR_OK)
            e = f(ctx, row);
        else if (e == ERR_NOT_FOUND)
            return ERR_OK;
    }
    db_rows_end(db);
    return e;
}
