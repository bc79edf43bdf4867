/* What differs between two versions of a document. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/json_difference.h"

#define D "{\"difference\":true"

static const struct {
    const char *old, *new, *old_out, *new_out;
} row[] = {
    /* what is the same is left out */
    { "{\"a\":1,\"b\":2}", "{\"a\":1,\"b\":3}", D ",\"b\":2}", D ",\"b\":3}" },
    { "{\"a\":1}", "{\"a\":1}", D "}", D "}" },
    /* what is there once only stays */
    { "{\"a\":1}", "{\"a\":1,\"b\":[1]}", D "}", D ",\"b\":[1]}" },
    /* objects in turn, to any depth */
    { "{\"o\":{\"a\":1,\"p\":{\"x\":1,\"y\":2}}}",
      "{\"o\":{\"a\":1,\"p\":{\"x\":1,\"y\":9}}}",
      D ",\"o\":{\"p\":{\"y\":2}}}", D ",\"o\":{\"p\":{\"y\":9}}}" },
    /* lists: appended, removed, changed in the middle, begun anew */
    { "{\"n\":[1,2]}", "{\"n\":[1,2,3]}",
      D ",\"n\":{\"from\":2,\"of\":2,\"items\":[]}}",
      D ",\"n\":{\"from\":2,\"of\":3,\"items\":[3]}}" },
    { "{\"n\":[1,2,3]}", "{\"n\":[1,3]}",
      D ",\"n\":{\"from\":1,\"of\":3,\"items\":[2]}}",
      D ",\"n\":{\"from\":1,\"of\":2,\"items\":[]}}" },
    { "{\"n\":[1,2,3,4]}", "{\"n\":[1,9,3,4]}",
      D ",\"n\":{\"from\":1,\"of\":4,\"items\":[2]}}",
      D ",\"n\":{\"from\":1,\"of\":4,\"items\":[9]}}" },
    { "{\"n\":[]}", "{\"n\":[1]}",
      D ",\"n\":{\"from\":0,\"of\":0,\"items\":[]}}",
      D ",\"n\":{\"from\":0,\"of\":1,\"items\":[1]}}" },
    /* the same element twice: nothing is counted from both ends */
    { "{\"n\":[1,1]}", "{\"n\":[1,1,1]}",
      D ",\"n\":{\"from\":2,\"of\":2,\"items\":[]}}",
      D ",\"n\":{\"from\":2,\"of\":3,\"items\":[1]}}" },
    { "{\"n\":[2,1,3,1]}", "{\"n\":[1]}",
      D ",\"n\":{\"from\":0,\"of\":4,\"items\":[2,1,3]}}",
      D ",\"n\":{\"from\":0,\"of\":1,\"items\":[]}}" },
    /* another type is another value */
    { "{\"a\":[1]}", "{\"a\":{\"b\":1}}", D ",\"a\":[1]}",
      D ",\"a\":{\"b\":1}}" },
    { "{\"a\":\"1\"}", "{\"a\":1}", D ",\"a\":\"1\"}", D ",\"a\":1}" },
};

static void
each_version_shows_what_the_other_has_not(void **state)
{
    struct arena *a = arena_new((size_t)1 << 20);
    const char *old, *new;

    (void)state;
    assert_non_null(a);
    for (size_t i = 0; i < COUNT(row); i++) {
        assert_int_equal(json_difference(a, row[i].old, row[i].new, &old, &new),
                         ERR_OK);
        assert_string_equal(old, row[i].old_out);
        assert_string_equal(new, row[i].new_out);
    }
    arena_free(a);
}

static void
what_is_no_object_has_no_difference(void **state)
{
    struct arena *a = arena_new((size_t)1 << 20);
    const char *old, *new;

    (void)state;
    assert_int_equal(json_difference(a, "[1]", "{}", &old, &new), ERR_STATE);
    assert_int_equal(json_difference(a, "{}", "{", &old, &new), ERR_STATE);
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_version_shows_what_the_other_has_not),
        cmocka_unit_test(what_is_no_object_has_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
