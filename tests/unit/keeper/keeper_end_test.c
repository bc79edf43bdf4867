/* What a server's log says of why it has ended. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "keeper/keeper_int.h"
#include "run_dir_fixture.h"

#define START \
    "2026-11-30 19:09:56 0 [Note] Starting MariaDB 10.11.19 as process 5605\n"
#define POSTGRES "2026-11-30 19:05:17.128 UTC [9618] "

static char path[128];

static void
write_log(const char *before, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(before, f) >= 0 && fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
the_first_error_since_the_last_start_is_why(void **state)
{
    static const struct {
        const char *text, *says;
    } rows[] = {
        { "", "" },
        { START, "" },
        { START "2026-11-30 19:09:57 0 [ERROR] InnoDB: Cannot map it\n"
                "2026-11-30 19:09:57 0 [ERROR] Aborting\n",
          "InnoDB: Cannot map it" },
        { "2026-11-30 19:09:55 0 [ERROR] of an earlier one\n" START
          "2026-11-30 19:09:57 0 [ERROR] Aborting",
          "Aborting" },
        { START "2026-11-30 19:09:57 0 [ERROR] earlier\n" START, "" },
        { POSTGRES "LOG:  starting PostgreSQL 15.18 (Debian) on x86_64\n"
                   "" POSTGRES "FATAL:  the database system is starting up\n"
                   "" POSTGRES "FATAL:  could not map it\n"
                   "" POSTGRES "FATAL:  another\n",
          "could not map it" },
        { POSTGRES "PANIC:  no checkpoint\n" POSTGRES
                   "LOG:  starting PostgreSQL 15.18\n",
          "" },
        { POSTGRES "PANIC:  no checkpoint\n", "no checkpoint" },
    };
    char says[256];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        write_log("", rows[i].text);
        (void)memset(says, 'x', sizeof(says));
        keep_says_why(path, says, sizeof(says));
        assert_string_equal(says, rows[i].says);
    }
}

static void
of_a_long_log_the_end_is_read(void **state)
{
    static char before[40000];
    char says[8];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(before); i++)
        before[i] = i % 80 == 79 ? '\n' : '.';
    memcpy(before, "[ERROR] first\n", 14);
    write_log(before, "\n0 [ERROR] the second\n");
    keep_says_why(path, says, sizeof(says));
    assert_string_equal(says, "the sec");
}

static void
what_is_no_file_says_nothing(void **state)
{
    char says[8];

    (void)state;
    assert_int_equal(remove(path), 0);
    keep_says_why(path, says, sizeof(says));
    assert_string_equal(says, "");
    keep_says_why(NULL, says, sizeof(says));
    assert_string_equal(says, "");
    assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes: not waited for */
    keep_says_why(path, says, sizeof(says));
    assert_string_equal(says, "");
}

static int
begin(void **state)
{
    int failed = setup(state);

    (void)snprintf(path, sizeof(path), "%s/log", dir);
    return failed;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_error_since_the_last_start_is_why),
        cmocka_unit_test(of_a_long_log_the_end_is_read),
        cmocka_unit_test(what_is_no_file_says_nothing),
    };

    return cmocka_run_group_tests(tests, begin, teardown);
}
