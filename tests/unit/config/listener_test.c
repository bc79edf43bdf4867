/* The listeners of all dialects, as a deployment has them. */
#include "listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"
#include "config_keys.h"

static const char *moved = "";

static const struct conf_row settings[] = {
    { .section = "listen",
      .key = "two_words",
      .name = "listen.two_words",
      .type = CONF_IS_STR,
      .at = &moved,
      .dflt = "",
      .doc = "" },
    { .section = NULL },
};

static const struct listener first[] = {
    { "one", "", 1, 80, "one" },
    { .name = NULL },
};

static const struct listener second[] = {
    { "two-words", "a", 1, 81, "two" },
    { "two-words", "b", 2, 82, "two" },
    { "agent", "", EACH_MACHINE, 83, "agent" },
    { "agent", "", EACH_MACHINE, 84, "agent" },
    { .name = NULL },
};

static const struct dialect a = { .name = "a", .listeners = first };
static const struct dialect b = { .name = "b" };
static const struct dialect c = { .name = "c",
                                  .listeners = second,
                                  .settings = settings };

extern const struct dialect *const dialects[];
const struct dialect *const dialects[] = { &a, &b, &c, NULL };

static void
rows_come_in_their_order_once_per_machine_where_they_say_so(void **state)
{
    static const struct {
        const char *id, *address;
        size_t rank;
    } want[] = {
        { "one", "127.0.7.1:80", 0 },
        { "two-words/a", "127.0.7.1:81", 0 },
        { "two-words/b", "127.0.7.2:82", 1 },
        { "agent/127.0.7.1", "127.0.7.1:83", 0 },
        { "agent/127.0.7.2", "127.0.7.2:83", 1 },
        { "agent/127.0.7.3", "127.0.7.3:83", 2 },
        { "agent/127.0.7.1", "127.0.7.1:84", 3 },
        { "agent/127.0.7.2", "127.0.7.2:84", 4 },
        { "agent/127.0.7.3", "127.0.7.3:84", 5 },
    };
    struct listening l;

    (void)state;
    for (size_t i = 0; i < COUNT(want); i++) {
        assert_int_equal(listener_at(i, &l), ERR_OK);
        assert_string_equal(l.id, want[i].id);
        assert_string_equal(l.address, want[i].address);
        assert_int_equal(l.rank, want[i].rank);
    }
    assert_int_equal(listener_at(COUNT(want), &l), ERR_NOT_FOUND);
}

static void
a_key_moves_those_of_its_name_one_after_the_other(void **state)
{
    struct listening l;

    (void)state;
    moved = "[::1]:1,h.example:2,h.example:3";
    assert_int_equal(listener_named("two-words", 0, &l), ERR_OK);
    assert_string_equal(l.key, "two_words");
    assert_string_equal(l.address, "[::1]:1");
    assert_int_equal(listener_named("two-words", 1, &l), ERR_OK);
    assert_string_equal(l.address, "h.example:2");
    assert_int_equal(listener_named("two-words", 2, &l), ERR_NOT_FOUND);
    moved = "x:1";
    assert_int_equal(listener_named("two-words", 1, &l), ERR_OK);
    assert_string_equal(l.address, "127.0.7.2:82");
    assert_int_equal(listener_named("agent", 0, &l), ERR_OK);
    assert_string_equal(l.key, "");
}

static void
off_closes_all_of_a_key_or_the_one_in_its_place(void **state)
{
    struct listening l;

    (void)state;
    moved = "off";
    assert_int_equal(listener_named("two-words", 0, &l), ERR_STATE);
    assert_int_equal(listener_named("two-words", 1, &l), ERR_STATE);
    moved = "h:1, off";
    assert_int_equal(listener_named("two-words", 0, &l), ERR_OK);
    assert_string_equal(l.address, "h:1");
    assert_int_equal(listener_named("two-words", 1, &l), ERR_STATE);
    assert_string_equal(l.id, "two-words/b");
    moved = "off,h:2";
    assert_int_equal(listener_named("two-words", 0, &l), ERR_STATE);
    assert_int_equal(listener_named("two-words", 1, &l), ERR_OK);
    moved = "off,";
    assert_int_equal(listener_named("two-words", 0, &l), ERR_STATE);
    assert_int_equal(listener_named("two-words", 1, &l), ERR_OK);
    assert_string_equal(l.address, "127.0.7.2:82");
    moved = "office:1";
    assert_int_equal(listener_named("two-words", 0, &l), ERR_OK);
}

static void
what_one_is_called_is_cut_at_the_first_slash(void **state)
{
    (void)state;
    assert_int_equal(listener_name_bytes("meta/m1"), 4);
    assert_int_equal(listener_name_bytes("meta"), 4);
    assert_int_equal(listener_name_bytes(""), 0);
    assert_string_equal(listener_tail("meta/m1"), "m1");
    assert_string_equal(listener_tail("agent/a/b"), "a/b");
    assert_string_equal(listener_tail("meta"), "");
    assert_string_equal(listener_tail("meta/"), "");
    assert_true(listener_is("meta/m1", "meta"));
    assert_true(listener_is("meta", "meta"));
    assert_false(listener_is("metal", "meta"));
    assert_false(listener_is("meta", "metal"));
    assert_false(listener_is("", "meta"));
}

static void
an_address_that_does_not_fit_is_said(void **state)
{
    char text[ADDRESS_BYTES + 1];
    struct listening l;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[ADDRESS_BYTES] = '\0';
    moved = text;
    assert_int_equal(listener_named("two-words", 0, &l), ERR_LIMIT);
    assert_string_equal(l.id, "two-words/a");
    moved = "";
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            rows_come_in_their_order_once_per_machine_where_they_say_so),
        cmocka_unit_test(a_key_moves_those_of_its_name_one_after_the_other),
        cmocka_unit_test(off_closes_all_of_a_key_or_the_one_in_its_place),
        cmocka_unit_test(what_one_is_called_is_cut_at_the_first_slash),
        cmocka_unit_test(an_address_that_does_not_fit_is_said),
    };

    config_place("/nonexistent", "127.0.7");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
