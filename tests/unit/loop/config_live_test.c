/* Changes of the configuration: statements, values, stale looks. */
#include <string.h>

#include "statements.h"

#include "loop/config_live.c"

#include "doris/settings.h"

static void
each_statement_fits_the_schema(void **state)
{
    statements_prepare(*state, sql, COUNT(sql));
}

static void
change(struct db *db, const char *name, const char *value, bool persist)
{
    assert_int_equal(config_change_store(db, name, value, persist), ERR_OK);
    assert_int_equal(config_refresh(db), ERR_OK);
}

static void
a_change_is_taken_over_and_taken_back(void **state)
{
    struct db *db = *state;
    const char *level = config()->core_log_level;

    change(db, "doris.retention_s", "60", true);
    assert_int_equal(doris_settings()->retention_s, 60);
    change(db, "doris.cluster_name_check", "no", false);
    assert_false(doris_settings()->cluster_name_check);
    change(db, "core.log_level", "error", false);
    assert_string_equal(config()->core_log_level, "error");
    assert_string_equal(level, "info"); /* who has read it may go on */
    assert_int_equal(db_exec(db, "DELETE FROM config_change", DB_NO_ARGS),
                     ERR_OK);
    assert_int_equal(config_refresh(db), ERR_OK);
    assert_int_equal(doris_settings()->retention_s, 259200);
    assert_true(doris_settings()->cluster_name_check);
    assert_string_equal(config()->core_log_level, "info");
}

static void
what_persists_ends_what_does_not(void **state)
{
    struct db *db = *state;

    change(db, "doris.retention_s", "60", false);
    change(db, "doris.retention_s", "61", true);
    assert_int_equal(doris_settings()->retention_s, 61);
    change(db, "doris.retention_s", "62", false);
    assert_int_equal(doris_settings()->retention_s, 62);
    live.started_ms = INT64_MAX; /* the host starts anew */
    assert_int_equal(config_refresh(db), ERR_OK);
    assert_int_equal(doris_settings()->retention_s, 61);
}

static void
an_older_look_does_not_replace_a_newer_one(void **state)
{
    struct change row = { .name = "doris.retention_s",
                          .value = "77",
                          .persist = true };
    const struct list_of_change stale = { 1, &row };
    struct arena *a = arena_new(ARENA_BYTES);
    uint64_t look;

    assert_int_equal(look_begin(&look), ERR_OK);
    change(*state, "doris.retention_s", "78", true);
    assert_int_equal(look_end(look, &stale, a), ERR_OK);
    assert_int_equal(doris_settings()->retention_s, 78);
    arena_free(a);
}

static void
only_live_keys_take_values_that_fit(void **state)
{
    char longest[512 + 2];

    (void)state;
    memset(longest, '0', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(config_change_allowed("doris.retention_s", "0"), ERR_OK);
    assert_int_equal(config_change_allowed("doris.retention_s", longest),
                     ERR_BAD_PARAM);
    assert_int_equal(config_change_allowed("serve.workers", longest),
                     ERR_STATE);
    assert_int_equal(config_change_allowed("no.such", longest), ERR_NOT_FOUND);
    assert_int_equal(config_change_allowed("doris.retention_s", "-1"),
                     ERR_BAD_PARAM);
    assert_int_equal(config_change_allowed("core.log_level", "loud"),
                     ERR_BAD_PARAM);
    assert_int_equal(config_change_allowed("serve.workers", "3"), ERR_STATE);
    assert_int_equal(config_change_allowed("retention_s", "3"), ERR_NOT_FOUND);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement_fits_the_schema),
        cmocka_unit_test(a_change_is_taken_over_and_taken_back),
        cmocka_unit_test(what_persists_ends_what_does_not),
        cmocka_unit_test(an_older_look_does_not_replace_a_newer_one),
        cmocka_unit_test(only_live_keys_take_values_that_fit),
    };

    return cmocka_run_group_tests(tests, statements_setup, statements_teardown);
}
