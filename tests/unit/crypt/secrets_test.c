/* Columns that held plain text once are told from those that never did: only
 * in the first is what has no number of a key a text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "secrets.h"

static void
what_was_plain_once_is_told_by_table_and_column(void **state)
{
    (void)state;
    assert_true(secret_was_plain("doris_obj_info", "external_id"));
    assert_true(secret_was_plain("doris_vault", "hdfs_conf"));
    assert_true(secret_was_plain("doris_stage", "body"));
}

static void
what_was_always_sealed_is_never_plain(void **state)
{
    (void)state;
    assert_false(secret_was_plain("job", "args"));
    assert_false(secret_was_plain("job", "memo"));
    assert_false(secret_was_plain("doris_vault", "ak"));
    assert_false(secret_was_plain("doris_vault", "external_id"));
    assert_false(secret_was_plain("doris_vault", "sk"));
}

static void
what_is_no_sealed_column_is_never_plain(void **state)
{
    (void)state;
    assert_false(secret_was_plain("doris_vault", "body")); /* of stages */
    assert_false(secret_was_plain("job", "external_id"));
    assert_false(secret_was_plain("", ""));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_plain_once_is_told_by_table_and_column),
        cmocka_unit_test(what_was_always_sealed_is_never_plain),
        cmocka_unit_test(what_is_no_sealed_column_is_never_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
