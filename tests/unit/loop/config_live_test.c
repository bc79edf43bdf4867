/* Changes of the configuration: statements, values, stale looks. */
#include <string.h>
#include <sys/stat.h>

#include "statements.h"

#include "loop/config_live.c"

#include "doris/settings.h"
#include "log_fixture.h"

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
    longest[512] = '\0'; /* as long as may be */
    assert_int_equal(config_change_allowed("doris.retention_s", longest),
                     ERR_OK);
    longest[512] = '0';
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

/* How a key stands, in an arena that is forgotten. */
static struct config_line
told(const char *name)
{
    static struct arena *a;
    struct config_line l;

    arena_free(a);
    a = arena_new(ARENA_BYTES);
    assert_non_null(a);
    assert_int_equal(config_line_of(name, a, &l), ERR_OK);
    assert_string_equal(l.name, name);
    return l;
}

static void
tells(const char *name, enum config_type type, const char *value, bool is_live)
{
    struct config_line l = told(name);

    assert_int_equal(l.type, type);
    assert_string_equal(l.value, value);
    assert_int_equal(l.live, is_live);
}

static void
each_key_is_told_with_its_type(void **state)
{
    struct arena *a = arena_new(ARENA_BYTES);
    struct config_line l;
    size_t n = config_row_count();

    (void)state;
    tells("core.log_level", CONFIG_TEXT, "info", true);
    tells("doris.retention_s", CONFIG_INT, "259200", true);
    tells("doris.cluster_name_check", CONFIG_BOOL, "true", true);
    tells("nginx.binary", CONFIG_TEXT, "nginx", false);
    tells("serve.slow_threads", CONFIG_INT, "4", false);
    tells("core.core_dumps", CONFIG_BOOL, "false", false);
    tells("serve.confine", CONFIG_BOOL, "true", false);
    assert_int_equal(config_line_of("no.such", a, &l), ERR_NOT_FOUND);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(config_line(i, a, &l), ERR_OK);
        assert_string_equal(l.value, told(l.name).value);
    }
    assert_int_equal(config_line(n, a, &l), ERR_NOT_FOUND);
    arena_free(a);
}

static void
without_memory_no_value_is_told(void **state)
{
    struct arena *little = arena_new(4096);
    struct config_line l;

    (void)state;
    while (arena_alloc(little, 1) != NULL)
        ;
    assert_int_equal(config_line_of("core.log_level", little, &l), ERR_NOMEM);
    assert_int_equal(apply_one(find("core.log_level"), 0, "error", little),
                     ERR_NOMEM);
    arena_free(little);
}

static void
a_change_is_logged_once_and_so_is_a_value_that_does_not_fit(void **state)
{
    const char *log;

    log_catch();
    change(*state, "doris.retention_s", "60", true);
    assert_non_null(strstr(logged(), "info unit config.changed "
                                     "key=doris.retention_s from="));
    assert_int_equal(config_refresh(*state), ERR_OK);
    assert_string_equal(logged(), "");
    change(*state, "doris.retention_s", "060", true); /* the same */
    assert_string_equal(logged(), "");
    change(*state, "doris.cluster_name_check", "no", true);
    assert_non_null(strstr(logged(), "from=true to=false"));
    change(*state, "doris.cluster_name_check", "off", true);
    assert_int_equal(config_refresh(*state), ERR_OK);
    assert_string_equal(logged(), "");
    for (int i = 0; i < 2; i++) { /* again after one that fits */
        change(*state, "doris.retention_s", "-1", true);
        log = logged();
        assert_non_null(strstr(log, "config.refused key=doris.retention_s "
                                    "value=-1 why=\""));
        assert_null(strstr(log, "config.changed"));
        assert_int_equal(doris_settings()->retention_s, 60 + i);
        assert_int_equal(config_refresh(*state), ERR_OK);
        assert_string_equal(logged(), "");
        change(*state, "doris.retention_s", i == 0 ? "61" : "62", true);
        (void)logged();
    }
    /* those behind it are applied all the same */
    change(*state, "audit.keep_days", "no number", true);
    change(*state, "doris.retention_s", "63", true);
    assert_int_equal(doris_settings()->retention_s, 63);
    log_release();
}

static void
the_level_of_the_log_is_that_of_the_key(void **state)
{
    log_catch();
    change(*state, "core.log_level", "warn", true);
    (void)logged();
    log_info("unit.said");
    assert_string_equal(logged(), "");
    change(*state, "core.log_level", "debug", true);
    log_debug("unit.said");
    assert_non_null(strstr(logged(), "unit.said"));
    change(*state, "core.log_level", "info", true);
    log_release();
}

static void
what_is_changed_in_the_instant_of_the_start_holds(void **state)
{
    int64_t at_ms;

    change(*state, "doris.retention_s", "70", false);
    assert_int_equal(
        db_one_i64(*state,
                   "SELECT changed_ms FROM config_change WHERE name ="
                   " 'doris.retention_s' AND persist = FALSE",
                   DB_NO_ARGS, &at_ms),
        ERR_OK);
    live.started_ms = at_ms;
    assert_int_equal(config_refresh(*state), ERR_OK);
    assert_int_equal(doris_settings()->retention_s, 70);
    live.started_ms = at_ms + 1;
    assert_int_equal(config_refresh(*state), ERR_OK);
    assert_int_not_equal(doris_settings()->retention_s, 70);
}

/* All of them: a list of many changes is not cut. */
static void
each_of_many_changes_is_applied(void **state)
{
    change(*state, "audit.keep_days", "11", true);
    change(*state, "audit.keep_days_data", "12", true);
    change(*state, "audit.max_mib", "13", true);
    change(*state, "doris.cluster_name_check", "no", true);
    change(*state, "doris.retention_s", "14", true);
    assert_int_equal(config()->audit_keep_days, 11);
    assert_int_equal(config()->audit_keep_days_data, 12);
    assert_int_equal(config()->audit_max_mib, 13);
    assert_false(doris_settings()->cluster_name_check);
    assert_int_equal(doris_settings()->retention_s, 14);
    assert_int_equal(db_exec(*state, "DELETE FROM config_change", DB_NO_ARGS),
                     ERR_OK);
    assert_int_equal(config_refresh(*state), ERR_OK);
    assert_int_equal(config()->audit_keep_days, 90);
    assert_int_equal(config()->audit_max_mib, 2048);
}

/* ---- since when this host runs ---- */

static void
the_start_is_read_back_from_its_file(void **state)
{
    char dir[] = "/var/tmp/unitlive.XXXXXX", path[PLACE_BYTES];
    struct arena *a = arena_new(ARENA_BYTES);
    int64_t before = clock_unix_ms();
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(dir));
    config_place(dir, "127.9.8");
    assert_true(started_ms(a) >= before); /* no file: now */
    assert_int_equal(place_path(path, sizeof(path), STARTED), ERR_OK);
    assert_int_equal(file_write(path, 0600, "", 0), ERR_OK);
    assert_true(started_ms(a) >= before);
    assert_int_equal(config_mark_start(), ERR_OK);
    assert_true(started_ms(a) >= before && started_ms(a) <= clock_unix_ms());
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(file_write(path, 0600, "1234\n", 5), ERR_OK);
    assert_int_equal(started_ms(a), 1234);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_int_not_equal(config_mark_start(), ERR_OK);
    arena_free(a);
}

/* ---- the watch ---- */

static void
looks(struct db *db)
{
    assert_int_equal(step(NULL, db, NULL, NULL), TURN_IDLE);
}

static void
a_store_that_cannot_be_asked_is_told_when_that_begins(void **state)
{
    log_catch();
    for (int i = 0; i < 2; i++) {
        looks(*state);
        assert_null(strstr(logged(), "config.store"));
        assert_int_equal(db_exec_text(*state, "RENAME TABLE config_change TO"
                                              " config_gone"),
                         ERR_OK);
        looks(*state);
        assert_non_null(strstr(logged(), "config.store err="));
        looks(*state);
        assert_null(strstr(logged(), "config.store"));
        assert_int_equal(db_exec_text(*state, "RENAME TABLE config_gone TO"
                                              " config_change"),
                         ERR_OK);
    }
    looks(*state);
    log_release();
}

static void
the_watch_looks_at_once_and_ends_when_it_is_told(void **state)
{
    assert_true(config_watch_stop(60000)); /* none yet */
    assert_int_equal(
        config_change_store(*state, "doris.retention_s", "80", true), ERR_OK);
    config_watch_start();
    assert_int_equal(doris_settings()->retention_s, 80);
    assert_non_null(watch.runner);
    assert_int_equal(watch.task.every_ms, LOOK_MS);
    assert_true(config_watch_stop(60000));
    assert_null(watch.runner);
    assert_true(config_watch_stop(60000));
}

/* Texts are never freed, so there are only so many. */
static void
a_text_is_kept_once(void **state)
{
    const struct conf_row *row = find("core.log_level");
    struct conf_reason why;
    const char *first = keep("one"), *second = keep("two");
    char text[16];
    int n = 0;

    (void)state;
    assert_string_equal(first, "one");
    assert_string_equal(second, "two");
    assert_ptr_equal(keep("one"), first);
    assert_ptr_equal(keep("two"), second);
    do
        (void)snprintf(text, sizeof(text), "text %d", n);
    while (keep(text) != NULL && n++ < TEXTS_MAX);
    assert_in_range(n, TEXTS_MAX - 8, TEXTS_MAX - 2);
    assert_ptr_equal(keep("one"), first);
    assert_int_equal(put_value(row, "info", &why), ERR_OK);
    assert_int_equal(put_value(row, "loud", &why), ERR_BAD_PARAM);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement_fits_the_schema),
        cmocka_unit_test(each_key_is_told_with_its_type),
        cmocka_unit_test(a_change_is_taken_over_and_taken_back),
        cmocka_unit_test(what_persists_ends_what_does_not),
        cmocka_unit_test(an_older_look_does_not_replace_a_newer_one),
        cmocka_unit_test(only_live_keys_take_values_that_fit),
        cmocka_unit_test(what_is_changed_in_the_instant_of_the_start_holds),
        cmocka_unit_test(
            a_change_is_logged_once_and_so_is_a_value_that_does_not_fit),
        cmocka_unit_test(the_level_of_the_log_is_that_of_the_key),
        cmocka_unit_test(each_of_many_changes_is_applied),
        cmocka_unit_test(without_memory_no_value_is_told),
        cmocka_unit_test(a_store_that_cannot_be_asked_is_told_when_that_begins),
        cmocka_unit_test(the_watch_looks_at_once_and_ends_when_it_is_told),
        cmocka_unit_test(the_start_is_read_back_from_its_file),
        cmocka_unit_test(a_text_is_kept_once),
    };

    return cmocka_run_group_tests(tests, statements_setup, statements_teardown);
}
