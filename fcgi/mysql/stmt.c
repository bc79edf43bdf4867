/* Prepared statements: made once per connection, found again by the addresses
 * of their texts, sent with their values. Several that leave together are one:
 *
 *     BEGIN NOT ATOMIC <a>; <b>; <c>; END */
#include "my_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mariadb/errmsg.h>

/* The server has forgotten the statement or its shape changed: it was not
 * executed, and preparing it again helps. */
enum { UNKNOWN_STMT = 1243, NEED_REPREPARE = 1615 };

/* ---- the cache ---- */

static struct my_stmt **
bucket_of(struct my *my, const struct my_parts *p)
{
    uint64_t h = 0;

    for (size_t i = 0; i < p->n; i++)
        h = (h + (uintptr_t)p->sql[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return &my->bucket[(h >> 32) % BUCKETS];
}

static bool
same(const struct my_parts *a, const struct my_parts *b)
{
    return a->n == b->n && a->one == b->one &&
           memcmp(a->sql, b->sql, a->n * sizeof(a->sql[0])) == 0;
}

static void
stmt_free(struct my_stmt *st)
{
    my_unmatch(st);
    if (st->c != NULL)
        (void)mysql_stmt_close(st->c);
    free(st->param);
    free(st);
}

static void
stmt_drop(struct my *my, struct my_stmt *st)
{
    struct my_stmt **at = bucket_of(my, &st->key);

    while (*at != st)
        at = &(*at)->next;
    *at = st->next;
    my->n_stmts--;
    my->n_compound -= st->key.n > 1;
    stmt_free(st);
}

void
my_stmts_drop(struct my *my)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (my->bucket[i] != NULL)
            stmt_drop(my, my->bucket[i]);
}

static void
drop_oldest(struct my *my, unsigned min_parts)
{
    struct my_stmt *oldest = NULL, *st;

    for (size_t i = 0; i < BUCKETS; i++)
        for (st = my->bucket[i]; st != NULL; st = st->next)
            if (st->key.n >= min_parts &&
                (oldest == NULL || st->used < oldest->used))
                oldest = st;
    stmt_drop(my, oldest);
}

/* Makes room for one more: the one not used for longest goes. */
static void
make_room(struct my *my, const struct my_parts *p)
{
    if (p->n > 1 && my->n_compound == COMPOUND_MAX)
        drop_oldest(my, 2);
    else if (my->n_stmts == STMTS_MAX)
        drop_oldest(my, 1);
}

/* Not of transactions' own words: a COMMIT that is lost is another matter. */
unsigned
my_writes(const char *sql)
{
    static const char *const reads[] = {
        "SELECT",          "SHOW",  "WITH", "KILL", "START TRANSACTION",
        "SET TRANSACTION", "COMMIT"
    };

    sql += strspn(sql, " \t\n(");
    for (size_t i = 0; i < COUNT(reads); i++)
        if (strncasecmp(sql, reads[i], strlen(reads[i])) == 0)
            return 0;
    return MY_WRITES;
}

bool
my_stmt_writes(const struct my_stmt *st)
{
    return st->writes != 0;
}

/* The text of several. With CLIENT_FOUND_ROWS, ROW_COUNT() counts the rows
 * that matched. */
static const char *
compound(struct arena *a, const struct my_parts *p)
{
    const char *text = "BEGIN NOT ATOMIC ";

    for (unsigned i = 0; i < p->n && text != NULL; i++)
        text = arena_printf(a, "%s%s%s", text, p->sql[i],
                            (p->one >> i & 1) != 0
                                ? "; IF ROW_COUNT() = 0 THEN"
                                  " SIGNAL SQLSTATE '45000'; END IF; "
                                : "; ");
    return text != NULL ? arena_printf(a, "%sEND", text) : NULL;
}

static enum err
prepare_new(struct my *my, struct my_stmt *st, const struct my_parts *p)
{
    const char *text = p->n == 1 ? p->sql[0] : compound(my->scratch, p);

    st->key = *p;
    st->sql = p->n == 1 ? text : st->start;
    for (unsigned i = 0; i < p->n; i++)
        st->writes |= my_writes(p->sql[i]);
    st->c = mysql_stmt_init(my->c);
    if (st->c == NULL || text == NULL)
        return my_fail_own(my, ERR_NOMEM, "no memory", st->start, MY_UNSENT);
    (void)snprintf(st->start, sizeof(st->start), "%s", text);
    if (mysql_stmt_prepare(st->c, text, strlen(text)) != 0)
        return my_fail(my, mysql_stmt_errno(st->c), mysql_stmt_error(st->c),
                       st->sql, MY_UNSENT);
    st->n_params = mysql_stmt_param_count(st->c);
    st->n_columns = mysql_stmt_field_count(st->c);
    st->param = calloc(st->n_params + 1, sizeof(*st->param));
    if (st->param == NULL)
        return my_fail_own(my, ERR_NOMEM, "no memory", st->sql, MY_UNSENT);
    return ERR_OK;
}

static enum err
stmt_prepare(struct my *my, const struct my_parts *p, struct my_stmt **out)
{
    struct my_stmt **at, *st;
    enum err e;

    make_room(my, p);
    st = calloc(1, sizeof(*st));
    if (st == NULL)
        return my_fail_own(my, ERR_NOMEM, "no memory", p->sql[0], MY_UNSENT);
    e = prepare_new(my, st, p);
    arena_reset(my->scratch);
    if (e != ERR_OK) {
        stmt_free(st);
        return e;
    }
    at = bucket_of(my, p);
    st->next = *at;
    *at = st;
    my->n_stmts++;
    my->n_compound += p->n > 1;
    *out = st;
    return ERR_OK;
}

enum err
my_stmt_find(struct my *my, const struct my_parts *p, struct my_stmt **out)
{
    struct my_stmt *st = *bucket_of(my, p);
    enum err e = my_arm(my, p->sql[0]);

    while (st != NULL && !same(&st->key, p))
        st = st->next;
    if (e == ERR_OK && st == NULL) {
        e = stmt_prepare(my, p, &st);
        if (e == ERR_OK)
            e = my_arm(my, p->sql[0]);
    }
    if (e != ERR_OK)
        return e;
    st->used = ++my->tick;
    *out = st;
    return ERR_OK;
}

enum err
my_prepare(struct my *my, const struct my_parts *p)
{
    struct my_stmt *st;

    return my_stmt_find(my, p, &st);
}

/* ---- sending ---- */

/* Of a value with its length, type and place in the packet, at most. */
#define VALUE_BYTES 12
#define HEAD_BYTES  64

/* A server that is sent more than it takes hangs up, with or without a word:
 * so it is not sent. */
static bool
is_too_large(const struct my *my, struct my_args args)
{
    uint64_t n = HEAD_BYTES;

    for (size_t i = 0; i < args.n; i++)
        n += VALUE_BYTES +
             (args.v[i].type == MY_STR || args.v[i].type == MY_BYTES
                  ? args.v[i].n
                  : 0);
    return my->packet_bytes != 0 && n > my->packet_bytes;
}

static enum err
bind_values(struct my *my, struct my_stmt *st, struct my_args args)
{
    if (args.n != st->n_params)
        return my_fail_own(my, ERR_INTERNAL, "number of values", st->sql,
                           MY_UNSENT);
    if (is_too_large(my, args))
        return my_fail_own(my, ERR_LIMIT, "larger than max_allowed_packet",
                           st->sql, MY_UNSENT);
    for (size_t i = 0; i < args.n; i++)
        my_bind(&st->param[i], &args.v[i]);
    if (args.n > 0 && mysql_stmt_bind_param(st->c, st->param) != 0)
        return my_fail_own(my, ERR_INTERNAL, mysql_stmt_error(st->c), st->sql,
                           MY_UNSENT);
    return ERR_OK;
}

/* One statement of several may say the second, when others have been
 * executed. */
static bool
must_prepare_again(const struct my_stmt *st, unsigned code)
{
    return code == UNKNOWN_STMT ||
           (st->key.n == 1 && (code == NEED_REPREPARE ||
                               (code == CR_NEW_STMT_METADATA && !st->writes)));
}

/* Executed, or the number of the server's error in *code. */
static enum err
execute(struct my *my, const struct my_parts *p, struct my_args args,
        const struct record *rec, struct my_stmt **out, unsigned *code)
{
    enum err e = my_stmt_find(my, p, out);

    if (e == ERR_OK)
        e = bind_values(my, *out, args);
    if (e == ERR_OK && rec != NULL && p->n == 1)
        e = my_match(my, *out, rec);
    if (e == ERR_OK)
        *code = mysql_stmt_execute((*out)->c) != 0 ? mysql_stmt_errno((*out)->c)
                                                   : 0;
    return e;
}

enum err
my_send(struct my *my, const struct my_parts *p, struct my_args args,
        const struct record *rec, struct my_stmt **out)
{
    struct my_stmt *st;
    unsigned code;
    enum err e;

    my->matched = my->insert_id = 0;
    e = execute(my, p, args, rec, &st, &code);
    if (e == ERR_OK && code != 0 && must_prepare_again(st, code)) {
        stmt_drop(my, st);
        e = execute(my, p, args, rec, &st, &code);
    }
    if (e != ERR_OK)
        return e;
    if (code != 0)
        return my_fail(my, code, mysql_stmt_error(st->c), st->sql, st->writes);
    my->used_ms = my->sent_ms;
    my->warnings = mysql_warning_count(my->c);
    *out = st;
    if (rec != NULL) {
        e = p->n > 1 ? my_open_result(my, st, rec) : ERR_OK;
        if (e != ERR_OK)
            my_finish(my, st);
        return e;
    }
    if (st->n_columns > 0) { /* a result that nobody wants */
        (void)mysql_stmt_free_result(st->c);
        return ERR_OK;
    }
    my->matched = mysql_stmt_affected_rows(st->c);
    my->insert_id = mysql_stmt_insert_id(st->c);
    return ERR_OK;
}

enum err
my_exec(struct my *my, const char *sql, struct my_args args)
{
    struct my_stmt *st;

    return my_send(my, MY_SQL(sql), args, NULL, &st);
}
