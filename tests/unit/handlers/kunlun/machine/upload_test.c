/* Names of files that a machine takes, and the folder that they go to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kunlun/machine/upload.c"

#include "arena_fixture.h"

static void
only_a_bare_name_is_taken(void **state)
{
    static const char *const good[] = { "a", "mysql_shard1.json", "A-z_0.9",
                                        "a.", "-" };
    static const char *const bad[] = { "",    ".",        "..",   ".a",
                                       "a/b", "../a",     "a\\b", "a b",
                                       "a\n", "\xc3\xa9", "a:b",  "a%2f" };
    char name[NAME_MAX_BYTES + 2];

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_true(is_bare_name(good[i]));
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(is_bare_name(bad[i]));
    (void)memset(name, 'n', sizeof(name));
    name[NAME_MAX_BYTES + 1] = '\0';
    assert_false(is_bare_name(name));
    name[NAME_MAX_BYTES] = '\0';
    assert_true(is_bare_name(name));
}

static void
the_parameters_say_which_folder(void **state)
{
    static const char *const rows[][2] = {
        { "{\"ver\":\"0.1\",\"file_type\":\"mysql\"}", "mysql" },
        { "{\"file_type\":\"pgsql\"}", "pgsql" },
        { "{\"file_type\":\"cluster\"}", "cluster" },
        { "{\"file_type\":\"mysq\"}", "upload" },
        { "{\"file_type\":\"../mysql\"}", "upload" },
        { "{\"file_type\":[\"mysql\"]}", "upload" },
        { "{\"type\":\"mysql\"}", "upload" },
        { "{\"file_type\":\"mysql\"", "upload" },
        { "", "upload" },
    };
    struct req r = { .arena = arena };
    struct multipart *m = arena_alloc(arena, sizeof(*m));
    char body[512], why[WHY_BYTES];

    (void)state;
    assert_non_null(m);
    for (size_t i = 0; i < COUNT(rows); i++) {
        int n = snprintf(body, sizeof(body),
                         "--b\r\nContent-Disposition: form-data; "
                         "name=\"parameters\"\r\n\r\n%s\r\n--b--\r\n",
                         rows[i][0]);

        assert_int_equal(multipart_parse(arena, "b", body, (size_t)n, m, why),
                         ERR_OK);
        assert_string_equal(folder_of(&r, m), rows[i][1]);
    }
    *m = (struct multipart){ 0 };
    assert_string_equal(folder_of(&r, m), "upload");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_bare_name_is_taken),
        cmocka_unit_test_setup_teardown(the_parameters_say_which_folder, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
