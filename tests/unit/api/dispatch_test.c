/* The tables at work: a dialect of the tests' own goes through the dispatcher
 * without FastCGI and without a store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "api/dispatch.h"
#include "api/req_io.h"

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
    *out = (struct sample_thing){ 0 };
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

static int busy_runs;

enum err
sample_busy(struct req *r, const struct none *in)
{
    (void)r;
    (void)in;
    busy_runs++;
    return ERR_BUSY;
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

#define BYTES ((int64_t)600000)

/* "0123456789" again and again; a file that was cut short at `*cut`. */
static int64_t
read_bytes(void *ctx, int64_t at, char *p, size_t n)
{
    int64_t *cut = ctx;

    n = n > 1000 ? n / 2 : n; /* it gives what it has */
    if (at + (int64_t)n > *cut)
        return -1;
    for (size_t i = 0; i < n; i++)
        p[i] = (char)('0' + (at + (int64_t)i) % 10);
    return (int64_t)n;
}

enum err
sample_bytes_get(struct req *r, const struct sample_count *in)
{
    struct req_source *s = arena_alloc(r->arena, sizeof(*s));
    int64_t *cut = arena_alloc(r->arena, sizeof(*cut));
    enum err e;

    *cut = HAS(in, sample_count, n) ? in->n : BYTES;
    *s = (struct req_source){ "application/x", "t1", BYTES, read_bytes, cut };
    e = req_send_source(r, s);
    return e == ERR_LIMIT ? req_fail(r, SAMPLE_RANGE, ARGS()) : e;
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

#define FORM_BASE                                               \
    .secrets = SECRETS_STARS, .reply_type = "application/json", \
    .error_type = "application/json", .reply = reply, .failure = failure

static const struct form sample_form = { .name = "sample", FORM_BASE };
static const struct form sample_leaves = {
    .name = "leaves", FORM_BASE, .style = { .all_leaves_string = true }
};

static const struct encoding encodings[] = { { "D3", &sample_form },
                                             { NULL, NULL } };

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
    req_header_add(r, "Location", "http://other\r\nX: y");
    return req_fail(r, SAMPLE_NAME, ARGS());
}

#include "endpoint_tables.h"

static const struct listener listeners[] = {
    { "doris", "", 1, 5000, "doris" },
    { "console", "", 1, 8080, "console" },
    { .name = NULL },
};

static const struct dialect sample = {
    .name = "sample",
    DIALECT_TABLES,
    .listeners = listeners,
    .encodings = encodings,
    .classify = classify,
    .leader = leader,
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

static const char *range, *if_range;

static const char *
io_param(struct req_io *io, const char *name)
{
    (void)io;
    if (strcmp(name, "HTTP_RANGE") == 0)
        return range;
    return strcmp(name, "HTTP_IF_RANGE") == 0 ? if_range : NULL;
}

static struct arena *arena;
static struct db *db;

struct ask {
    const char *listener, *method, *path, *body, *scope;
    const struct param *query;
    size_t n_query;
    bool secrets;
    int64_t deadline_ms;
};

/* Sends the request (by default an admin's POST to "doris"); the whole CGI
 * reply is in `sent`. */
static const char *
serve(struct ask ask)
{
    struct req_io io = { .write = io_write,
                         .abort = io_abort,
                         .param = io_param };
    struct req r = {
        .arena = arena,
        .db = db,
        .io = &io,
        .request_id = "id1",
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
        .started_ms = clock_mono_ms(),
    };

    r.body_bytes = strlen(r.body);
    arena_reset(arena);
    buf_reset(&sent);
    aborted = false;
    dispatch(&r);
    return buf_text(&sent);
}

static const char *
body_of(const char *reply_text)
{
    const char *p = strstr(reply_text, "\r\n\r\n");

    return p == NULL ? "" : p + 4;
}

#define ASK(...)        serve((struct ask){ __VA_ARGS__ })
#define SAYS(text, ...) assert_string_equal(body_of(ASK(__VA_ARGS__)), text)
#define STATUS(n, ...) \
    assert_non_null(strstr(ASK(__VA_ARGS__), "Status: " #n " "))

static void
input_is_bound_and_rendered(void **state)
{
    (void)state;
    SAYS("{\"name\":\"a\",\"level\":-9007199254740993,"
         "\"inner\":{\"key\":\"k\"}}",
         .path = "/a/thing",
         .body = "{\"name\":\"a\",\"level\":-9007199254740993,"
                 "\"inner\":{\"key\":\"k\"}}");
}

static void
both_mounts_serve_the_same_rows(void **state)
{
    (void)state;
    SAYS("{\"name\":\"a\"}", .path = "/a/v1/thing", .body = "{\"name\":\"a\"}");
    SAYS("{\"NAME\":\"name not given, v1/thing\"}", .path = "/a/v1/thing",
         .body = "{}");
    SAYS("{\"NAME\":\"name not given, thing\"}", .path = "/a/thing",
         .body = "{}");
}

static void
checks_run_in_the_order_of_the_list(void **state)
{
    (void)state;
    SAYS("{\"PATTERN\":\"bad name A1\"}", .path = "/a/thing",
         .body = "{\"name\":\"A1\",\"inner\":{},\"level\":10}");
    SAYS("{\"NAME\":\"name not given, thing\"}", .path = "/a/thing",
         .body = "{\"name\":\"a\",\"inner\":{\"n\":1},\"level\":10}");
    SAYS("{\"MANY\":\"level 10 {\\\"name\\\":\\\"a\\\",\\\"secret\\\":"
         "\\\"***\\\",\\\"level\\\":\\\"10\\\"}\"}",
         .path = "/a/thing",
         .body = "{\"name\":\"a\",\"secret\":\"s\",\"level\":10}");
}

static void
placeholders_come_from_args_then_input_and_mask_secrets(void **state)
{
    (void)state;
    SAYS("{\"TAKEN\":\"taken of k with *** is {name}%s {\"}",
         .path = "/a/thing",
         .body = "{\"name\":\"taken\",\"secret\":\"hush\","
                 "\"inner\":{\"key\":\"k\"}}");
}

static void
secrets_are_printed_for_marked_tokens_only(void **state)
{
    const char *body = "{\"name\":\"a\",\"secret\":\"hush\"}";

    (void)state;
    SAYS("{\"name\":\"a\",\"secret\":\"***\"}", .path = "/a/thing",
         .body = body);
    SAYS("{\"name\":\"a\",\"secret\":\"hush\"}", .path = "/a/thing",
         .body = body, .secrets = true);
}

static void
wrong_types_are_refused_by_field(void **state)
{
    (void)state;
    assert_non_null(
        strstr(ASK(.path = "/a/thing", .body = "{\"inner\":{\"n\":\"x\"}}"),
               "{\"FIELD\":\"inner.n "));
    STATUS(400, .path = "/a/thing", .body = "[]");
    STATUS(400, .path = "/a/thing", .body = "");
    STATUS(400, .path = "/a/thing", .body = "{\"name\":1,}");
}

static void
unknown_paths_and_methods_are_named(void **state)
{
    const char *s;

    (void)state;
    SAYS("{\"PATH\":\"no /a/nothing\"}", .path = "/a/nothing");
    SAYS("{\"PATH\":\"no /a/things/\"}", .path = "/a/things/");
    SAYS("{\"PATH\":\"no /a/things/x/y\"}", .path = "/a/things/x/y");
    s = ASK(.path = "/a/things/x");
    assert_non_null(strstr(s, "Status: 405 "));
    assert_non_null(strstr(s, "Allow: GET, HEAD, DELETE\r\n"));
    STATUS(405, .path = "/a/things/x", .method = "BREW");
}

static void
path_parts_and_query_are_bound(void **state)
{
    static const struct param detail[] = { { .key = "detail", .value = "" } };
    static const struct param twice[] = { { .key = "detail", .value = "" },
                                          { .key = "detail", .value = "x" } };
    static const struct param other[] = { { .key = "name", .value = "b" } };

    (void)state;
    SAYS("{\"name\":\"x\"}", .method = "GET", .path = "/a/things/x");
    SAYS("{\"name\":\"x\"}", .method = "HEAD", .path = "/a/things/x");
    SAYS("{\"name\":\"x\",\"level\":7}", .method = "GET", .path = "/a/things/x",
         .query = detail, .n_query = 1);
    SAYS("{\"QUERY\":\"detail\"}", .method = "GET", .path = "/a/things/x",
         .query = twice, .n_query = 2);
    SAYS("{\"QUERY\":\"name\"}", .method = "GET", .path = "/a/things/x",
         .query = other, .n_query = 1);
}

static void
rights_decide_before_the_body_is_read(void **state)
{
    (void)state;
    SAYS("{\"TOKEN\":\"token\"}", .path = "/a/thing", .scope = "none");
    SAYS("{\"TOKEN\":\"token\"}", .path = "/a/nothing", .scope = "none");
    SAYS("{\"SCOPE\":\"thing needs write\"}", .path = "/a/thing",
         .scope = "read", .body = "{");
    SAYS("{\"SCOPE\":\"things/x needs admin\"}", .path = "/a/things/x",
         .method = "DELETE", .scope = "write");
    SAYS("{\"SCOPE\":\"things/x needs read\"}", .path = "/a/things/x",
         .method = "GET", .scope = "profile");
    SAYS("\"ok\"", .path = "/a/open", .method = "GET", .scope = "none");
}

static void
statuses_and_headers_leave_whole(void **state)
{
    const char *s;

    (void)state;
    STATUS(202, .path = "/a/things/x", .method = "DELETE");
    s = ASK(.path = "/a/open", .method = "GET", .scope = "none");
    assert_non_null(strstr(s, "Status: 200 OK\r\n"));
    s = ASK(.path = "/a/leader", .method = "GET");
    assert_non_null(strstr(s, "Location: http://otherX: y\r\n"));
    assert_non_null(strstr(s, "X-Request-Id: id1\r\n"));
    assert_non_null(strstr(s, "Content-Length: "));
}

static void
late_binding_is_left_to_the_handler(void **state)
{
    (void)state;
    SAYS("zoo", .path = "/a/late/zoo", .method = "GET");
}

static void
the_body_selects_the_verb(void **state)
{
    (void)state;
    SAYS("{\"name\":\"a\",\"level\":\"3\"}", .listener = "console",
         .path = "/any/where",
         .body = "{\"job_type\":\"get_thing\",\"name\":\"a\",\"level\":3}");
    SAYS("{\"PATH\":\"no /\"}", .listener = "console", .path = "/",
         .body = "{\"job_type\":\"fly\"}");
    SAYS("{\"SCOPE\":\"drop_thing needs write\"}", .listener = "console",
         .path = "/", .body = "{\"job_type\":\"drop_thing\"}", .scope = "read");
}

static void
an_encoding_brings_its_own_record_and_form(void **state)
{
    (void)state;
    SAYS("{\"name\":\"a\",\"level\":3}", .listener = "console", .path = "/",
         .body = "{\"job_type\":\"get_thing\","
                 "\"paras\":{\"label\":\"a\",\"depth\":3}}");
    SAYS("{\"PATH\":\"no /\"}", .listener = "console", .path = "/",
         .body = "{\"job_type\":\"drop_thing\",\"paras\":{}}");
}

static void
keyed_members_are_an_object(void **state)
{
    const char *body = "{\"name\":\"a\",\"keyed\":{\"x\":{\"key\":\"x\","
                       "\"n\":1},\"y\":{\"key\":\"y\",\"n\":2}}}";

    (void)state;
    assert_string_equal(body_of(ASK(.path = "/a/thing", .body = body)), body);
}

static void
streamed_rows_stand_in_their_place(void **state)
{
    static const struct param two[] = { { .key = "n", .value = "2" } };

    (void)state;
    SAYS("{\"first\":\"f\",\"rows\":{"
         "\"key00000001\":{\"key\":\"key00000001\",\"n\":1},"
         "\"key00000000\":{\"key\":\"key00000000\",\"n\":0}},"
         "\"last\":\"l\"}",
         .method = "GET", .path = "/a/rows", .query = two, .n_query = 1);
}

static void
a_failure_before_the_first_mebibyte_is_an_error(void **state)
{
    static const struct param some[] = { { .key = "n", .value = "20" } };

    (void)state;
    SAYS("{\"STORE\":\"store\"}", .method = "GET", .path = "/a/rows",
         .query = some, .n_query = 1);
    assert_false(aborted);
}

static void
a_failure_after_it_breaks_the_connection(void **state)
{
    static const struct param many[] = { { .key = "n", .value = "90000" } };

    (void)state;
    ASK(.method = "GET", .path = "/a/rows", .query = many, .n_query = 1);
    assert_true(sent.n > (size_t)1 << 20);
    assert_true(aborted);
    assert_null(strstr(buf_text(&sent), "\"last\""));
}

static void
bytes_are_sent_as_the_range_says(void **state)
{
    static const struct {
        const char *range, *if_range, *head, *body; /* NULL: all of it */
    } asked[] = {
        { NULL, NULL, "Status: 200 OK", NULL },
        { "bytes=3-5", NULL, "Content-Range: bytes 3-5/600000", "345" },
        { "bytes=599998-", NULL, "Content-Range: bytes 599998-599999/", "89" },
        { "bytes=599998-700000", NULL, "bytes 599998-599999/600000", "89" },
        { "bytes=-3", NULL, "Status: 206 Partial Content", "789" },
        { "Bytes=-3", "\"t1\"", "Status: 206", "789" },
        { "bytes=3-5", "\"t0\"", "Status: 200", NULL },
        { "bytes=-700000", NULL, "bytes 0-599999/600000", NULL },
        { "bytes=600000-", NULL, "Content-Range: bytes */600000", "" },
        { "bytes=-0", NULL, "Status: 416", "" },
        { "bytes=1-2,4-5", NULL, "Status: 200", NULL },
        { "bytes=5-3", NULL, "Status: 200", NULL },
        { "bytes=x-3", NULL, "Status: 200", NULL },
        { "bytes=-", NULL, "Status: 200", NULL },
        { "bytes=99999999999999999999-", NULL, "Status: 200", NULL },
        { "lines=1-2", NULL, "Status: 200", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(asked); i++) {
        const char *text, *body, *want = asked[i].body;
        char length[40];

        range = asked[i].range;
        if_range = asked[i].if_range;
        text = ASK(.method = "GET", .path = "/a/bytes");
        body = body_of(text);
        if (strstr(text, asked[i].head) == NULL)
            fail_msg("%s: %.200s", range, text);
        assert_non_null(strstr(text, "Accept-Ranges: bytes\r\n"));
        if (want != NULL && want[0] == '\0')
            continue;
        assert_non_null(strstr(text, "ETag: \"t1\"\r\n"));
        (void)snprintf(length, sizeof(length), "Content-Length: %zu\r\n",
                       want != NULL ? strlen(want) : (size_t)BYTES);
        assert_non_null(strstr(text, length));
        if (want != NULL)
            assert_string_equal(body, want);
        for (size_t k = 0; want == NULL && k < (size_t)BYTES; k++)
            assert_int_equal(body[k], (int)('0' + k % 10));
        assert_int_equal(strlen(body), want != NULL ? strlen(want) : BYTES);
        assert_false(aborted);
    }
    range = if_range = NULL;
    /* of HEAD the head alone */
    assert_string_equal(body_of(ASK(.method = "HEAD", .path = "/a/bytes")), "");
}

static void
bytes_that_cannot_be_read_break_the_connection(void **state)
{
    static const struct param cut[] = { { .key = "n", .value = "500000" } };

    (void)state;
    ASK(.method = "GET", .path = "/a/bytes", .query = cut, .n_query = 1);
    assert_true(aborted);
    assert_true(sent.n < 510000);
}

static void
who_meets_another_in_between_is_run_again_in_time(void **state)
{
    (void)state;
    busy_runs = 0;
    STATUS(503, .path = "/a/busy");
    assert_int_equal(busy_runs, 4);
    STATUS(503, .path = "/a/busy", .deadline_ms = 1);
    assert_int_equal(busy_runs, 5);
}

static void
slow_rows_are_known_before_they_run(void **state)
{
    (void)state;
    assert_int_equal(dispatch_peek_flags("doris", "GET", "/a/rows"), STREAM);
    assert_int_equal(dispatch_peek_flags("doris", "GET", "/nope"), 0);
    assert_true(dispatch_knows_listener("doris/x"));
    assert_false(dispatch_knows_listener("dori"));
}

static void
what_was_begun_is_answered_by_its_end(void **state)
{
    const char *sent_text;

    (void)state;
    sent_text = ASK(.method = "GET", .path = "/a/then/x");
    assert_non_null(strstr(sent_text, "Status: 200 "));
    assert_non_null(strstr(sent_text, "\"name\""));
    assert_null(strstr(sent_text, "before"));
    assert_null(strstr(sent_text, "X-Before"));
    assert_null(
        strstr(ASK(.method = "GET", .path = "/a/then/fails"), "Status: 200 "));
    assert_null(strstr(buf_text(&sent), "before"));
}

static bool
peeks(const char *method, const char *body)
{
    const struct req r = {
        .listener = "console", .method = method, .path = "/x", .body = body
    };

    return dispatch_peek_verbs(&r);
}

static void
slow_verbs_are_known_before_they_are_parsed(void **state)
{
    (void)state;
    assert_true(peeks("POST", "{\"verb\":\"drop_thing\"}"));
    assert_false(peeks("POST", "{\"verb\":\"get_thing\"}"));
    assert_false(peeks("POST", ""));
    assert_false(peeks("OPTIONS", "drop_thing"));
    assert_false(peeks("GET", "drop_thing"));
}

/* A preflight brings no token; who brings none to the others is a stranger. */
static void
one_open_method_opens_no_other(void **state)
{
    (void)state;
    STATUS(200, .listener = "console", .method = "OPTIONS", .path = "/x",
           .scope = "none");
    assert_non_null(
        strstr(ASK(.listener = "console", .path = "/x", .scope = "none",
                   .body = "{\"verb\":\"get_thing\"}"),
               "TOKEN"));
}

static int
setup(void **state)
{
    (void)state;
    arena = arena_new((size_t)64 << 20);
    db = db_open();
    sent = (struct buf)BUF_INIT((size_t)64 << 20);
    return dispatch_init() == ERR_OK ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    buf_free(&sent);
    db_close(db);
    arena_free(arena);
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_is_bound_and_rendered),
        cmocka_unit_test(both_mounts_serve_the_same_rows),
        cmocka_unit_test(checks_run_in_the_order_of_the_list),
        cmocka_unit_test(
            placeholders_come_from_args_then_input_and_mask_secrets),
        cmocka_unit_test(secrets_are_printed_for_marked_tokens_only),
        cmocka_unit_test(wrong_types_are_refused_by_field),
        cmocka_unit_test(unknown_paths_and_methods_are_named),
        cmocka_unit_test(path_parts_and_query_are_bound),
        cmocka_unit_test(rights_decide_before_the_body_is_read),
        cmocka_unit_test(statuses_and_headers_leave_whole),
        cmocka_unit_test(late_binding_is_left_to_the_handler),
        cmocka_unit_test(the_body_selects_the_verb),
        cmocka_unit_test(an_encoding_brings_its_own_record_and_form),
        cmocka_unit_test(keyed_members_are_an_object),
        cmocka_unit_test(streamed_rows_stand_in_their_place),
        cmocka_unit_test(a_failure_before_the_first_mebibyte_is_an_error),
        cmocka_unit_test(a_failure_after_it_breaks_the_connection),
        cmocka_unit_test(bytes_are_sent_as_the_range_says),
        cmocka_unit_test(bytes_that_cannot_be_read_break_the_connection),
        cmocka_unit_test(who_meets_another_in_between_is_run_again_in_time),
        cmocka_unit_test(slow_rows_are_known_before_they_run),
        cmocka_unit_test(what_was_begun_is_answered_by_its_end),
        cmocka_unit_test(slow_verbs_are_known_before_they_are_parsed),
        cmocka_unit_test(one_open_method_opens_no_other),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
