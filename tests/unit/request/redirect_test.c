/* Redirects: the Location says again what the request has said. */
#include "request.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROW };

static int
begin(void **state)
{
    int status = setup(state);

    errors[ROW] = (struct error_text){ .id = "ROW",
                                       .err = ERR_STATE,
                                       .http = 307,
                                       .code = "-",
                                       .text = "elsewhere" };
    return status;
}

static const char *
redirect(const struct param *query, size_t n, const char *token)
{
    r.query = query;
    r.n_query = n;
    io.query_token = token;
    io.n_headers = 0;
    assert_int_equal(req_redirect(&r, ROW, "http://other:1"), ERR_STATE);
    assert_int_equal(io.failure.http, 307);
    assert_int_equal(io.n_headers, 1);
    assert_string_equal(io.header[0].name, "Location");
    return io.header[0].value;
}

static void
path_and_query_go_along(void **state)
{
    static const struct param query[] = {
        { .key = "a", .value = "1" },
        { .key = "detail", .value = "", .bare = true },
        { .key = "e", .value = "" },
    };

    (void)state;
    assert_string_equal(redirect(NULL, 0, NULL), "http://other:1/a/thing");
    assert_string_equal(redirect(query, 3, ""),
                        "http://other:1/a/thing?a=1&detail&e=");
}

static void
a_token_of_the_query_goes_along(void **state)
{
    static const struct param query[] = { { .key = "a", .value = "1" } };

    (void)state;
    assert_string_equal(redirect(query, 1, "t+1"),
                        "http://other:1/a/thing?a=1&token=t%2B1");
    assert_string_equal(redirect(NULL, 0, "abc"),
                        "http://other:1/a/thing?token=abc");
}

/* RFC 3986, query: unreserved, sub-delims, ':' '@' '/' '?', less '&' '=' '+',
 * which separate. */
static void
what_means_something_in_a_query_is_escaped(void **state)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-._~!$'()*,;:@/?";
    struct param p = { .key = "k" };
    char value[2] = "", expected[64];

    (void)state;
    p.value = value;
    for (int c = 1; c < 256; c++) {
        value[0] = (char)c;
        (void)snprintf(expected, sizeof(expected),
                       strchr(plain, c) != NULL
                           ? "http://other:1/a/thing?k=%c"
                           : "http://other:1/a/thing?k=%%%02X",
                       c);
        assert_string_equal(redirect(&p, 1, NULL), expected);
    }
}

static void
a_key_is_escaped_too(void **state)
{
    static const struct param query[] = { { .key = "a&b=", .value = "=c d" } };

    (void)state;
    assert_string_equal(redirect(query, 1, NULL),
                        "http://other:1/a/thing?a%26b%3D=%3Dc%20d");
}

/* A part of it would be another request. */
static void
what_is_too_long_is_not_cut(void **state)
{
    char *value = malloc(24 * 1024);
    struct param p = { .key = "k" };
    size_t around = strlen("http://other:1/a/thing?k=");

    (void)state;
    assert_non_null(value);
    memset(value, 'a', 24 * 1024);
    p.value = value;
    value[24 * 1024 - around] = '\0';
    assert_int_equal(strlen(redirect(&p, 1, NULL)), 24 * 1024);
    value[24 * 1024 - around] = 'a';
    value[24 * 1024 - around + 1] = '\0';
    io.failed = NULL;
    io.n_headers = 0;
    assert_int_equal(req_redirect(&r, ROW, "http://other:1"), ERR_NOMEM);
    assert_int_equal(io.n_headers, 0);
    assert_false(req_failed(&r));
    free(value);
}

#define BEGIN(f) cmocka_unit_test_setup_teardown(f, begin, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        BEGIN(path_and_query_go_along),
        BEGIN(a_token_of_the_query_goes_along),
        BEGIN(what_means_something_in_a_query_is_escaped),
        BEGIN(a_key_is_escaped_too),
        BEGIN(what_is_too_long_is_not_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
