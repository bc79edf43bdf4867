/* The lines of tokens.map. */
#include "config/token_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "scope.h"

static struct token_line l;

static void
expect_line(const char *text, const char *name, const char *id, bool secrets)
{
    const char *p = text;

    assert_true(token_map_next(&p, &l));
    if (l.broken || l.token.n != 1 || l.token.p[0] != 'a')
        fail_msg("not taken: %s", text);
    assert_string_equal(l.name, name);
    assert_string_equal(l.id, id);
    assert_int_equal(l.secrets, secrets);
    assert_false(token_map_next(&p, &l));
}

static void
a_line_is_taken_in_its_old_form_too(void **state)
{
    (void)state;
    expect_line("\"a\" \"read ci 0 0123456789abcdef\";\n", "ci",
                "0123456789abcdef", false);
    expect_line("  \"a\"  \"admin A-b_9 1\";", "A-b_9", "", true);
    expect_line("\"a\" \"read ci 0 \"; \r\n", "ci", "", false);
}

static void
what_is_no_token_is_told_from_a_comment(void **state)
{
    static const char *const broken[] = {
        "\"a\" \"read ci\";",
        "\"a\" \"owner ci 0\";",
        "\"a\" \"none ci 0\";",
        "\"a\" \"read ci 2\";",
        "\"a\" \"read ci 0x\";",
        "\"a\" \"read ci 0 00 1\";",
        "\"a\" \"read ci 0\"",
        "\"\" \"read ci 0\";",
        "a read;",
        "\"a",
        "\"a\" \"read c.i 0\";",
        "\"a\" \"read ci 0 00112233445566778\";",
        "\"a\" \"read -ci 0\";",
        "x \"a\" \"read ci 0\";",
        "\"a\n\" \"read ci 0\";",
    };
    static const char *const comments[] = { "#\"a\" \"read ci 0\";", "\n",
                                            " \t\r\n", "  # x\n" };
    const char *p;

    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        p = broken[i];
        if (!token_map_next(&p, &l) || !l.broken || l.token.n != 0)
            fail_msg("taken: %s", broken[i]);
    }
    for (size_t i = 0; i < COUNT(comments); i++) {
        p = comments[i];
        if (!token_map_next(&p, &l) || l.broken || l.token.n != 0)
            fail_msg("no comment: %s", comments[i]);
    }
}

static void
every_line_is_visited_whole(void **state)
{
    static const char map[] = "# x\n\"a\" \"read x 0\";\n\nbroken\nlast";
    const char *p = map;
    size_t n = 0, lines = 0;

    (void)state;
    for (; token_map_next(&p, &l); lines++) {
        assert_ptr_equal(l.line.p, map + n);
        n += l.line.n;
    }
    assert_int_equal(lines, 5);
    assert_int_equal(n, sizeof(map) - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_taken_in_its_old_form_too),
        cmocka_unit_test(what_is_no_token_is_told_from_a_comment),
        cmocka_unit_test(every_line_is_visited_whole),
    };

    return cmocka_run_group_tests_name("token_map", tests, NULL, NULL);
}
