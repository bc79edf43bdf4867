/* A client of servers that do what a test has planned, in the place of
 * mysql/: what is sent is written down, time is the test's, and any call
 * fails as it was told. Failures are classified by the real mysql/errors.c.
 * Included once per program, which then takes from the library of objects
 * neither mysql/ nor the clock, the metrics and the log. */
#ifndef MG_TEST_MY_FAKE_H
#define MG_TEST_MY_FAKE_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "mysql/address.c"
#include "mysql/errors.c"

#define FAKE_START_MS  1000000
#define FAKE_HOSTS_MAX 4

/* The next calls with `part` in their text fail; a text is a statement's, or
 * "connect h0/d", "end 1", "fetch". */
struct fake_plan {
    const char *part;
    int times;
    unsigned code; /* of the server; 0: nothing but what follows */
    enum err own;  /* of the library itself */
    int64_t takes_ms;
};

static struct {
    int64_t now_ms;
    char said[16384]; /* what was sent, "; " between */
    size_t said_n;
    struct fake_plan plan[16];
    size_t n_plans;
    bool down[FAKE_HOSTS_MAX];
    bool no_memory, stale, no_compounds;
    unsigned long long sessions;
    const char *value; /* of my_value_of */
    int rows;          /* that the next result has: 1, 2, ... */
    int next_rows;     /* that the one behind it has; < 0: there is none */
    uint64_t matched, insert_id;
    int64_t wait_ms, until;
    int finished;
    uint64_t count[METRIC__MAX];
    int64_t gauge[METRIC__MAX];
    char log[65536];
    size_t log_n;
    int naps;
    char session[512]; /* the text that each connection begins with */
} fake;

static void
fake_reset(void)
{
    memset(&fake, 0, sizeof(fake));
    fake.now_ms = FAKE_START_MS;
    fake.wait_ms = 5000;
    fake.value = "";
    fake.matched = 1;
}

static void
fake_fails(const char *part, unsigned code)
{
    fake.plan[fake.n_plans++] =
        (struct fake_plan){ .part = part, .times = 1, .code = code };
}

static UNUSED void
fake_takes(const char *part, int64_t ms)
{
    fake.plan[fake.n_plans++] =
        (struct fake_plan){ .part = part, .times = 1, .takes_ms = ms };
}

static PRINTF_LIKE(1, 2) void fake_say(const char *fmt, ...)
{
    size_t room = sizeof(fake.said) - fake.said_n;
    va_list ap;
    int n;

    if (fake.said_n > 0 && room > 3) {
        memcpy(fake.said + fake.said_n, "; ", 3);
        fake.said_n += 2;
        room -= 2;
    }
    va_start(ap, fmt);
    n = vsnprintf(fake.said + fake.said_n, room, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < room)
        fake.said_n += (size_t)n;
}

/* What was said since the last call. */
static const char *
fake_said(void)
{
    static char text[sizeof(fake.said)];

    memcpy(text, fake.said, fake.said_n + 1);
    fake.said_n = 0;
    fake.said[0] = '\0';
    return text;
}

/* ---- time, counters, log ---- */

int64_t
clock_mono_ms(void)
{
    return fake.now_ms;
}

int64_t
clock_mono_us(void)
{
    return fake.now_ms * 1000;
}

int64_t
clock_unix_ms(void)
{
    return fake.now_ms;
}

int64_t
clock_unix_s(void)
{
    return fake.now_ms / 1000;
}

int
nanosleep(const struct timespec *t, struct timespec *left)
{
    (void)left;
    fake.now_ms += t->tv_sec * 1000 + t->tv_nsec / 1000000;
    fake.naps++;
    return 0;
}

void
metrics_add(enum metric m, uint64_t n)
{
    fake.count[m] += n;
}

void
metrics_gauge(enum metric m, int64_t n)
{
    fake.gauge[m] += n;
}

void
log_write(enum log_level lv, const char *fmt, ...)
{
    size_t room = sizeof(fake.log) - fake.log_n;
    va_list ap;
    int n;

    if (lv == LOG_LV_DEBUG)
        return;
    va_start(ap, fmt);
    n = vsnprintf(fake.log + fake.log_n, room, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n + 1 < room) {
        fake.log_n += (size_t)n;
        fake.log[fake.log_n++] = '\n';
        fake.log[fake.log_n] = '\0';
    }
}

/* ---- outcomes ---- */

/* Whether the call goes well; otherwise the failure is noted. */
static enum err
fake_outcome(struct my *my, const char *text, const char *sql, unsigned traits)
{
    my->sent_ms = fake.now_ms;
    my->wait_ms = fake.wait_ms;
    for (size_t i = 0; i < fake.n_plans; i++) {
        struct fake_plan *p = &fake.plan[i];

        if (p->times == 0 || strstr(text, p->part) == NULL)
            continue;
        p->times--;
        fake.now_ms += p->takes_ms;
        if (p->own != ERR_OK)
            return my_fail_own(my, p->own, "planned", sql, traits);
        if (p->code != 0)
            return my_fail(my, p->code, "planned", sql, traits);
    }
    return ERR_OK;
}

/* As my_arm. */
static enum err
fake_arm(struct my *my, const char *sql)
{
    if (my->c == NULL)
        return my_fail(my, CR_SERVER_GONE_ERROR, "not connected", sql,
                       MY_UNSENT);
    if (my->until != 0 && fake.now_ms >= my->until)
        return my_fail_own(my, ERR_TIMEOUT, "deadline passed", sql, MY_UNSENT);
    return ERR_OK;
}

static unsigned
fake_writes(const char *sql)
{
    return strncmp(sql, "SELECT", 6) == 0 || strncmp(sql, "START", 5) == 0 ||
                   strncmp(sql, "SET TRANSACTION", 15) == 0 ||
                   strncmp(sql, "COMMIT", 6) == 0
               ? 0
               : MY_WRITES;
}

/* What every connection says is one word. */
static const char *
fake_short(const char *sql)
{
    if (strncmp(sql, "SET SESSION sql_mode", 20) == 0)
        return "session";
    return strncmp(sql, "SET SESSION TRANSACTION", 23) == 0 ? "isolation" : sql;
}

/* ---- my.h ---- */

struct my *
my_open(void)
{
    return fake.no_memory ? NULL : calloc(1, sizeof(struct my));
}

void
my_hangup(struct my *my)
{
    if (my->c != NULL)
        fake_say("hangup");
    my->c = NULL;
}

void
my_close(struct my *my)
{
    if (my == NULL)
        return;
    my_hangup(my);
    free(my);
}

bool
my_is_connected(const struct my *my)
{
    return my->c != NULL;
}

bool
my_is_stale(const struct my *my)
{
    return my->c != NULL && fake.stale;
}

void
my_until(struct my *my, int64_t mono_ms)
{
    my->until = fake.until = mono_ms;
}

bool
my_has_compounds(const struct my *my)
{
    (void)my;
    return !fake.no_compounds;
}

enum err
my_connect(struct my *my, const struct my_server *server, int64_t until)
{
    static MYSQL one;
    char text[512];
    enum err e;

    my_hangup(my);
    fake.until = until;
    (void)snprintf(text, sizeof(text), "connect %s/%s", server->at.label,
                   server->database != NULL ? server->database : "-");
    fake_say("%s", text);
    e = fake_outcome(my, text, "", MY_UNSENT);
    if (e != ERR_OK)
        return e;
    if (fake.down[server->at.label[1] - '0'])
        return my_fail(my, 2003, "down", "", MY_UNSENT);
    my->c = &one;
    fake.stale = false;
    my->session.id = ++fake.sessions;
    my->session.since_ms = fake.now_ms;
    (void)snprintf(my->session.server, sizeof(my->session.server), "%.99s",
                   server->at.label);
    return ERR_OK;
}

unsigned
my_version(const struct my *my)
{
    (void)my;
    return 101119;
}

bool
my_is_mariadb(const struct my *my)
{
    (void)my;
    return true;
}

const struct my_session *
my_session(const struct my *my)
{
    return &my->session;
}

enum err
my_session_end(struct my *my, const struct my_session *old, int64_t until)
{
    char text[32];

    (void)until;
    (void)snprintf(text, sizeof(text), "end %llu", old->id);
    fake_say("%s", text);
    if (strcmp(old->server, my->session.server) != 0)
        return ERR_STATE;
    return fake_outcome(my, text, "KILL", 0);
}

void
my_seal(struct my *my, const struct my_seal *seal)
{
    my->seal = seal;
}

enum err
my_value_of(struct my *my, const char *sql, char *out, size_t size)
{
    enum err e = fake_arm(my, sql);

    out[0] = '\0';
    if (e != ERR_OK)
        return e;
    fake_say("%s", fake_short(sql));
    if (strcmp(fake_short(sql), "session") == 0)
        (void)snprintf(fake.session, sizeof(fake.session), "%s", sql);
    e = fake_outcome(my, fake_short(sql), sql, fake_writes(sql));
    if (e == ERR_OK)
        (void)snprintf(out, size, "%s", fake.value);
    return e;
}

enum err
my_do(struct my *my, const char *sql)
{
    char dropped[2];

    return my_value_of(my, sql, dropped, sizeof(dropped));
}

static void
fake_add_value(char *text, size_t size, const struct my_arg *v)
{
    size_t n = strlen(text);

    if (v->type == MY_NULL)
        (void)snprintf(text + n, size - n, " NULL");
    else if (v->type == MY_STR)
        (void)snprintf(text + n, size - n, " '%.*s'", (int)v->n, v->p);
    else if (v->type == MY_F64)
        (void)snprintf(text + n, size - n, " %g", v->f);
    else
        (void)snprintf(text + n, size - n, " %lld", (long long)v->i);
}

/* "UPDATE ... | COMMIT (1 'x')": several parts, and their values. A "!"
 * stands before what must match a row. */
enum err
my_send(struct my *my, const struct my_parts *p, struct my_args args,
        const struct record *rec, struct my_stmt **out)
{
    static struct my_stmt st;
    char text[4096] = "", values[4096] = "";
    unsigned writes = 0;
    enum err e = fake_arm(my, p->sql[0]);

    my->matched = my->insert_id = 0;
    if (e != ERR_OK)
        return e;
    for (unsigned i = 0; i < p->n; i++) {
        size_t n = strlen(text);

        (void)snprintf(text + n, sizeof(text) - n, "%s%s%s", i > 0 ? " | " : "",
                       (p->one >> i & 1) != 0 ? "!" : "", p->sql[i]);
        writes |= fake_writes(p->sql[i]);
    }
    for (size_t i = 0; i < args.n; i++)
        fake_add_value(values, sizeof(values), &args.v[i]);
    fake_say("%s%s%s%s", text, args.n > 0 ? " (" : "",
             args.n > 0 ? values + 1 : "", args.n > 0 ? ")" : "");
    e = fake_outcome(my, text, p->sql[0], writes);
    st = (struct my_stmt){ .writes = writes, .rec = rec };
    *out = &st;
    if (e == ERR_OK) {
        my->matched = fake.matched;
        my->insert_id = fake.insert_id;
    }
    return e;
}

/* "next": the result behind it has fake.rows. */
enum err
my_next(struct my *my, struct my_stmt *st, const struct record *rec)
{
    enum err e = fake_arm(my, "next");

    if (e == ERR_OK)
        e = fake_outcome(my, "next", "next", 0);
    if (e != ERR_OK)
        return e;
    fake_say("next");
    fake.rows = fake.next_rows;
    st->rec = rec;
    return fake.next_rows < 0 ? ERR_NOT_FOUND : ERR_OK;
}

bool
my_stmt_writes(const struct my_stmt *st)
{
    return st->writes != 0;
}

uint64_t
my_matched(const struct my *my)
{
    return my->matched;
}

uint64_t
my_insert_id(const struct my *my)
{
    return my->insert_id;
}

enum err
my_prepare(struct my *my, const struct my_parts *p)
{
    enum err e = fake_arm(my, p->sql[0]);

    if (e != ERR_OK)
        return e;
    fake_say("prepare %s", p->sql[0]);
    return fake_outcome(my, p->sql[0], p->sql[0], MY_UNSENT);
}

/* A row's first field is its number counted down, or "n" as a text. */
enum err
my_fetch(struct my *my, struct my_stmt *st, struct arena *a, void *out)
{
    const struct field *f = &st->rec->fields[0];
    enum err e = fake_outcome(my, "fetch", "", 0);
    int64_t v = fake.rows;
    const char *text;
    uint64_t bits;

    if (e != ERR_OK)
        return e;
    if (fake.rows == 0)
        return ERR_NOT_FOUND;
    memset(out, 0, st->rec->size);
    if (fake.rows-- < 0)
        return ERR_OK; /* of NULLs */
    text = arena_printf(a, "%d", (int)v);
    if (f->type == F_STR)
        memcpy((char *)out + f->off, &text, sizeof(text));
    else
        memcpy((char *)out + f->off, &v, sizeof(v));
    bits = UINT64_C(1) << f->bit;
    memcpy(out, &bits, sizeof(bits));
    return ERR_OK;
}

enum err
my_fetch_all(struct my *my, struct my_stmt *st, struct arena *a, size_t max,
             void *list)
{
    struct {
        size_t n;
        char *v;
    } out = { 0, arena_array(a, 32, st->rec->size) };
    enum err e;

    while ((e = my_fetch(my, st, a, out.v + out.n * st->rec->size)) == ERR_OK)
        if (out.n++ == max)
            return ERR_LIMIT;
    if (e != ERR_NOT_FOUND)
        return e;
    memcpy(list, &out, sizeof(out));
    return ERR_OK;
}

void
my_finish(struct my *my, struct my_stmt *st)
{
    (void)my;
    (void)st;
    fake.finished++;
}

enum err
my_library_begin(void)
{
    return ERR_OK;
}

void
my_library_end(void)
{
}

#endif
