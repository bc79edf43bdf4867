/* Bytes in open-protocol, as Go's strconv.Quote writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ticdc/encode/open.c"

static locale_t utf8;

static void
what_go_prints_is_printed(void **state)
{
    static const uint32_t yes[] = { 0xa1,   0xac,   0xae,   0xe4,   0x2010,
                                    0x2027, 0x2030, 0x2070, 0x4e2d, 0xf900,
                                    0xfffc, 0xfffd, 0x1f418 };
    static const uint32_t no[] = { 0x80,   0xad,    0xe000,  0xf8ff,
                                   0x200b, 0x200f,  0x2028,  0x202e,
                                   0x2060, 0x206f,  0xfeff,  0xfff9,
                                   0xfffb, 0xe0000, 0xe0100, 0x10fffd };

    (void)state;
    for (size_t i = 0; i < COUNT(yes); i++) {
        if (!is_printed(utf8, yes[i]))
            fail_msg("%x", yes[i]);
        assert_false(is_printed((locale_t)0, yes[i]));
    }
    for (size_t i = 0; i < COUNT(no); i++)
        if (is_printed(utf8, no[i]))
            fail_msg("%x", no[i]);
}

static void
quoted(const char *p, size_t n, const char *want)
{
    struct buf b = BUF_INIT(1024);

    put_quoted(&b, utf8, p, n);
    assert_string_equal(buf_text(&b), want);
    buf_free(&b);
}

#define QUOTED(p_, want) quoted(p_, sizeof(p_) - 1, want)

static void
what_is_not_printed_is_escaped(void **state)
{
    (void)state;
    QUOTED("", "");
    QUOTED(" !#[]^~", " !#[]^~");
    QUOTED("\"'\\", "\\\"'\\\\");
    QUOTED("\x06\a\b\t\n\v\f\r\x0e", "\\x06\\a\\b\\t\\n\\v\\f\\r\\x0e");
    QUOTED("\0\x1f\x7f\x80\xff", "\\x00\\x1f\\x7f\\x80\\xff");
    QUOTED("\xc3\xa4\xe4\xb8\xad\xf0\x9f\x90\x98",
           "\xc3\xa4\xe4\xb8\xad\xf0\x9f\x90\x98");
    QUOTED("\xc2\xad.\xee\x80\x80", "\\u00ad.\\ue000");
    QUOTED("\xef\xbb\xbf\xf3\xa0\x80\x80", "\\ufeff\\U000e0000");
    QUOTED("\xe4\xb8", "\\xe4\\xb8"); /* a part of a character */
}

/* A machine that lacks the locale. */
static void
without_a_locale_all_is_escaped_beyond_ascii(void **state)
{
    locale_t had = utf8;

    (void)state;
    utf8 = (locale_t)0;
    QUOTED("a\xc3\xa4\xef\xbf\xbf\xf0\x90\x80\x80",
           "a\\u00e4\\uffff\\U00010000");
    utf8 = had;
}

static int
setup(void **state)
{
    (void)state;
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    return utf8 != (locale_t)0 ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    freelocale(utf8);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_go_prints_is_printed),
        cmocka_unit_test(what_is_not_printed_is_escaped),
        cmocka_unit_test(without_a_locale_all_is_escaped_beyond_ascii),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
