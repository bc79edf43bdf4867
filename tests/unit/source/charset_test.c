/* Every charset that a server has: each of its characters is, as UTF-8, what
 * the server says that it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "binlog/charset.h"
#include "hex.h"
#include "utf8.h"
#include "server.h"

static struct server sv;
static struct converters converters;

/* All of the BMP that the charset has, as its bytes. */
static void
compare(const char *charset)
{
    struct buf out = BUF_INIT(64);
    struct my_table t;
    size_t wrong = 0;
    const char *sql = arena_printf(
        sv.a,
        "SELECT seq, HEX(CONVERT(CHAR(seq USING utf32) USING %s)),"
        " HEX(CONVERT(CONVERT(CHAR(seq USING utf32) USING %s) USING utf32))"
        " FROM seq_1_to_65532 WHERE seq NOT BETWEEN 55296 AND 57343"
        " HAVING CONV(HEX(CONVERT(CONVERT(CHAR(seq USING utf32) USING %s)"
        " USING utf32)), 16, 10) = seq",
        charset, charset, charset);

    assert_int_equal(my_query(sv.my, sv.a, sql, 70000, &t), ERR_OK);
    for (size_t i = 0; i < t.n; i++) {
        const struct span *c = &t.cell[3 * i];
        unsigned code = (unsigned)strtoul(c[0].p, NULL, 10), got = 0;
        char bytes[16];
        size_t n = c[1].n / 2, k;

        assert_true(n < sizeof(bytes) && hex_read(c[1].p, bytes, n));
        buf_reset(&out);
        assert_int_equal(charset_to_utf8(&converters, charset, bytes, n, &out),
                         ERR_OK);
        k = utf8_len(out.p, out.n);
        if (k == out.n)
            got = utf8_decode(out.p, k);
        if (got == code)
            continue;
        if (wrong++ < 5)
            print_message("%s %.*s: U+%04X instead of U+%04X\n", charset,
                          (int)c[1].n, c[1].p, got, code);
    }
    if (wrong > 0)
        fail_msg("%zu of %zu characters of %s", wrong, t.n, charset);
    buf_free(&out);
    arena_reset(sv.a);
}

static void
every_character_is_the_servers(void **state)
{
    struct my_table t;
    char names[64][32];
    size_t n = 0;

    (void)state;
    assert_int_equal(my_query(sv.my, sv.a,
                              "SELECT CHARACTER_SET_NAME FROM"
                              " information_schema.CHARACTER_SETS ORDER BY 1",
                              64, &t),
                     ERR_OK);
    for (size_t i = 0; i < t.n; i++) {
        struct buf out = BUF_INIT(64);

        if (charset_to_utf8(&converters, t.cell[i].p, "", 0, &out) == ERR_OK)
            (void)snprintf(names[n++], sizeof(names[0]), "%s", t.cell[i].p);
        else /* nothing is guessed */
            assert_true(strcmp(t.cell[i].p, "binary") == 0 ||
                        strcmp(t.cell[i].p, "geostd8") == 0 ||
                        strcmp(t.cell[i].p, "keybcs2") == 0);
        buf_free(&out);
    }
    for (size_t i = 0; i < n; i++)
        compare(names[i]);
}

static int
begin(void **state)
{
    (void)state;
    return server_begin(&sv);
}

static int
end(void **state)
{
    (void)state;
    converters_close(&converters);
    return server_end(&sv);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_is_the_servers),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
