/* Statements taken apart into words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "sql_words.h"

/* "w:word n:name s:string :sign", in a block of exactly the text's size. */
static const char *
words(const char *sql, uint64_t mode, struct buf *out)
{
    static const char *const kinds[] = {
        [SQL_WORD] = "w", [SQL_NAME] = "n", [SQL_STRING] = "s", [SQL_SIGN] = ""
    };
    size_t n = strlen(sql);
    char *copy = malloc(n > 0 ? n : 1);
    struct sql_words w;

    assert_non_null(copy);
    memcpy(copy, sql, n);
    buf_reset(out);
    for (w = sql_words_of(copy, n, mode); w.kind != SQL_END; sql_next(&w))
        buf_printf(out, "%s%s:%.*s", out->n > 0 ? " " : "", kinds[w.kind],
                   (int)w.text.n, w.text.p);
    free(copy);
    return buf_text(out);
}

static void
statements_are_taken_apart(void **state)
{
    static const struct {
        const char *sql, *words;
        uint64_t mode;
    } cases[] = {
        { "DROP TABLE a.b,c_1$", "w:DROP w:TABLE w:a :. w:b :, w:c_1$", 0 },
        { "caf\xc3\xa9 1e5", "w:caf\xc3\xa9 w:1e5", 0 },
        { " \t\r\n\v\f", "", 0 },
        { "", "", 0 },
        /* comments */
        { "a # b\nc -- d\ne --\nf /* g */h", "w:a w:c w:e w:f w:h", 0 },
        { "a --", "w:a", 0 },
        { "1--2", "w:1 :- :- w:2", 0 },
        { "a /* b", "w:a", 0 },
        { "a # b", "w:a", 0 },
        { "a /*/ b */ c", "w:a w:c", 0 },
        { "/*!40101 a */b /*!c*/ /*M!100301 d*/5 /*M! e */",
          "w:a w:b w:c w:d w:5 w:e", 0 },
        { "/*T! a */ b", "w:b", 0 },
        { "/*!4", "", 0 }, /* nothing is looked at behind it */
        { "/*M!100301", "", 0 },
        { "/* '*/ a '/* b */' `# c` -", "w:a s:/* b */ n:# c :-", 0 },
        /* quotes */
        { "`a``b`'c''d'\"e\"\"f\"", "n:a``b s:c''d s:e\"\"f", 0 },
        { "'a\\'b' `c\\` \"d\\\"e\"", "s:a\\'b n:c\\ s:d\\\"e", 0 },
        { "'' `` \"\"", "s: n: s:", 0 },
        { "'a' `never closed", "s:a :`", 0 },
        { "'a\\", ":'", 0 },
        { "'a\\'", ":'", 0 },
        { "b 'a''", "w:b :'", 0 },
        /* modes */
        { "\"a\\\" 'b\\'c'", "n:a\\ s:b\\'c", SQL_ANSI_QUOTES },
        { "'a\\' \"b\\\" c", "s:a\\ s:b\\ w:c", SQL_NO_BACKSLASH_ESCAPES },
    };
    struct buf out = BUF_INIT(4096);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (strcmp(words(cases[i].sql, cases[i].mode, &out), cases[i].words) !=
            0)
            fail_msg("%s: %s, not %s", cases[i].sql, buf_text(&out),
                     cases[i].words);
    buf_free(&out);
}

static void
a_word_is_taken_where_it_stands_alone(void **state)
{
    static const char sql[] = "create `TABLE` (TABLES 'x'";
    struct sql_words w = sql_words_of(sql, strlen(sql), 0);

    (void)state;
    assert_false(sql_is(&w, "CREAT"));
    assert_true(sql_take(&w, "CREATE"));
    assert_false(sql_take(&w, "TABLE")); /* a name */
    assert_true(sql_is_name(&w));
    sql_next(&w);
    assert_true(sql_take(&w, "("));
    assert_false(sql_take(&w, "TABLE"));
    assert_true(sql_is_name(&w));
    assert_true(sql_take(&w, "TABLES"));
    assert_false(sql_is(&w, "x"));
    assert_false(sql_is_name(&w));
    sql_next(&w);
    assert_int_equal(w.kind, SQL_END);
    assert_false(sql_is_name(&w));
    assert_false(sql_is(&w, ""));
}

static void
of_several_all_are_taken_or_none(void **state)
{
    static const char sql[] = "IF NOT/**/exists t";
    struct sql_words w = sql_words_of(sql, strlen(sql), 0);

    (void)state;
    assert_false(sql_take_all(&w, "IF", "EXISTS"));
    assert_false(sql_take_all(&w, "IF", "NOT", "EXISTS", "u"));
    assert_true(sql_is(&w, "IF"));
    assert_true(sql_take_all(&w, "IF", "NOT", "EXISTS"));
    assert_true(sql_is(&w, "t"));
}

static void
names_lose_their_quotes(void **state)
{
    static const struct {
        const char *sql, *name;
        uint64_t mode;
    } cases[] = {
        { "a", "a", 0 },
        { "`a``b```", "a`b`", 0 },
        { "\"a\"\"`b\"", "a\"`b", SQL_ANSI_QUOTES },
        { "``", "", 0 },
        { "`1234567``90`", "1234567", 0 }, /* cut */
        { "abcdefghij", "abcdefg", 0 },
    };
    char name[8];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sql_words w =
            sql_words_of(cases[i].sql, strlen(cases[i].sql), cases[i].mode);

        assert_true(sql_is_name(&w));
        sql_name(&w, name, sizeof(name));
        assert_string_equal(name, cases[i].name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_taken_apart),
        cmocka_unit_test(a_word_is_taken_where_it_stands_alone),
        cmocka_unit_test(of_several_all_are_taken_or_none),
        cmocka_unit_test(names_lose_their_quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
