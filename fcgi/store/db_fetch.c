/* Results: columns become fields of a record. */
#include "db_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypt.h"
#include "log.h"

#define LIST_FIRST 16

/* ---- one row ---- */

static enum err
fetch_text(struct stmt *st, struct arena *a, size_t i, struct span *out)
{
    unsigned long n = st->cell[i].n;
    my_bool null = 0, cut = 0;
    MYSQL_BIND b;
    char *p = arena_alloc(a, n + 1);

    if (p == NULL)
        return ERR_NOMEM;
    memset(&b, 0, sizeof(b));
    b.buffer_type = MYSQL_TYPE_STRING;
    b.buffer = p;
    b.buffer_length = n + 1;
    b.length = &n;
    b.is_null = &null;
    b.error = &cut;
    if (mysql_stmt_fetch_column(st->my, &b, (unsigned)i, 0) != 0)
        return ERR_STORE;
    out->p = p;
    out->n = st->cell[i].n;
    return ERR_OK;
}

static enum err
open_secret(struct db *db, struct stmt *st, struct arena *a, size_t i,
            struct span *text)
{
    const struct column *c = &st->column[i];
    struct span row;
    enum err e;

    if (st->cell[st->secret_row].null)
        return ERR_INTERNAL;
    e = fetch_text(st, db->scratch, st->secret_row, &row);
    if (e == ERR_OK)
        e = crypt_open(a, c->org_table, row.p, c->org_column, text->p,
                       &text->p);
    if (e == ERR_OK)
        text->n = strlen(text->p);
    arena_reset(db->scratch);
    return e == ERR_STATE ? ERR_INTERNAL : e; /* logged by crypt_open */
}

/* An unknown name comes from a newer version's row: the field is absent. */
static bool
store_enum(const struct field *f, const char *text, int *out)
{
    const struct enum_name *n;

    for (n = f->names; n->name != NULL; n++) {
        if (strcmp(n->name, text) == 0) {
            *out = n->value;
            return true;
        }
    }
    log_warn("db.unknown_name field=%s name=%s", f->key, text);
    return false;
}

static enum err
store_text(struct db *db, struct stmt *st, struct arena *a, size_t i, char *at,
           bool *present)
{
    const struct field *f = st->column[i].field;
    struct span text;
    enum err e;

    e = fetch_text(st, a, i, &text);
    if (e == ERR_OK && st->column[i].org_table != NULL)
        e = open_secret(db, st, a, i, &text);
    if (e != ERR_OK)
        return e;
    if (f->type == F_STR)
        memcpy(at, &text.p, sizeof(text.p));
    else if (f->type == F_ENUM)
        *present = store_enum(f, text.p, (int *)(void *)at);
    else
        memcpy(at, &text, sizeof(text));
    return ERR_OK;
}

static enum err
store_number(const struct field *f, const struct cell *c, char *at)
{
    int32_t narrow = (int32_t)c->v.i;
    bool yes = c->v.i != 0;

    if (f->type == F_I32 && narrow == c->v.i)
        memcpy(at, &narrow, sizeof(narrow));
    else if (f->type == F_I32 || c->cut)
        return ERR_INTERNAL; /* the column is wider than the field */
    else if (f->type == F_BOOL || f->type == F_FLAG)
        memcpy(at, &yes, sizeof(yes));
    else
        memcpy(at, &c->v, sizeof(c->v));
    return ERR_OK;
}

static enum err
store_cell(struct db *db, struct stmt *st, struct arena *a, size_t i, char *out)
{
    const struct field *f = st->column[i].field;
    bool present = true;
    uint64_t has;
    enum err e;

    if (f == NULL || st->cell[i].null)
        return ERR_OK;
    e = db_is_text(f) ? store_text(db, st, a, i, out + f->off, &present)
                      : store_number(f, &st->cell[i], out + f->off);
    if (e == ERR_OK && present) {
        memcpy(&has, out, sizeof(has));
        has |= UINT64_C(1) << f->bit;
        memcpy(out, &has, sizeof(has));
    }
    return e;
}

/* An error in place of a row (a deadlock, where the statement locks) is noted
 * by the library at the connection, not at the statement. */
static enum err
fail_fetch(struct db *db, struct stmt *st)
{
    unsigned code = mysql_stmt_errno(st->my);

    if (code == 0)
        return db_fail(db, mysql_errno(db->my), mysql_error(db->my), st->sql,
                       st->writes);
    return db_fail(db, code, mysql_stmt_error(st->my), st->sql, st->writes);
}

/* The next row into *out, zeroed first; NOT_FOUND at the end. */
static enum err
fetch(struct db *db, struct stmt *st, struct arena *a, void *out)
{
    int got = mysql_stmt_fetch(st->my);
    enum err e = ERR_OK;
    size_t i;

    if (got == MYSQL_NO_DATA)
        return ERR_NOT_FOUND;
    if (got != 0 && got != MYSQL_DATA_TRUNCATED) /* that is: see bind_cell */
        return fail_fetch(db, st);
    memset(out, 0, st->rec->size);
    for (i = 0; i < st->n_columns && e == ERR_OK; i++)
        e = store_cell(db, st, a, i, out);
    if (e != ERR_OK)
        return db_fail_own(db, e, "a value that its field does not take",
                           st->sql);
    return ERR_OK;
}

/* ---- public ---- */

enum err
db_one(struct db *db, struct arena *a, const char *sql, struct db_args args,
       const struct record *rec, void *out)
{
    struct stmt *st;
    enum err e;

    e = db_run(db, sql, args, rec, &st);
    if (e != ERR_OK)
        return e;
    e = fetch(db, st, a, out);
    db_finish(db, st);
    return e;
}

/* Doubles the array: one copy of each row on average, none per row. */
static enum err
grow(struct arena *a, size_t size, size_t n, size_t *cap, char **rows)
{
    size_t want = *cap == 0 ? LIST_FIRST : *cap * 2;
    char *p;

    if (n < *cap)
        return ERR_OK;
    p = arena_array(a, want, size);
    if (p == NULL)
        return ERR_NOMEM;
    if (n > 0)
        memcpy(p, *rows, n * size);
    *rows = p;
    *cap = want;
    return ERR_OK;
}

static enum err
fetch_all(struct db *db, struct stmt *st, struct arena *a, size_t max,
          size_t *n, char **rows)
{
    size_t size = st->rec->size, cap = 0;
    enum err e;

    for (;; ++*n) {
        e = grow(a, size, *n, &cap, rows);
        if (e == ERR_OK)
            e = fetch(db, st, a, *rows + *n * size);
        if (e == ERR_OK && *n == max)
            e = ERR_LIMIT;
        if (e != ERR_OK)
            return e == ERR_NOT_FOUND ? ERR_OK : e;
    }
}

enum err
db_list(struct db *db, struct arena *a, const char *sql, struct db_args args,
        const struct record *rec, size_t max, void *list)
{
    struct {
        size_t n;
        char *v;
    } out = { 0, NULL };
    struct stmt *st;
    enum err e;

    memcpy(list, &out, sizeof(out));
    e = db_run(db, sql, args, rec, &st);
    if (e != ERR_OK)
        return e;
    e = fetch_all(db, st, a, max, &out.n, &out.v);
    db_finish(db, st);
    if (e == ERR_OK)
        memcpy(list, &out, sizeof(out));
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
    struct stmt *st;
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
    e = db_run(db, sql, args, rec, &s->st);
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
