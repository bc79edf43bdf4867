/* What the classes of failure promise. */
#include "base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
every_class_has_a_word_and_a_status(void **state)
{
    (void)state;
    for (int e = 0; e < ERR__MAX; e++) {
        assert_true(strlen(err_name((enum err)e)) > 0);
        assert_in_range(err_http((enum err)e), 200, 599);
    }
    assert_string_equal(err_name(ERR_NOT_FOUND), "not_found");
    assert_int_equal(err_http(ERR_LIMIT), 413);
}

static void
only_what_may_pass_by_itself_may_be_retried(void **state)
{
    (void)state;
    assert_true(err_may_retry(ERR_STORE));
    assert_true(err_may_retry(ERR_BUSY));
    assert_false(err_may_retry(ERR_BAD_PARAM));
    assert_false(err_may_retry(ERR_OK));
}

static void
a_class_out_of_range_is_an_internal_error(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR__MAX), "unknown");
    assert_int_equal(err_http(ERR__MAX), 500);
    assert_false(err_may_retry(ERR__MAX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_has_a_word_and_a_status),
        cmocka_unit_test(only_what_may_pass_by_itself_may_be_retried),
        cmocka_unit_test(a_class_out_of_range_is_an_internal_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
