/* What is shown of a job: the members that it knows, and of secrets that there
 * are some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kunlun/node_mgr/job.c"

#include "arena_fixture.h"

static const char *
shown_of(const struct record *rec, const char *text)
{
    struct json_error why;
    struct req r = { .arena = arena };
    const char *out;

    assert_int_equal(
        json_parse(arena, text, strlen(text), JSON_STRICT, &r.json, &why),
        ERR_OK);
    assert_int_equal(shown(&r, rec, &out), ERR_OK);
    return out;
}

static void
what_is_known_is_shown_and_secrets_are_not(void **state)
{
    (void)state;
    assert_string_equal(
        shown_of(&node_source_rec,
                 "{\"job_id\":\"j\",\"s_pwd\":\"hush\",\"s_user\":\"u\","
                 "\"s_port\":6004,\"s_ip\":\"1\",\"other\":\"hush\","
                 "\"file_type\":[1],\"s_dbname\":{}}"),
        "{\"job_id\":\"j\",\"s_ip\":\"1\",\"s_port\":6004,\"s_user\":\"u\","
        "\"s_pwd\":\"***\",\"file_type\":null,\"s_dbname\":null}");
    assert_string_equal(
        shown_of(&node_install_rec,
                 "{\"spec\":{\"admin_secret\":\"hush\"},\"install_id\":\"1\","
                 "\"nodes\":[{\"ip\":\"a\",\"x\":1},{\"port\":2},{}]}"),
        "{\"install_id\":\"1\",\"spec\":\"***\","
        "\"nodes\":[{\"ip\":\"a\"},{\"port\":2},{}]}");
    assert_string_equal(shown_of(&node_source_rec, "{}"), "{}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_known_is_shown_and_secrets_are_not, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
