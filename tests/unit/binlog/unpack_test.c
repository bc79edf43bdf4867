/* Compressed bytes, and charsets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "binlog/charset.h"
#include "binlog/unpack.h"
#include "bytes.h"

/* ---- compressed bytes ---- */

/* The bytes of a letter behind `head` and their number of n_bytes. */
static struct bytes
packed(uint8_t head, uint32_t n, size_t n_bytes, int bits, size_t really)
{
    uint8_t *text = malloc(really + 1), *out = malloc(really + 100);
    z_stream z = { 0 };
    struct bytes b;

    memset(text, 'x', really);
    out[0] = head | (uint8_t)n_bytes;
    for (size_t i = 0; i < n_bytes; i++)
        out[1 + i] = (uint8_t)(n >> 8 * (n_bytes - 1 - i));
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, bits, 8, 0), Z_OK);
    z.next_in = text;
    z.avail_in = (uInt)really;
    z.next_out = out + 1 + n_bytes;
    z.avail_out = (uInt)really + 50;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    b = bytes_copy(out, 1 + n_bytes + z.total_out);
    (void)deflateEnd(&z);
    free(text);
    free(out);
    return b;
}

static struct unpacker unpacker;

static int
close_all(void **state)
{
    (void)state;
    unpacker_close(&unpacker);
    return 0;
}

typedef enum err
unpack_fn(struct unpacker *u, struct cursor c, struct buf *out);

static void
unpacks(unpack_fn *f, struct bytes b, size_t max, enum err e, size_t n)
{
    struct buf out = BUF_INIT(max);

    buf_puts(&out, "ab");
    assert_int_equal(f(&unpacker, cursor_on(b.p, b.n), &out), e);
    if (e == ERR_OK) {
        assert_int_equal(out.n, 2 + n);
        assert_memory_equal(out.p, "ab", 2);
        for (size_t i = 2; i < out.n; i++)
            assert_int_equal(out.p[i], 'x');
    }
    buf_free(&out);
    free(b.p);
}

static void
an_event_is_unpacked(void **state)
{
    (void)state;
    unpacks(unpack_event, packed(0x80, 5, 1, 15, 5), 100, ERR_OK, 5);
    unpacks(unpack_event, packed(0x80, 200000, 3, 15, 200000), 1u << 20, ERR_OK,
            200000);
    unpacks(unpack_event, packed(0x80, 65536, 4, 15, 65536), 1u << 20, ERR_OK,
            65536);
    unpacks(unpack_event, packed(0x80, 0, 1, 15, 0), 100, ERR_OK, 0);
}

static void
a_length_is_kept(void **state)
{
    (void)state;
    unpacks(unpack_event, packed(0x80, 6, 1, 15, 5), 100, ERR_BAD_PARAM, 0);
    unpacks(unpack_event, packed(0x80, 4, 1, 15, 5), 100, ERR_BAD_PARAM, 0);
    unpacks(unpack_event, packed(0x80, 98, 1, 15, 98), 100, ERR_OK, 98);
    unpacks(unpack_event, packed(0x80, 99, 1, 15, 99), 100, ERR_LIMIT, 0);
    unpacks(unpack_event, packed(0x80, UINT32_MAX, 4, 15, 99), 100, ERR_LIMIT,
            0);
}

static void
what_was_not_compressed_is_refused(void **state)
{
    static const char *const bad[] = {
        "",           "80",          "81",
        "81 05",      "81 05 00 11", "85 00 00 00 00 05 78 9c",
        "01 05 789c", "91 05 789c"
    };
    struct bytes b = packed(0x80, 5, 1, 15, 5);

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        unpacks(unpack_event, bytes_of(bad[i]), 100, ERR_BAD_PARAM, 0);
    for (size_t n = 0; n < b.n; n++)
        unpacks(unpack_event, bytes_copy(b.p, n), 100, ERR_BAD_PARAM, 0);
    free(b.p);
    b = packed(0x80, 5, 1, 15, 5);
    b.p = realloc(b.p, b.n + 1); /* one byte too many */
    b.p[b.n++] = 0;
    unpacks(unpack_event, b, 100, ERR_BAD_PARAM, 0);
}

static void
a_column_is_unpacked(void **state)
{
    (void)state;
    unpacks(unpack_column, bytes_of(""), 100, ERR_OK, 0);
    unpacks(unpack_column, bytes_of("00"), 100, ERR_OK, 0);
    unpacks(unpack_column, bytes_of("00 787878"), 100, ERR_OK, 3);
    unpacks(unpack_column, bytes_of("00 787878"), 4, ERR_LIMIT, 3);
    unpacks(unpack_column, packed(0x80, 5, 1, 15, 5), 100, ERR_OK, 5);
    unpacks(unpack_column, packed(0x88, 500, 2, -15, 500), 1000, ERR_OK, 500);
    unpacks(unpack_column, packed(0x88, 5, 1, 15, 5), 100, ERR_BAD_PARAM, 0);
    unpacks(unpack_column, packed(0x90, 5, 1, 15, 5), 100, ERR_BAD_PARAM, 0);
    unpacks(unpack_column, bytes_of("80 05"), 100, ERR_BAD_PARAM, 0);
    unpacks(unpack_column, bytes_of("82 05"), 100, ERR_BAD_PARAM, 0);
}

/* ---- charsets ---- */

static void
collations_are_charsets(void **state)
{
    static struct collations c;

    (void)state;
    assert_string_equal(collation_charset(&c, 63), "binary");
    assert_null(collation_charset(&c, 45));
    collations_add(&c, 45, "utf8mb4");
    collations_add(&c, 2304, "utf8mb4");
    collations_add(&c, 46, "no charset");
    collations_add(&c, UINT64_MAX, "utf8mb4");
    assert_string_equal(collation_charset(&c, 45), "utf8mb4");
    assert_string_equal(collation_charset(&c, 2304), "utf8mb4");
    assert_null(collation_charset(&c, 46));
    assert_null(collation_charset(&c, UINT64_MAX));
}

static struct converters converters;

static void
converts(const char *charset, const char *hex, const char *text)
{
    struct bytes b = bytes_of(hex);
    struct buf out = BUF_INIT(8192);

    assert_int_equal(
        charset_to_utf8(&converters, charset, (const char *)b.p, b.n, &out),
        ERR_OK);
    assert_string_equal(buf_text(&out), text);
    buf_free(&out);
    free(b.p);
}

static void
texts_become_utf8(void **state)
{
    (void)state;
    converts("utf8mb4", "61 c3a9 f09f9880", "aé😀");
    converts("utf8mb3", "61 ff 62 c3",
             "a\ufffd"
             "b\ufffd");
    converts("ascii", "61 80", "a\ufffd");
    converts("latin1", "e9 80 81 9f", "é€\xc2\x81Ÿ");
    converts("latin2", "b1", "ą");
    converts("gbk", "c4e3 ff c4", "你\ufffd\ufffd");
    converts("ucs2", "4f60 0061", "你a");
    converts("utf16", "d83dde00 d83d 0061",
             "😀\ufffd"
             "a");
    converts("utf16le", "604f", "你");
    converts("utf32", "0001f600 00110000 00000061",
             "😀\ufffd"
             "a");
    converts("cp932", "82a0", "あ");
    converts("gb18030", "81308130", "\xc2\x80");
    converts("dec8", "a0a1 ff", "\xc2\xa0¡\ufffd");
    converts("sjis", "7e 815f", "~\\");
    converts("latin2", "", "");
    converters_close(&converters);
}

static void
a_long_text_is_whole(void **state)
{
    char text[5000], want[10001];
    struct buf out = BUF_INIT(1u << 20);

    (void)state;
    memset(text, 0xb1, sizeof(text));
    for (size_t i = 0; i < sizeof(text); i++)
        memcpy(want + 2 * i, "ą", 2);
    assert_int_equal(
        charset_to_utf8(&converters, "latin2", text, sizeof(text), &out),
        ERR_OK);
    assert_int_equal(out.n, 2 * sizeof(text));
    assert_memory_equal(out.p, want, out.n);
    buf_free(&out);
    out = (struct buf)BUF_INIT(100);
    assert_int_equal(
        charset_to_utf8(&converters, "latin2", text, sizeof(text), &out),
        ERR_LIMIT);
    buf_free(&out);
    converters_close(&converters);
}

static void
what_cannot_be_converted_is_refused(void **state)
{
    static const char *const none[] = { "binary", "no charset", "keybcs2",
                                        NULL };
    struct buf out = BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < COUNT(none); i++)
        assert_int_equal(charset_to_utf8(&converters, none[i], "a", 1, &out),
                         ERR_BAD_PARAM);
    assert_int_equal(out.n, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_unpacked),
        cmocka_unit_test(a_length_is_kept),
        cmocka_unit_test(what_was_not_compressed_is_refused),
        cmocka_unit_test(a_column_is_unpacked),
        cmocka_unit_test(collations_are_charsets),
        cmocka_unit_test(texts_become_utf8),
        cmocka_unit_test(a_long_text_is_whole),
        cmocka_unit_test(what_cannot_be_converted_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, close_all);
}
