/* The tables at work: a dialect of the tests' own goes through the dispatcher
 * without FastCGI. Hooks of the dialect and some of its handlers do what the
 * variables say. */
#ifndef MG_TEST_SAMPLE_H
#define MG_TEST_SAMPLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "job.h"
#include "api/dispatch.h"
#include "request/req_io.h"

/* ---- the dialect ---- */

#define INNER(X, s)                    \
    X(s, STR, key, "key", IN | OUT, -) \
    X(s, I64, n, "n", IN | OUT, -)
STRUCT(sample_inner, INNER);
TABLE(sample_inner, INNER);

#define THING(X, s)                                      \
    X(s, STR, name, "name", IN | OUT, -, .nested = NULL) \
    X(s, STR, secret, "secret", IN | OUT | SECRET, -)    \
    X(s, I64, level, "level", IN | OUT, -)               \
    X(s, OBJ, inner, "inner", IN | OUT, sample_inner)    \
    X(s, LIST, keyed, "keyed", IN | OUT, sample_inner, .keyed_by = "key")
STRUCT(sample_thing, THING);
TABLE(sample_thing, THING);

#define THING_PARAS(X, s)                              \
    X(s, STR, name, "label", IN, -, .nested = "paras") \
    X(s, I64, level, "depth", IN, -, .nested = "paras")
TABLE_OF(sample_thing_paras, sample_thing, THING_PARAS);

#define REF(X, s)                         \
    X(s, STR, name, "name", IN | PATH, -) \
    X(s, FLAG, detail, "detail", IN | QUERY, -)
STRUCT(sample_ref, REF);
TABLE(sample_ref, REF);

#define BY_NAME(X, s) X(s, STR, name, "name", IN, -)
STRUCT(sample_by_name, BY_NAME);
TABLE(sample_by_name, BY_NAME);

#define COUNT_IN(X, s) X(s, I64, n, "n", IN | QUERY, -)
STRUCT(sample_count, COUNT_IN);
TABLE(sample_count, COUNT_IN);

#define TABLE_OUT(X, s)                                            \
    X(s, STR, first, "first", OUT, -)                              \
    X(s, ROWS, rows, "rows", OUT, sample_inner, .keyed_by = "key") \
    X(s, STR, last, "last", OUT, -)
STRUCT(sample_table, TABLE_OUT);
TABLE(sample_table, TABLE_OUT);

#define ENDPOINT_FILE "sample/endpoints.def"
#define ERROR_FILE    "sample/errors.def"
#include "endpoint_protos.h"

static enum err
not_many(struct req *r, const void *p)
{
    const struct sample_thing *in = p;

    return in->level > 9 ? req_fail(r, SAMPLE_MANY, ARGS()) : ERR_OK;
}

CHECKS(sample_thing, NEED(name, SAMPLE_NAME),
       MATCH(name, "^[a-z]+$", SAMPLE_PATTERN), NEED_IN(inner.key, SAMPLE_NAME),
       FN(not_many));
CHECKS(sample_thing_paras, NEED(label, SAMPLE_NAME));
NO_CHECKS(sample_ref);
NO_CHECKS(sample_count);
NO_CHECKS(sample_by_name);

enum err
sample_thing_put(struct req *r, const struct sample_thing *in)
{
    enum err e = req_check(r, in);

    if (e != ERR_OK)
        return e;
    if (strcmp(in->name, "taken") == 0)
        return req_fail(r, SAMPLE_TAKEN, ARGS(arg("why", "{name}%s")));
    return req_send(r, &sample_thing_rec, in);
}

enum err
sample_thing_get(struct req *r, const struct sample_ref *in)
{
    struct sample_thing *out = arena_alloc(r->arena, sizeof(*out));

    out->name = in->name;
    SET(out, sample_thing, name);
    if (in->detail) {
        out->level = 7;
        SET(out, sample_thing, level);
    }
    return req_send(r, &sample_thing_rec, out);
}

enum err
sample_thing_drop(struct req *r, const struct sample_ref *in)
{
    (void)in;
    return req_ok(r);
}

enum err
sample_named_drop(struct req *r, const struct sample_by_name *in)
{
    (void)in;
    return req_ok(r);
}

enum err
sample_open(struct req *r, const struct none *in)
{
    (void)in;
    return req_ok(r);
}

enum err
sample_counted(struct req *r, const struct sample_count *in)
{
    (void)in;
    return req_ok(r);
}

enum err
sample_late(struct req *r, const struct sample_ref *in)
{
    struct sample_ref *late = arena_alloc(r->arena, sizeof(*late));
    enum err e;

    assert_null(in->name);
    e = req_bind(r, late);
    return e == ERR_OK
               ? req_send_text(r, "text/x", late->name, strlen(late->name))
               : e;
}

/* What it was told of its end: the answer, and what stood before is gone. */
static enum err
sample_end(struct req *r, void *ctx)
{
    const struct sample_ref *in = ctx;
    struct sample_thing *out = arena_alloc(r->arena, sizeof(*out));

    if (strcmp(in->name, "fails") == 0)
        return req_fail(r, SAMPLE_MANY, ARGS());
    PUT(out, sample_thing, name, in->name);
    return req_send(r, &sample_thing_rec, out);
}

enum err
sample_then(struct req *r, const struct sample_ref *in)
{
    struct sample_ref *copy = arena_alloc(r->arena, sizeof(*copy));

    *copy = *in;
    req_header_add(r, "X-Before", "1");
    req_then(r, sample_end, copy);
    return req_send_text(r, "text/x", "before", 6);
}

/* What a test wants to be done, and how often it was. */
static enum err (*act)(struct req *r);
static int runs;

enum err
sample_act(struct req *r, const struct sample_thing *in)
{
    (void)in;
    runs++;
    return act(r);
}

enum err
sample_act_bare(struct req *r, const struct none *in)
{
    (void)in;
    runs++;
    return act(r);
}

/* n rows; the row of number 13 fails. */
static enum err
next_row(struct rows *rows, struct arena *a, const void **row)
{
    static struct sample_inner inner;
    int64_t *left = rows->state;

    if (*left == 0)
        return ERR_NOT_FOUND;
    (*left)--;
    inner = (struct sample_inner){ .n = *left };
    inner.key = arena_printf(a, "key%08lld", (long long)*left);
    SET(&inner, sample_inner, key);
    SET(&inner, sample_inner, n);
    *row = &inner;
    return *left == 13 ? ERR_STORE : ERR_OK;
}

enum err
sample_rows_get(struct req *r, const struct sample_count *in)
{
    struct sample_table *out = arena_alloc(r->arena, sizeof(*out));
    int64_t *left = arena_alloc(r->arena, sizeof(*left));

    *left = in->n;
    out->first = "f";
    out->last = "l";
    out->rows = (struct rows){ next_row, left };
    SET(out, sample_table, first);
    SET(out, sample_table, rows);
    SET(out, sample_table, last);
    return req_send(r, &sample_table_rec, out);
}

/* ---- the form ---- */

static enum err
reply(struct req *r, struct json_writer *w, const struct record *rec,
      const void *out)
{
    if (rec == NULL) {
        jw_str(w, "ok");
        return ERR_OK;
    }
    return record_render(w, rec, out, req_secrets(r), false, r->arena);
}

static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    (void)r;
    jw_object(w);
    jw_key(w, f->code);
    jw_str(w, f->text);
    jw_object_end(w);
}

static void
accepted(struct req *r, struct json_writer *w, const char *job_id)
{
    (void)r;
    jw_object(w);
    jw_key_str(w, "job", job_id);
    jw_object_end(w);
}

#define FORM_BASE                                                         \
    .secrets = SECRETS_STARS, .reply_type = "application/json",           \
    .error_type = "application/json", .reply = reply, .failure = failure, \
    .accept = accepted

static const struct form sample_form = { .name = "sample", FORM_BASE };
static const struct form sample_leaves = {
    .name = "leaves", FORM_BASE, .style = { .all_leaves_string = true }
};

/* ---- hooks ---- */

static const struct encoding encodings[] = { { "D3", &sample_form },
                                             { NULL, NULL } };

/* Which hooks were asked, by their first letters; the one that refuses. */
static char hooks_asked[16];
static char hook_refuses;

static enum err
hook(struct req *r, char letter)
{
    size_t n = strlen(hooks_asked);

    assert_true(n + 1 < sizeof(hooks_asked));
    hooks_asked[n] = letter;
    hooks_asked[n + 1] = '\0';
    return hook_refuses == letter ? req_fail(r, SAMPLE_HOOK, ARGS()) : ERR_OK;
}

static enum err
query(struct req *r)
{
    return hook(r, 'q');
}

static enum err
admit(struct req *r, const void *in)
{
    assert_non_null(in);
    return hook(r, 'a');
}

static enum err
basic(struct req *r, const char *user, const char *password)
{
    assert_string_equal(password, "pass");
    return strcmp(user, "user") == 0 ? ERR_OK
                                     : req_fail(r, SAMPLE_HOOK, ARGS());
}

/* The verb of a body that is not JSON, in a header. */
static const char *
raw_verb(const struct req *r)
{
    return req_header(r, "HTTP_VERB");
}

static enum err
classify(struct req *r, const struct json *body)
{
    const struct json *type = json_member(body, "job_type");

    req_select(r, type == NULL ? "" : json_text(type),
               json_member(body, "paras") != NULL ? &encodings[0] : NULL);
    return ERR_OK;
}

static enum err
leader(struct req *r)
{
    enum err e = hook(r, 'l');

    if (e != ERR_OK)
        req_header_add(r, "Location", "http://other\r\nX: y");
    return e;
}

#include "endpoint_tables.h"

static const struct listener listeners[] = {
    { "doris", "", 1, 5000, "doris" },
    { "console", "", 1, 8080, "console" },
    { "basic", "", 1, 8081, "console" },
    { "free", "", 1, 8082, "console" },
    { .name = NULL },
};

/* The migrations of all dialects make tables there. */
static const char *const unlogged[] = { "Kunlun_Metadata_DB", NULL };

static const struct dialect sample = {
    .name = "sample",
    DIALECT_TABLES,
    .listeners = listeners,
    .encodings = encodings,
    .classify = classify,
    .raw_verb = raw_verb,
    .query = query,
    .admit = admit,
    .leader = leader,
    .basic = basic,
    .unlogged = unlogged,
};

extern const struct dialect *const dialects[];
const struct dialect *const dialects[] = { &sample, NULL };

/* ---- a request without FastCGI ---- */

static struct buf sent;
static bool aborted;

static enum err
io_write(struct req_io *io, const char *p, size_t n)
{
    (void)io;
    buf_put(&sent, p, n);
    return ERR_OK;
}

static void
io_abort(struct req_io *io)
{
    (void)io;
    aborted = true;
}

static const char *header_name, *header_value; /* the one the client sent */

static const char *
io_param(struct req_io *io, const char *name)
{
    (void)io;
    return header_name != NULL && strcmp(header_name, name) == 0 ? header_value
                                                                 : NULL;
}

static struct arena *arena;
static struct db *sample_db;

struct ask {
    const char *listener, *method, *path, *body, *scope;
    const struct param *query;
    size_t n_query;
    bool secrets, too_large;
    int64_t deadline_ms, started_ms;
    const char *id; /* of the request */
    const char *header_name, *header_value;
};

/* The request as the worker hands it over: by default an admin's POST to
 * "doris". */
static struct req_io io;
static struct req
request(struct ask ask)
{
    struct req r = {
        .arena = arena,
        .db = sample_db,
        .io = &io,
        .trace.request = ask.id == NULL ? "id1" : ask.id,
        .token_name = "t",
        .listener = ask.listener == NULL ? "doris" : ask.listener,
        .method = ask.method == NULL ? "POST" : ask.method,
        .path = ask.path,
        .body = ask.body == NULL ? "" : ask.body,
        .query = ask.query,
        .n_query = ask.n_query,
        .rights = scope_rights(ask.scope == NULL ? "admin" : ask.scope),
        .see_secrets = ask.secrets,
        .deadline_ms = ask.deadline_ms,
        .started_ms = ask.started_ms != 0 ? ask.started_ms : clock_mono_ms(),
    };

    io = (struct req_io){ .write = io_write,
                          .abort = io_abort,
                          .param = io_param,
                          .body_too_large = ask.too_large };
    header_name = ask.header_name;
    header_value = ask.header_value;
    r.body_bytes = strlen(r.body);
    arena_reset(arena);
    buf_reset(&sent);
    aborted = false;
    hooks_asked[0] = '\0';
    runs = 0;
    return r;
}

/* Sends it; the whole CGI reply is in `sent`. */
static const char *
serve(struct ask ask)
{
    struct req r = request(ask);

    dispatch(&r);
    return buf_text(&sent);
}

static UNUSED const char *
body_of(const char *reply_text)
{
    const char *p = strstr(reply_text, "\r\n\r\n");

    return p == NULL ? "" : p + 4;
}

#define ASK(...)        serve((struct ask){ __VA_ARGS__ })
#define SAYS(text, ...) assert_string_equal(body_of(ASK(__VA_ARGS__)), text)
#define STATUS(n, ...) \
    assert_non_null(strstr(ASK(__VA_ARGS__), "Status: " #n " "))

static int
sample_setup(void **state)
{
    (void)state;
    arena = arena_new((size_t)64 << 20);
    sample_db = db_open();
    sent = (struct buf)BUF_INIT((size_t)64 << 20);
    return dispatch_init() == ERR_OK ? 0 : -1;
}

static int
sample_teardown(void **state)
{
    (void)state;
    buf_free(&sent);
    db_close(sample_db);
    arena_free(arena);
    return 0;
}

#endif
