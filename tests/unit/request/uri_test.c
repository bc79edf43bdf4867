/* What the splitting and decoding of REQUEST_URI promises. */
#include "request/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"

static struct uri uri;

static void
parse(const char *target)
{
    assert_int_equal(uri_parse(arena, target, &uri), ERR_OK);
}

static void
expect_param(size_t i, const char *key, const char *value)
{
    assert_true(i < uri.n_query);
    assert_string_equal(uri.query[i].key, key);
    assert_string_equal(uri.query[i].value, value);
}

static void
expect_bad_path(const char *target)
{
    assert_int_equal(uri_parse(arena, target, &uri), ERR_BAD_PARAM);
    assert_string_equal(uri.path, "");
    assert_string_equal(uri.fault, "(path)");
}

static void
expect_bad_query(const char *target, const char *fault)
{
    assert_int_equal(uri_parse(arena, target, &uri), ERR_BAD_PARAM);
    assert_string_equal(uri.path, "/x");
    assert_int_equal(uri.n_query, 0);
    assert_string_equal(uri.fault, fault);
}

static void
path_and_query_are_split_at_the_first_question_mark(void **state)
{
    (void)state;
    parse("/a/b?c=d?e");
    assert_string_equal(uri.path, "/a/b");
    assert_int_equal(uri.n_query, 1);
    expect_param(0, "c", "d?e");
}

static void
path_is_decoded_once(void **state)
{
    (void)state;
    parse("/a%20b%2525+c");
    assert_string_equal(uri.path, "/a b%25+c");
}

static void
path_refuses_nul_bad_escapes_and_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    expect_bad_path("/a%00b");
    expect_bad_path("/a%");
    expect_bad_path("/a%4");
    expect_bad_path("/a%4g");
    expect_bad_path("/a%G4?b=c");
    expect_bad_path("/%ff");
    expect_bad_path("/\xc0\xaf");
    expect_bad_path("/%c0%af");
}

static void
escapes_may_build_a_character_of_several_bytes(void **state)
{
    (void)state;
    parse("/%09?k=%0aa%7e");
    assert_string_equal(uri.path, "/\t");
    expect_param(0, "k", "\na~");
    parse("/%e4%B8%AD?k=%E6%96%87");
    assert_string_equal(uri.path, "/\xe4\xb8\xad");
    expect_param(0, "k", "\xe6\x96\x87");
}

static void
plus_is_a_blank_in_the_query_only(void **state)
{
    (void)state;
    parse("/a+b?c+d=e+f%2Bg");
    assert_string_equal(uri.path, "/a+b");
    expect_param(0, "c d", "e f+g");
}

static void
duplicates_are_kept_in_order(void **state)
{
    (void)state;
    parse("/x?a=1&b=2&a=3");
    assert_int_equal(uri.n_query, 3);
    expect_param(0, "a", "1");
    expect_param(1, "b", "2");
    expect_param(2, "a", "3");
}

static void
a_key_without_value_has_an_empty_one(void **state)
{
    (void)state;
    parse("/x?detail&b=&=c");
    assert_int_equal(uri.n_query, 3);
    expect_param(0, "detail", "");
    expect_param(1, "b", "");
    expect_param(2, "", "c");
}

static void
empty_pieces_are_no_parameters(void **state)
{
    (void)state;
    parse("/x?");
    assert_int_equal(uri.n_query, 0);
    parse("/x?&&a=1&&");
    assert_int_equal(uri.n_query, 1);
    expect_param(0, "a", "1");
}

static void
separators_that_are_escaped_separate_nothing(void **state)
{
    (void)state;
    parse("/x%3Fy?a%26b=c%3Dd");
    assert_string_equal(uri.path, "/x?y");
    assert_int_equal(uri.n_query, 1);
    expect_param(0, "a&b", "c=d");
}

static void
query_refuses_nul_bad_escapes_and_bytes_that_are_not_utf8(void **state)
{
    (void)state;
    expect_bad_query("/x?a=%00", "a");
    expect_bad_query("/x?a=1&b%20c=%", "b c");
    expect_bad_query("/x?%zz=1", "(unreadable)");
    expect_bad_query("/x?a=%80", "a");
    expect_bad_query("/x?\xff=1", "(unreadable)");
}

static void
query_bytes_that_are_not_utf8_are_replaced_where_the_dialect_says_so(
    void **state)
{
    (void)state;
    assert_int_equal(
        uri_parse_by(arena, "/x?a=%80b%c3%a4%c3&%ff=", URI_REPLACE, &uri),
        ERR_OK);
    assert_int_equal(uri.n_query, 2);
    expect_param(0, "a",
                 "\xef\xbf\xbd"
                 "b\xc3\xa4\xef\xbf\xbd");
    expect_param(1, "\xef\xbf\xbd", "");
    assert_int_equal(uri_parse_by(arena, "/x?a=%00", URI_REPLACE, &uri),
                     ERR_BAD_PARAM);
    assert_int_equal(uri_parse_by(arena, "/%80?a=1", URI_REPLACE, &uri),
                     ERR_BAD_PARAM);
}

static void
tokens_in_any_letter_case_are_taken_out(void **state)
{
    (void)state;
    parse("/x?a=1&TOKEN=first&tOkEn=second&b=2&%74oken=third");
    assert_int_equal(uri.n_query, 2);
    expect_param(0, "a", "1");
    expect_param(1, "b", "2");
    assert_string_equal(uri.token, "first");
}

static void
a_query_of_a_token_alone_is_empty(void **state)
{
    (void)state;
    parse("/x?token=abc");
    assert_int_equal(uri.n_query, 0);
    assert_string_equal(uri.token, "abc");
    parse("/x");
    assert_string_equal(uri.token, "");
}

static void
names_that_only_begin_like_token_stay(void **state)
{
    (void)state;
    parse("/x?tokens=1&token2=2&xtoken=3");
    assert_int_equal(uri.n_query, 3);
    assert_string_equal(uri.token, "");
}

static void
the_number_of_parameters_is_bounded(void **state)
{
    char target[3 + 3 * (URI_MAX_PARAMS + 1) + 1] = "/x?";

    (void)state;
    for (int i = 0; i < URI_MAX_PARAMS; i++)
        strcat(target, i == 0 ? "a" : "&a");
    parse(target);
    assert_int_equal(uri.n_query, URI_MAX_PARAMS);
    strcat(target, "&a");
    expect_bad_query(target, "(more than 256)");
}

static void
an_absolute_target_is_taken_from_its_path(void **state)
{
    (void)state;
    parse("http://host:80/a?b=1");
    assert_string_equal(uri.path, "/a");
    expect_param(0, "b", "1");
    parse("HTTPS://host?b=1");
    assert_string_equal(uri.path, "");
    expect_param(0, "b", "1");
}

static void
an_empty_target_has_an_empty_path(void **state)
{
    (void)state;
    parse("");
    assert_string_equal(uri.path, "");
    assert_int_equal(uri.n_query, 0);
}

static void
without_memory_it_says_so(void **state)
{
    struct arena *small = arena_new(64);
    char target[512];

    (void)state;
    memset(target, 'a', sizeof(target) - 1);
    target[0] = '/';
    target[sizeof(target) - 1] = '\0';
    assert_int_equal(uri_parse(small, target, &uri), ERR_NOMEM);
    arena_free(small);
}

static void
by_segments_empty_ones_count_for_nothing(void **state)
{
    static const struct {
        const char *target, *path;
    } cases[] = {
        { "//meta///apps/", "/meta/apps" },
        { "/", "/" },
        { "///", "/" },
        { "", "/" },
        { "/a%20b//c", "/a b/c" },
        { "/meta%2Fapps", "/meta%2Fapps" },
        { "/a/../b", "/a/../b" },
        { "/a+b/c", "/a+b/c" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(
            uri_parse_by(arena, cases[i].target, URI_SEGMENTS, &uri), ERR_OK);
        assert_string_equal(uri.path, cases[i].path);
    }
    assert_int_equal(uri_parse_by(arena, "/a/%zz", URI_SEGMENTS, &uri),
                     ERR_BAD_PARAM);
}

static void
a_plus_stays_where_the_dialect_says_so(void **state)
{
    (void)state;
    assert_int_equal(
        uri_parse_by(arena, "/x?a+b=c+d%2B&e", URI_PLUS_STAYS, &uri), ERR_OK);
    expect_param(0, "a+b", "c+d+");
    assert_false(uri.query[0].bare);
    expect_param(1, "e", "");
    assert_true(uri.query[1].bare);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path_and_query_are_split_at_the_first_question_mark),
        cmocka_unit_test(path_is_decoded_once),
        cmocka_unit_test(
            path_refuses_nul_bad_escapes_and_bytes_that_are_not_utf8),
        cmocka_unit_test(escapes_may_build_a_character_of_several_bytes),
        cmocka_unit_test(plus_is_a_blank_in_the_query_only),
        cmocka_unit_test(duplicates_are_kept_in_order),
        cmocka_unit_test(a_key_without_value_has_an_empty_one),
        cmocka_unit_test(empty_pieces_are_no_parameters),
        cmocka_unit_test(separators_that_are_escaped_separate_nothing),
        cmocka_unit_test(
            query_refuses_nul_bad_escapes_and_bytes_that_are_not_utf8),
        cmocka_unit_test(
            query_bytes_that_are_not_utf8_are_replaced_where_the_dialect_says_so),
        cmocka_unit_test(tokens_in_any_letter_case_are_taken_out),
        cmocka_unit_test(a_query_of_a_token_alone_is_empty),
        cmocka_unit_test(names_that_only_begin_like_token_stay),
        cmocka_unit_test(the_number_of_parameters_is_bounded),
        cmocka_unit_test(an_absolute_target_is_taken_from_its_path),
        cmocka_unit_test(an_empty_target_has_an_empty_path),
        cmocka_unit_test(without_memory_it_says_so),
        cmocka_unit_test(by_segments_empty_ones_count_for_nothing),
        cmocka_unit_test(a_plus_stays_where_the_dialect_says_so),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
