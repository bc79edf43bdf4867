/* Answers of the console, as a shell shows them: an object and a line's end. */
#include "request/request.h"

#include "console/console.h"

static struct buf text;
static struct json_writer w;

static int
begin(void **state)
{
    int status = setup(state);

    text = (struct buf)BUF_INIT(4096);
    jw_init(&w, &text, &json_compact);
    return status;
}

static int
end(void **state)
{
    buf_free(&text);
    return teardown(state);
}

static void
a_reply_is_a_line(void **state)
{
    struct console_health out = { 0 };

    (void)state;
    PUT(&out, console_health, status, "ok");
    assert_int_equal(console_form.reply(&r, &w, &console_health_rec, &out),
                     ERR_OK);
    assert_string_equal(buf_text(&text), "{\"status\":\"ok\"}\n");
}

static void
without_a_record_it_is_an_empty_object(void **state)
{
    (void)state;
    assert_int_equal(console_form.reply(&r, &w, NULL, NULL), ERR_OK);
    assert_string_equal(buf_text(&text), "{}\n");
}

/* Secrets are not for everybody who may read. */
static void
secrets_are_shown_to_who_may_see_them(void **state)
{
    (void)state;
    assert_int_equal(console_form.secrets, SECRETS_STARS);
    assert_string_equal(console_form.reply_type, "application/json");
    assert_string_equal(console_form.error_type, "application/json");
}

static void
a_failure_has_its_word_and_a_sentence(void **state)
{
    const struct failure f = { .http = 404, .code = "gone", .text = "a b" };

    (void)state;
    console_form.failure(&r, &w, &f);
    assert_string_equal(buf_text(&text),
                        "{\"error\":\"gone\",\"message\":\"a b\"}\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reply_is_a_line),
        TEST(without_a_record_it_is_an_empty_object),
        TEST(secrets_are_shown_to_who_may_see_them),
        TEST(a_failure_has_its_word_and_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
