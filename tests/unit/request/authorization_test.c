/* The Authorization header: schemes, and the two texts of Basic. */
#include "request/authorization.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"

static void
a_scheme_is_a_word_in_any_letter_case(void **state)
{
    (void)state;
    assert_string_equal(authorization_of("Bearer abc", "Bearer"), "abc");
    assert_string_equal(authorization_of("bEARER   a b", "Bearer"), "a b");
    assert_string_equal(authorization_of("Bearer ", "Bearer"), "");
    assert_null(authorization_of("Bearer", "Bearer"));
    assert_null(authorization_of("Bearers abc", "Bearer"));
    assert_null(authorization_of("Bearer\tabc", "Bearer"));
    assert_null(authorization_of("Basic abc", "Bearer"));
    assert_null(authorization_of("", "Bearer"));
    assert_null(authorization_of(NULL, "Bearer"));
}

static void
basic(const char *header, enum err expected, const char *user,
      const char *password)
{
    const char *u = "", *p = "";

    assert_int_equal(authorization_basic(arena, header, &u, &p), expected);
    assert_string_equal(u, user);
    assert_string_equal(p, password);
}

static void
basic_has_a_user_and_a_password(void **state)
{
    (void)state;
    basic("Basic dXNlcjpwYXNz", ERR_OK, "user", "pass");
    basic("basic dXNlcjpwOmE6cw==", ERR_OK, "user", "p:a:s");
    basic("Basic Og==", ERR_OK, "", "");
    basic("Basic OnA=", ERR_OK, "", "p");
    basic("Basic dTo=", ERR_OK, "u", "");
}

static void
what_is_no_basic_is_refused(void **state)
{
    (void)state;
    basic(NULL, ERR_BAD_PARAM, "", "");
    basic("Bearer dXNlcjpwYXNz", ERR_BAD_PARAM, "", "");
    basic("Basic !", ERR_BAD_PARAM, "", "");
    basic("Basic dXNlcg==", ERR_BAD_PARAM, "", ""); /* user */
    basic("Basic dQA6cA==", ERR_BAD_PARAM, "", ""); /* u\0:p */
    basic("Basic dTpwAA==", ERR_BAD_PARAM, "", ""); /* u:p\0 */
}

static void
without_memory_it_says_so(void **state)
{
    char header[512] = "Basic ";
    struct arena *small = arena_new(64);
    const char *user, *password;

    (void)state;
    for (int i = 0; i < 60; i++)
        (void)strcat(header, "YTph");
    assert_int_equal(authorization_basic(small, header, &user, &password),
                     ERR_NOMEM);
    arena_free(small);
}

/* Room for what it decodes to, and for one of the two. */
static void
without_memory_for_one_of_the_two_it_says_so(void **state)
{
    const char *user, *password;
    size_t refused = 0;
    enum err e = ERR_NOMEM;

    (void)state;
    for (size_t room = 16; room < 4096 && e != ERR_OK; room += 16) {
        struct arena *small = arena_new(room);

        e = authorization_basic(small, "Basic dXNlcjpwYXNz", &user, &password);
        if (e == ERR_OK)
            assert_string_equal(user, "user");
        else
            assert_int_equal(e, ERR_NOMEM);
        refused += e != ERR_OK;
        arena_free(small);
    }
    assert_int_equal(e, ERR_OK);
    assert_true(refused > 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scheme_is_a_word_in_any_letter_case),
        cmocka_unit_test(basic_has_a_user_and_a_password),
        cmocka_unit_test(what_is_no_basic_is_refused),
        cmocka_unit_test(without_memory_it_says_so),
        cmocka_unit_test(without_memory_for_one_of_the_two_it_says_so),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
