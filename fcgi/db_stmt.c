/* Statements: prepared once per connection, found again by the address of
 * their text, sent with their values. */
#include "db_impl.h"

#include <assert.h>
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
bucket_of(struct db *db, const char *sql)
{
    uint64_t h = (uint64_t)(uintptr_t)sql * UINT64_C(0x9e3779b97f4a7c15);

    return &db->bucket[(h >> 32) % DB_BUCKETS];
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
    struct stmt **at = bucket_of(db, st->sql);

    while (*at != st)
        at = &(*at)->next;
    *at = st->next;
    db->n_stmts--;
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

/* Makes room for one more: the one not used for longest goes. */
static void
make_room(struct db *db)
{
    struct stmt *oldest = NULL, *st;
    size_t i;

    if (db->n_stmts < DB_STMTS_MAX)
        return;
    for (i = 0; i < DB_BUCKETS; i++)
        for (st = db->bucket[i]; st != NULL; st = st->next)
            if (oldest == NULL || st->used < oldest->used)
                oldest = st;
    stmt_drop(db, oldest);
}

/* Whether a lost reply leaves it open if something was changed. */
static bool
changes_something(const char *sql)
{
    sql += strspn(sql, " \t\n(");
    return strncasecmp(sql, "SELECT", 6) != 0 &&
           strncasecmp(sql, "SHOW", 4) != 0 && strncasecmp(sql, "WITH", 4) != 0;
}

static enum err
prepare_new(struct db *db, struct stmt *st, const char *sql)
{
    st->sql = sql;
    st->writes = changes_something(sql);
    st->my = mysql_stmt_init(db->my);
    if (st->my == NULL)
        return db_fail_own(db, ERR_NOMEM, "no memory", sql);
    if (mysql_stmt_prepare(st->my, sql, strlen(sql)) != 0)
        return db_fail(db, mysql_stmt_errno(st->my), mysql_stmt_error(st->my),
                       sql, false);
    st->n_params = mysql_stmt_param_count(st->my);
    st->n_columns = mysql_stmt_field_count(st->my);
    st->param = calloc(st->n_params + 1, sizeof(*st->param));
    if (st->param == NULL)
        return db_fail_own(db, ERR_NOMEM, "no memory", sql);
    return ERR_OK;
}

static enum err
stmt_prepare(struct db *db, const char *sql, struct stmt **out)
{
    struct stmt **at, *st;
    enum err e;

    make_room(db);
    st = calloc(1, sizeof(*st));
    if (st == NULL)
        return db_fail_own(db, ERR_NOMEM, "no memory", sql);
    e = prepare_new(db, st, sql);
    if (e != ERR_OK) {
        stmt_free(st);
        return e;
    }
    at = bucket_of(db, sql);
    st->next = *at;
    *at = st;
    db->n_stmts++;
    *out = st;
    return ERR_OK;
}

static enum err
stmt_find(struct db *db, const char *sql, struct stmt **out)
{
    struct stmt *st = *bucket_of(db, sql);
    enum err e;

    while (st != NULL && st->sql != sql)
        st = st->next;
    if (st == NULL) {
        e = stmt_prepare(db, sql, &st);
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

static bool
must_prepare_again(const struct stmt *st, unsigned code)
{
    return code == UNKNOWN_STMT || code == NEED_REPREPARE ||
           (code == CR_NEW_STMT_METADATA && !st->writes);
}

static enum err
send_once(struct db *db, const char *sql, struct db_args args,
          const struct record *rec, struct stmt **out, unsigned *code)
{
    struct stmt *st;
    enum err e;

    *code = 0;
    e = stmt_find(db, sql, &st);
    if (e == ERR_OK)
        e = bind_values(db, st, args);
    if (e == ERR_OK && rec != NULL)
        e = db_match(db, st, rec);
    if (e != ERR_OK)
        return e;
    *out = st;
    metrics_add(METRIC_STORE_STATEMENTS, 1);
    if (mysql_stmt_execute(st->my) != 0)
        *code = mysql_stmt_errno(st->my);
    return ERR_OK;
}

enum err
db_run(struct db *db, const char *sql, struct db_args args,
       const struct record *rec, struct stmt **out)
{
    unsigned code;
    enum err e;

    e = db_ready(db);
    if (e == ERR_OK)
        e = send_once(db, sql, args, rec, out, &code);
    if (e == ERR_OK && code != 0 && must_prepare_again(*out, code)) {
        stmt_drop(db, *out);
        e = send_once(db, sql, args, rec, out, &code);
    }
    arena_reset(db->scratch);
    if (e != ERR_OK)
        return e;
    if (db->tx == TX_OPEN)
        db->wrote = db->wrote || (*out)->writes;
    if (code != 0)
        return db_fail(db, code, mysql_stmt_error((*out)->my), sql,
                       (*out)->writes);
    db->used_ms = db->sent_ms;
    return ERR_OK;
}

enum err
db_exec(struct db *db, const char *sql, struct db_args args)
{
    struct stmt *st;
    enum err e;

    db->matched = db->insert_id = 0;
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
    struct stmt *st;
    enum err e = db_ready(db);

    return e == ERR_OK ? stmt_find(db, sql, &st) : e;
}
