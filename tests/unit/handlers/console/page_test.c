/* Cursors of the console's lists: what was written is read again, and nothing
 * else is. */
#include "request/request.h"

#include "console/console.h"
#include "console/page.h"

static struct error_text refusal = {
    .id = "CURSOR", .err = ERR_BAD_PARAM, .http = 400, .text = "cursor"
};

static struct console_key key;

static const char *
written(const char *a, const char *b, const char *c, const char *d)
{
    struct console_key k = { .part = { a, b, c, d, "e" } };

    return console_key_write(arena, &k);
}

static void
a_cursor_is_read_as_it_was_written(void **state)
{
    const char *cursor = written("a b", "", "\xc3\xa4", "0");

    (void)state;
    assert_string_equal(cursor, "6120621f1fc3a41f301f651f");
    assert_int_equal(console_key_read(&r, cursor, &key), ERR_OK);
    assert_string_equal(key.part[0], "a b");
    assert_string_equal(key.part[1], "");
    assert_string_equal(key.part[2], "\xc3\xa4");
    assert_string_equal(key.part[3], "0");
    assert_string_equal(key.part[4], "e");
    assert_string_equal(written("a", NULL, NULL, NULL), "611f1f1f1f651f");
    assert_string_equal(console_key_u64(arena, UINT64_MAX),
                        "18446744073709551615");
}

static void
none_is_before_all_others(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        memset(&key, 0, sizeof(key));
        assert_int_equal(console_key_read(&r, i == 0 ? NULL : "", &key),
                         ERR_OK);
        for (size_t k = 0; k < CONSOLE_KEYS; k++)
            assert_string_equal(key.part[k], "");
    }
}

static void
what_nobody_was_given_is_refused(void **state)
{
    static const char *const cursors[] = {
        "6",              /* half a byte */
        "611f1f1f1f1",    /* half a byte less */
        "611f1f1f1f1f0",  /* half a byte more */
        "611f1f1f1f",     /* a part less */
        "611f1f1f1f1f1f", /* a part more */
        "611f1f1f1f1f61", /* something behind the last */
        "611f1f1f1f1g",   /* no digit */
        "61001f1f1f1f1f", /* a byte that ends a text */
        "c31f1f1f1f1f",   /* no UTF-8 */
        "611f1f1f1f1f\xc3\xa4",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cursors); i++)
        assert_int_equal(console_key_read(&r, cursors[i], &key), ERR_BAD_PARAM);
}

/* As long as a filter may be, and no longer. */
static void
a_key_has_its_bounds(void **state)
{
    static char part[CONSOLE_CURSOR_TEXT + 1];

    (void)state;
    memset(part, 'x', CONSOLE_CURSOR_TEXT - CONSOLE_KEYS - 1);
    assert_non_null(written(part, "", "", ""));
    assert_int_equal(console_key_read(&r, written(part, "", "", ""), &key),
                     ERR_OK);
    assert_string_equal(key.part[0], part);
    part[CONSOLE_CURSOR_TEXT - CONSOLE_KEYS - 1] = 'x';
    assert_null(written(part, "", "", ""));
}

static int
begin(void **state)
{
    int status = setup(state);

    errors[CONSOLE_CURSOR] = refusal;
    return status;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_cursor_is_read_as_it_was_written),
        TEST(none_is_before_all_others),
        TEST(what_nobody_was_given_is_refused),
        TEST(a_key_has_its_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
