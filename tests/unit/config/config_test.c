/* What the configuration promises. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "doris/settings.h"

static char path[64];
static char why[WHY_BYTES];

static void
write_ini(const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fputs(text, f) >= 0, 1);
    assert_int_equal(fclose(f), 0);
}

static void
expect_refused(const char *text, const char *line, const char *part)
{
    char want[128];

    write_ini(text);
    assert_int_equal(config_load(path, why), ERR_BAD_PARAM);
    (void)snprintf(want, sizeof(want), "%s:%s: ", path, line);
    assert_string_equal(strndupa(why, strlen(want)), want);
    assert_non_null(strstr(why, part));
}

static void
an_absent_file_gives_the_defaults(void **state)
{
    (void)state;
    assert_int_equal(config_load("/nonexistent/x.ini", why), ERR_OK);
    assert_int_equal(config()->serve_workers, 2);
    assert_string_equal(config()->mysql_database, "metagate");
    assert_false(config()->mysql_log_own);
}

static void
values_of_every_type_are_read(void **state)
{
    (void)state;
    write_ini("# a comment\n[serve]\nworkers = 7\n\n[mysql]\nlog_own=yes\n"
              "database = m2\n[doris]\ncluster_name_check: off\n");
    assert_int_equal(config_load(path, why), ERR_OK);
    assert_int_equal(config()->serve_workers, 7);
    assert_true(config()->mysql_log_own);
    assert_string_equal(config()->mysql_database, "m2");
    assert_false(doris_settings()->cluster_name_check);
}

static void
loading_again_forgets_the_old_values(void **state)
{
    (void)state;
    write_ini("[serve]\nworkers=7\n[mysql]\ndatabase=m2\n");
    assert_int_equal(config_load(path, why), ERR_OK);
    write_ini("");
    assert_int_equal(config_load(path, why), ERR_OK);
    assert_int_equal(config()->serve_workers, 2);
    assert_string_equal(config()->mysql_database, "metagate");
}

static void
an_unknown_key_is_refused_with_file_and_line(void **state)
{
    (void)state;
    expect_refused("[serve]\nworkers = 2\nworkres = 3\n", "3",
                   "[serve] workres is not a key");
    expect_refused("[nosuch]\nworkers = 2\n", "2", "[nosuch] workers");
    expect_refused("workers = 2\n", "1", "[] workers");
}

static void
a_key_that_is_meant_is_named(void **state)
{
    (void)state;
    /* as start prints the listener */
    expect_refused("[listen]\ndoris-fe = off\n", "2",
                   "[listen] doris-fe is not a key of metagate, [listen] "
                   "doris_fe is (metagate config)");
    expect_refused(
        "[listen]\nDoris = off\n", "2",
        "[listen] Doris is not a key of metagate, [listen] doris is");
    /* hosts of another section */
    expect_refused("[serve]\nlog_level = info\n", "2", "[core] log_level is");
    expect_refused("workers = 2\n", "1", "[serve] workers is");
    expect_refused("[serve]\nworkers_ = 2\n", "2",
                   "[serve] workers_ is not a key of metagate (metagate");
    expect_refused("[serve]\nworker = 2\n", "2",
                   "[serve] worker is not a key of metagate (metagate");
}

static void
a_bad_value_is_refused_with_file_and_line(void **state)
{
    (void)state;
    expect_refused("\n[serve]\nworkers = 0\n", "3",
                   "[serve] workers must be a whole number from 1 to 256");
    expect_refused("[serve]\nworkers = 2x\n", "2", "whole number");
    expect_refused("[serve]\nworkers =\n", "2", "whole number");
    expect_refused("[serve]\nworkers = 99999999999999999999\n", "2",
                   "whole number");
    expect_refused("[mysql]\nlog_own = maybe\n", "2", "must be yes or no");
    expect_refused("[mysql]\nuser = a\tb\n", "2", "control characters");
    expect_refused("[mysql]\ndatabase = a b\n", "2", "letters, digits and _");
    expect_refused("[core]\nlog_level = loud\n", "2",
                   "must be debug, info, warn or error");
    expect_refused("[core]\ntimezone = Nowhere/Bad\n", "2",
                   "[core] timezone must be a zone");
    expect_refused("[pegasus]\nlevel_on_start = asleep\n", "2",
                   "must be stopped, blind, freezed, steady or lively");
}

static void
lists_are_looked_at_element_by_element(void **state)
{
    static const char *const bad[] = {
        "10.0.0.0/8",
        "10.0.0.0/33=read",
        "10.0.0/8=read",
        "10.0.0.0/8=root",
        "10.0.0.0/=read",
        "10.0.0.0/8=read;",
        "10.0.0.0/-1=read",
        "a.example=read",
        "=read",
        "10.0.0.0/8=read, ::1/129=read",
        "0.0.0.0/0 admin; include /etc/passwd=read",
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        (void)snprintf(text, sizeof(text), "[nginx]\ntrusted = %s\n", bad[i]);
        expect_refused(text, "2", "[nginx] trusted must be network=scope");
    }
    expect_refused("[nginx]\nhosts = .*\n", "2", "must be host names");
    expect_refused("[nginx]\nhosts = a.example,b;c\n", "2",
                   "must be host names");
    expect_refused("[mysql]\nhosts = nonsense\n", "2",
                   "must be host:port or unix:/path");
    expect_refused("[mysql]\nhosts = unix:run/a.sock\n", "2",
                   "must be host:port or unix:/path");
    expect_refused("[mysql]\nhosts = a:3306,\n", "2",
                   "must be host:port or unix:/path");
    expect_refused("[mysql]\nhosts = a:3306\n[mysql]\nhosts=b:0\n", "4",
                   "is given twice");
    expect_refused("[nginx]\ntls_key = key.pem\n", "2",
                   "must be an absolute path");
    expect_refused("[nginx]\naccess_log = /a\"; evil\n", "2",
                   "must be an absolute path");
    write_ini("[nginx]\ntrusted = 10.0.0.0/8=read , fd00::/8=admin\n"
              "[mysql]\nhosts = unix:/run/a.sock, [::1]:3306, b:3307\n");
    assert_int_equal(config_load(path, why), ERR_OK);
}

static void
time_outs_end_inside_one_another(void **state)
{
    (void)state;
    expect_refused("[mysql]\nlock_wait_timeout_s = 5\n", "2",
                   "[mysql] lock_wait_timeout_s = 5 must end before "
                   "[mysql] read_timeout_s = 5 does");
    expect_refused("[serve]\ndeadline_ms = 9000\n"
                   "[mysql]\nread_timeout_s = 9\n",
                   "4", "must end before [serve] deadline_ms = 9000 does");
    expect_refused("[nginx]\ntls_certificate = /etc/hostname\n", "2",
                   "both or none");
}

static void
time_zones_are_names_of_files_or_say_their_offset(void **state)
{
    static const char *const good[] = { "",    "Asia/Shanghai", ":UTC",
                                        "UTC", "<+08>-8",       "CET-1CEST" };
    char text[64];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        (void)snprintf(text, sizeof(text), "[core]\ntimezone = %s\n", good[i]);
        write_ini(text);
        assert_int_equal(config_load(path, why), ERR_OK);
        assert_string_equal(config()->core_timezone, good[i]);
    }
}

static void
a_line_that_is_no_setting_is_refused(void **state)
{
    (void)state;
    expect_refused("[serve]\nworkers\n", "2", "key = value");
    expect_refused("[serve\nworkers = 1\n", "1", "key = value");
    expect_refused("[serve]\nworkers = 1\nworkers = 2\n", "3",
                   "[serve] workers is given twice");
}

static void
a_line_too_long_is_refused_not_split(void **state)
{
    char *text = malloc(9001);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', 9000);
    text[9000] = '\0';
    memcpy(text, "[mysql]\nuser=", 13);
    expect_refused(text, "2", "too long");
    free(text);
}

static void
the_environment_overrides_the_file(void **state)
{
    (void)state;
    write_ini("[serve]\nworkers = 7\n");
    (void)setenv("METAGATE_SERVE_WORKERS", "9", 1);
    assert_int_equal(config_load(path, why), ERR_OK);
    assert_int_equal(config()->serve_workers, 9);
    (void)setenv("METAGATE_SERVE_WORKERS", "none", 1);
    assert_int_equal(config_load(path, why), ERR_BAD_PARAM);
    assert_non_null(strstr(why, "METAGATE_SERVE_WORKERS must be"));
    (void)unsetenv("METAGATE_SERVE_WORKERS");
}

static void
an_unknown_variable_of_a_section_is_refused(void **state)
{
    (void)state;
    (void)setenv("METAGATE_SERVE_WORKRES", "9", 1);
    assert_int_equal(config_load(NULL, why), ERR_BAD_PARAM);
    assert_non_null(strstr(why, "METAGATE_SERVE_WORKRES"));
    (void)unsetenv("METAGATE_SERVE_WORKRES");
    (void)setenv("METAGATE_TEST_COVERAGE", "x", 1); /* no section of ours */
    assert_int_equal(config_load(NULL, why), ERR_OK);
    (void)unsetenv("METAGATE_TEST_COVERAGE");
}

/* The template with every "#key = value" line taken into use. */
static void
enable_all_keys(void)
{
    char line[1024];
    char *all = NULL;
    size_t n = 0;
    FILE *in = fopen(path, "r"), *out = open_memstream(&all, &n);

    assert_non_null(in);
    assert_non_null(out);
    while (fgets(line, sizeof(line), in) != NULL)
        (void)fputs(line[0] == '#' && line[1] != ' ' ? line + 1 : line, out);
    (void)fclose(in);
    (void)fclose(out);
    write_ini(all);
    free(all);
}

static void
the_template_reads_as_the_defaults(void **state)
{
    struct config before;

    (void)state;
    (void)unlink(path);
    assert_int_equal(config_load(NULL, why), ERR_OK);
    before = *config();
    assert_int_equal(config_write_template(path), ERR_OK);
    assert_int_equal(config_load(path, why), ERR_OK);
    assert_memory_equal(&before, config(), sizeof(before));
    enable_all_keys();
    assert_int_equal(config_load(path, why), ERR_OK);
    assert_int_equal(before.mysql_port, config()->mysql_port);
    assert_string_equal(before.nginx_binary, config()->nginx_binary);
    assert_true(doris_settings()->cluster_name_check);
}

static void
every_key_says_what_a_change_of_it_needs(void **state)
{
    char *text;
    FILE *f;
    size_t n;

    (void)state;
    (void)unlink(path);
    assert_int_equal(config_write_template(path), ERR_OK);
    f = fopen(path, "r");
    assert_non_null(f);
    text = calloc(1, 1 << 20);
    n = fread(text, 1, (1 << 20) - 1, f);
    assert_true(n > 0);
    (void)fclose(f);
    assert_non_null(strstr(text, "error [live]\n#log_level ="));
    assert_non_null(strstr(text, "[reload]\n#rate_per_s ="));
    assert_non_null(strstr(text, "[reload]\n#tls_key ="));
    assert_non_null(strstr(text, "[reload, then restart]\n#console ="));
    assert_non_null(strstr(text, "[restart]\n#threads ="));
    free(text);
}

static void
the_template_never_replaces_a_file(void **state)
{
    (void)state;
    write_ini("[serve]\nworkers = 3\n");
    assert_int_equal(config_write_template(path), ERR_EXISTS);
    assert_int_equal(config_load(path, why), ERR_OK);
    assert_int_equal(config()->serve_workers, 3);
}

static void
lists_are_read_as_people_write_them(void **state)
{
    static const struct {
        const char *list, *want; /* elements between | */
    } row[] = {
        { "", "" },          { "a", "|a" },
        { "a,b", "|a|b" },   { " a , b\t", "|a|b" },
        { "a,", "|a|" },     { ",a", "||a" },
        { "a,,b", "|a||b" }, { " ", "|" },
        { ",", "|" },        { "a b,c", "|a b|c" },
    };
    char got[64];

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        const char *list = row[i].list;
        struct span s;
        size_t n = 0;

        got[0] = '\0';
        while (config_list_next(&list, &s) && n < sizeof(got) - 16)
            n += (size_t)snprintf(got + n, sizeof(got) - n, "|%.*s", (int)s.n,
                                  s.p);
        assert_string_equal(got, row[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_absent_file_gives_the_defaults),
        cmocka_unit_test(values_of_every_type_are_read),
        cmocka_unit_test(loading_again_forgets_the_old_values),
        cmocka_unit_test(an_unknown_key_is_refused_with_file_and_line),
        cmocka_unit_test(a_key_that_is_meant_is_named),
        cmocka_unit_test(a_bad_value_is_refused_with_file_and_line),
        cmocka_unit_test(lists_are_looked_at_element_by_element),
        cmocka_unit_test(lists_are_read_as_people_write_them),
        cmocka_unit_test(time_outs_end_inside_one_another),
        cmocka_unit_test(time_zones_are_names_of_files_or_say_their_offset),
        cmocka_unit_test(a_line_that_is_no_setting_is_refused),
        cmocka_unit_test(a_line_too_long_is_refused_not_split),
        cmocka_unit_test(the_environment_overrides_the_file),
        cmocka_unit_test(an_unknown_variable_of_a_section_is_refused),
        cmocka_unit_test(the_template_reads_as_the_defaults),
        cmocka_unit_test(every_key_says_what_a_change_of_it_needs),
        cmocka_unit_test(the_template_never_replaces_a_file),
    };
    int fd, failed;

    (void)snprintf(path, sizeof(path), "/tmp/metagate-config-XXXXXX");
    fd = mkstemp(path);
    if (fd < 0)
        return 1;
    (void)close(fd);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
