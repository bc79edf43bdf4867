/* Statements: prepared once per connection, found again by the addresses of
 * their texts, sent with their values. Several that leave together are one
 * prepared statement: db_batch.c. */
#include "db_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mariadb/errmsg.h>

#include "log.h"
#include "metrics.h"

/* The server has forgotten the statement or its shape changed: it was not
 * executed, and preparing it again helps. */
enum { UNKNOWN_STMT = 1243, NEED_REPREPARE = 1615 };

/* ---- the cache ---- */

static struct stmt **
bucket_of(struct db *db, const struct parts *p)
{
    uint64_t h = 0;
    unsigned i;

    for (i = 0; i < p->n; i++)
        h = (h + (uintptr_t)p->sql[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return &db->bucket[(h >> 32) % DB_BUCKETS];
}

static bool
same(const struct parts *a, const struct parts *b)
{
    return a->n == b->n && a->one == b->one &&
           memcmp(a->sql, b->sql, a->n * sizeof(a->sql[0])) == 0;
}

static void
stmt_free(struct stmt *st)
{
    db_unmatch(st);
    if (st->my != NULL)
        (void)mysql_stmt_close(st->my);
    free(st->param);
    free(st);
}

static void
stmt_drop(struct db *db, struct stmt *st)
{
    struct stmt **at = bucket_of(db, &st->key);

    while (*at != st)
        at = &(*at)->next;
    *at = st->next;
    db->n_stmts--;
    db->n_joined -= st->key.n > 1;
    stmt_free(st);
}

void
db_stmts_drop(struct db *db)
{
    size_t i;

    for (i = 0; i < DB_BUCKETS; i++)
        while (db->bucket[i] != NULL)
            stmt_drop(db, db->bucket[i]);
}

static void
drop_oldest(struct db *db, unsigned min_parts)
{
    struct stmt *oldest = NULL, *st;
    size_t i;

    for (i = 0; i < DB_BUCKETS; i++)
        for (st = db->bucket[i]; st != NULL; st = st->next)
            if (st->key.n >= min_parts &&
                (oldest == NULL || st->used < oldest->used))
                oldest = st;
    stmt_drop(db, oldest);
}

/* Makes room for one more: the one not used for longest goes. */
static void
make_room(struct db *db, const struct parts *p)
{
    if (p->n > 1 && db->n_joined == DB_JOINED_MAX)
        drop_oldest(db, 2);
    else if (db->n_stmts == DB_STMTS_MAX)
        drop_oldest(db, 1);
}

static bool
changes_something(const char *sql)
{
    if (sql == db_begin_sql || sql == db_commit_sql)
        return false;
    sql += strspn(sql, " \t\n(");
    return strncasecmp(sql, "SELECT", 6) != 0 &&
           strncasecmp(sql, "SHOW", 4) != 0 && strncasecmp(sql, "WITH", 4) != 0;
}

bool
db_writes(const struct parts *p)
{
    bool writes = false;
    unsigned i;

    for (i = 0; i < p->n && !writes; i++)
        writes = changes_something(p->sql[i]);
    return writes;
}

static enum err
prepare_new(struct db *db, struct stmt *st, const struct parts *p)
{
    const char *text = p->n == 1 ? p->sql[0] : db_batch_text(db->scratch, p);

    st->key = *p;
    st->sql = p->n == 1 ? text : st->start;
    st->writes = db_writes(p);
    st->my = mysql_stmt_init(db->my);
    if (st->my == NULL || text == NULL)
        return db_fail_own(db, ERR_NOMEM, "no memory", st->sql);
    (void)snprintf(st->start, sizeof(st->start), "%s", text);
    if (mysql_stmt_prepare(st->my, text, strlen(text)) != 0)
        return db_fail(db, mysql_stmt_errno(st->my), mysql_stmt_error(st->my),
                       st->sql, false);
    st->n_params = mysql_stmt_param_count(st->my);
    st->n_columns = mysql_stmt_field_count(st->my);
    st->param = calloc(st->n_params + 1, sizeof(*st->param));
    if (st->param == NULL)
        return db_fail_own(db, ERR_NOMEM, "no memory", st->sql);
    return ERR_OK;
}

static enum err
stmt_prepare(struct db *db, const struct parts *p, struct stmt **out)
{
    struct stmt **at, *st;
    enum err e;

    make_room(db, p);
    st = calloc(1, sizeof(*st));
    if (st == NULL)
        return db_fail_own(db, ERR_NOMEM, "no memory", p->sql[p->n - 1]);
    e = prepare_new(db, st, p);
    if (e != ERR_OK) {
        stmt_free(st);
        return e;
    }
    at = bucket_of(db, p);
    st->next = *at;
    *at = st;
    db->n_stmts++;
    db->n_joined += p->n > 1;
    *out = st;
    return ERR_OK;
}

static enum err
stmt_find(struct db *db, const struct parts *p, struct stmt **out)
{
    struct stmt *st = *bucket_of(db, p);
    enum err e;

    while (st != NULL && !same(&st->key, p))
        st = st->next;
    if (st == NULL) {
        e = stmt_prepare(db, p, &st);
        if (e == ERR_OK)
            e = db_in_time(db); /* for what is sent next */
        if (e != ERR_OK)
            return e;
    }
    st->used = ++db->tick;
    *out = st;
    return ERR_OK;
}

/* ---- sending ---- */

static enum err
bind_values(struct db *db, struct stmt *st, struct db_args args)
{
    enum err e = ERR_OK;
    size_t i;

    if (args.n != st->n_params)
        return db_fail_own(db, ERR_INTERNAL, "number of values", st->sql);
    for (i = 0; i < args.n && e == ERR_OK; i++)
        e = db_bind_value(db, &st->param[i], &args.v[i]);
    if (e != ERR_OK)
        return db_fail_own(db, e, "a value", st->sql);
    if (args.n > 0 && mysql_stmt_bind_param(st->my, st->param) != 0)
        return db_fail_own(db, ERR_INTERNAL, mysql_stmt_error(st->my), st->sql);
    return ERR_OK;
}

/* One statement of a batch may say the second, when others have been
 * executed. */
static bool
must_prepare_again(const struct stmt *st, unsigned code)
{
    return code == UNKNOWN_STMT ||
           (st->key.n == 1 && (code == NEED_REPREPARE ||
                               (code == CR_NEW_STMT_METADATA && !st->writes)));
}

static enum err
send_once(struct db *db, const struct parts *p, struct db_args args,
          const struct record *rec, struct stmt **out, unsigned *code)
{
    struct stmt *st;
    enum err e;

    *code = 0;
    e = stmt_find(db, p, &st);
    if (e == ERR_OK)
        e = bind_values(db, st, args);
    if (e == ERR_OK && rec != NULL && p->n == 1)
        e = db_match(db, st, rec);
    if (e != ERR_OK)
        return e;
    *out = st;
    metrics_add(METRIC_STORE_STATEMENTS, 1);
    if (mysql_stmt_execute(st->my) != 0)
        *code = mysql_stmt_errno(st->my);
    return ERR_OK;
}

void
db_finish(struct db *db, struct stmt *st)
{
    if (db->my == NULL)
        return;
    (void)mysql_stmt_free_result(st->my);
    while (st->key.n > 1 && mysql_stmt_next_result(st->my) == 0)
        (void)mysql_stmt_free_result(st->my);
}

/* The columns of a batch are those of its last statement. */
static enum err
open_result(struct db *db, struct stmt *st, const struct record *rec)
{
    size_t n = mysql_stmt_field_count(st->my);
    enum err e;

    if (st->n_columns != n)
        db_unmatch(st);
    st->n_columns = n;
    e = db_match(db, st, rec);
    if (e != ERR_OK)
        db_finish(db, st);
    return e;
}

static enum err
send_parts(struct db *db, const struct parts *p, struct db_args args,
           const struct record *rec, struct stmt **out, unsigned *code)
{
    enum err e = send_once(db, p, args, rec, out, code);

    if (e == ERR_OK && *code != 0 && must_prepare_again(*out, *code)) {
        stmt_drop(db, *out);
        e = send_once(db, p, args, rec, out, code);
    }
    arena_reset(db->scratch);
    if (e != ERR_OK)
        return e;
    if (db->tx == TX_NOTED)
        db->tx = TX_OPEN; /* though what followed may have failed */
    if (db->tx == TX_OPEN)
        db->wrote = db->wrote || (*out)->writes;
    if (*code != 0)
        return ERR_OK;
    db->used_ms = db->sent_ms;
    return rec != NULL && p->n > 1 ? open_result(db, *out, rec) : ERR_OK;
}

enum err
db_send(struct db *db, const char *sql, struct db_args args,
        const struct record *rec, struct stmt **out, unsigned *code)
{
    struct db_args all;
    struct parts p;
    enum err e;

    e = db_ready(db);
    if (e == ERR_OK && db->batch.waiting.n > 0 && !db_batches(db))
        return db_batch_fail(db); /* connected anew, to an older server */
    if (e == ERR_OK && sql != NULL && db->batch.waiting.n > 0 &&
        !db_batch_fits(db, args)) {
        e = db_flush(db);
        if (e == ERR_OK)
            e = db_ready(db);
    }
    if (e != ERR_OK)
        return e;
    db_batch_gather(db, sql, args, &p, &all);
    db->batch.joined = p.n > 1 || db->batch.waiting.n > 0;
    e = send_parts(db, &p, all, rec, out, code);
    db_batch_forget(db);
    return e;
}

enum err
db_run(struct db *db, const char *sql, struct db_args args,
       const struct record *rec, struct stmt **out)
{
    unsigned code;
    enum err e;

    e = db_send(db, sql, args, rec, out, &code);
    if (e != ERR_OK || code == 0)
        return e;
    return db_fail(db, code, mysql_stmt_error((*out)->my), (*out)->sql,
                   (*out)->writes);
}

static enum err
exec_alone(struct db *db, const char *sql, struct db_args args)
{
    struct stmt *st;
    enum err e;

    e = db_run(db, sql, args, NULL, &st);
    if (e != ERR_OK)
        return e;
    if (st->n_columns > 0) { /* a result that nobody wants */
        (void)mysql_stmt_free_result(st->my);
        return ERR_OK;
    }
    db->matched = mysql_stmt_affected_rows(st->my);
    db->insert_id = mysql_stmt_insert_id(st->my);
    return ERR_OK;
}

enum err
db_exec(struct db *db, const char *sql, struct db_args args)
{
    enum err e = ERR_OK;

    db->matched = db->insert_id = 0;
    if (db->batch.wanted)
        e = db_ready(db);
    if (e == ERR_OK && db_has_company(db) && !db_batch_has_room(db, args))
        e = db_flush(db);
    if (e == ERR_OK && db_has_company(db))
        return db_exec_joined(db, sql, args);
    return e == ERR_OK ? exec_alone(db, sql, args) : e;
}

enum err
db_exec_one(struct db *db, const char *sql, struct db_args args)
{
    enum err e = db_exec(db, sql, args);

    return e == ERR_OK && db->matched == 0 ? ERR_NOT_FOUND : e;
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
    unsigned code;

    if (e == ERR_OK)
        e = db_flush(db);
    if (e != ERR_OK)
        return e;
    code = db_query(db, sql);
    if (code != 0)
        return db_fail(db, code, mysql_error(db->my), sql, true);
    db->used_ms = db->sent_ms;
    return ERR_OK;
}

enum err
db_prepare_only(struct db *db, const char *sql)
{
    const struct parts p = { .sql = { sql }, .n = 1 };
    struct stmt *st;
    enum err e = db_ready(db);

    return e == ERR_OK ? stmt_find(db, &p, &st) : e;
}
