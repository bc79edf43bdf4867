/* Which tables filter rules take: spec/ticdc section 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ticdc/rules/filter.h"

#define RULES_MAX 4

static int
arena_setup(void **state)
{
    *state = arena_new(8 << 20);
    return *state == NULL;
}

static int
arena_teardown(void **state)
{
    arena_free(*state);
    return 0;
}

static const struct filter *
parsed(struct arena *a, const char *const *rules, bool case_sensitive)
{
    const struct filter *f;
    char why[WHY_BYTES] = "";
    size_t n = 0;

    while (n < RULES_MAX && rules[n] != NULL)
        n++;
    if (filter_parse(a, rules, n, case_sensitive, "metagate", &f, why) !=
        ERR_OK)
        fail_msg("%s", why);
    return f;
}

static void
the_last_rule_that_fits_decides(void **state)
{
    static const struct {
        const char *rule[RULES_MAX];
        const char *schema, *table;
        bool takes;
    } cases[] = {
        { { NULL }, "a", "b", true },
        { { "*.*" }, "a", "b", true },
        { { "!a.b" }, "a", "b", false },
        { { "!a.b" }, "a", "c", false }, /* only refusals take nothing */
        { { "# a.b" }, "a", "b", false },
        { { "", "  a.b " }, "a", "b", true },
        { { "*.*", "!a.b" }, "a", "b", false },
        { { "*.*", "!a.b" }, "a", "c", true },
        { { "!a.b", "*.*" }, "a", "b", true },
        { { "a.*", "!a.b*", "a.bc" }, "a", "bc", true },
        { { "a.*", "!a.b*", "a.bc" }, "a", "bd", false },
        { { "test.t?" }, "test", "t1", true },
        { { "test.t?" }, "test", "t", false },
        { { "test.t?" }, "test", "t\xc3\xa9", true }, /* one code point */
        { { "test.t[0-9]" }, "test", "t5", true },
        { { "test.t[0-9]" }, "test", "tx", false },
        { { "test.t[!0-9]" }, "test", "tx", true },
        { { "test.t[!0-9]" }, "test", "t5", false },
        { { "test.t[a-c_\\]]" }, "test", "t]", true },
        { { "t*t.*1*2*3" }, "test", "a11b2c23", true },
        { { "t*t.*1*2*3" }, "test", "a1b2c4", false },
        { { "TeSt.T1" }, "tEsT", "t1", true },
        { { "\xc3\x89t.*" }, "\xc3\xa9T", "x", true },
        { { "t\\.t.a\\-b" }, "t.t", "a-b", true },
        { { "\"a.b\".`c``d`" }, "a.b", "c`d", true },
        { { "\"a.*\".c" }, "a.x", "c", false },
        { { "/^db_[0-9]{1,3}$/.*" }, "db_07", "t", true },
        { { "/^db_[0-9]{1,3}$/.*" }, "db_0007", "t", false },
        { { "/b/./x|y/" }, "abc", "zyz", true }, /* anywhere */
        { { "/A\\/B/.*" }, "xa/b", "t", true },
        { { "/^(?:\\d+|[[:alpha:]]{2})$/.*" }, "Ab", "t", true },
        { { "/^(?:\\d+|[[:alpha:]]{2})$/.*" }, "Ab1", "t", false },
        { { "/^[^\\D]+$/.*" }, "12", "t", true },
        { { "/^[^\\D]+$/.*" }, "1a2", "t", false },
        { { "/^(a|ab)(c|bcd)(d*)$/.*" }, "abcd", "t", true },
        { { "/\\bx\\b/.*" }, "a-x-b", "t", true },
        { { "/\\bx\\b/.*" }, "axb", "t", false },
        { { "/^\\x61\\x{62}\\Q.*\\E$/.*" }, "ab.*", "t", true },
        { { "*.*" }, "mysql", "user", false },
        { { "*.*" }, "INFORMATION_SCHEMA", "t", false },
        { { "mysql.*" }, "mysql", "user", false },
        { { "*.*" }, "metagate", "lease", false },
        { { "*.*" }, "Kunlun_Metadata_DB", "t", false },
        { { "*.*" }, "tidb_cdc", "t", false },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct filter *f = parsed(*state, cases[i].rule, false);

        if (filter_takes(f, cases[i].schema, cases[i].table) != cases[i].takes)
            fail_msg("%s .. of %s.%s", cases[i].rule[0], cases[i].schema,
                     cases[i].table);
    }
}

static void
case_counts_where_that_is_asked_for(void **state)
{
    static const char *const rules[] = { "Test.[a-c]", "/^x/.*", NULL };
    const struct filter *f = parsed(*state, rules, true);

    assert_true(filter_takes(f, "Test", "a"));
    assert_false(filter_takes(f, "test", "a"));
    assert_false(filter_takes(f, "Test", "A"));
    assert_true(filter_takes(f, "xy", "t"));
    assert_false(filter_takes(f, "XY", "t"));
}

static void
a_schema_is_taken_when_a_table_of_it_may_be(void **state)
{
    static const struct {
        const char *rule[RULES_MAX];
        bool takes;
    } cases[] = {
        { { "a.b" }, true },         { { "b.*" }, false },
        { { "a.*", "!a.b" }, true }, { { "a.*", "!a.*" }, false },
        { { "!a.b" }, false },       { { "!a.*", "a.x" }, true },
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        if (filter_takes_schema(parsed(*state, cases[i].rule, false), "a") !=
            cases[i].takes)
            fail_msg("%s ..", cases[i].rule[0]);
}

static void
what_is_no_rule_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *rule, *why;
    } cases[] = {
        { "@/etc/passwd", "not read from files" },
        { " @rules", "not read from files" },
        { "a", ".table is missing" },
        { "a.", "a name is missing" },
        { ".b", "a name is missing" },
        { "!", "a name is missing" },
        { "!!a.b", "no meaning" },
        { "a.b.c", "behind the table" },
        { "a.b #c", "no meaning" },
        { "a-b.c", "no meaning" },
        { "a.b c", "no meaning" },
        { "a.\\n", "before punctuation" },
        { "a.b\\", "last backslash" },
        { "a.[b", "closing ]" },
        { "a.[]", "no character between" },
        { "a.[!]", "no character between" },
        { "a.[z-a]", "backwards" },
        { "\"a.b", "closing quote" },
        { "\"\".b", "nothing between the quotes" },
        { "\"a\"x.b", ".table is missing" },
        { "a.\"b\"x", "behind the table" },
        { "/a.b", "closing /" },
        { "//.b", "nothing between the slashes" },
        { "/(?=a)/.b", "unsupported syntax" },
        { "/(?!a)/.b", "unsupported syntax" },
        { "/(?<=a)/.b", "unsupported syntax" },
        { "/(?<!a)/.b", "unsupported syntax" },
        { "/(?>a)/.b", "unsupported syntax" },
        { "/(a)\\1/.b", "references back" },
        { "/(?P=x)/.b", "unsupported syntax" },
        { "/a++/.b", "nested repetition" },
        { "/a**/.b", "nested repetition" },
        { "/a{2}{3}/.b", "nested repetition" },
        { "/*a/.b", "missing argument" },
        { "/a{1001}/.b", "repeat count" },
        { "/a{2,1}/.b", "repeat count" },
        { "/((a{100}){100}){100}/.b", "too large" },
        { "/(a/.b", "missing closing )" },
        { "/a)/.b", "unexpected )" },
        { "/[a/.b", "missing closing ]" },
        { "/[z-a]/.b", "character class range" },
        { "/\\pL/.b", "by property" },
        { "/\\y/.b", "invalid escape" },
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct filter *f;
        char why[WHY_BYTES] = "";

        if (filter_parse(*state, &cases[i].rule, 1, false, NULL, &f, why) !=
                ERR_BAD_PARAM ||
            strstr(why, cases[i].why) == NULL)
            fail_msg("%s: %s", cases[i].rule, why);
    }
}

static void
bounds_are_kept(void **state)
{
    static const char *many[FILTER_RULES_MAX + 1];
    char rule[FILTER_RULE_BYTES_MAX + 2];
    const char *one = rule;
    const struct filter *f;
    char why[WHY_BYTES] = "";

    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = "a.b";
    assert_int_equal(
        filter_parse(*state, many, FILTER_RULES_MAX, false, NULL, &f, why),
        ERR_OK);
    assert_int_equal(
        filter_parse(*state, many, COUNT(many), false, NULL, &f, why),
        ERR_BAD_PARAM);
    memset(rule, 'a', sizeof(rule) - 1);
    rule[1] = '.';
    rule[sizeof(rule) - 1] = '\0';
    assert_int_equal(filter_parse(*state, &one, 1, false, NULL, &f, why),
                     ERR_BAD_PARAM);
    rule[sizeof(rule) - 2] = '\0';
    assert_int_equal(filter_parse(*state, &one, 1, false, NULL, &f, why),
                     ERR_OK);
    memset(rule, '(', 200); /* nested deeply */
    memcpy(rule, "/", 1);
    memcpy(rule + 200, "a/.b", 5);
    assert_int_equal(filter_parse(*state, &one, 1, false, NULL, &f, why),
                     ERR_BAD_PARAM);
    assert_non_null(strstr(why, "too deeply"));
}

/* By an engine that goes back these would take longer than the test may. */
static void
no_rule_takes_long(void **state)
{
    static const char *const rules[] = { "/^(a|a)*(a*)*(a+)+$/.*",
                                         "*a*a*a*a*a*a*a*a*a*b.*", NULL };
    const struct filter *f = parsed(*state, rules, false);
    char name[257];

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_true(filter_takes(f, name, "t"));
    name[sizeof(name) - 2] = '!';
    assert_false(filter_takes(f, name, "t"));
}

/* Against the plain meaning of * and ?, by all short words of two letters. */
static bool
fits_plainly(const char *w, const char *name)
{
    if (*w == '\0')
        return *name == '\0';
    if (*w == '*')
        return fits_plainly(w + 1, name) ||
               (*name != '\0' && fits_plainly(w, name + 1));
    return *name != '\0' && (*w == '?' || *w == *name) &&
           fits_plainly(w + 1, name + 1);
}

static void
wildcards_mean_what_they_say(void **state)
{
    static const char letters[] = "ab*?";
    char rule[8], name[8];
    const char *one = rule;

    for (unsigned w = 0; w < 4 * 4 * 4 * 4; w++) {
        struct arena *a = arena_new(1 << 20);
        const struct filter *f;
        char why[WHY_BYTES] = "";

        assert_non_null(a);
        memcpy(rule, "s.", 2);
        for (size_t i = 0; i < 4; i++)
            rule[2 + i] = letters[w >> (2 * i) & 3];
        rule[6] = '\0';
        assert_int_equal(filter_parse(a, &one, 1, false, NULL, &f, why),
                         ERR_OK);
        for (unsigned bits = 0; bits < 1 << 6; bits++)
            for (size_t n = 1; n <= 6; n++) {
                for (size_t i = 0; i < n; i++)
                    name[i] = (bits >> i & 1) != 0 ? 'a' : 'b';
                name[n] = '\0';
                if (filter_takes(f, "s", name) != fits_plainly(rule + 2, name))
                    fail_msg("%s of %s", rule, name);
            }
        arena_free(a);
    }
    (void)state;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_rule_that_fits_decides),
        cmocka_unit_test(case_counts_where_that_is_asked_for),
        cmocka_unit_test(a_schema_is_taken_when_a_table_of_it_may_be),
        cmocka_unit_test(what_is_no_rule_is_refused_with_a_reason),
        cmocka_unit_test(bounds_are_kept),
        cmocka_unit_test(no_rule_takes_long),
        cmocka_unit_test(wildcards_mean_what_they_say),
    };

    return cmocka_run_group_tests(tests, arena_setup, arena_teardown);
}
