/* A reply's tag: what a client has already is not sent again (RFC 9110). */
#include "request/reply.h"

#include <stdio.h>

#include "request.h"

#include "crypt.h"

static struct reply rp;
static char tag_of_it[64]; /* "…" of the body "ok" */

static int
begin(void **state)
{
    int status = setup(state);
    char digits[65];

    reply_init(&rp, &r);
    crypt_sha256_hex("\"ok\"", 4, digits);
    (void)snprintf(tag_of_it, sizeof(tag_of_it), "\"%.32s\"", digits);
    endpoint.flags = TAGGED;
    return status;
}

static int
end(void **state)
{
    reply_free(&rp);
    return teardown(state);
}

static const char *
send_it(void)
{
    assert_int_equal(reply_render(&rp), ERR_OK);
    reply_send(&rp);
    return buf_text(&sent);
}

static bool
has(const char *line)
{
    return strstr(buf_text(&sent), line) != NULL;
}

static void
a_reply_has_the_tag_of_its_body(void **state)
{
    (void)state;
    assert_memory_equal(send_it(), "Status: 200 OK\r\n", 16);
    assert_true(has(arena_printf(arena, "\r\nETag: %s\r\n", tag_of_it)));
    assert_true(has("\r\nCache-Control: private, no-cache\r\n"));
    assert_true(has("\r\nContent-Length: 4\r\n"));
    assert_true(has("\r\n\r\n\"ok\""));
}

static void
one_that_is_not_to_have_a_tag_has_none(void **state)
{
    (void)state;
    endpoint.flags = 0;
    header_name = "HTTP_IF_NONE_MATCH";
    header_value = "*";
    assert_memory_equal(send_it(), "Status: 200 OK\r\n", 16);
    assert_false(has("ETag"));
    assert_false(has("Cache-Control: private"));
}

static void
what_the_client_has_is_not_sent(void **state)
{
    const char *const same[] = {
        "*",
        tag_of_it,
        arena_printf(arena, "W/%s", tag_of_it),
        arena_printf(arena, "\"a\", %s, \"b\"", tag_of_it),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(same); i++) {
        buf_reset(&sent);
        io.n_headers = 0;
        header_name = "HTTP_IF_NONE_MATCH";
        header_value = same[i];
        assert_memory_equal(send_it(), "Status: 304 Not Modified\r\n", 26);
        assert_true(has(arena_printf(arena, "\r\nETag: %s\r\n", tag_of_it)));
        assert_false(has("Content-Length"));
        assert_false(has("\"ok\""));
    }
}

static void
what_it_has_of_another_is_of_no_use(void **state)
{
    const char *const other[] = { "", "\"a\"", "**", "\"\"",
                                  arena_strndup(arena, tag_of_it, 20) };

    (void)state;
    for (size_t i = 0; i < COUNT(other); i++) {
        buf_reset(&sent);
        io.n_headers = 0;
        header_name = "HTTP_IF_NONE_MATCH";
        header_value = other[i];
        assert_memory_equal(send_it(), "Status: 200 OK\r\n", 16);
        assert_true(has("\r\n\r\n\"ok\""));
    }
}

static void
another_body_has_another_tag(void **state)
{
    (void)state;
    io.text = "other";
    io.text_type = "text/plain";
    io.text_bytes = 5;
    header_name = "HTTP_IF_NONE_MATCH";
    header_value = tag_of_it;
    assert_memory_equal(send_it(), "Status: 200 OK\r\n", 16);
    assert_true(has("\r\nETag: \""));
    assert_false(has(tag_of_it));
    assert_true(has("\r\n\r\nother"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_reply_has_the_tag_of_its_body),
        TEST(one_that_is_not_to_have_a_tag_has_none),
        TEST(what_the_client_has_is_not_sent),
        TEST(what_it_has_of_another_is_of_no_use),
        TEST(another_body_has_another_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
