/* What the name of a part says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kunlun/life/parts.h"
#include "kunlun/life/servers.h"

static void
the_place_of_a_part_stands_behind_the_prefix(void **state)
{
    (void)state;
    assert_string_equal(
        part_place(&(struct job){ .part = PART_INSTALL "127.0.0.2:57330" }),
        "127.0.0.2:57330");
    assert_string_equal(part_place(&(struct job){ .part = "ask/m1" }), "m1");
    assert_string_equal(part_place(&(struct job){ .part = "m1" }), "m1");
    assert_string_equal(part_place(&(struct job){ .part = "a/b/c" }), "b/c");
}

static void
a_part_is_of_the_server_at_its_place(void **state)
{
    const struct instance_spec s = { .address = "127.0.0.2", .port = 57330 };
    const struct instance_spec v6 = { .address = "fd00::2", .port = 57330 };

    (void)state;
    assert_true(
        life_is_of(&(struct job){ .part = "install/127.0.0.2:57330" }, &s));
    assert_true(
        life_is_of(&(struct job){ .part = "copy/[fd00::2]:57330" }, &v6));
    assert_false(
        life_is_of(&(struct job){ .part = "install/127.0.0.2:57331" }, &s));
    assert_false(
        life_is_of(&(struct job){ .part = "install/127.0.0.21:57330" }, &s));
    assert_false(life_is_of(&(struct job){ .part = "ask/127.0.0.2" }, &s));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_place_of_a_part_stands_behind_the_prefix),
        cmocka_unit_test(a_part_is_of_the_server_at_its_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
