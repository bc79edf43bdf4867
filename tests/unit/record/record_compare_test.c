/* What one record says and another has otherwise. */
#include "record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"

static const struct enum_name kind_names[] = { { "A", 0 },
                                               { "B", 1 },
                                               { NULL, 0 } };

#define PART(X, s)                 \
    X(s, STR, name, "name", IN, -) \
    X(s, I32, port, "port", IN, -) \
    X(s, LIST, tags, "tags", IN, STR)
STRUCT(part, PART);
TABLE(part, PART);

#define WHOLE(X, s)                      \
    X(s, STR, text, "text", IN, -)       \
    X(s, I64, number, "number", IN, -)   \
    X(s, U64, unsign, "unsign", IN, -)   \
    X(s, BOOL, on, "on", IN, -)          \
    X(s, ENUM, kind, "kind", IN, kind)   \
    X(s, BYTES, blob, "blob", IN, -)     \
    X(s, OBJ, part, "part", IN, part)    \
    X(s, LIST, parts, "parts", IN, part) \
    X(s, MAP, map, "map", IN, STR)       \
    X(s, STR, ours, "ours", OUT, -)
STRUCT(whole, WHOLE);
TABLE(whole, WHOLE);

static struct whole
whole_of(const char *text)
{
    const struct json *j = NULL;
    struct json_error json_why;
    struct bind_error why;
    struct whole w;

    if (json_parse(arena, text, strlen(text), JSON_STRICT, &j, &json_why) !=
            ERR_OK ||
        record_bind(arena, &whole_rec, j, 0, &w, &why) != ERR_OK)
        fail_msg("%s", text);
    return w;
}

static void
says(const char *asked, const char *have, const char *other)
{
    static const char *const nothing[] = { NULL };
    struct whole a = whole_of(asked), b = whole_of(have);
    const char *found = record_other(&whole_rec, &a, &b, NULL);

    if ((found == NULL) != (other == NULL) ||
        (other != NULL && strcmp(found, other) != 0))
        fail_msg("%s beside %s: %s", asked, have, found);
    assert_ptr_equal(record_other(&whole_rec, &a, &b, nothing), found);
}

static void
what_is_not_asked_is_not_other(void **state)
{
    (void)state;
    says("{}", "{\"text\":\"a\",\"number\":1,\"on\":true}", NULL);
    says("{\"part\":{\"name\":\"a\"}}",
         "{\"part\":{\"name\":\"a\",\"port\":1}}", NULL);
    says("{\"parts\":[{\"port\":1}]}",
         "{\"parts\":[{\"name\":\"a\",\"port\":1}]}", NULL);
}

static void
the_first_that_differs_is_named(void **state)
{
    (void)state;
    says("{\"text\":\"a\",\"number\":1}", "{\"text\":\"a\",\"number\":2}",
         "number");
    says("{\"text\":\"a\",\"number\":1}", "{\"text\":\"b\",\"number\":2}",
         "text");
    says("{\"unsign\":1}", "{\"unsign\":2}", "unsign");
    says("{\"number\":4294967296}", "{\"number\":0}", "number");
    says("{\"on\":true}", "{\"on\":false}", "on");
    says("{\"on\":false}", "{\"on\":true}", "on");
    says("{\"kind\":\"A\"}", "{\"kind\":\"B\"}", "kind");
    says("{\"blob\":\"AAEC\"}", "{\"blob\":\"AAED\"}", "blob");
    says("{\"blob\":\"AAEC\"}", "{\"blob\":\"AAE=\"}", "blob");
    says("{\"blob\":\"AAEC\"}", "{\"blob\":\"AAEC\"}", NULL);
    says("{\"part\":{\"port\":1}}", "{\"part\":{\"port\":2}}", "part");
}

static void
absent_is_empty_zero_and_off(void **state)
{
    (void)state;
    says("{\"text\":\"\",\"number\":0,\"unsign\":0,\"on\":false,\"blob\":\"\","
         "\"part\":{},\"parts\":[],\"map\":{}}",
         "{}", NULL);
    says("{\"part\":{\"port\":0}}", "{\"part\":{}}", NULL);
    says("{\"text\":\"a\"}", "{}", "text");
    says("{\"number\":1}", "{}", "number");
    says("{\"on\":true}", "{}", "on");
    says("{\"kind\":\"A\"}", "{}", "kind"); /* a name is never absent */
    says("{\"blob\":\"AA==\"}", "{}", "blob");
    says("{\"part\":{\"name\":\"a\"}}", "{}", "part");
    says("{\"parts\":[{}]}", "{}", "parts");
    says("{\"map\":{\"k\":\"\"}}", "{}", "map");
}

static void
lists_are_equal_in_length_and_order(void **state)
{
    (void)state;
    says("{\"parts\":[{\"port\":1},{\"port\":2}]}",
         "{\"parts\":[{\"port\":1},{\"port\":2}]}", NULL);
    says("{\"parts\":[{\"port\":1},{\"port\":2}]}",
         "{\"parts\":[{\"port\":2},{\"port\":1}]}", "parts");
    says("{\"parts\":[{\"port\":1}]}",
         "{\"parts\":[{\"port\":1},{\"port\":2}]}", "parts");
    says("{\"parts\":[]}", "{\"parts\":[{\"port\":1}]}", "parts");
    says("{\"part\":{\"tags\":[\"a\",\"b\"]}}",
         "{\"part\":{\"tags\":[\"a\",\"b\"]}}", NULL);
    says("{\"part\":{\"tags\":[\"a\",\"b\"]}}",
         "{\"part\":{\"tags\":[\"a\",\"c\"]}}", "part");
}

static void
maps_are_equal_in_whatever_order(void **state)
{
    (void)state;
    says("{\"map\":{\"a\":\"1\",\"b\":\"2\"}}",
         "{\"map\":{\"b\":\"2\",\"a\":\"1\"}}", NULL);
    says("{\"map\":{\"a\":\"1\",\"b\":\"2\"}}",
         "{\"map\":{\"a\":\"1\",\"b\":\"3\"}}", "map");
    says("{\"map\":{\"a\":\"1\",\"b\":\"2\"}}",
         "{\"map\":{\"a\":\"1\",\"c\":\"2\"}}", "map");
    says("{\"map\":{\"a\":\"1\"}}", "{\"map\":{\"a\":\"1\",\"b\":\"2\"}}",
         "map");
}

static void
exceptions_and_what_no_client_gives_are_passed_over(void **state)
{
    static const char *const except[] = { "text", "on", NULL };
    struct whole a = whole_of("{\"text\":\"a\",\"number\":1,\"on\":true}");
    struct whole b = whole_of("{}");

    (void)state;
    assert_string_equal(record_other(&whole_rec, &a, &b, except), "number");
    a.number = 0;
    assert_null(record_other(&whole_rec, &a, &b, except));
    PUT(&a, whole, ours, "x");
    assert_null(record_other(&whole_rec, &a, &b, except));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_asked_is_not_other),
        cmocka_unit_test(the_first_that_differs_is_named),
        cmocka_unit_test(absent_is_empty_zero_and_off),
        cmocka_unit_test(lists_are_equal_in_length_and_order),
        cmocka_unit_test(maps_are_equal_in_whatever_order),
        cmocka_unit_test(exceptions_and_what_no_client_gives_are_passed_over),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
