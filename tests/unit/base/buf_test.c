/* What a growing text promises. */
#include "buf.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
an_empty_text_is_an_empty_string(void **state)
{
    struct buf b = BUF_INIT(10);

    (void)state;
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_err(&b), ERR_OK);
    buf_put(&b, "", 0);
    assert_string_equal(buf_text(&b), "");
    buf_free(&b);
}

static void
writes_are_joined_and_terminated(void **state)
{
    struct buf b = BUF_INIT(100000);

    (void)state;
    buf_puts(&b, "a");
    buf_putc(&b, 'b');
    buf_put(&b, "cdef", 2);
    buf_printf(&b, "-%d-%s", 5, "x");
    buf_fill(&b, ' ', 2);
    assert_string_equal(buf_text(&b), "abcd-5-x  ");
    buf_printf(&b, "%3000d", 1);
    assert_int_equal(b.n, 3010);
    assert_int_equal(strlen(buf_text(&b)), 3010);
    buf_free(&b);
}

static void
prints_as_printf(struct buf *b, uint64_t v)
{
    char want[32];

    buf_reset(b);
    buf_u64(b, v);
    (void)snprintf(want, sizeof(want), "%" PRIu64, v);
    assert_string_equal(buf_text(b), want);
    buf_reset(b);
    buf_i64(b, (int64_t)(0 - v));
    (void)snprintf(want, sizeof(want), "%" PRId64, (int64_t)(0 - v));
    assert_string_equal(buf_text(b), want);
}

static void
integers_are_printed_as_printf_does(void **state)
{
    struct buf b = BUF_INIT(100);

    (void)state;
    for (uint64_t v = 0; v <= 20000; v++)
        prints_as_printf(&b, v);
    for (uint64_t power = 10; power % 10 == 0; power *= 10) {
        for (uint64_t d = 0; d < 3; d++)
            prints_as_printf(&b, power - 1 + d);
    }
    for (int bit = 0; bit < 64; bit++) {
        for (uint64_t d = 0; d < 3; d++)
            prints_as_printf(&b, (UINT64_C(1) << bit) - 1 + d);
    }
    prints_as_printf(&b, UINT64_MAX);
    buf_free(&b);
}

static void
what_is_over_the_maximum_is_dropped_and_noted(void **state)
{
    struct buf b = BUF_INIT(5);

    (void)state;
    buf_puts(&b, "12345");
    assert_int_equal(buf_err(&b), ERR_OK);
    buf_putc(&b, '6');
    assert_int_equal(buf_err(&b), ERR_LIMIT);
    assert_string_equal(buf_text(&b), "12345");
    buf_reset(&b);
    buf_puts(&b, "123456");
    buf_puts(&b, "7"); /* would fit, but the text is broken already */
    assert_int_equal(buf_err(&b), ERR_LIMIT);
    assert_string_equal(buf_text(&b), "");
    buf_free(&b);
}

static void
a_maximum_of_nothing_takes_nothing(void **state)
{
    struct buf b = BUF_INIT(0);

    (void)state;
    buf_putc(&b, 'x');
    assert_int_equal(buf_err(&b), ERR_LIMIT);
    buf_free(&b);
}

struct sink {
    struct buf text;
    int calls;
    int fail_at;
};

static enum err
take(struct buf *b, void *ctx)
{
    struct sink *s = ctx;

    if (++s->calls == s->fail_at)
        return ERR_PEER;
    buf_put(&s->text, b->p, b->n);
    return ERR_OK;
}

static void
a_drained_text_has_no_end(void **state)
{
    struct sink s = { .text = BUF_INIT(100000) };
    struct buf b = BUF_INIT(16);
    char want[4001];

    (void)state;
    b.drain = take;
    b.drain_ctx = &s;
    for (int i = 0; i < 400; i++) {
        buf_puts(&b, "0123456789");
        memcpy(want + i * 10, "0123456789", 10);
    }
    want[4000] = '\0';
    buf_put(&s.text, b.p, b.n);
    assert_int_equal(buf_err(&b), ERR_OK);
    assert_string_equal(buf_text(&s.text), want);
    buf_free(&b);
    buf_free(&s.text);
}

static void
one_write_may_be_longer_than_the_drained_text(void **state)
{
    struct sink s = { .text = BUF_INIT(100000) };
    struct buf b = BUF_INIT(16);
    char many[1000];

    (void)state;
    memset(many, 'x', sizeof(many));
    b.drain = take;
    b.drain_ctx = &s;
    buf_puts(&b, "head");
    buf_put(&b, many, sizeof(many));
    buf_put(&s.text, b.p, b.n);
    assert_int_equal(s.text.n, 1004);
    assert_int_equal(buf_err(&b), ERR_OK);
    buf_free(&b);
    buf_free(&s.text);
}

static void
a_drain_that_fails_fails_the_text(void **state)
{
    struct sink s = { .text = BUF_INIT(1000), .fail_at = 2 };
    struct buf b = BUF_INIT(8);

    (void)state;
    b.drain = take;
    b.drain_ctx = &s;
    for (int i = 0; i < 100; i++)
        buf_puts(&b, "1234");
    assert_int_equal(buf_err(&b), ERR_LIMIT);
    assert_int_equal(s.calls, 2); /* and is not asked again */
    assert_string_equal(buf_text(&s.text), "12341234");
    buf_free(&b);
    buf_free(&s.text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_text_is_an_empty_string),
        cmocka_unit_test(writes_are_joined_and_terminated),
        cmocka_unit_test(integers_are_printed_as_printf_does),
        cmocka_unit_test(what_is_over_the_maximum_is_dropped_and_noted),
        cmocka_unit_test(a_maximum_of_nothing_takes_nothing),
        cmocka_unit_test(a_drained_text_has_no_end),
        cmocka_unit_test(one_write_may_be_longer_than_the_drained_text),
        cmocka_unit_test(a_drain_that_fails_fails_the_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
