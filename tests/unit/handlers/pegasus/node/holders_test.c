/* Counts per address, kept as text and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "pegasus/node/holders.h"

static enum err
read_text(const char *text, struct pg_holders *out)
{
    pg_holders_init(out, arena);
    return pg_holders_read(out, (struct span){ text, strlen(text) });
}

static void
what_was_kept_is_counted_again(void **state)
{
    struct buf b = BUF_INIT(4096);
    struct pg_holders t, again;

    (void)state;
    pg_holders_init(&t, arena);
    pg_holders_add(&t, "10.0.0.2:1", "10.0.0.10:1,10.0.0.3:1", 5);
    pg_holders_add(&t, NULL, "10.0.0.2:1", 2);
    pg_holders_print(&t, &b);
    assert_int_equal(read_text(buf_text(&b), &again), ERR_OK);
    buf_free(&b);
    assert_int_equal(again.n, 3);
    assert_int_equal(pg_holders_find(&again, "10.0.0.2:1")->primaries, 5);
    assert_int_equal(pg_holders_find(&again, "10.0.0.2:1")->secondaries, 2);
    assert_int_equal(pg_holders_find(&again, "10.0.0.10:1")->secondaries, 5);
    pg_holders_sort(&again);
    assert_string_equal(again.line[2].address, "10.0.0.10:1");
}

static void
nothing_kept_is_nothing_counted(void **state)
{
    struct pg_holders t;

    (void)state;
    assert_int_equal(read_text("", &t), ERR_OK);
    assert_int_equal(t.n, 0);
    assert_null(pg_holders_find(&t, "x"));
}

static void
another_text_is_refused(void **state)
{
    static const char *const texts[] = {
        "\n", "1 2\n", "1 2 \n", "1 2 a", "1,2 a\n", "a b c\n",
    };
    struct pg_holders t;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_int_equal(read_text(texts[i], &t), ERR_BAD_PARAM);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_kept_is_counted_again, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(nothing_kept_is_nothing_counted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(another_text_is_refused, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
