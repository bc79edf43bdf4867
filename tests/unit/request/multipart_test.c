/* Bodies of multipart/form-data. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "multipart.h"

#define B "----WebKitFormBoundaryZjrentBBjYWJ7gXp"

/* As http_post_file sends it. */
#define PARAMETERS                                            \
    "--" B "\r\n"                                             \
    "Content-Disposition: form-data; name=\"parameters\"\r\n" \
    "\r\n"                                                    \
    "{\"ver\":\"0.1\",\"file_type\":\"mysql\"}\r\n"
#define FILE_HEAD                                         \
    "--" B "\r\n"                                         \
    "Content-Disposition: form-data; name=\"filename\"; " \
    "filename=\"mysql_shard1.json\"\r\n"                  \
    "Content-Type: application/octet-stream\r\n"          \
    "\r\n"
#define END "\r\n--" B "--\r\n"

static struct arena *a;
static struct multipart m;
static char why[WHY_BYTES];

static enum err
parse_n(const char *text, size_t n)
{
    return multipart_parse(a, B, text, n, &m, why);
}

static enum err
parse(const char *text)
{
    return parse_n(text, strlen(text));
}

static void
assert_body(const struct multipart_part *p, const char *text, size_t n)
{
    assert_non_null(p);
    assert_int_equal(p->body.n, n);
    assert_memory_equal(p->body.p, text, n);
}

static void
an_upload_is_read(void **state)
{
    (void)state;
    assert_int_equal(parse(PARAMETERS FILE_HEAD "bytes" END), ERR_OK);
    assert_int_equal(m.n, 2);
    assert_string_equal(m.part[0].name, "parameters");
    assert_null(m.part[0].filename);
    assert_string_equal(m.part[1].filename, "mysql_shard1.json");
    assert_string_equal(m.part[1].type, "application/octet-stream");
    assert_body(multipart_file(&m), "bytes", 5);
    assert_ptr_equal(multipart_find(&m, "parameters"), &m.part[0]);
    assert_null(multipart_find(&m, "other"));
}

static void
the_order_of_parts_is_free(void **state)
{
    (void)state;
    assert_int_equal(parse(FILE_HEAD "\r\n" PARAMETERS "--" B "--"), ERR_OK);
    assert_body(multipart_file(&m), "", 0);
    assert_non_null(multipart_find(&m, "parameters"));
}

static void
a_body_may_hold_anything(void **state)
{
    static const char bytes[] =
        "\r\n--" B "x\r\n\r\n------WebKit\r\n--" B " nothing\r\n\0\xff"
        "\r\n--" B "--x\r\n\r\n--" B "-- \t-\r\n--" B "-\r\n"
        "\r\n\r\n--other\r\nContent-Disposition: form-data; name=\"x\"";
    static const char text[] = PARAMETERS FILE_HEAD;
    char body[1024];
    size_t n = sizeof(text) - 1;

    (void)state;
    memcpy(body, text, n);
    memcpy(body + n, bytes, sizeof(bytes));
    n += sizeof(bytes);
    memcpy(body + n, END, sizeof(END) - 1);
    n += sizeof(END) - 1;
    assert_int_equal(parse_n(body, n), ERR_OK);
    assert_int_equal(m.n, 2);
    assert_body(multipart_file(&m), bytes, sizeof(bytes));
}

static void
what_is_cut_is_refused_at_every_byte(void **state)
{
    static const char text[] = PARAMETERS FILE_HEAD "bytes" END;
    size_t whole = strstr(text, "--\r\n") != NULL ? sizeof(text) - 3 : 0;

    (void)state;
    for (size_t n = 0; n < whole; n++)
        if (parse_n(text, n) != ERR_BAD_PARAM)
            fail_msg("cut after %zu bytes", n);
    assert_int_equal(parse_n(text, whole), ERR_OK);
}

static void
heads_that_are_none_are_refused(void **state)
{
    static const char *const bad[] = {
        "--" B "\r\nno colon and no end" END,
        "--" B "\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nx" END,
        "--" B "\r\nContent-Disposition: form-data; name=\"a\r\n\r\nx" END,
        "--" B "\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n" END,
        "--" B "\r\nContent-Disposition: form-data; name=\"a\"b\r\n\r\n" END,
        "--" B "\r\nContent-Disposition: form-data; name=a filename=b\r\n"
        "\r\n" END,
        "--" B "\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\n" END,
        "text in front\r\n",
        "",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (parse(bad[i]) != ERR_BAD_PARAM || why[0] == '\0')
            fail_msg("row %zu", i);
    }
}

static void
names_are_taken_as_they_stand(void **state)
{
    (void)state;
    assert_int_equal(
        parse("--" B "\r\ncontent-disposition:form-data;Name=\"a\\\"b\\\\\"; "
              "x=\"; filename=evil\"; filename=\"../../etc/passwd\"\r\n\r\n"
              "x" END),
        ERR_OK);
    assert_string_equal(m.part[0].name, "a\"b\\");
    assert_string_equal(m.part[0].filename, "../../etc/passwd");
}

#define NAMED(name)                                                       \
    "--" B "\r\nContent-Disposition: form-data; name=\"f\"; " name "\r\n" \
    "\r\nx" END

/* What cannot be read as one is not cut to what can. */
static void
a_file_s_name_that_is_none_is_empty(void **state)
{
    static const struct span bad[] = {
#define ROW(name) { NAMED(name), sizeof(NAMED(name)) - 1 }
        ROW("filename=\"a\0b\""),     ROW("filename=\"a\"b\""),
        ROW("filename=\"\xff\""),     ROW("filename=\"a"),
        ROW("filename=\"a\r\nb\""),   ROW("filename=a; filename=b"),
        ROW("filename=a b"),          ROW("filename=\"a\r\n\r\nb\""),
        ROW("filename=a; FileName="), ROW("filename="),
#undef ROW
    };
    char text[4096], name[3000];
    int n;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (parse_n(bad[i].p, bad[i].n) != ERR_OK)
            fail_msg("row %zu: %s", i, why);
        if (multipart_file(&m) == NULL || multipart_file(&m)->filename[0] != 0)
            fail_msg("row %zu has a name", i);
    }
    memset(name, 'a', sizeof(name));
    n = snprintf(text, sizeof(text), NAMED("filename=\"%.*s\""),
                 (int)sizeof(name), name);
    assert_int_equal(parse_n(text, (size_t)n), ERR_OK);
    assert_string_equal(multipart_file(&m)->filename, "");
    assert_body(multipart_file(&m), "x", 1);
}

/* The names of parameters are compared, not their lengths. */
static void
a_parameter_of_another_name_is_passed_over(void **state)
{
    (void)state;
    assert_int_equal(parse(NAMED("size=\"1\"; charset1=\"2\"; "
                                 "filename=\"a\"")),
                     ERR_OK);
    assert_string_equal(m.part[0].filename, "a");
    assert_int_equal(parse("--" B "\r\nContent-Disposition: form-data; "
                           "size=1; name=b\r\n\r\n" END),
                     ERR_OK);
    assert_string_equal(m.part[0].name, "b");
}

static void
heads_are_bounded(void **state)
{
    char text[4096] = "--" B "\r\nX: ";

    (void)state;
    memset(text + strlen(text), 'x', 2048 - strlen("X: "));
    (void)strcat(text, "\r\n\r\n" END);
    assert_int_equal(parse(text), ERR_OK);
    (void)strcpy(text, "--" B "\r\nX: ");
    memset(text + strlen(text), 'x', 2049 - strlen("X: "));
    text[strlen("--" B "\r\n") + 2049] = '\0';
    (void)strcat(text, "\r\n\r\n" END);
    assert_int_equal(parse(text), ERR_BAD_PARAM);
    assert_string_equal(why, "a part's head is no text");
    (void)strcpy(text, "--" B "\r\n");
    for (int i = 0; i < 16; i++)
        (void)strcat(text, "X: y\r\n");
    (void)strcat(text, "\r\n" END);
    assert_int_equal(parse(text), ERR_BAD_PARAM);
    (void)strcpy(text, "--" B "\r\n");
    for (int i = 0; i < 15; i++)
        (void)strcat(text, "X: y\r\n");
    (void)strcat(text, "\r\n" END);
    assert_int_equal(parse(text), ERR_OK);
}

/* `x ;`: what has no value is passed over, with its blanks. */
static void
a_parameter_without_a_value_is_none(void **state)
{
    (void)state;
    assert_int_equal(parse("--" B "\r\nContent-Disposition: form-data; x ; y;"
                           "\tname=\"a\"\r\n\r\nbytes" END),
                     ERR_OK);
    assert_string_equal(m.part[0].name, "a");
    assert_int_equal(parse("--" B "\r\nContent-Disposition: form-data; x ; y"
                           "\r\n\r\nbytes" END),
                     ERR_OK);
    assert_string_equal(m.part[0].name, "");
}

/* "transport padding" of RFC 2046, which receivers pass over. */
static void
blanks_may_stand_behind_a_boundary(void **state)
{
    (void)state;
    assert_int_equal(parse("--" B " \t \r\nContent-Disposition: form-data; "
                           "name=\"a\"\r\n\r\nbytes\r\n--" B "\t--\r\n"
                           "\r\n--" B "--"),
                     ERR_OK);
    assert_int_equal(m.n, 1);
    assert_string_equal(m.part[0].name, "a");
    assert_body(&m.part[0], "bytes\r\n--" B "\t--\r\n",
                strlen("bytes\r\n--" B "\t--\r\n"));
}

/* A line's end stands before each but the first: what follows a boundary at
 * once is the part's own. */
static void
only_the_first_boundary_may_begin_its_text(void **state)
{
    (void)state;
    assert_int_equal(parse("--" B "\r\n--" B "--"), ERR_BAD_PARAM);
    assert_string_equal(why, "has no closing boundary");
    assert_int_equal(parse("--" B "--"), ERR_OK);
    assert_int_equal(m.n, 0);
    assert_int_equal(parse("x--" B "--"), ERR_BAD_PARAM);
    assert_int_equal(parse("x\r\n--" B "--"), ERR_OK);
}

static void
what_is_right_says_no_why(void **state)
{
    (void)state;
    assert_int_equal(parse("--" B), ERR_BAD_PARAM);
    assert_string_not_equal(why, "");
    assert_int_equal(parse(PARAMETERS FILE_HEAD "bytes" END), ERR_OK);
    assert_string_equal(why, "");
}

static void
the_third_part_is_found(void **state)
{
    (void)state;
    assert_int_equal(parse(PARAMETERS PARAMETERS FILE_HEAD "bytes" END),
                     ERR_OK);
    assert_int_equal(m.n, 3);
    assert_ptr_equal(multipart_file(&m), &m.part[2]);
    assert_ptr_equal(multipart_find(&m, "filename"), &m.part[2]);
    assert_ptr_equal(multipart_find(&m, "parameters"), &m.part[0]);
}

static void
parts_are_counted(void **state)
{
    char text[4096] = "";

    (void)state;
    for (int i = 0; i <= MULTIPART_PARTS; i++)
        (void)strcat(text, PARAMETERS);
    (void)strcat(text, "--" B "--");
    assert_int_equal(parse(text), ERR_LIMIT);
    assert_int_equal(parse("--" B "--"), ERR_OK);
    assert_int_equal(m.n, 0);
}

static void
boundaries_are_as_rfc_2046_has_them(void **state)
{
    static const struct {
        const char *type, *boundary;
    } row[] = {
        { "multipart/form-data; boundary=" B, B },
        { "Multipart/Form-Data;charset=utf-8; BOUNDARY=\"a b\"", "a b" },
        { "multipart/form-data", NULL },
        { "multipart/mixed; boundary=a", NULL },
        { "multipart/form-databoundary=a", NULL },
        { "multipart/form-data; boundary=", NULL },
        { "multipart/form-data; boundary=\"a", NULL },
        { "multipart/form-data; boundary=a; boundary=b", NULL },
        { "multipart/form-data; boundary=\"a\x01\"", NULL },
        { "multipart/form-data; boundary=\"a \"", NULL },
        { "multipart/form-data; boundary="
          "123456789012345678901234567890123456789012345678901234567890"
          "12345678901",
          NULL },
        { NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(row); i++) {
        const char *b = multipart_boundary(a, row[i].type);

        if ((b == NULL) != (row[i].boundary == NULL) ||
            (b != NULL && strcmp(b, row[i].boundary) != 0))
            fail_msg("row %zu: %s", i, b != NULL ? b : "none");
    }
}

static void
a_type_is_compared_whole(void **state)
{
    (void)state;
    assert_true(multipart_is("multipart/form-data; boundary=" B));
    assert_true(multipart_is("Multipart/Form-Data;charset=utf-8"));
    assert_true(multipart_is("multipart/form-data"));
    assert_false(multipart_is("multipart/form-dataX; boundary=" B));
    assert_false(multipart_is("multipart/form-dat"));
    assert_false(multipart_is("multipart/mixed; boundary=" B));
    assert_false(multipart_is(""));
    assert_false(multipart_is(NULL));
}

static int
setup(void **state)
{
    (void)state;
    a = arena_new((size_t)1 << 20);
    return a != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    arena_free(a);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_upload_is_read),
        cmocka_unit_test(the_order_of_parts_is_free),
        cmocka_unit_test(a_body_may_hold_anything),
        cmocka_unit_test(what_is_cut_is_refused_at_every_byte),
        cmocka_unit_test(heads_that_are_none_are_refused),
        cmocka_unit_test(names_are_taken_as_they_stand),
        cmocka_unit_test(a_file_s_name_that_is_none_is_empty),
        cmocka_unit_test(a_parameter_of_another_name_is_passed_over),
        cmocka_unit_test(heads_are_bounded),
        cmocka_unit_test(a_parameter_without_a_value_is_none),
        cmocka_unit_test(blanks_may_stand_behind_a_boundary),
        cmocka_unit_test(only_the_first_boundary_may_begin_its_text),
        cmocka_unit_test(what_is_right_says_no_why),
        cmocka_unit_test(the_third_part_is_found),
        cmocka_unit_test(parts_are_counted),
        cmocka_unit_test(boundaries_are_as_rfc_2046_has_them),
        cmocka_unit_test(a_type_is_compared_whole),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
