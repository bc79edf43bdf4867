/* What the head of a request is made of, by the tables of this binary. */
#include "worker/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/request.h"
#include "clock.h"
#include "api/dispatch.h"
#include "request/req_io.h"

#define SECRET "0123456789abcdef0123456789abcdef"

static struct arena *arena, *texts;
static struct req req;
static struct req_io io;
static struct intake in;
static struct request_rules rules = { .secret = SECRET,
                                      .body_max = 1024,
                                      .deadline_ms = 8000 };

static int
setup(void **state)
{
    (void)state;
    arena = arena_new(1 << 20);
    texts = arena_new(1 << 20);
    return arena != NULL && texts != NULL && dispatch_init() == ERR_OK ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(arena);
    arena_free(texts);
    return 0;
}

static const char *received = ""; /* MG_RECEIVED */

/* A request of the console as our nginx sends it. */
static enum intake_verdict
take(const char *method, const char *target, const char *scope,
     const char *listener, const char *secret)
{
    const char *const pairs[][2] = {
        { "REQUEST_METHOD", method }, { "REQUEST_URI", target },
        { "MG_SCOPE", scope },        { "MG_LISTENER", listener },
        { "MG_SECRET", secret },      { "MG_NAME", "ci" },
        { "MG_RECEIVED", received },
    };
    char **params = arena_array(texts, COUNT(pairs) + 1, sizeof(*params));

    assert_non_null(params);
    for (size_t i = 0; i < COUNT(pairs); i++)
        params[i] = arena_printf(texts, "%s=%s", pairs[i][0], pairs[i][1]);
    io = (struct req_io){ 0 };
    req = (struct req){ .arena = arena, .io = &io, .started_ms = 1000 };
    return intake(&req, params, &rules, &in);
}

static void
ask(const char *method, const char *target, const char *scope)
{
    assert_int_equal(take(method, target, scope, "console", SECRET), INTAKE_OK);
}

static void
a_request_is_filled_from_its_parameters(void **state)
{
    (void)state;
    ask("GET", "/metrics?a=1&token=x", "write");
    assert_string_equal(req.listener, "console");
    assert_string_equal(req.listener_tail, "");
    assert_string_equal(req.method, "GET");
    assert_string_equal(req.path, "/metrics");
    assert_int_equal(req.n_query, 1);
    assert_string_equal(io.query_token, "x");
    assert_string_equal(req.token_name, "ci");
    assert_int_equal(req.rights, SCOPE_READ | SCOPE_WRITE);
    assert_int_equal(strlen(req.trace.request), 32);
    assert_string_equal(req.body, "");
    assert_false(in.refused);
}

static void
only_our_front_end_may_ask_and_only_for_listeners_that_exist(void **state)
{
    (void)state;
    assert_int_equal(take("GET", "/metrics", "read", "console", "wrong"),
                     INTAKE_FORGED);
    assert_int_equal(take("GET", "/metrics", "read", "console", ""),
                     INTAKE_FORGED);
    assert_int_equal(take("GET", "/metrics", "read", "nope/m1", SECRET),
                     INTAKE_LISTENER);
    assert_string_equal(req.listener_tail, "m1");
    assert_int_equal(req.rights, 0);
}

static void
slow_rows_are_told_apart_and_have_more_time(void **state)
{
    (void)state;
    ask("GET", "/worker/0/pprof/profile", "profile");
    assert_true(in.slow);
    assert_true(req.deadline_ms > 1000 + 300 * 1000);
    ask("GET", "/metrics", "read");
    assert_false(in.slow);
    assert_int_equal(req.deadline_ms, 9000);
}

static int64_t
deadline_received(const char *text)
{
    received = text;
    ask("GET", "/metrics", "read");
    received = "";
    return req.deadline_ms;
}

static void
the_deadline_counts_from_when_the_front_end_handed_over(void **state)
{
    int64_t past = clock_unix_ms() - 5000, left;
    char text[32];

    (void)state;
    (void)snprintf(text, sizeof(text), "%lld.%03lld", (long long)past / 1000,
                   (long long)past % 1000);
    left = deadline_received(text) - 1000;
    assert_true(left <= 3000 && left > -20000);
    assert_true(deadline_received("1000000000.000") < 1000);
    assert_int_equal(deadline_received("99999999999.000"), 9000); /* to come */
    assert_int_equal(deadline_received("nan"), 9000);
    assert_int_equal(deadline_received("-1"), 9000);
    assert_int_equal(deadline_received("1e300"), 9000);
}

static void
a_process_may_serve_one_part_of_the_paths_alone(void **state)
{
    (void)state;
    rules.below = "/role/";
    ask("GET", "/role/control-m1/pprof/profile", "profile");
    assert_false(in.refused);
    assert_true(in.slow);
    ask("GET", "/metrics", "admin");
    assert_int_equal(in.event, EVENT_UNKNOWN_PATH);
    ask("GET", "/worker/0/pprof/profile", "admin");
    assert_int_equal(in.event, EVENT_UNKNOWN_PATH);
    assert_false(in.slow);
    ask("GET", "/role%2fx", "admin");
    assert_int_equal(in.event, EVENT_UNKNOWN_PATH);
    rules.below = NULL;
}

static void
what_cannot_be_read_is_refused_and_never_slow(void **state)
{
    (void)state;
    ask("GET", "/worker/0/pprof/profile?seconds=%zz", "profile");
    assert_true(in.refused);
    assert_int_equal(in.event, EVENT_MALFORMED);
    assert_string_equal(in.fault, "seconds");
    assert_false(in.slow);
    ask("GET", "/%00", "read");
    assert_int_equal(in.event, EVENT_MALFORMED);
    assert_string_equal(in.fault, "(path)");
}

static void
a_stranger_is_refused_as_one_first(void **state)
{
    (void)state;
    ask("GET", "/metrics?a=%zz", "");
    assert_true(in.refused);
    assert_int_equal(in.event, EVENT_NO_TOKEN);
}

static void
without_memory_it_says_so(void **state)
{
    struct arena *large = arena;

    (void)state;
    arena = arena_new(128); /* enough for the id */
    assert_int_equal(take("GET",
                          "/metrics?aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                          "read", "console", SECRET),
                     INTAKE_NO_MEMORY);
    assert_int_equal(strlen(req.trace.request), 32);
    arena_free(arena);
    arena = large;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_filled_from_its_parameters),
        cmocka_unit_test(
            only_our_front_end_may_ask_and_only_for_listeners_that_exist),
        cmocka_unit_test(slow_rows_are_told_apart_and_have_more_time),
        cmocka_unit_test(
            the_deadline_counts_from_when_the_front_end_handed_over),
        cmocka_unit_test(a_process_may_serve_one_part_of_the_paths_alone),
        cmocka_unit_test(what_cannot_be_read_is_refused_and_never_slow),
        cmocka_unit_test(a_stranger_is_refused_as_one_first),
        cmocka_unit_test(without_memory_it_says_so),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
