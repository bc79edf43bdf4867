/* The lines of tokens.map. */
#include "config/token_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
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
times_of_a_line_are_taken(void **state)
{
    static const struct {
        const char *text;
        int64_t created_s, expires_s;
    } lines[] = {
        { "\"a\" \"read ci 0 0123456789abcdef\"; # created 1796000000\n",
          1796000000, 0 },
        { "\"a\" \"read ci 0 0123456789abcdef 1797000000\"; # created 12", 12,
          1797000000 },
        { "\"a\" \"read ci 0 0123456789abcdef 999999999999\";", 0,
          999999999999 },
        /* a person's own comments say nothing */
        { "\"a\" \"read ci 0\"; # created 5", 5, 0 },
        { "\"a\" \"read ci 0\"; # created 12x", 0, 0 },
        { "\"a\" \"read ci 0\"; # created ", 0, 0 },
        { "\"a\" \"read ci 0\"; # created by me", 0, 0 },
        { "\"a\" \"read ci 0\"; created 12", 0, 0 },
        { "\"a\" \"read ci 0\"; # created 0", 0, 0 },
        { "\"a\" \"read ci 0\"; # created 1234567890123", 0, 0 },
    };
    const char *p;

    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        p = lines[i].text;
        if (!token_map_next(&p, &l) || l.broken ||
            l.created_s != lines[i].created_s ||
            l.expires_s != lines[i].expires_s)
            fail_msg("read wrongly: %s", lines[i].text);
    }
}

static void
a_token_is_known_until_the_second_it_expires(void **state)
{
    (void)state;
    assert_false(token_expired(0));
    assert_false(token_expired(clock_unix_s() + 3600));
    assert_true(token_expired(clock_unix_s()));
    assert_true(token_expired(1));
}

static void
an_id_is_sixteen_hex_digits(void **state)
{
    (void)state;
    assert_true(token_id_ok("0123456789abcdef"));
    assert_false(token_id_ok("0123456789abcde"));
    assert_false(token_id_ok("0123456789abcdef0"));
    assert_false(token_id_ok("0123456789abcdeF"));
    assert_false(token_id_ok("../../../../etc/"));
    assert_false(token_id_ok(""));
}

/* As long as there is room for, and one more. */
static void
a_grant_has_its_bound(void **state)
{
    char text[256];
    const char *p;

    (void)state;
    for (int n = 127; n <= 129; n++) {
        p = text;
        (void)snprintf(text, sizeof(text), "\"a\" \"read ci 0%*s\";", n - 9,
                       "x");
        assert_int_equal(strlen(text), 7 + n);
        assert_true(token_map_next(&p, &l));
        assert_true(l.broken);
    }
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
        "\"a\" \"read ci 0 0123456789abcde\";",
        "\"a\" \"read ci 0  1797000000\";",
        "\"a\" \"read ci 0 0123456789abcdef \";",
        "\"a\" \"read ci 0 0123456789abcdef 0\";",
        "\"a\" \"read ci 0 0123456789abcdef 12x\";",
        "\"a\" \"read ci 0 0123456789abcdef -1\";",
        "\"a\" \"read ci 0 0123456789abcdef 1234567890123\";",
        "\"a\" \"read ci 0 0123456789abcdef 1797000000 1\";",
        "\"a\" \"read ci 0\"",
        "\"\" \"read ci 0\";",
        "\"a\";",
        "\"a\" ;",
        "\"a\" \"read ci 0\" ;",
        "\"a\" \"read ci 0\"x;",
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

/* Names to 64 letters, and no grant that is longer than any can be. */
static void
what_is_too_long_is_broken(void **state)
{
    static const struct {
        int letters;
        bool broken;
    } rows[] = { { 1, false },  { 64, false }, { 65, true },
                 { 115, true }, { 119, true }, { 120, true },
                 { 121, true }, { 122, true }, { 200, true } };
    char name[201], text[256];
    const char *p;

    (void)state;
    memset(name, 'n', sizeof(name));
    for (size_t i = 0; i < COUNT(rows); i++) {
        (void)snprintf(text, sizeof(text), "\"a\" \"read %.*s 0\";",
                       rows[i].letters, name);
        p = text;
        if (!token_map_next(&p, &l) || l.broken != rows[i].broken)
            fail_msg("%d letters", rows[i].letters);
    }
    p = "\t\"a\"\t\"read ci 0\";";
    assert_true(token_map_next(&p, &l));
    assert_false(l.broken);
    p = "\"a\" \"";
    assert_true(token_map_next(&p, &l));
    assert_true(l.broken);
    p = "\"a\"";
    assert_true(token_map_next(&p, &l));
    assert_true(l.broken);
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
        cmocka_unit_test(times_of_a_line_are_taken),
        cmocka_unit_test(a_token_is_known_until_the_second_it_expires),
        cmocka_unit_test(an_id_is_sixteen_hex_digits),
        cmocka_unit_test(a_grant_has_its_bound),
        cmocka_unit_test(what_is_no_token_is_told_from_a_comment),
        cmocka_unit_test(what_is_too_long_is_broken),
        cmocka_unit_test(every_line_is_visited_whole),
    };

    return cmocka_run_group_tests_name("token_map", tests, NULL, NULL);
}
