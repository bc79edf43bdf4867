/* Positions: both kinds of sets of GTIDs, as texts and packed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "binlog/gtid.h"
#include "bytes.h"

#define A "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define B "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"

static int
setup(void **state)
{
    *state = binlog_gtids_new();
    return *state != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    binlog_gtids_free(*state);
    return 0;
}

static void
is(const struct binlog_gtids *s, const char *text)
{
    struct buf b = BUF_INIT(4096);

    binlog_gtids_print(s, &b);
    assert_string_equal(buf_text(&b), text);
    buf_free(&b);
}

static void
reads(struct binlog_gtids *s, const char *text, const char *as)
{
    assert_int_equal(binlog_gtids_parse(s, text), ERR_OK);
    is(s, as);
}

static struct binlog_gtid
maria(uint32_t domain, uint32_t server, uint64_t seq)
{
    return (
        struct binlog_gtid){ .domain = domain, .server = server, .seq = seq };
}

static struct binlog_gtid
mysql(uint64_t seq)
{
    struct binlog_gtid g = { .is_uuid = true, .seq = seq };

    memset(g.uuid, 0xaa, 16);
    return g;
}

static void
a_text_is_read_and_printed_in_order(void **state)
{
    struct binlog_gtids *s = *state;

    reads(s, "", "");
    assert_true(binlog_gtids_empty(s));
    reads(s, "0-1-42", "0-1-42");
    assert_false(binlog_gtids_empty(s));
    reads(s, "7-3-9, 0-1-18446744073709551615",
          "0-1-18446744073709551615,7-3-9");
    reads(s, A ":1-5:7,\n" B ":3", A ":1-5:7," B ":3");
    reads(s, "3E11FA47-71CA-11E1-9E33-C80AA9429562:1", A ":1");
    reads(s, A ":5-9:1-4", A ":1-9"); /* what touches is one */
    reads(s, A ":1:3:5:2-4", A ":1-5");
    reads(s, A " : 1 , " A ":2", A ":1-2");
    reads(s, "12345678-1-5", "12345678-1-5");
}

static void
meets(const char *a, const char *b, const char *both)
{
    struct binlog_gtids *x = binlog_gtids_new(), *y = binlog_gtids_new();
    struct buf out = BUF_INIT(1000);

    assert_int_equal(binlog_gtids_parse(x, a), ERR_OK);
    assert_int_equal(binlog_gtids_parse(y, b), ERR_OK);
    assert_int_equal(binlog_gtids_meet(x, y), ERR_OK);
    binlog_gtids_print(x, &out);
    assert_string_equal(buf_text(&out), both);
    assert_true(binlog_gtids_within(x, y));
    buf_free(&out);
    binlog_gtids_free(x);
    binlog_gtids_free(y);
}

static void
two_positions_meet_where_both_have_been(void **state)
{
    (void)state;
    meets("0-1-5", "0-2-7", "0-1-5");
    meets("0-2-7", "0-1-5", "0-1-5");
    meets("0-1-5,3-1-9", "0-1-6", "0-1-5");
    meets("0-1-5,3-1-9", "3-1-1,9-1-1", "3-1-1");
    meets("", "0-1-1", "");
    meets(A ":1-9", A ":3-4:8-20", A ":3-4:8-9");
    meets(A ":1-3:7-9", A ":2-8", A ":2-3:7-8");
    meets(A ":1-3", B ":1-3", "");
}

static void
a_set_is_within_one_that_has_all_of_it(void **state)
{
    static const struct {
        const char *part, *all;
        bool within;
    } cases[] = {
        { "", "", true },
        { "", "0-1-1", true },
        { "0-1-1", "", false },
        { "0-1-5", "0-2-5", true },
        { "0-1-5", "0-1-4,1-1-9", false },
        { A ":2-3", A ":1-5", true },
        { A ":2-6", A ":1-5", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct binlog_gtids *x = binlog_gtids_new(), *y = binlog_gtids_new();

        assert_int_equal(binlog_gtids_parse(x, cases[i].part), ERR_OK);
        assert_int_equal(binlog_gtids_parse(y, cases[i].all), ERR_OK);
        assert_int_equal(binlog_gtids_within(x, y), cases[i].within);
        binlog_gtids_free(x);
        binlog_gtids_free(y);
    }
}

static void
what_is_no_set_is_refused(void **state)
{
    static const char *const bad[] = {
        "0",
        "0-1",
        "0-1-",
        "0-1-x",
        "0-1-2,",
        ",0-1-2",
        "0-1-2 3",
        "0-1-2,0-1-3",
        A,
        A ":",
        A ":0",
        A ":3-2",
        A ":1-",
        A ":1,",
        A ":x",
        A ":1,0-1-2",
        "0-1-2," A ":1",
        "4294967296-1-1",
        "0-4294967296-1",
        "0-1-18446744073709551616",
        A ":9223372036854775807",
        "3e11fa47-71ca-11e1-9e33-c80aa942956:1",
        "3e11fa47-71ca-11e1-9e33:1",
        "-1-1-1",
        "0-1-2\x01",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        if (binlog_gtids_parse(*state, bad[i]) != ERR_BAD_PARAM)
            fail_msg("%s was taken", bad[i]);
        assert_true(binlog_gtids_empty(*state));
    }
}

static void
a_domain_has_its_last(void **state)
{
    struct binlog_gtids *s = *state;
    struct binlog_gtid g;

    reads(s, "0-1-5,9-1-1", "0-1-5,9-1-1");
    g = maria(0, 2, 6);
    assert_false(binlog_gtids_have(s, &g));
    assert_int_equal(binlog_gtids_add(s, &g), ERR_OK);
    assert_true(binlog_gtids_have(s, &g));
    g = maria(4, 1, 1);
    assert_false(binlog_gtids_have(s, &g));
    assert_int_equal(binlog_gtids_add(s, &g), ERR_OK);
    is(s, "0-2-6,4-1-1,9-1-1");
    g = maria(9, 7, 1);
    assert_true(binlog_gtids_have(s, &g));
    g = mysql(1);
    assert_int_equal(binlog_gtids_add(s, &g), ERR_BAD_PARAM);
}

static void
a_server_has_intervals(void **state)
{
    static const uint64_t order[] = { 5, 7, 6, 1, 2, 9, 3 };
    struct binlog_gtids *s = *state;
    struct binlog_gtid g;

    for (size_t i = 0; i < COUNT(order); i++) {
        g = mysql(order[i]);
        assert_false(binlog_gtids_have(s, &g));
        assert_int_equal(binlog_gtids_add(s, &g), ERR_OK);
        assert_true(binlog_gtids_have(s, &g));
        assert_int_equal(binlog_gtids_add(s, &g), ERR_OK); /* again */
    }
    is(s, "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1-3:5-7:9");
    g = mysql(4);
    assert_false(binlog_gtids_have(s, &g));
    g = mysql(10);
    assert_false(binlog_gtids_have(s, &g));
    g = maria(0, 1, 1);
    assert_int_equal(binlog_gtids_add(s, &g), ERR_BAD_PARAM);
}

/* Whatever is added in whatever order: a set of bits says the same. */
static void
intervals_are_what_was_added(void **state)
{
    struct binlog_gtids *s = *state;
    bool in[66] = { false };
    unsigned seed = 7;

    for (int round = 0; round < 2000; round++) {
        uint64_t first, last;

        seed = seed * 1103515245 + 12345;
        if (round % 50 == 0) {
            gtids_clear(s);
            memset(in, 0, sizeof(in));
        }
        first = 1 + (seed >> 16) % 64;
        last = first + (seed >> 8) % 6;
        if (last > 64)
            last = 64;
        assert_int_equal(gtids_add_span(s, mysql(1).uuid, first, last), ERR_OK);
        for (uint64_t i = first; i <= last; i++)
            in[i] = true;
        for (uint64_t i = 1; i <= 65; i++) {
            struct binlog_gtid g = mysql(i);

            assert_int_equal(binlog_gtids_have(s, &g), in[i]);
        }
        for (size_t i = 1; i < s->server[0].n; i++)
            assert_true(s->server[0].span[i - 1].last + 1 <
                        s->server[0].span[i].first);
        assert_int_equal(s->n_spans, s->server[0].n);
    }
}

static void
one_set_is_within_another(void **state)
{
    struct binlog_gtids *all = *state, *part = binlog_gtids_new();

    reads(all, A ":1-5:7-9," B ":3", A ":1-5:7-9," B ":3");
    static const struct {
        const char *text;
        bool within;
    } parts[] = {
        { "", true },
        { A ":1-5", true },
        { A ":2:8-9", true },
        { B ":3", true },
        { A ":1-6", false },
        { A ":5-7", false },
        { B ":2", false },
        { B ":3," A ":10", false },
        { "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeef:1", false },
    };
    for (size_t i = 0; i < COUNT(parts); i++) {
        assert_int_equal(binlog_gtids_parse(part, parts[i].text), ERR_OK);
        assert_int_equal(gtids_within(part, all), parts[i].within);
    }
    binlog_gtids_free(part);
}

static void
a_set_is_packed_and_unpacked(void **state)
{
    struct binlog_gtids *s = *state, *back = binlog_gtids_new();
    struct buf b = BUF_INIT(4096);
    struct bytes block;
    struct cursor c;

    reads(s, A ":1-5:7," B ":3", A ":1-5:7," B ":3");
    gtids_pack(s, &b);
    assert_int_equal(b.n, 8 + 2 * 24 + 3 * 16);
    block = bytes_copy(b.p, b.n);
    c = cursor_on(block.p, block.n);
    assert_int_equal(gtids_unpack(back, &c), ERR_OK);
    assert_int_equal(cursor_left(&c), 0);
    is(back, A ":1-5:7," B ":3");
    for (size_t n = 0; n < block.n; n++) { /* cut anywhere */
        gtids_clear(back);
        c = cursor_on(block.p, n);
        assert_int_equal(gtids_unpack(back, &c), ERR_BAD_PARAM);
    }
    free(block.p);
    buf_free(&b);
    binlog_gtids_free(back);
}

static void
a_packed_set_that_says_too_much_is_refused(void **state)
{
    /* 2^63 servers; 2^63 intervals; an interval that ends before it begins */
    static const char *const bad[] = {
        "0000000000000080",
        "0100000000000000 00112233445566778899aabbccddeeff 0000000000000080"
        "0100000000000000 0200000000000000",
        "0100000000000000 00112233445566778899aabbccddeeff 0100000000000000"
        "0200000000000000 0200000000000000",
        "0100000000000000 00112233445566778899aabbccddeeff 0100000000000000"
        "0000000000000000 0200000000000000",
    };

    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes b = bytes_of(bad[i]);
        struct cursor c = cursor_on(b.p, b.n);

        gtids_clear(*state);
        assert_int_equal(gtids_unpack(*state, &c), ERR_BAD_PARAM);
        free(b.p);
    }
}

static void
a_copy_is_one_of_its_own(void **state)
{
    struct binlog_gtids *s = *state, *copy = binlog_gtids_new();
    struct binlog_gtid g = maria(0, 1, 9);

    reads(s, "0-1-5,2-2-2", "0-1-5,2-2-2");
    assert_int_equal(binlog_gtids_copy(copy, s), ERR_OK);
    assert_int_equal(binlog_gtids_add(s, &g), ERR_OK);
    is(copy, "0-1-5,2-2-2");
    reads(s, A ":1-5:7", A ":1-5:7");
    assert_int_equal(binlog_gtids_copy(copy, s), ERR_OK);
    is(copy, A ":1-5:7");
    binlog_gtids_free(copy);
}

static void
a_gtid_is_printed(void **state)
{
    char text[BINLOG_GTID_MAX];
    struct binlog_gtid g = mysql(UINT64_MAX);

    (void)state;
    binlog_gtid_text(&g, text);
    assert_string_equal(
        text, "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:18446744073709551615");
    g = maria(UINT32_MAX, UINT32_MAX, UINT64_MAX);
    binlog_gtid_text(&g, text);
    assert_string_equal(text, "4294967295-4294967295-18446744073709551615");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_text_is_read_and_printed_in_order),
        TEST(what_is_no_set_is_refused),
        TEST(two_positions_meet_where_both_have_been),
        TEST(a_set_is_within_one_that_has_all_of_it),
        TEST(a_domain_has_its_last),
        TEST(a_server_has_intervals),
        TEST(intervals_are_what_was_added),
        TEST(one_set_is_within_another),
        TEST(a_set_is_packed_and_unpacked),
        TEST(a_packed_set_that_says_too_much_is_refused),
        TEST(a_copy_is_one_of_its_own),
        TEST(a_gtid_is_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
