/* Which FastCGI parameters handlers see. */
#include "identity/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char *params[] = {
    (char[]){ "MG_NAME_X=1" }, (char[]){ "MG_NAME=ci" },
    (char[]){ "EMPTY=" },      (char[]){ "MG_NAME=second" },
    (char[]){ "EQ=a=b" },      NULL,
};

static void
the_first_of_the_whole_name_is_found(void **state)
{
    (void)state;
    assert_string_equal(params_get(params, "MG_NAME"), "ci");
    assert_string_equal(params_get(params, "EQ"), "a=b");
}

static void
absent_and_empty_are_the_same(void **state)
{
    (void)state;
    assert_string_equal(params_get(params, "EMPTY"), "");
    assert_string_equal(params_get(params, "MG_NAM"), "");
    assert_string_equal(params_get(params, "MG_SECRET"), "");
}

static void
what_may_hold_a_token_is_not_shown(void **state)
{
    static const char *const names[] = {
        "HTTP_X_METAGATE_TOKEN",
        "HTTP_AUTHORIZATION",
        "HTTP_REFERER",
        "HTTP_COOKIE",
        "HTTP_PROXY_AUTHORIZATION",
        "REMOTE_USER",
        "QUERY_STRING",
        "REQUEST_URI",
        "DOCUMENT_URI",
        "PATH_INFO",
        "MG_SECRET",
        "MG_SCOPE",
        "",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        assert_false(params_shown(names[i], false));
}

static void
other_headers_are_shown(void **state)
{
    (void)state;
    assert_true(params_shown("HTTP_ACCEPT", false));
    assert_true(params_shown("HTTP_HOST", false));
    assert_true(params_shown("CONTENT_TYPE", false));
}

static void
authorization_is_shown_where_listeners_have_users(void **state)
{
    (void)state;
    assert_true(params_shown("HTTP_AUTHORIZATION", true));
    assert_false(params_shown("HTTP_X_METAGATE_TOKEN", true));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_of_the_whole_name_is_found),
        cmocka_unit_test(absent_and_empty_are_the_same),
        cmocka_unit_test(what_may_hold_a_token_is_not_shown),
        cmocka_unit_test(other_headers_are_shown),
        cmocka_unit_test(authorization_is_shown_where_listeners_have_users),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
