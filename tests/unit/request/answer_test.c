/* What a handler says and asks: noted in the request, and read from it. */
#include <stdio.h>
#include <stdlib.h>

#include "request.h"

#include "config.h"

/* ---- the query ---- */

/* Exactly n parameters, k0=v0 ...: nothing stands behind them. */
static void
query(size_t n)
{
    struct param *all = malloc(n * sizeof(*all) + (n == 0));

    assert_non_null(all);
    for (size_t i = 0; i < n; i++) {
        all[i].key = arena_printf(arena, "k%zu", i);
        all[i].value = arena_printf(arena, "v%zu", i);
    }
    r.query = all;
    r.n_query = n;
}

static void
each_parameter_is_found(void **state)
{
    (void)state;
    for (size_t n = 0; n < 5; n++) {
        query(n);
        for (size_t i = 0; i < n; i++)
            assert_string_equal(req_query(&r, arena_printf(arena, "k%zu", i)),
                                arena_printf(arena, "v%zu", i));
        assert_null(req_query(&r, "k9"));
        assert_null(req_query(&r, "k"));
        assert_null(req_query(&r, ""));
        free((void *)(uintptr_t)r.query);
    }
}

/* ---- headers of the reply ---- */

static void
headers_are_added_while_there_is_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < REPLY_HEADERS_MAX + 2; i++)
        req_header_add(&r, arena_printf(arena, "N%zu", i),
                       arena_printf(arena, "V%zu", i));
    assert_int_equal(io.n_headers, REPLY_HEADERS_MAX);
    for (size_t i = 0; i < REPLY_HEADERS_MAX; i++) {
        assert_string_equal(io.header[i].name, arena_printf(arena, "N%zu", i));
        assert_string_equal(io.header[i].value, arena_printf(arena, "V%zu", i));
    }
}

/* ---- the scheme ---- */

static void
the_scheme_is_what_the_front_end_says(void **state)
{
    (void)state;
    header_name = "REQUEST_SCHEME";
    header_value = "https";
    assert_string_equal(req_scheme(&r), "https");
    header_value = "http";
    assert_string_equal(req_scheme(&r), "http");
    header_value = "gopher";
    assert_string_equal(req_scheme(&r), "http");
    header_name = NULL; /* without a certificate of nginx */
    assert_string_equal(req_scheme(&r), "http");
}

/* ---- secrets ---- */

static void
secrets_are_for_who_may_see_them(void **state)
{
    (void)state;
    form.secrets = SECRETS_STARS;
    assert_int_equal(req_secrets(&r), SECRETS_STARS);
    r.see_secrets = true;
    assert_int_equal(req_secrets(&r), SECRETS_FULL);
}

/* ---- what is sent ---- */

static enum err
then_this(struct req *req, void *ctx)
{
    (void)req;
    (void)ctx;
    return ERR_OK;
}

static void
what_was_said_is_noted(void **state)
{
    static const struct record rec = { .n = 0 };
    int out = 0, ctx = 0;

    (void)state;
    assert_int_equal(req_send_or_fail(&r, ERR_STORE, &rec, &out), ERR_STORE);
    assert_null(io.out_rec);
    assert_null(io.out);
    assert_int_equal(req_send_or_fail(&r, ERR_OK, &rec, &out), ERR_OK);
    assert_ptr_equal(io.out_rec, &rec);
    assert_ptr_equal(io.out, &out);
    assert_int_equal(req_send_text(&r, "a/b", "text", 3), ERR_OK);
    assert_string_equal(io.text_type, "a/b");
    assert_string_equal(io.text, "text");
    assert_int_equal(io.text_bytes, 3);
    assert_false(io.wake);
    req_wake(&r);
    assert_true(io.wake);
    req_then(&r, then_this, &ctx);
    assert_ptr_equal(io.then_ctx, &ctx);
    assert_true(io.then == then_this);
    assert_int_equal(req_ok(&r), ERR_OK);
}

#define NAMED(X, s) X(s, STR, name, "name", OUT, -)
STRUCT(named, NAMED);
TABLE(named, NAMED);

static void
a_reply_is_rendered_before_it_is_sent(void **state)
{
    struct named out = { 0 };
    struct span text;

    (void)state;
    PUT(&out, named, name, "abc");
    assert_int_equal(req_render(&r, &named_rec, &out, 4096, &text), ERR_OK);
    assert_int_equal(text.n, 14);
    assert_string_equal(text.p, "{\"name\":\"abc\"}");
    assert_int_equal(req_render(&r, &named_rec, &out, 15, &text), ERR_OK);
    assert_int_equal(req_render(&r, &named_rec, &out, 8, &text), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(each_parameter_is_found),
        CASE(headers_are_added_while_there_is_room),
        CASE(the_scheme_is_what_the_front_end_says),
        CASE(secrets_are_for_who_may_see_them),
        CASE(what_was_said_is_noted),
        CASE(a_reply_is_rendered_before_it_is_sent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
