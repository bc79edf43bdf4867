/* What the classes of failure promise. */
#include "base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
every_class_has_a_word(void **state)
{
    (void)state;
    for (int e = 0; e < ERR__MAX; e++)
        assert_true(strlen(err_name((enum err)e)) > 0);
    assert_string_equal(err_name(ERR_NOT_FOUND), "not_found");
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
a_class_out_of_range_is_unknown(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR__MAX), "unknown");
    assert_false(err_may_retry(ERR__MAX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_class_has_a_word),
        cmocka_unit_test(only_what_may_pass_by_itself_may_be_retried),
        cmocka_unit_test(a_class_out_of_range_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
