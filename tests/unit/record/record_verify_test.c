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
    assert_string_equal(why.field, "circle.me");
}

/* A struct cluster of these fields. */
static void
passes(const struct field *fields, size_t n)
{
    const struct record rec = { "rec", sizeof(struct cluster), fields, n };

    if (record_verify(&rec, &why) != ERR_OK)
        fail_msg("%s %s", why.field, why.reason);
    assert_string_equal(why.reason, "");
}

static void
fails(const struct field *fields, size_t n, const char *field,
      const char *reason)
{
    const struct record rec = { "rec", sizeof(struct cluster), fields, n };

    assert_int_equal(record_verify(&rec, &why), ERR_INTERNAL);
    assert_string_equal(why.field, field);
    assert_string_equal(why.reason, reason);
}

static void
a_key_is_of_printed_bytes_that_need_no_escape(void **state)
{
    static const char bad[] = "\x1f\x7f\x80\"\\";
    char key[] = "a~b ~!";
    struct field f = { KEY("a b ~!#[]"), .type = F_STR };

    (void)state;
    passes(&f, 1);
    f.key = key;
    f.key_bytes = strlen(key);
    for (size_t i = 0; i < sizeof(bad) - 1; i++) {
        key[1] = bad[i];
        assert_int_equal(
            record_verify(&(struct record){ "r", 64, &f, 1 }, &why),
            ERR_INTERNAL);
    }
    key[1] = '~';
    passes(&f, 1);
    f.key_bytes--;
    fails(&f, 1, "rec.a~b ~!", "the key needs escapes or is not measured");
}

static void
a_list_is_keyed_by_a_scalar_that_can_be_a_name(void **state)
{
    static const struct enum_name names[] = { { "A", 0 }, { NULL, 0 } };
    static const struct {
        enum field_type type;
        bool good;
    } types[] = { { F_STR, true },  { F_I32, true },   { F_I64, true },
                  { F_U64, true },  { F_ENUM, true },  { F_BOOL, false },
                  { F_F64, false }, { F_BYTES, false } };
    struct field inner[] = { { KEY("x"), .type = F_STR },
                             { KEY("y"), .type = F_STR },
                             { KEY("id"), .type = F_STR, .names = names } };
    const struct record inside = { "inside", 64, inner, 3 };
    struct field list = { KEY("a"), .type = F_LIST, .more = &inside,
                          .keyed_by = "id" };

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        inner[2].type = types[i].type;
        list.type = F_LIST;
        if (types[i].good)
            passes(&list, 1);
        else
            fails(&list, 1, "rec.a", ".keyed_by names no scalar of a list");
        list.type = F_ROWS;
        if (types[i].good)
            passes(&list, 1);
    }
    inner[2].type = F_STR;
    list.type = F_MAP;
    fails(&list, 1, "rec.a", ".keyed_by names no scalar of a list");
    list.type = F_LIST;
    list.numbered = "a";
    fails(&list, 1, "rec.a", ".numbered and .keyed_by exclude each other");
    list.keyed_by = NULL;
    passes(&list, 1);
}

static void
a_least_counts_below_a_most(void **state)
{
    struct field f = { KEY("a"), .type = F_I32, .min = 5, .max = 6 };

    (void)state;
    passes(&f, 1);
    f.max = 5;
    fails(&f, 1, "rec.a", ".min counts only below .max");
    f.min = 0;
    passes(&f, 1);
    f.max = -1;
    passes(&f, 1);
    f.min = -1;
    fails(&f, 1, "rec.a", ".min counts only below .max");
}

static void
rows_come_from_us(void **state)
{
    static const unsigned flags[] = { IN, PATH, QUERY };
    struct field f = { KEY("a"), .type = F_ROWS, .more = &STR_rec,
                       .flags = OUT };

    (void)state;
    passes(&f, 1);
    for (size_t i = 0; i < COUNT(flags); i++) {
        f.flags = OUT | flags[i];
        fails(&f, 1, "rec.a", "ROWS cannot be input");
    }
}

static void
a_member_lies_in_its_struct(void **state)
{
    struct field f = { KEY("a"), .type = F_BOOL };

    (void)state;
    f.off = sizeof(struct cluster) - 1;
    passes(&f, 1);
    f.off++;
    fails(&f, 1, "rec.a", "lies outside of its struct");
    f.off = 8;
    f.bit = 63;
    passes(&f, 1);
    f.bit = 64;
    fails(&f, 1, "rec.a", "lies outside of its struct");
    f.bit = -1;
    fails(&f, 1, "rec.a", "lies outside of its struct");
}

static void
what_may_be_its_object(void **state)
{
    static const struct record inside = { "inside", 64, NULL, 0 };
    struct field f[] = { { KEY(""), .type = F_STR },
                         { KEY("b"), .type = F_STR },
                         { KEY(""), .type = F_OBJ, .more = &inside } };

    (void)state;
    passes(f, 1);
    f[0].type = F_JSON;
    passes(f, 3);
    f[0].type = F_OBJ;
    f[0].more = &inside;
    f[0].flags = f[2].flags = IN | OUT; /* two of them do not clash */
    passes(f, 3);
    f[2].type = F_LIST;
    fails(f, 3, "rec.(self)", "only OBJ and JSON can be their object");
    f[2].type = F_ENUM;
    f[2].more = NULL;
    f[2].key = "c";
    f[2].key_bytes = 1;
    fails(f, 3, "rec.c", "no names");
    f[2].names = (const struct enum_name[]){ { NULL, 0 } };
    fails(f, 3, "rec.c", "no names");
    f[2].names = (const struct enum_name[]){ { "A", 0 }, { NULL, 0 } };
    passes(f, 3);
}

static void
a_key_stands_twice_wherever(void **state)
{
    struct field f[] = { { KEY("a"), .type = F_STR, .flags = OUT },
                         { KEY("b"), .type = F_STR, .flags = OUT },
                         { KEY("c"), .type = F_STR, .flags = OUT },
                         { KEY("c"), .type = F_STR, .flags = OUT } };

    (void)state;
    fails(f, 4, "rec.c", "the key stands twice");
    f[3].flags = IN;
    passes(f, 4);
    f[2].flags = f[3].flags = COLUMN_ONLY;
    passes(f, 4);
    f[2].flags = f[3].flags = OUT;
    f[2].nested = "x";
    f[3].nested = "y";
    passes(f, 4);
    f[3].nested = "x";
    fails(f, 4, "rec.c", "the key stands twice");
}

static void
a_nested_object_may_be_left_for_another_direction(void **state)
{
    struct field f[] = {
        { KEY("a"), .type = F_STR, .flags = OUT, .nested = "p" },
        { KEY("b"), .type = F_STR, .flags = OUT, .nested = "p" },
        { KEY("c"), .type = F_STR, .flags = IN },
        { KEY("d"), .type = F_STR, .flags = OUT, .nested = "p" },
        { KEY("e"), .type = F_STR, .flags = OUT, .nested = "q" },
        { KEY("f"), .type = F_STR, .flags = OUT, .nested = "q" },
    };

    (void)state;
    passes(f, 6);
    f[2].flags = IN | OUT;
    fails(f, 6, "rec.d", "its .nested object was left before");
    f[2].nested = "p";
    passes(f, 6);
    f[5].nested = "p";
    fails(f, 6, "rec.f", "its .nested object was left before");
}

#define DEEP (JSON_MAX_DEPTH + 1)

static void
records_are_nested_so_deep_and_no_deeper(void **state)
{
    static struct record rec[DEEP];
    static struct field f[DEEP];

    (void)state;
    for (size_t i = 0; i < DEEP; i++) {
        f[i] = (struct field){ KEY("a"), .type = F_OBJ, .more = &rec[i + 1] };
        rec[i] = (struct record){ "deep", 64, &f[i], 1 };
    }
    f[DEEP - 1].type = F_STR;
    f[DEEP - 1].more = NULL;
    assert_int_equal(record_verify(&rec[1], &why), ERR_OK);
    assert_int_equal(record_verify(&rec[0], &why), ERR_INTERNAL);
    assert_string_equal(why.reason, "contains itself");
    rec[DEEP - 1].n = 0;
    assert_int_equal(record_verify(&rec[1], &why), ERR_OK);
    assert_int_equal(record_verify(&rec[0], &why), ERR_INTERNAL);
    assert_string_equal(why.reason, "");
    /* beside each other they may be as many as they like */
    for (size_t i = 0; i < 4; i++)
        f[i].more = &rec[4];
    rec[0].n = 4;
    for (size_t i = 0; i < 4; i++)
        f[i].key = &"a\0b\0c\0d"[2 * i];
    rec[4].n = 0;
    assert_int_equal(record_verify(&rec[0], &why), ERR_OK);
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
        cmocka_unit_test(a_key_is_of_printed_bytes_that_need_no_escape),
        cmocka_unit_test(a_list_is_keyed_by_a_scalar_that_can_be_a_name),
        cmocka_unit_test(a_least_counts_below_a_most),
        cmocka_unit_test(rows_come_from_us),
        cmocka_unit_test(a_member_lies_in_its_struct),
        cmocka_unit_test(what_may_be_its_object),
        cmocka_unit_test(a_key_stands_twice_wherever),
        cmocka_unit_test(a_nested_object_may_be_left_for_another_direction),
        cmocka_unit_test(records_are_nested_so_deep_and_no_deeper),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
