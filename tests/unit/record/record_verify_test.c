/* Which mistakes of a record's table are found at start-up. */
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sketches.h"

static struct bind_error why;

static void
good_tables_pass(void **state)
{
    static const struct record *const good[] = {
        &create_instance_rec,
        &instance_rec,
        &create_cluster_rec,
        &create_cluster_paras_rec,
        &meta_numbered_rec,
        &meta_array_rec,
        &path_space_rec,
        &app_ref_rec,
        &app_rec,
        &sink_config_rec,
        &feeds_rec,
        &feed_stream_rec,
        &none_rec,
        &STR_rec,
        &I32_rec,
        &I64_rec,
        &U64_rec,
        &instance_ref_rec,
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        if (record_verify(good[i], &why) != ERR_OK)
            fail_msg("%s %s", why.field, why.reason);
    }
}

/* One row, or two, of a struct cluster. */
static void
wrong(struct field f, struct field g, const char *field, const char *reason)
{
    struct field fields[2] = { f, g };
    const struct record rec = { "rec", sizeof(struct cluster), fields,
                                g.key != NULL ? 2 : 1 };

    assert_int_equal(record_verify(&rec, &why), ERR_INTERNAL);
    assert_string_equal(why.field, field);
    assert_string_equal(why.reason, reason);
}

#define KEY(text) .key = text, .key_bytes = sizeof(text) - 1, .off = 8
#define NO_FIELD   \
    (struct field) \
    {              \
        0          \
    }

static void
a_key_that_is_not_plain_is_found(void **state)
{
    (void)state;
    wrong((struct field){ KEY("a\"b"), .type = F_STR }, NO_FIELD, "rec.a\"b",
          "the key needs escapes or is not measured");
    wrong((struct field){ .key = "ab", .type = F_STR }, NO_FIELD, "rec.(self)",
          "the key needs escapes or is not measured");
}

static void
a_key_that_stands_twice_is_found(void **state)
{
    const struct field in = { KEY("a"), .type = F_STR, .flags = IN };
    struct field both = { KEY("a"), .type = F_I32, .flags = IN | OUT };
    struct field fields[2];
    const struct record rec = { "rec", sizeof(struct cluster), fields, 2 };

    (void)state;
    wrong(in, both, "rec.a", "the key stands twice");
    both.flags = OUT; /* one form in, another one out */
    fields[0] = in;
    fields[1] = both;
    assert_int_equal(record_verify(&rec, &why), ERR_OK);
    fields[1].flags = IN;
    fields[1].nested = "paras";
    assert_int_equal(record_verify(&rec, &why), ERR_OK);
}

static void
what_a_type_needs_is_asked_for(void **state)
{
    (void)state;
    wrong((struct field){ KEY("a"), .type = F_OBJ }, NO_FIELD, "rec.a",
          "type of elements missing, or not wanted");
    wrong((struct field){ KEY("a"), .type = F_STR, .more = &STR_rec }, NO_FIELD,
          "rec.a", "type of elements missing, or not wanted");
    wrong((struct field){ KEY("a"), .type = F_ENUM }, NO_FIELD, "rec.a",
          "no names");
    wrong((struct field){ KEY("a"), .type = F_ROWS, .more = &STR_rec,
                          .flags = IN },
          NO_FIELD, "rec.a", "ROWS cannot be input");
    wrong((struct field){ KEY(""), .type = F_STR },
          (struct field){ KEY("b"), .type = F_STR }, "rec.(self)",
          "only OBJ and JSON can be their object");
}

static void
tails_that_mean_nothing_are_found(void **state)
{
    (void)state;
    wrong((struct field){ KEY("a"), .type = F_LIST, .more = &node_rec,
                          .keyed_by = "nope" },
          NO_FIELD, "rec.a", ".keyed_by names no scalar of a list");
    wrong((struct field){ KEY("a"), .type = F_OBJ, .more = &node_rec,
                          .keyed_by = "ctime" },
          NO_FIELD, "rec.a", ".keyed_by names no scalar of a list");
    wrong((struct field){ KEY("a"), .type = F_STR, .numbered = "a" }, NO_FIELD,
          "rec.a", ".numbered is for lists");
    wrong((struct field){ KEY("a"), .type = F_I32, .min = 5 }, NO_FIELD,
          "rec.a", ".min counts only below .max");
}

static void
a_nested_object_that_would_be_opened_twice_is_found(void **state)
{
    static const struct field fields[] = {
        { KEY("a"), .type = F_STR, .flags = OUT, .nested = "paras" },
        { KEY("b"), .type = F_STR, .flags = OUT },
        { KEY("c"), .type = F_STR, .flags = OUT, .nested = "paras" },
    };
    const struct record rec = { "rec", sizeof(struct cluster), fields, 3 };

    (void)state;
    assert_int_equal(record_verify(&rec, &why), ERR_INTERNAL);
    assert_string_equal(why.field, "rec.c");
}

static void
mistakes_are_found_inside_and_circles_end(void **state)
{
    static struct field inner = { KEY("x"), .type = F_ENUM };
    static const struct record inside = { "inside", 64, &inner, 1 };
    static struct record circle;
    static struct field self = { KEY("me"), .type = F_OBJ, .more = &circle };

    (void)state;
    wrong((struct field){ KEY("a"), .type = F_OBJ, .more = &inside }, NO_FIELD,
          "inside.x", "no names");
    circle = (struct record){ "circle", 64, &self, 1 };
    assert_int_equal(record_verify(&circle, &why), ERR_INTERNAL);
    assert_string_equal(why.reason, "contains itself");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_tables_pass),
        cmocka_unit_test(a_key_that_is_not_plain_is_found),
        cmocka_unit_test(a_key_that_stands_twice_is_found),
        cmocka_unit_test(what_a_type_needs_is_asked_for),
        cmocka_unit_test(tails_that_mean_nothing_are_found),
        cmocka_unit_test(a_nested_object_that_would_be_opened_twice_is_found),
        cmocka_unit_test(mistakes_are_found_inside_and_circles_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
