/* From what a handler asked for to the bytes of the CGI reply. */
#include "request/reply.h"

#include <stdio.h>
#include <stdlib.h>

#include "request.h"
#include "log_fixture.h"

#define OUT_THING(X, s) X(s, STR, name, "name", OUT | SECRET, -)
STRUCT(thing, OUT_THING);
TABLE(thing, OUT_THING);

static struct thing out;
static struct reply rp;

static int
begin(void **state)
{
    int status = setup(state);

    memset(&out, 0, sizeof(out));
    PUT(&out, thing, name, "n");
    reply_init(&rp, &r);
    return status;
}

static int
end(void **state)
{
    reply_free(&rp);
    return teardown(state);
}

static const char *
body(void)
{
    const char *p = strstr(buf_text(&sent), "\r\n\r\n");

    return p == NULL ? "" : p + 4;
}

static bool
head_has(const char *line)
{
    const char *at = strstr(buf_text(&sent), line);

    return at != NULL && at < body();
}

/* Renders and sends a success. */
static const char *
send_success(void)
{
    assert_int_equal(reply_render(&rp), ERR_OK);
    reply_send(&rp);
    return buf_text(&sent);
}

static const char *
send_failure(int http, const char *text)
{
    static struct error_text row;

    row = (struct error_text){ .id = "X", .http = http, .text = text };
    io.failed = &row;
    io.failure = (struct failure){ .http = http, .code = "-", .text = text };
    reply_send_failure(&rp);
    return buf_text(&sent);
}

static void
header(const char *name, const char *value)
{
    io.header[io.n_headers].name = name;
    io.header[io.n_headers++].value = value;
}

/* ---- success ---- */

static void
a_success_has_the_forms_type_and_its_length(void **state)
{
    (void)state;
    endpoint.status = 201;
    assert_string_equal(send_success(), "Status: 201 Created\r\n"
                                        "Content-Type: application/json\r\n"
                                        "X-Request-Id: id1\r\n"
                                        "Content-Length: 4\r\n"
                                        "\r\n"
                                        "\"ok\"");
    assert_false(aborted);
}

static void
a_result_is_rendered_by_the_form_or_is_the_body(void **state)
{
    (void)state;
    io.out_rec = &thing_rec;
    io.out = &out;
    (void)send_success();
    assert_string_equal(body(), "{\"name\":\"n\"}");
    endpoint.flags = NO_ENVELOPE | DRY; /* as the client may see it */
    buf_reset(&sent);
    (void)send_success();
    assert_string_equal(body(), "{\"name\":\"***\"}");
    r.see_secrets = true;
    buf_reset(&sent);
    (void)send_success();
    assert_string_equal(body(), "{\"name\":\"n\"}");
    io.out_rec = NULL; /* without a result the form has its word */
    buf_reset(&sent);
    (void)send_success();
    assert_string_equal(body(), "\"ok\"");
}

static void
a_text_of_the_handlers_has_its_own_type(void **state)
{
    (void)state;
    io.text = "a\0b";
    io.text_bytes = 3;
    io.text_type = "text/x";
    io.job_id = "7";
    (void)send_success();
    assert_true(head_has("Content-Type: text/x\r\n"));
    assert_true(head_has("Content-Length: 3\r\n"));
    assert_memory_equal(body(), "a\0b", 3);
}

static void
an_accepted_job_is_told_by_its_number(void **state)
{
    (void)state;
    io.job_id = "7";
    io.out_rec = &thing_rec;
    io.out = &out;
    (void)send_success();
    assert_string_equal(body(), "[\"7\"]");
}

static void
the_form_sets_the_style(void **state)
{
    (void)state;
    form.style.indent = 2;
    io.job_id = "7";
    (void)send_success();
    assert_string_equal(body(), "[\n  \"7\"\n]");
}

/* A handler that was run again is rendered again. */
static void
what_was_rendered_before_is_forgotten(void **state)
{
    (void)state;
    assert_int_equal(reply_render(&rp), ERR_OK);
    (void)send_success();
    assert_string_equal(body(), "\"ok\"");
}

static void
a_result_that_cannot_be_rendered_is_a_failure(void **state)
{
    char *name = malloc(REPLY_BUFFER_BYTES + 1);

    (void)state;
    assert_non_null(name);
    memset(name, 'a', REPLY_BUFFER_BYTES);
    name[REPLY_BUFFER_BYTES] = '\0';
    out.name = name;
    io.out_rec = &thing_rec;
    io.out = &out;
    assert_int_equal(reply_render(&rp), ERR_LIMIT);
    assert_int_equal(writes, 0);
    io.text = name; /* as much as that may leave whole */
    io.text_bytes = REPLY_BUFFER_BYTES;
    io.text_type = "text/x";
    assert_int_equal(reply_render(&rp), ERR_OK);
    io.text_bytes++;
    assert_int_equal(reply_render(&rp), ERR_LIMIT);
    free(name);
}

/* ---- streams ---- */

static enum err
stream(size_t n)
{
    char *text = malloc(n);
    enum err e;

    assert_non_null(text);
    memset(text, 'a', n);
    io.text = text;
    io.text_bytes = n;
    io.text_type = "text/x";
    endpoint.flags = STREAM | DRY;
    reply_free(&rp);
    reply_init(&rp, &r);
    e = reply_render(&rp);
    free(text);
    return e;
}

/* A text in pieces, as rows come. */
static enum err
many(struct req *req, struct json_writer *w, const struct record *rec,
     const void *p)
{
    static char piece[1000];

    (void)req;
    (void)rec;
    (void)p;
    memset(piece, 'a', sizeof(piece));
    for (int i = 0; i < 3000 && !w->out->failed; i++)
        buf_put(w->out, piece, sizeof(piece));
    return ERR_OK;
}

static void
render_many(void)
{
    form.reply = many;
    endpoint.flags = STREAM | DRY;
    reply_free(&rp);
    reply_init(&rp, &r);
}

static void
a_stream_has_one_head_and_no_length(void **state)
{
    (void)state;
    render_many();
    assert_int_equal(reply_render(&rp), ERR_OK);
    assert_true(rp.head_sent);
    assert_true(head_has("Status: 200 OK\r\n"));
    assert_true(head_has("Content-Type: application/json\r\n"));
    assert_false(head_has("Content-Length"));
    reply_send(&rp);
    assert_int_equal(times("Status: ", buf_text(&sent)), 1);
    assert_int_equal(strlen(body()), 3000000);
    assert_true(writes >= 4);
}

static void
a_stream_that_fits_has_its_length(void **state)
{
    (void)state;
    assert_int_equal(stream(5), ERR_OK);
    assert_false(rp.head_sent);
    assert_int_equal(writes, 0);
}

static void
only_streams_may_grow_past_the_buffer(void **state)
{
    (void)state;
    render_many();
    endpoint.flags = DRY;
    reply_free(&rp);
    reply_init(&rp, &r);
    assert_int_equal(reply_render(&rp), ERR_LIMIT);
    assert_int_equal(writes, 0);
    r.endpoint = NULL; /* not routed yet */
    reply_free(&rp);
    reply_init(&rp, &r);
    assert_null(rp.body.drain);
}

static void
a_stream_ends_when_its_client_is_gone(void **state)
{
    (void)state;
    write_says = ERR_STATE;
    render_many();
    assert_int_not_equal(reply_render(&rp), ERR_OK);
    assert_true(rp.head_sent);
    assert_int_equal(writes, 1);
}

/* ---- heads ---- */

static void
the_location_stands_before_the_status(void **state)
{
    (void)state;
    header("X-One", "1");
    header("Location", "http://x/");
    header("X-Two", "2");
    header("X-Three", "3");
    assert_string_equal(send_success(), "Location: http://x/\r\n"
                                        "Status: 200 OK\r\n"
                                        "Content-Type: application/json\r\n"
                                        "X-Request-Id: id1\r\n"
                                        "X-One: 1\r\n"
                                        "X-Two: 2\r\n"
                                        "X-Three: 3\r\n"
                                        "Content-Length: 4\r\n"
                                        "\r\n"
                                        "\"ok\"");
}

static void
a_location_may_be_the_last_header(void **state)
{
    (void)state;
    header("X-One", "1");
    header("X-Two", "2");
    header("Location", "http://x/");
    assert_memory_equal(send_success(),
                        "Location: http://x/\r\nStatus: 200 OK\r\n", 37);
    assert_int_equal(times("Location", buf_text(&sent)), 1);
}

static void
an_empty_text_has_its_length(void **state)
{
    (void)state;
    io.text = "";
    io.text_bytes = 0;
    io.text_type = "text/x";
    (void)send_success();
    assert_true(head_has("Content-Length: 0\r\n"));
    assert_string_equal(body(), "");
}

static void
no_value_splits_a_header(void **state)
{
    (void)state;
    header("X", "a\r\nY: b\x7f\x1f \xc3\xa4~");
    (void)send_success();
    assert_true(head_has("X: aY: b \xc3\xa4~\r\n"));
}

static void
each_status_has_its_reason(void **state)
{
    static const struct {
        int status;
        const char *line;
    } rows[] = {
        { 200, "200 OK" },
        { 201, "201 Created" },
        { 202, "202 Accepted" },
        { 204, "204 No Content" },
        { 206, "206 Partial Content" },
        { 307, "307 Temporary Redirect" },
        { 400, "400 Bad Request" },
        { 401, "401 Unauthorized" },
        { 403, "403 Forbidden" },
        { 404, "404 Not Found" },
        { 405, "405 Method Not Allowed" },
        { 409, "409 Conflict" },
        { 413, "413 Content Too Large" },
        { 416, "416 Range Not Satisfiable" },
        { 429, "429 Too Many Requests" },
        { 500, "500 Internal Server Error" },
        { 502, "502 Bad Gateway" },
        { 503, "503 Service Unavailable" },
        { 504, "504 Gateway Timeout" },
        { 418, "418 Unknown" },
    };
    char line[64];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(line, sizeof(line), "Status: %s\r\n", rows[i].line);
        buf_reset(&sent);
        (void)send_failure(rows[i].status, "x");
        if (!head_has(line))
            fail_msg("%s", buf_text(&sent));
    }
}

static void
who_may_come_again_is_told_when(void **state)
{
    static const struct {
        int status;
        bool told;
    } rows[] = { { 503, true }, { 429, true }, { 500, false }, { 404, false } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        buf_reset(&sent);
        (void)send_failure(rows[i].status, "x");
        if (head_has("Retry-After: 1\r\n") != rows[i].told)
            fail_msg("%d", rows[i].status);
    }
    header("X", "y");
    buf_reset(&sent);
    (void)send_failure(503, "x");
    assert_true(head_has("Retry-After: 1\r\n"));
    header("Y", "z");
    header("Retry-After", "7");
    buf_reset(&sent);
    (void)send_failure(429, "x");
    assert_int_equal(times("Retry-After", buf_text(&sent)), 1);
    assert_true(head_has("Retry-After: 7\r\n"));
}

/* ---- failures ---- */

static void
a_failure_has_its_status_and_the_forms_type(void **state)
{
    (void)state;
    assert_string_equal(send_failure(409, "no"), "Status: 409 Conflict\r\n"
                                                 "Content-Type: text/json\r\n"
                                                 "X-Request-Id: id1\r\n"
                                                 "Content-Length: 4\r\n"
                                                 "\r\n"
                                                 "\"no\"");
    assert_false(aborted);
}

static void
what_was_rendered_does_not_stand_before_a_failure(void **state)
{
    (void)state;
    assert_int_equal(reply_render(&rp), ERR_OK);
    (void)send_failure(409, "no");
    assert_string_equal(body(), "\"no\"");
}

static void
other_words(struct req *req, struct json_writer *w, const struct failure *f)
{
    (void)req;
    (void)f;
    buf_puts(w->out, "other");
}

static void
a_row_or_the_client_may_want_another_form(void **state)
{
    static const struct form other = { .name = "other",
                                       .error_type = "text/other",
                                       .failure = other_words };
    struct error_text row = { .id = "X", .form = &other };

    (void)state;
    (void)send_failure(409, "no");
    assert_string_equal(body(), "\"no\"");
    buf_reset(&sent);
    io.failed = &row;
    reply_send_failure(&rp);
    assert_string_equal(body(), "other");
    assert_true(head_has("Content-Type: text/other\r\n"));

    form.if_json = &other;
    buf_reset(&sent);
    (void)send_failure(409, "no");
    assert_string_equal(body(), "\"no\"");
    header_name = "HTTP_ACCEPT";
    header_value = "text/html, application/json;q=0.9";
    buf_reset(&sent);
    (void)send_failure(409, "no");
    assert_string_equal(body(), "other");
    form.if_json = NULL;
    buf_reset(&sent);
    (void)send_failure(409, "no");
    assert_string_equal(body(), "\"no\"");
}

static void
json_is_wanted_by_who_names_it(void **state)
{
    (void)state;
    assert_false(req_wants_json(&r));
    header_name = "HTTP_ACCEPT";
    header_value = "text/plain";
    assert_false(req_wants_json(&r));
    header_value = "application/json";
    assert_true(req_wants_json(&r));
}

static void
a_failure_in_a_stream_breaks_it_off(void **state)
{
    (void)state;
    rp.head_sent = true;
    (void)send_failure(500, "no");
    assert_true(aborted);
    assert_int_equal(writes, 0);
}

/* A short body of a stream is kept back, and so is the failure in its place. */
static void
a_failure_is_never_streamed(void **state)
{
    char *text = malloc((size_t)2 << 20);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', (size_t)2 << 20);
    text[((size_t)2 << 20) - 1] = '\0';
    assert_int_equal(stream(5), ERR_OK);
    (void)send_failure(500, text);
    assert_true(aborted);
    assert_int_equal(writes, 0);
    free(text);
}

/* ---- a client that is gone ---- */

static void
who_is_gone_is_no_mistake_of_ours(void **state)
{
    (void)state;
    log_catch();
    assert_int_equal(reply_render(&rp), ERR_OK);
    reply_send(&rp);
    (void)send_failure(400, "no");
    assert_null(strstr(logged(), "reply.client_gone"));
    write_says = ERR_STATE;
    writes = 0;
    assert_int_equal(reply_render(&rp), ERR_OK);
    reply_send(&rp);
    assert_int_equal(writes, 1);
    assert_non_null(strstr(logged(), "reply.client_gone operation=thing"));
    (void)send_failure(400, "no");
    assert_int_equal(writes, 2);
    assert_non_null(strstr(logged(), "reply.client_gone operation=thing"));
    log_release();
    assert_false(aborted);
}

/* A front end that cannot take the head must not take the body for all. */
static void
a_head_that_is_too_large_breaks_it_off(void **state)
{
    static char value[20000];

    (void)state;
    memset(value, 'a', sizeof(value) - 1);
    header("X", value);
    (void)send_success();
    assert_false(aborted);
    header("Y", value);
    writes = 0;
    (void)send_success();
    assert_true(aborted);
    assert_int_equal(writes, 0);
}

#define BEGIN(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BEGIN(a_success_has_the_forms_type_and_its_length),
        BEGIN(a_result_is_rendered_by_the_form_or_is_the_body),
        BEGIN(a_text_of_the_handlers_has_its_own_type),
        BEGIN(an_accepted_job_is_told_by_its_number),
        BEGIN(the_form_sets_the_style),
        BEGIN(what_was_rendered_before_is_forgotten),
        BEGIN(a_result_that_cannot_be_rendered_is_a_failure),
        BEGIN(a_stream_has_one_head_and_no_length),
        BEGIN(a_stream_that_fits_has_its_length),
        BEGIN(only_streams_may_grow_past_the_buffer),
        BEGIN(a_stream_ends_when_its_client_is_gone),
        BEGIN(the_location_stands_before_the_status),
        BEGIN(a_location_may_be_the_last_header),
        BEGIN(an_empty_text_has_its_length),
        BEGIN(no_value_splits_a_header),
        BEGIN(each_status_has_its_reason),
        BEGIN(who_may_come_again_is_told_when),
        BEGIN(a_failure_has_its_status_and_the_forms_type),
        BEGIN(what_was_rendered_does_not_stand_before_a_failure),
        BEGIN(a_row_or_the_client_may_want_another_form),
        BEGIN(json_is_wanted_by_who_names_it),
        BEGIN(a_failure_in_a_stream_breaks_it_off),
        BEGIN(a_failure_is_never_streamed),
        BEGIN(who_is_gone_is_no_mistake_of_ours),
        BEGIN(a_head_that_is_too_large_breaks_it_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
