/* A request through the tables, without a store: who may, which row, which
 * input, in which order it is refused. */
#include "sample/sample.h"

#include "api/tables.h"

static void
input_is_bound_and_rendered(void **state)
{
    (void)state;
    SAYS("{\"name\":\"a\",\"level\":-9007199254740993,"
         "\"inner\":{\"key\":\"k\"}}",
         .path = "/a/thing",
         .body = "{\"name\":\"a\",\"level\":-9007199254740993,"
                 "\"inner\":{\"key\":\"k\"}}");
}

static void
both_mounts_serve_the_same_rows(void **state)
{
    (void)state;
    SAYS("{\"name\":\"a\"}", .path = "/a/v1/thing", .body = "{\"name\":\"a\"}");
    SAYS("{\"NAME\":\"name not given, v1/thing\"}", .path = "/a/v1/thing",
         .body = "{}");
    SAYS("{\"NAME\":\"name not given, thing\"}", .path = "/a/thing",
         .body = "{}");
}

static void
checks_run_in_the_order_of_the_list(void **state)
{
    (void)state;
    SAYS("{\"PATTERN\":\"bad name A1\"}", .path = "/a/thing",
         .body = "{\"name\":\"A1\",\"inner\":{},\"level\":10}");
    SAYS("{\"NAME\":\"name not given, thing\"}", .path = "/a/thing",
         .body = "{\"name\":\"a\",\"inner\":{\"n\":1},\"level\":10}");
    SAYS("{\"MANY\":\"level 10 {\\\"name\\\":\\\"a\\\",\\\"secret\\\":"
         "\\\"***\\\",\\\"level\\\":\\\"10\\\"}\"}",
         .path = "/a/thing",
         .body = "{\"name\":\"a\",\"secret\":\"s\",\"level\":10}");
}

static void
placeholders_come_from_args_then_input_and_mask_secrets(void **state)
{
    (void)state;
    SAYS("{\"TAKEN\":\"taken of k with *** is {name}%s {\"}",
         .path = "/a/thing",
         .body = "{\"name\":\"taken\",\"secret\":\"hush\","
                 "\"inner\":{\"key\":\"k\"}}");
}

static void
secrets_are_printed_for_marked_tokens_only(void **state)
{
    const char *body = "{\"name\":\"a\",\"secret\":\"hush\"}";

    (void)state;
    SAYS("{\"name\":\"a\",\"secret\":\"***\"}", .path = "/a/thing",
         .body = body);
    SAYS("{\"name\":\"a\",\"secret\":\"hush\"}", .path = "/a/thing",
         .body = body, .secrets = true);
}

static void
wrong_types_are_refused_by_field(void **state)
{
    (void)state;
    assert_non_null(
        strstr(ASK(.path = "/a/thing", .body = "{\"inner\":{\"n\":\"x\"}}"),
               "{\"FIELD\":\"inner.n "));
    STATUS(400, .path = "/a/thing", .body = "[]");
    STATUS(400, .path = "/a/thing", .body = "");
    STATUS(400, .path = "/a/thing", .body = "{\"name\":1,}");
}

static void
unknown_paths_and_methods_are_named(void **state)
{
    const char *s;

    (void)state;
    SAYS("{\"PATH\":\"no /a/nothing\"}", .path = "/a/nothing");
    SAYS("{\"PATH\":\"no /a/things/\"}", .path = "/a/things/");
    SAYS("{\"PATH\":\"no /a/things/x/y\"}", .path = "/a/things/x/y");
    s = ASK(.path = "/a/things/x");
    assert_non_null(strstr(s, "Status: 405 "));
    assert_non_null(strstr(s, "Allow: GET, HEAD, DELETE\r\n"));
    STATUS(405, .path = "/a/things/x", .method = "BREW");
}

static void
path_parts_and_query_are_bound(void **state)
{
    static const struct param detail[] = { { .key = "detail", .value = "" } };
    static const struct param twice[] = { { .key = "detail", .value = "" },
                                          { .key = "detail", .value = "x" } };
    static const struct param other[] = { { .key = "name", .value = "b" } };

    (void)state;
    SAYS("{\"name\":\"x\"}", .method = "GET", .path = "/a/things/x");
    SAYS("{\"name\":\"x\"}", .method = "HEAD", .path = "/a/things/x");
    SAYS("{\"name\":\"x\",\"level\":7}", .method = "GET", .path = "/a/things/x",
         .query = detail, .n_query = 1);
    SAYS("{\"QUERY\":\"detail\"}", .method = "GET", .path = "/a/things/x",
         .query = twice, .n_query = 2);
    SAYS("{\"QUERY\":\"name\"}", .method = "GET", .path = "/a/things/x",
         .query = other, .n_query = 1);
}

static void
rights_decide_before_the_body_is_read(void **state)
{
    (void)state;
    SAYS("{\"TOKEN\":\"token\"}", .path = "/a/thing", .scope = "none");
    SAYS("{\"TOKEN\":\"token\"}", .path = "/a/nothing", .scope = "none");
    SAYS("{\"SCOPE\":\"thing needs write\"}", .path = "/a/thing",
         .scope = "read", .body = "{");
    SAYS("{\"SCOPE\":\"things/x needs admin\"}", .path = "/a/things/x",
         .method = "DELETE", .scope = "write");
    SAYS("{\"SCOPE\":\"things/x needs read\"}", .path = "/a/things/x",
         .method = "GET", .scope = "profile");
    SAYS("\"ok\"", .path = "/a/open", .method = "GET", .scope = "none");
}

static void
statuses_and_headers_leave_whole(void **state)
{
    const char *s;

    (void)state;
    STATUS(202, .path = "/a/things/x", .method = "DELETE");
    s = ASK(.path = "/a/open", .method = "GET", .scope = "none");
    assert_non_null(strstr(s, "Status: 200 OK\r\n"));
    hook_refuses = 'l';
    s = ASK(.path = "/a/leader", .method = "GET");
    hook_refuses = '\0';
    assert_non_null(strstr(s, "Location: http://otherX: y\r\n"));
    assert_non_null(strstr(s, "X-Request-Id: id1\r\n"));
    assert_non_null(strstr(s, "Content-Length: "));
}

static void
late_binding_is_left_to_the_handler(void **state)
{
    (void)state;
    SAYS("zoo", .path = "/a/late/zoo", .method = "GET");
}

static void
the_body_selects_the_verb(void **state)
{
    (void)state;
    SAYS("{\"name\":\"a\",\"level\":\"3\"}", .listener = "console",
         .path = "/any/where",
         .body = "{\"job_type\":\"get_thing\",\"name\":\"a\",\"level\":3}");
    SAYS("{\"PATH\":\"no /\"}", .listener = "console", .path = "/",
         .body = "{\"job_type\":\"fly\"}");
    SAYS("{\"SCOPE\":\"drop_thing needs write\"}", .listener = "console",
         .path = "/", .body = "{\"job_type\":\"drop_thing\"}", .scope = "read");
}

static void
an_encoding_brings_its_own_record_and_form(void **state)
{
    (void)state;
    SAYS("{\"name\":\"a\",\"level\":3}", .listener = "console", .path = "/",
         .body = "{\"job_type\":\"get_thing\","
                 "\"paras\":{\"label\":\"a\",\"depth\":3}}");
    SAYS("{\"PATH\":\"no /\"}", .listener = "console", .path = "/",
         .body = "{\"job_type\":\"drop_thing\",\"paras\":{}}");
}

static void
keyed_members_are_an_object(void **state)
{
    const char *body = "{\"name\":\"a\",\"keyed\":{\"x\":{\"key\":\"x\","
                       "\"n\":1},\"y\":{\"key\":\"y\",\"n\":2}}}";

    (void)state;
    assert_string_equal(body_of(ASK(.path = "/a/thing", .body = body)), body);
}

/* ---- who asks ---- */

static void
a_mount_with_passwords_asks_for_them(void **state)
{
    (void)state;
    STATUS(200, .listener = "basic", .method = "GET", .path = "/thing",
           .scope = "none", .header_name = "HTTP_AUTHORIZATION",
           .header_value = "Basic dXNlcjpwYXNz");
    SAYS("{\"HOOK\":\"hook \"}", .listener = "basic", .method = "GET",
         .path = "/thing", .header_name = "HTTP_AUTHORIZATION",
         .header_value = "Basic b3RoZXI6cGFzcw==");
    SAYS("{\"TOKEN\":\"token\"}", .listener = "basic", .method = "GET",
         .path = "/thing", .header_name = "HTTP_AUTHORIZATION",
         .header_value = "Bearer abc");
    SAYS("{\"TOKEN\":\"token\"}", .listener = "basic", .method = "GET",
         .path = "/nothing");
}

static void
a_mount_for_everybody_asks_nobody(void **state)
{
    (void)state;
    STATUS(200, .listener = "free", .method = "GET", .path = "/thing",
           .scope = "none");
    SAYS("{\"PATH\":\"no /nothing\"}", .listener = "free", .path = "/nothing",
         .scope = "none");
}

/* A path is open by its row of that method alone. A preflight brings no token;
 * who brings none to the others is a stranger. */
static void
a_path_that_is_open_is_open_by_its_row(void **state)
{
    (void)state;
    STATUS(200, .path = "/a/open", .method = "GET", .scope = "none");
    SAYS("{\"TOKEN\":\"token\"}", .path = "/a/open", .scope = "none");
    SAYS("{\"TOKEN\":\"token\"}", .path = "/a/open", .method = "PUT",
         .scope = "none");
    SAYS("{\"METHOD\":\"PUT\"}", .path = "/a/open", .method = "PUT");
    STATUS(204, .listener = "console", .method = "OPTIONS", .path = "/x",
           .scope = "none");
    SAYS("{\"TOKEN\":\"token\"}", .listener = "console", .path = "/x",
         .body = "{\"job_type\":\"get_thing\"}", .scope = "none");
}

static void
a_row_may_take_either_of_two_scopes(void **state)
{
    (void)state;
    STATUS(200, .path = "/a/machines", .method = "GET", .scope = "machine");
    STATUS(200, .path = "/a/machines", .method = "GET", .scope = "read");
    SAYS("{\"SCOPE\":\"machines needs read|machine\"}", .path = "/a/machines",
         .method = "GET", .scope = "profile");
}

static void
who_may_see_secrets_depends_on_form_and_token(void **state)
{
    struct req r = { .form = &sample_form };

    (void)state;
    assert_int_equal(req_secrets(&r), SECRETS_STARS);
    r.see_secrets = true;
    assert_int_equal(req_secrets(&r), SECRETS_FULL);
}

/* ---- which row ---- */

static void
allows(const char *list, const char *path, const char *method)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "\r\nAllow: %s\r\n", list);
    if (strstr(ASK(.path = path, .method = method), line) == NULL)
        fail_msg("%s", buf_text(&sent));
}

static void
a_wrong_method_is_told_the_right_ones(void **state)
{
    (void)state;
    allows("GET, HEAD, DELETE", "/a/things/x", "PUT");
    allows("POST, PUT", "/a/writes", "GET");
    allows("DELETE, OPTIONS", "/a/others", "GET");
    allows("GET, HEAD, POST", "/a/open", "OPTIONS");
    allows("GET, HEAD", "/a/rows", "PATCH");
    allows("POST", "/a/act", "HEAD");
}

static void
each_method_has_its_rows(void **state)
{
    static const struct {
        const char *method, *path;
    } rows[] = {
        { "GET", "/a/thing" },     { "HEAD", "/a/thing" },
        { "POST", "/a/thing" },    { "PUT", "/a/thing" },
        { "DELETE", "/a/thing" },  { "OPTIONS", "/a/thing" },
        { "GET", "/a/open" },      { "HEAD", "/a/open" },
        { "POST", "/a/writes" },   { "PUT", "/a/writes" },
        { "DELETE", "/a/others" }, { "OPTIONS", "/a/others" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        STATUS(200, .path = rows[i].path, .method = rows[i].method,
               .body = "{\"name\":\"a\"}");
}

static void
a_verb_of_another_method_is_told_that_one(void **state)
{
    (void)state;
    STATUS(200, .listener = "console", .method = "PUT", .path = "/",
           .body = "{\"job_type\":\"put_thing\",\"name\":\"a\"}");
    SAYS("{\"METHOD\":\"POST\"}", .listener = "console", .path = "/",
         .body = "{\"job_type\":\"put_thing\",\"name\":\"a\"}");
    assert_non_null(strstr(buf_text(&sent), "Allow: PUT\r\n"));
    SAYS("{\"METHOD\":\"GET\"}", .listener = "console", .path = "/",
         .method = "GET", .body = "{\"job_type\":\"put_thing\"}");
    assert_non_null(strstr(buf_text(&sent), "Allow: POST, PUT, OPTIONS\r\n"));
}

static void
a_method_without_a_verb_reads_no_body(void **state)
{
    (void)state;
    STATUS(204, .listener = "console", .method = "OPTIONS", .path = "/x",
           .body = "rubbish", .scope = "none");
    assert_non_null(
        strstr(ASK(.listener = "console", .path = "/", .body = "rubbish"),
               "{\"BODY\":"));
}

static void
a_body_that_is_not_json_has_its_verb_elsewhere(void **state)
{
    (void)state;
    SAYS("\"ok\"", .listener = "console", .path = "/", .body = "\x01\x02",
         .header_name = "HTTP_VERB", .header_value = "upload");
    SAYS("{\"PATH\":\"no /\"}", .listener = "console", .path = "/",
         .header_name = "HTTP_VERB", .header_value = "fly");
    SAYS("{\"LARGE\":\"too large\"}", .listener = "console", .path = "/",
         .header_name = "HTTP_VERB", .header_value = "upload",
         .too_large = true);
    SAYS("{\"LARGE\":\"too large\"}", .listener = "console", .path = "/",
         .body = "{\"job_type\":\"get_thing\"}", .too_large = true);
}

/* drop_thing has no other record for it, and keeps its form. */
static void
an_encoding_without_a_record_of_its_own_takes_the_rows(void **state)
{
    (void)state;
    SAYS("{\"NAME\":\"name not given, put_thing\"}", .listener = "console",
         .method = "PUT", .path = "/",
         .body = "{\"job_type\":\"put_thing\",\"paras\":{}}");
    SAYS("{\"name\":\"a\"}", .listener = "console", .method = "PUT",
         .path = "/",
         .body = "{\"job_type\":\"put_thing\",\"paras\":{},"
                 "\"name\":\"a\"}");
}

static void
checks_are_those_of_the_encoding(void **state)
{
    (void)state;
    SAYS("{\"NAME\":\"name not given, get_thing\"}", .listener = "console",
         .path = "/",
         .body = "{\"job_type\":\"get_thing\",\"name\":\"a\","
                 "\"paras\":{\"depth\":10}}");
    SAYS("{\"name\":\"A1\"}", .listener = "console", .path = "/",
         .body = "{\"job_type\":\"get_thing\","
                 "\"paras\":{\"label\":\"A1\"}}");
}

static void
slow_rows_are_known_before_they_run(void **state)
{
    (void)state;
    size_t number;
    const struct row *row = dispatch_peek("doris", "GET", "/a/rows", &number);

    assert_int_equal(row->flags, STREAM);
    assert_true(number < tables_rows());
    assert_null(dispatch_peek("doris", "GET", "/nope", &number));
    assert_null(dispatch_peek("doris", "POST", "/a/rows", &number));
    assert_int_equal(dispatch_peek("console", "POST", "/x", &number)->flags, 0);
    assert_true(dispatch_knows_listener("doris/x"));
    assert_false(dispatch_knows_listener("dori"));
}

static bool
peeks(const char *listener, const char *method, const char *path,
      const char *body)
{
    const struct req r = {
        .listener = listener, .method = method, .path = path, .body = body
    };

    return dispatch_peek_verbs(&r);
}

static void
slow_verbs_are_known_before_they_are_parsed(void **state)
{
    (void)state;
    assert_true(peeks("console", "POST", "/x", "{\"verb\":\"drop_thing\"}"));
    assert_true(peeks("console", "POST", "/x", "{\"verb\":\"make_thing\"}"));
    assert_false(peeks("console", "POST", "/x", "{\"verb\":\"get_thing\"}"));
    assert_false(peeks("console", "POST", "/x", ""));
    assert_false(peeks("console", "OPTIONS", "/x", "drop_thing - drop_thing"));
    assert_false(peeks("console", "PUT", "/x", "drop_thing"));
    assert_false(peeks("doris", "POST", "/a/thing", "drop_thing"));
    assert_false(peeks("doris", "POST", "/nothing", "drop_thing"));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(input_is_bound_and_rendered),
        cmocka_unit_test(both_mounts_serve_the_same_rows),
        cmocka_unit_test(checks_run_in_the_order_of_the_list),
        cmocka_unit_test(
            placeholders_come_from_args_then_input_and_mask_secrets),
        cmocka_unit_test(secrets_are_printed_for_marked_tokens_only),
        cmocka_unit_test(wrong_types_are_refused_by_field),
        cmocka_unit_test(unknown_paths_and_methods_are_named),
        cmocka_unit_test(path_parts_and_query_are_bound),
        cmocka_unit_test(rights_decide_before_the_body_is_read),
        cmocka_unit_test(statuses_and_headers_leave_whole),
        cmocka_unit_test(late_binding_is_left_to_the_handler),
        cmocka_unit_test(the_body_selects_the_verb),
        cmocka_unit_test(an_encoding_brings_its_own_record_and_form),
        cmocka_unit_test(keyed_members_are_an_object),
        cmocka_unit_test(a_mount_with_passwords_asks_for_them),
        cmocka_unit_test(a_mount_for_everybody_asks_nobody),
        cmocka_unit_test(a_path_that_is_open_is_open_by_its_row),
        cmocka_unit_test(a_row_may_take_either_of_two_scopes),
        cmocka_unit_test(who_may_see_secrets_depends_on_form_and_token),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(each_method_has_its_rows),
        cmocka_unit_test(a_verb_of_another_method_is_told_that_one),
        cmocka_unit_test(a_method_without_a_verb_reads_no_body),
        cmocka_unit_test(a_body_that_is_not_json_has_its_verb_elsewhere),
        cmocka_unit_test(
            an_encoding_without_a_record_of_its_own_takes_the_rows),
        cmocka_unit_test(checks_are_those_of_the_encoding),
        cmocka_unit_test(slow_rows_are_known_before_they_run),
        cmocka_unit_test(slow_verbs_are_known_before_they_are_parsed),
    };

    return cmocka_run_group_tests(tests, sample_setup, sample_teardown);
}
