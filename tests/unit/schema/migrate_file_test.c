/* The format of sql/NNNN_name.sql. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "schema/migrate_file.h"

static int
setup(void **state)
{
    *state = arena_new(4u << 20);
    return *state != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static enum err
parse(void **state, const char *name, const char *text, struct migration *out,
      char why[WHY_BYTES])
{
    const struct embedded file = { name, text, strlen(text) };

    why[0] = '\0';
    return migration_parse(*state, &file, out, why);
}

static void
a_file_gives_its_steps(void **state)
{
    static const char text[] = "-- prose\n"
                               "-- min_reader: 3\n"
                               "\n"
                               "-- more prose\n"
                               "-- done: SELECT 1\n"
                               "--   FROM x\n"
                               "CREATE TABLE a (\n"
                               "    b INT -- a comment; inside\n"
                               ");\n"
                               "-- done: select 2 FROM y\n"
                               "DROP TABLE c;   \n";
    struct migration m;
    char why[WHY_BYTES];

    assert_int_equal(parse(state, "0012_two_words.sql", text, &m, why), ERR_OK);
    assert_int_equal(m.id, 12);
    assert_string_equal(m.name, "two_words");
    assert_int_equal(m.min_reader, 3);
    assert_int_equal(m.n_steps, 2);
    assert_string_equal(m.steps[0].probe, "SELECT 1\n   FROM x");
    assert_string_equal(m.steps[0].ddl,
                        "CREATE TABLE a (\n    b INT -- a comment; inside\n)");
    assert_string_equal(m.steps[1].probe, "select 2 FROM y");
    assert_string_equal(m.steps[1].ddl, "DROP TABLE c");
    assert_int_equal(strlen(m.steps[0].digest), 64);
    assert_string_not_equal(m.steps[0].digest, m.steps[1].digest);
}

static void
a_malformed_file_is_refused_with_its_line(void **state)
{
#define HEAD "-- min_reader: 1\n"
#define STEP "-- done: SELECT 1\nDROP TABLE a;\n"
    static const struct {
        const char *name, *text, *why;
    } cases[] = {
        { "0001_a.sql", "", "no step" },
        { "0001_a.sql", HEAD, "no step" },
        { "0001_a.sql", STEP, "no min_reader" },
        { "0001_a.sql", HEAD HEAD STEP, "once" },
        { "0001_a.sql", HEAD STEP HEAD, "once" },
        { "0001_a.sql", "-- min_reader: 2\n" STEP, "from 1 to" },
        { "0001_a.sql", "-- min_reader: 1x\n" STEP, "from 1 to" },
        { "0001_a.sql", HEAD "DROP TABLE a;\n", "0001_a.sql:2: a statement" },
        { "0001_a.sql", HEAD STEP "DROP TABLE b;\n", ":4: a statement" },
        { "0001_a.sql", HEAD "-- done: DELETE FROM a\nDROP TABLE a;\n",
          "is a SELECT" },
        { "0001_a.sql", HEAD "-- done: SELECT 1\n", "no statement" },
        { "0001_a.sql", HEAD "-- done: SELECT 1\n\nDROP TABLE a;\n",
          "no statement" },
        { "0001_a.sql", HEAD "-- done: SELECT 1\n-- done: SELECT 2\nX;\n",
          "no statement" },
        { "0001_a.sql", HEAD "-- done: SELECT 1\nDROP TABLE a\n", "no ;" },
        { "1_a.sql", HEAD STEP, "NNNN" },
        { "0000_a.sql", HEAD STEP, "NNNN" },
        { "0001a.sql", HEAD STEP, "NNNN" },
        { "0001_.sql", HEAD STEP, "NNNN" },
        { "00010_a.sql", HEAD STEP, "NNNN" },
    };
    struct migration m;
    char why[WHY_BYTES];

    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(parse(state, cases[i].name, cases[i].text, &m, why),
                         ERR_BAD_PARAM);
        if (strstr(why, cases[i].why) == NULL)
            fail_msg("case %zu: \"%s\" lacks \"%s\"", i, why, cases[i].why);
    }
}

static void
numbers_must_ascend(void **state)
{
    static const char text[] = HEAD STEP;
    const struct embedded twice[] = {
        { "0002_a.sql", text, sizeof(text) - 1 },
        { "0002_b.sql", text, sizeof(text) - 1 },
        { NULL, NULL, 0 },
    };
    struct migrations all;
    char why[WHY_BYTES];

    assert_int_equal(migrations_parse(*state, twice, &all, why), ERR_BAD_PARAM);
    assert_non_null(strstr(why, "0002_b.sql"));
}

static void
the_files_of_this_binary_are_well_formed(void **state)
{
    struct migrations all;
    char why[WHY_BYTES] = "";

    if (migrations_parse(*state, embed_sql, &all, why) != ERR_OK)
        fail_msg("%s", why);
    assert_true(all.n >= 1);
    assert_int_equal(all.v[0].id, 1);
    assert_int_equal(all.version, all.v[all.n - 1].id);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_file_gives_its_steps),
        TEST(a_malformed_file_is_refused_with_its_line),
        TEST(numbers_must_ascend),
        TEST(the_files_of_this_binary_are_well_formed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
