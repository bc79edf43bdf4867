/* Decimals, times and MySQL's binary JSON: bytes in, text out. That a server
 * means the same by them: matrix_test.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "binlog/value.h"
#include "bytes.h"

/* ---- decimals ---- */

static void
decimal_is(const char *hex, unsigned precision, unsigned scale,
           const char *text)
{
    struct bytes b = bytes_of(hex);
    char out[DECIMAL_TEXT_MAX];
    size_t n;

    assert_int_equal(b.n, decimal_bytes(precision, scale));
    n = decimal_text(b.p, precision, scale, out);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(out, text, n);
    free(b.p);
}

static void
decimals_are_exact(void **state)
{
    (void)state;
    decimal_is("81 0d fb 38 d2", 10, 0, "1234567890"); /* 1 234567890 */
    decimal_is("80 00 00 01 1d cd 65 00", 18, 9, "1.500000000");
    decimal_is("80 00 00 7b 2d", 10, 2, "123.45");
    decimal_is("7f ff ff 84 d2", 10, 2, "-123.45");
    decimal_is("80 00 00 00 00", 10, 2, "0.00");
    decimal_is("80 05", 4, 2, "0.05");
    decimal_is("7f fa", 4, 2, "-0.05");
    decimal_is("80", 1, 0, "0");
    decimal_is("89", 1, 0, "9");
    decimal_is("76", 1, 0, "-9");
    decimal_is("8c", 2, 2, "0.12");
    decimal_is("e3 63", 4, 2, "99.99");
    decimal_is("73", 2, 2, "-0.12");
    /* as many digits as there can be */
    decimal_is("89 3b 9a c9 ff 3b 9a c9 ff 3b 9a c9 ff 3b 9a c9 ff 3b 9a c9 ff"
               "3b 9a c9 ff 3b 9a c9 ff 09",
               65, 28,
               "9999999999999999999999999999999999999."
               "9999999999999999999999999999");
    decimal_is("7a 0a 1f 00 c4 65 36 00 c4 65 36 00 c4 65 36 00 c4 65 36 00"
               "c4 65 36 00 c4 65 36 00 fc 18",
               65, 30,
               "-99999999999999999999999999999999999."
               "999999999999999999999999999999");
    decimal_is("7f ff ff ff ff ff ff ff ff ff ff ff ff ff ff fe e2 32 9a ff ff"
               "ff ff ff ff ff ff ff ff ff",
               65, 30, "-1.500000000000000000000000000000");
}

static void
digits_that_are_none_are_refused(void **state)
{
    struct bytes b = bytes_of("80 3b 9a ca 00 00"); /* 10^9 in nine digits */
    char out[DECIMAL_TEXT_MAX];

    (void)state;
    assert_int_equal(decimal_text(b.p, 11, 0, out), 0);
    b.p[0] = 0xe4; /* 100 in two */
    assert_int_equal(decimal_text(b.p, 2, 0, out), 0);
    free(b.p);
}

/* ---- times ---- */

static void
text_is(size_t n, const char *out, const char *text)
{
    assert_int_equal(n, strlen(text));
    assert_memory_equal(out, text, n);
}

static void
times_are_signed(void **state)
{
    static const struct {
        const char *hex;
        unsigned scale;
        const char *text;
    } times[] = {
        { "80 00 00", 0, "00:00:00" },
        { "b4 6e fb", 0, "838:59:59" },
        { "4b 91 05", 0, "-838:59:59" },
        { "7f ef 7d", 0, "-01:02:03" },
        { "7f ff ff", 0, "-00:00:01" },
        { "80 10 83 28", 1, "01:02:03.4" },
        { "7f ff ff d8", 2, "-00:00:00.40" },
        { "7f ef 7c d8", 1, "-01:02:03.4" },
        { "7f ef 7c ee 30", 3, "-01:02:03.456" },
        { "80 10 83 06 f8 55", 6, "01:02:03.456789" },
        { "7f ef 7c f9 07 ab", 6, "-01:02:03.456789" },
        { "7f ff ff ff ff ff", 6, "-00:00:00.000001" },
        { "b4 6e fb 00 00 00", 5, "838:59:59.00000" },
    };
    char out[TIME_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(times); i++) {
        struct bytes b = bytes_of(times[i].hex);

        text_is(time_text(b.p, times[i].scale, out), out, times[i].text);
        free(b.p);
    }
}

static void
dates_have_zeros(void **state)
{
    char out[TIME_TEXT_MAX];
    struct bytes b = bytes_of("00 00 00"),
                 d = bytes_of("99 88 82 10 83 0f 12 06");

    (void)state;
    text_is(date_text(b.p, out), out, "0000-00-00");
    memcpy(b.p, "\x9f\x1f\x4e", 3); /* 9999-12-31 */
    text_is(date_text(b.p, out), out, "9999-12-31");
    text_is(datetime_text(d.p, 6, out), out, "2011-03-01 01:02:03.987654");
    memcpy(d.p, "\x80\x00\x00\x00\x00", 5);
    text_is(datetime_text(d.p, 0, out), out, "0000-00-00 00:00:00");
    free(b.p);
    free(d.p);
}

static void
what_is_no_time_is_refused(void **state)
{
    static const struct {
        size_t (*f)(const uint8_t *, unsigned, char *);
        const char *hex;
        unsigned scale;
    } bad[] = {
        { time_text, "b4 7f ff", 0 },          /* 839:63:63 */
        { time_text, "80 0f 00", 0 },          /* 60 minutes */
        { time_text, "80 00 3c", 0 },          /* 60 seconds */
        { time_text, "80 00 00 64", 2 },       /* 100 hundredths */
        { time_text, "80 00 00 0f 42 40", 6 }, /* a million microseconds */
        { datetime_text, "00 00 00 00 00", 0 },
        { datetime_text, "99 88 83 80 00", 0 }, /* hour 24 */
        { datetime_text, "99 88 82 0f 00", 0 },
        { datetime_text, "ff f8 42 00 00", 0 }, /* year 10080 */
    };
    char out[TIME_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes b = bytes_of(bad[i].hex);

        assert_int_equal(bad[i].f(b.p, bad[i].scale, out), 0);
        free(b.p);
    }
    assert_int_equal(date_text((const uint8_t *)"\xbf\x1f\x4e", out), 0);
}

static void
old_times_are_decimal(void **state)
{
    char out[TIME_TEXT_MAX];

    (void)state;
    text_is(old_time_text((const uint8_t *)"\x7b\x27\x00", out), out,
            "01:01:07"); /* 10107 */
    text_is(old_time_text((const uint8_t *)"\x85\xd8\xff", out), out,
            "-01:01:07");
    assert_int_equal(old_time_text((const uint8_t *)"\x3d\x00\x00", out), 0);
    /* 20110301010203 */
    text_is(
        old_datetime_text((const uint8_t *)"\x1b\x19\x59\x4b\x4a\x12\0\0", out),
        out, "2011-03-01 01:02:03");
    assert_int_equal(
        old_datetime_text((const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff",
                          out),
        0);
}

static void
stamps_are_microseconds(void **state)
{
    char out[BINLOG_STAMP_MAX];
    int64_t us;

    (void)state;
    assert_true(
        timestamp_us((const uint8_t *)"\x4d\x6c\x44\xdb\x0f\x12\x06", 6, &us));
    assert_int_equal(us, INT64_C(1298941147987654));
    text_is(binlog_stamp_text(us, 6, false, out), out,
            "2011-03-01 00:59:07.987654");
    text_is(binlog_stamp_text(us, 0, false, out), out, "2011-03-01 00:59:07");
    text_is(binlog_stamp_text(us, 2, false, out), out,
            "2011-03-01 00:59:07.98");
    assert_true(timestamp_us((const uint8_t *)"\xff\xff\xff\xff", 0, &us));
    assert_int_equal(us, INT64_C(4294967295000000));
    text_is(binlog_stamp_text(0, 3, false, out), out,
            "0000-00-00 00:00:00.000");
    assert_false(timestamp_us((const uint8_t *)"\0\0\0\0\x64", 2, &us));
    (void)setenv("TZ", "Asia/Shanghai", 1);
    tzset();
    text_is(binlog_stamp_text(INT64_C(1298941147000000), 0, true, out), out,
            "2011-03-01 08:59:07");
    text_is(binlog_stamp_text(0, 0, true, out), out, "0000-00-00 00:00:00");
    (void)unsetenv("TZ");
    tzset();
}

/* ---- JSON ---- */

static enum err
document(const char *hex, size_t max, struct buf *out)
{
    struct bytes b = bytes_of(hex);
    enum err e;

    *out = (struct buf)BUF_INIT(max);
    e = document_text(b.p, b.n, out);
    free(b.p);
    return e;
}

static void
document_is(const char *hex, const char *text)
{
    struct buf out;

    assert_int_equal(document(hex, 4096, &out), ERR_OK);
    assert_string_equal(buf_text(&out), text);
    buf_free(&out);
}

static void
scalars_are_printed(void **state)
{
    (void)state;
    document_is("", "null");
    document_is("04 00", "null");
    document_is("04 01", "true");
    document_is("04 02", "false");
    document_is("05 ff ff", "-1");
    document_is("06 ff ff", "65535");
    document_is("07 00 00 00 80", "-2147483648");
    document_is("08 ff ff ff ff", "4294967295");
    document_is("09 00 00 00 00 00 00 00 80", "-9223372036854775808");
    document_is("0a ff ff ff ff ff ff ff ff", "18446744073709551615");
    document_is("0b 00 00 00 00 00 00 f8 3f", "1.5");
    document_is("0b 00 00 00 00 00 00 f0 3f", "1.0");
    document_is("0b 9a 99 99 99 99 99 b9 3f", "0.1");
    document_is("0b 50 ef e2 d6 e4 1a 4b 44", "1e+21");
    document_is("0c 03 61 22 0a", "\"a\\\"\\n\"");
    document_is("0c 00", "\"\"");
}

static void
opaque_values_are_printed(void **state)
{
    (void)state;
    /* DECIMAL(5,2) 123.45 */
    document_is("0f f6 05 05 02 80 7b 2d", "123.45");
    document_is("0f 0a 08 00 00 00 00 00 1e 95 19", "\"2015-01-15\"");
    document_is("0f 0c 08 06 12 0f 83 10 82 7f 19",
                "\"2008-06-01 01:02:03.987654\"");
    document_is("0f 0b 08 00 00 00 7d ef ff ff ff", "\"-01:02:03.000000\"");
    document_is("0f fc 03 01 02 03", "\"base64:type252:AQID\"");
}

static void
containers_are_printed(void **state)
{
    (void)state;
    document_is("02 00 00 04 00", "[]");
    document_is("00 00 00 04 00", "{}");
    /* [1, "a", null] */
    document_is("02 03 00 0f 00 05 01 00 0c 0d 00 04 00 00 01 61",
                "[1, \"a\", null]");
    /* {"a": 1, "bb": [true]} */
    document_is("00 02 00 1c 00 12 00 01 00 13 00 02 00 05 01 00"
                "02 15 00 61 62 62 01 00 07 00 04 01 00",
                "{\"a\": 1, \"bb\": [true]}");
    /* the same array in the large form, a number of 4 bytes in its list */
    document_is("03 02 00 00 00 12 00 00 00 07 ff ff ff ff 04 00 00 00 00",
                "[-1, null]");
}

static void
a_document_cut_anywhere_is_refused(void **state)
{
    struct bytes b = bytes_of("00 02 00 1c 00 12 00 01 00 13 00 02 00 05 01 00"
                              "02 15 00 61 62 62 01 00 07 00 04 01 00");

    (void)state;
    for (size_t n = 1; n < b.n; n++) {
        struct bytes cut = bytes_copy(b.p, n);
        struct buf out = BUF_INIT(4096);

        assert_int_equal(document_text(cut.p, cut.n, &out), ERR_BAD_PARAM);
        buf_free(&out);
        free(cut.p);
    }
    free(b.p);
}

static void
what_is_no_document_is_refused(void **state)
{
    static const char *const bad[] = {
        "0d 00",                      /* no such type */
        "04 03",                      /* no such word */
        "0b 00 00 00 00 00 00 f0 7f", /* infinity */
        "0c ff ff ff ff ff ff",       /* a length without an end */
        "0f f6 05 00 02 80 7b 2d",    /* DECIMAL of no digits */
        "0f f6 05 05 06 80 7b 2d",    /* ... with more behind the point */
        "0f 0a 04 00 00 00 00",       /* DATE of four bytes */
        "02 01 00 07 00 02 05 00 00", /* an offset behind the end, then */
        "02 ff ff 07 00 04 00 00",    /* more members than bytes */
        "00 01 00 0b 00 0b 00 09 00 04 00 00", /* a name behind the end */
    };
    struct buf out;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (document(bad[i], 4096, &out) != ERR_BAD_PARAM)
            fail_msg("%s was taken", bad[i]);
        buf_free(&out);
    }
}

/* An array whose first member is itself, and one whose members are all one:
 * neither takes longer, or more memory, than its bound. */
static void
a_document_without_end_ends(void **state)
{
    struct buf out;
    uint8_t many[5 + 3 * 500 + 128] = { 2, 500 & 0xff, 500 >> 8 };
    struct bytes b;

    (void)state;
    assert_int_equal(document("02 01 00 07 00 02 00 00", 1u << 20, &out),
                     ERR_BAD_PARAM);
    buf_free(&out);
    many[3] = (sizeof(many) - 1) & 0xff;
    many[4] = (sizeof(many) - 1) >> 8;
    for (size_t i = 0; i < 500; i++)
        memcpy(many + 5 + 3 * i, "\x0c\xe0\x05", 3); /* at 4 + 1500 */
    many[5 + 3 * 500] = 127;
    memset(many + 6 + 3 * 500, 'x', 127);
    b = bytes_copy(many, sizeof(many));
    out = (struct buf)BUF_INIT(1u << 20);
    assert_int_equal(document_text(b.p, b.n, &out), ERR_OK);
    assert_int_equal(out.n, 500 * 131);
    buf_free(&out);
    out = (struct buf)BUF_INIT(10000);
    assert_int_equal(document_text(b.p, b.n, &out), ERR_LIMIT);
    buf_free(&out);
    free(b.p);
}

static void
check_fixed(enum binlog_fixed type, const char *bytes, size_t n,
            const char *want)
{
    char out[BINLOG_FIXED_TEXT] = "";
    /* of its own, so that a byte too many is seen */
    char *p = malloc(n + (n == 0));

    assert_non_null(p);
    memcpy(p, bytes, n);
    assert_int_equal(binlog_fixed_text(type, p, n, out), strlen(want));
    assert_string_equal(*want == '\0' ? "" : out, want);
    free(p);
}

/* Zeros at the end may be left out; what is longer is of another type. */
static void
addresses_and_uuids_are_texts(void **state)
{
    (void)state;
    check_fixed(BINLOG_INET4, "\x7f\0\0\1", 4, "127.0.0.1");
    check_fixed(BINLOG_INET4, "\x0a", 1, "10.0.0.0");
    check_fixed(BINLOG_INET4, "12345", 5, "");
    check_fixed(BINLOG_INET6, "", 0, "::");
    check_fixed(BINLOG_INET6, "\x20\x01\x0d", 3, "2001:d00::");
    check_fixed(BINLOG_INET6, "12345678901234567", 17, "");
    check_fixed(BINLOG_UUID, "\x01\x23\x45\x67\x89\xab\x1d\xef", 8,
                "01234567-89ab-1def-0000-000000000000");
    check_fixed(BINLOG_UUID, "12345678901234567", 17, "");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_and_uuids_are_texts),
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(digits_that_are_none_are_refused),
        cmocka_unit_test(times_are_signed),
        cmocka_unit_test(dates_have_zeros),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(old_times_are_decimal),
        cmocka_unit_test(stamps_are_microseconds),
        cmocka_unit_test(scalars_are_printed),
        cmocka_unit_test(opaque_values_are_printed),
        cmocka_unit_test(containers_are_printed),
        cmocka_unit_test(a_document_cut_anywhere_is_refused),
        cmocka_unit_test(what_is_no_document_is_refused),
        cmocka_unit_test(a_document_without_end_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
