/* A request through the tables, without a store: the order of what is asked
 * before a handler runs, its runs and answers, what is told of it. */
#include "sample/sample.h"

#include "config.h"
#include "log_fixture.h"
#include "metrics.h"

/* ---- the order of what is asked before a handler runs ---- */

static void
hooks_are_asked_in_their_order(void **state)
{
    static const struct param good[] = { { .key = "n", .value = "1" } };
    static const struct param bad[] = { { .key = "n", .value = "x" } };
    static const struct param unknown[] = { { .key = "m", .value = "x" } };

    (void)state;
    STATUS(200, .path = "/a/leader", .method = "GET", .query = good,
           .n_query = 1);
    assert_string_equal(hooks_asked, "qla");
    hook_refuses = 'q';
    SAYS("{\"HOOK\":\"hook \"}", .path = "/a/leader", .method = "GET",
         .query = unknown, .n_query = 1);
    assert_string_equal(hooks_asked, "q");
    hook_refuses = 'l';
    SAYS("{\"QUERY\":\"m\"}", .path = "/a/leader", .method = "GET",
         .query = unknown, .n_query = 1);
    assert_string_equal(hooks_asked, "q");
    SAYS("{\"HOOK\":\"hook \"}", .path = "/a/leader", .method = "GET",
         .query = bad, .n_query = 1);
    assert_string_equal(hooks_asked, "ql");
    hook_refuses = 'a';
    SAYS("{\"FIELD\":\"n must be an integer\"}", .path = "/a/leader",
         .method = "GET", .query = bad, .n_query = 1);
    assert_string_equal(hooks_asked, "ql");
    SAYS("{\"HOOK\":\"hook 1\"}", .path = "/a/leader", .method = "GET",
         .query = good, .n_query = 1);
    assert_string_equal(hooks_asked, "qla");
    hook_refuses = '\0';
}

static void
who_may_not_is_not_asked_for_more(void **state)
{
    (void)state;
    SAYS("{\"SCOPE\":\"leader needs read\"}", .path = "/a/leader",
         .method = "GET", .scope = "profile");
    assert_string_equal(hooks_asked, "");
}

static void
a_query_that_is_not_strict_may_say_more(void **state)
{
    static const struct param more[] = { { .key = "n", .value = "0" },
                                         { .key = "m", .value = "x" } };

    (void)state;
    SAYS("{\"first\":\"f\",\"last\":\"l\"}", .path = "/a/rows", .method = "GET",
         .query = more, .n_query = 2);
}

static void
only_the_leaders_rows_ask_for_it(void **state)
{
    (void)state;
    STATUS(200, .path = "/a/thing", .body = "{\"name\":\"a\"}");
    assert_string_equal(hooks_asked, "qa");
}

static void
no_memory_for_the_input_is_the_stores_form_of_words(void **state)
{
    struct arena *usual = arena, *small = arena_new(1);

    (void)state;
    arena = small;
    STATUS(503, .path = "/a/thing", .body = "{\"name\":\"a\"}");
    arena = usual;
    arena_free(small);
}

/* ---- runs ---- */

static enum err
act_busy(struct req *r)
{
    (void)r;
    return ERR_BUSY;
}

static void
who_meets_another_in_between_is_run_again_in_time(void **state)
{
    int64_t before = metrics_value(METRIC_RERUNS);

    (void)state;
    act = act_busy;
    log_catch();
    STATUS(503, .path = "/a/act/data");
    assert_int_equal(runs, 4);
    assert_int_equal(metrics_value(METRIC_RERUNS), before + 3);
    assert_non_null(strstr(logged(), "request.again operation=act/data"));
    STATUS(503, .path = "/a/act/data", .deadline_ms = 1);
    assert_int_equal(runs, 1);
    STATUS(503, .path = "/a/act/data",
           .deadline_ms = clock_mono_ms() + 3600000);
    assert_int_equal(runs, 4);
    STATUS(503, .path = "/a/act"); /* no transaction: nobody met it */
    assert_int_equal(runs, 1);
    log_release();
}

/* It meets another in the millisecond in which its time is over. */
static enum err
act_until_the_end(struct req *r)
{
    r->deadline_ms = clock_mono_ms();
    return ERR_BUSY;
}

static void
when_its_time_is_over_nothing_is_run_again(void **state)
{
    (void)state;
    act = act_until_the_end;
    STATUS(503, .path = "/a/act/data");
    assert_int_equal(runs, 1);
}

static enum err
act_refuses_busy(struct req *r)
{
    return req_fail(r, SAMPLE_BUSY, ARGS());
}

static void
a_refusal_in_words_is_not_run_again(void **state)
{
    (void)state;
    act = act_refuses_busy;
    SAYS("{\"WORDS\":\"busy, it says\"}", .path = "/a/act/data");
    assert_int_equal(runs, 1);
}

/* ---- answers ---- */

static enum err
act_answers(struct req *r)
{
    for (int i = 0; i < REPLY_HEADERS_MAX + 2; i++)
        req_header_add(r, i == REPLY_HEADERS_MAX ? "Last" : "X", "1");
    assert_int_equal(io.n_headers, REPLY_HEADERS_MAX);
    return req_send_or_fail(r, ERR_OK, &none_rec, "");
}

static enum err
act_fails(struct req *r)
{
    return req_send_or_fail(r, ERR_STORE, &none_rec, "");
}

static void
a_handler_answers_by_what_it_sends(void **state)
{
    (void)state;
    act = act_answers;
    SAYS("{}", .path = "/a/act");
    assert_null(strstr(buf_text(&sent), "Last:"));
    act = act_fails;
    SAYS("{\"STORE\":\"store\"}", .path = "/a/act");
}

static enum err
act_looks(struct req *r)
{
    assert_string_equal(req_query(r, "b"), "2");
    assert_string_equal(req_query(r, "a"), "1");
    assert_null(req_query(r, "c"));
    assert_string_equal(req_query(r, "d"), "4");
    assert_string_equal(req_header(r, "HTTP_X"), "y");
    assert_null(req_header(r, "HTTP_Y"));
    return req_ok(r);
}

static void
a_handler_may_look_at_query_and_headers(void **state)
{
    static const struct param query[] = { { .key = "a", .value = "1" },
                                          { .key = "b", .value = "2" },
                                          { .key = "a", .value = "3" },
                                          { .key = "d", .value = "4" } };

    (void)state;
    act = act_looks;
    STATUS(200, .path = "/a/act", .query = query, .n_query = 4,
           .header_name = "HTTP_X", .header_value = "y");
}

static void
scheme_is(const char *expected, const char *said)
{
    struct req r = request((struct ask){ .path = "/" });

    header_name = said != NULL ? "REQUEST_SCHEME" : NULL;
    header_value = said;
    assert_string_equal(req_scheme(&r), expected);
}

static void
the_scheme_is_the_front_ends_or_the_configured(void **state)
{
    static const char *const keys[] = { "METAGATE_NGINX_TLS_CERTIFICATE",
                                        "METAGATE_NGINX_TLS_KEY" };
    char why[WHY_BYTES];

    (void)state;
    scheme_is("https", "https");
    scheme_is("http", "http");
    scheme_is("http", "gopher");
    scheme_is("http", NULL);
    for (size_t i = 0; i < COUNT(keys); i++)
        assert_int_equal(setenv(keys[i], "/etc/x.pem", 1), 0);
    if (config_load(NULL, why) != ERR_OK)
        fail_msg("%s", why);
    scheme_is("https", NULL);
    scheme_is("http", "http");
    for (size_t i = 0; i < COUNT(keys); i++)
        assert_int_equal(unsetenv(keys[i]), 0);
    assert_int_equal(config_load(NULL, why), ERR_OK);
    scheme_is("http", NULL);
}

static void
a_request_may_be_refused_before_it_is_routed(void **state)
{
    struct req r = request((struct ask){ .path = "/a/thing" });

    (void)state;
    dispatch_refuse(&r, EVENT_BUSY, ARGS());
    assert_non_null(strstr(buf_text(&sent), "Status: 503 "));
    assert_string_equal(body_of(buf_text(&sent)), "{\"FULL\":\"full thing\"}");
    assert_non_null(strstr(buf_text(&sent), "Retry-After: 1\r\n"));
}

/* ---- what is told of it afterwards ---- */

static enum err fails_with;

static enum err
act_fails_with(struct req *r)
{
    (void)r;
    return fails_with;
}

static void
failures_of_ours_are_logged_as_such(void **state)
{
    static const struct {
        enum err e;
        bool ours;
    } rows[] = {
        { ERR_STORE, true },      { ERR_INTERNAL, true },
        { ERR_NOMEM, true },      { ERR_TIMEOUT, true },
        { ERR_BAD_PARAM, false }, { ERR_NOT_FOUND, false },
    };
    char said[96];

    (void)state;
    act = act_fails_with;
    log_catch();
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *text;

        fails_with = rows[i].e;
        (void)ASK(.path = "/a/act");
        text = logged();
        (void)snprintf(said, sizeof(said),
                       "request.failed listener=doris operation=act err=%s",
                       err_name(rows[i].e));
        if ((strstr(text, said) != NULL) != rows[i].ours)
            fail_msg("%s: %s", err_name(rows[i].e), text);
    }
    log_release();
}

static enum err
act_ok(struct req *r)
{
    return req_ok(r);
}

static void
slow_requests_and_mutations_are_logged(void **state)
{
    const char *text;
    /* however long this machine takes for it */
    struct ask ask = { .path = "/a/act",
                       .started_ms = clock_mono_ms() + 3600000 };

    (void)state;
    act = act_ok;
    log_catch();
    (void)serve(ask);
    assert_null(strstr(logged(), "request."));
    ask.started_ms = clock_mono_ms() - 1000;
    (void)serve(ask);
    text = logged();
    assert_non_null(strstr(text, "request.done listener=doris operation=act "
                                 "token=t target= err=ok ms="));
    act = act_refuses_busy;
    (void)ASK(.path = "/a/act/data");
    assert_non_null(strstr(logged(), "request.done listener=doris "
                                     "operation=act/data token=t target= "
                                     "err=busy"));
    log_release();
}

static uint64_t
counted(size_t row, int class)
{
    struct metrics_row counts;

    metrics_row(row, &counts);
    return counts.by_class[class];
}

static void
requests_are_counted_by_their_row(void **state)
{
    size_t row = 2; /* "/thing": two mounts stand before it */
    uint64_t good = counted(row, 2), bad = counted(row, 4);
    int64_t unrouted = metrics_value(METRIC_UNROUTED);

    (void)state;
    (void)ASK(.path = "/a/thing", .body = "{\"name\":\"a\"}");
    assert_int_equal(counted(row, 2), good + 1);
    assert_int_equal(counted(row, 4), bad);
    (void)ASK(.path = "/a/v1/thing", .body = "{}");
    assert_int_equal(counted(row, 2), good + 1);
    assert_int_equal(counted(row, 4), bad + 1);
    assert_int_equal(metrics_value(METRIC_UNROUTED), unrouted);
    (void)ASK(.path = "/a/nothing");
    assert_int_equal(metrics_value(METRIC_UNROUTED), unrouted + 1);
}

/* The path below the mount, without its slash. */
static void
an_operation_is_named_below_its_mount(void **state)
{
    (void)state;
    SAYS("{\"NAME\":\"name not given, thing\"}", .path = "/a/thing",
         .body = "{}");
    SAYS("{\"SCOPE\":\"things/x needs read\"}", .path = "/a/v1/things/x",
         .method = "GET", .scope = "profile");
}

static void
what_was_begun_is_answered_by_its_end(void **state)
{
    const char *text;

    (void)state;
    text = ASK(.method = "GET", .path = "/a/then/x");
    assert_non_null(strstr(text, "Status: 200 "));
    assert_string_equal(body_of(text), "{\"name\":\"x\"}");
    assert_null(strstr(text, "X-Before"));
    assert_non_null(
        strstr(ASK(.method = "GET", .path = "/a/then/fails"), "Status: 400 "));
    assert_null(strstr(buf_text(&sent), "before"));
}

/* ---- streams ---- */

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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(hooks_are_asked_in_their_order),
        cmocka_unit_test(who_may_not_is_not_asked_for_more),
        cmocka_unit_test(a_query_that_is_not_strict_may_say_more),
        cmocka_unit_test(only_the_leaders_rows_ask_for_it),
        cmocka_unit_test(no_memory_for_the_input_is_the_stores_form_of_words),
        cmocka_unit_test(a_handler_answers_by_what_it_sends),
        cmocka_unit_test(a_handler_may_look_at_query_and_headers),
        cmocka_unit_test(the_scheme_is_the_front_ends_or_the_configured),
        cmocka_unit_test(a_request_may_be_refused_before_it_is_routed),
        cmocka_unit_test(failures_of_ours_are_logged_as_such),
        cmocka_unit_test(slow_requests_and_mutations_are_logged),
        cmocka_unit_test(requests_are_counted_by_their_row),
        cmocka_unit_test(an_operation_is_named_below_its_mount),
        cmocka_unit_test(who_meets_another_in_between_is_run_again_in_time),
        cmocka_unit_test(when_its_time_is_over_nothing_is_run_again),
        cmocka_unit_test(a_refusal_in_words_is_not_run_again),
        cmocka_unit_test(what_was_begun_is_answered_by_its_end),
        cmocka_unit_test(streamed_rows_stand_in_their_place),
        cmocka_unit_test(a_failure_before_the_first_mebibyte_is_an_error),
        cmocka_unit_test(a_failure_after_it_breaks_the_connection),
    };

    return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
