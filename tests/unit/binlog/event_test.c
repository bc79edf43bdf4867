/* Events: header, checksum, format, GTIDs of both servers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "binlog/event.h"
#include "binlog/gtid.h"
#include "bytes.h"

static struct binlog_failure why;

/* GTID 0-1-35, of MariaDB 10.11 with CRC32. */
static const char gtid_hex[] =
    "70600c6b a2 01000000 2a000000 ae0f0000 0800"
    "2300000000000000 00000000 29 000000000000 b1c459fc";

static enum err
open_event(const struct bytes *b, bool crc, struct event *e)
{
    return event_open(b->p, b->n, crc, e, &why);
}

static void
a_header_is_read(void **state)
{
    struct bytes b = bytes_of(gtid_hex);
    struct event e;

    (void)state;
    assert_int_equal(open_event(&b, true, &e), ERR_OK);
    assert_int_equal(e.type, EVENT_GTID);
    assert_int_equal(e.at_s, 0x6b0c6070);
    assert_int_equal(e.server_id, 1);
    assert_int_equal(e.next_pos, 0xfae);
    assert_int_equal(e.pos, 0xfae - 0x2a);
    assert_int_equal(e.flags, 8);
    assert_int_equal(cursor_left(&e.body), 0x2a - 19 - 4);
    assert_int_equal(open_event(&b, false, &e), ERR_OK);
    assert_int_equal(cursor_left(&e.body), 0x2a - 19);
    free(b.p);
}

static void
a_wrong_sum_is_found(void **state)
{
    struct bytes b = bytes_of(gtid_hex);
    struct event e;

    (void)state;
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] ^= 1;
        assert_int_not_equal(open_event(&b, true, &e), ERR_OK);
        assert_int_equal(why.fault, i >= 9 && i < 13 ? BINLOG_FAULT_CUT
                                                     : BINLOG_FAULT_SUM);
        b.p[i] ^= 1;
    }
    free(b.p);
}

/* STOP is such a one. */
static void
an_event_may_be_a_header_alone(void **state)
{
    struct bytes bare = bytes_of("70600c6b 03 01000000 13000000 ae0f0000 0000");
    struct bytes summed =
        bytes_of("70600c6b 03 01000000 17000000 ae0f0000 0000 b398c95b");
    struct event e;

    (void)state;
    assert_int_equal(open_event(&bare, false, &e), ERR_OK);
    assert_int_equal(cursor_left(&e.body), 0);
    assert_int_equal(open_event(&summed, true, &e), ERR_OK);
    assert_int_equal(cursor_left(&e.body), 0);
    assert_int_equal(open_event(&bare, true, &e), ERR_STATE);
    assert_int_equal(why.fault, BINLOG_FAULT_CUT);
    free(bare.p);
    free(summed.p);
}

static void
a_length_that_is_another_is_cut(void **state)
{
    struct bytes b = bytes_of(gtid_hex);
    struct event e;

    (void)state;
    for (size_t n = 0; n < b.n; n++) {
        struct bytes c = bytes_copy(b.p, n);

        assert_int_equal(open_event(&c, true, &e), ERR_STATE);
        assert_int_equal(why.fault, BINLOG_FAULT_CUT);
        assert_int_equal(open_event(&c, false, &e), ERR_STATE);
        free(c.p);
    }
    free(b.p);
}

/* The body as an event of server 9. */
static struct event
body_of(const struct bytes *b)
{
    return (struct event){ .server_id = 9, .body = cursor_on(b->p, b->n) };
}

static void
a_gtid_of_mariadb_is_read(void **state)
{
    static const struct {
        const char *hex;
        bool alone, prepared, begins, fails;
        unsigned gtrid, bqual;
    } gtids[] = {
        { "0500000000000000 07000000 29 000000000000", true, false, false,
          false, 0, 0 },
        { "0500000000000000 07000000 0e 0102030405060708", false, false, false,
          false, 0, 0 }, /* of a group commit */
        { "0500000000000000 07000000 4c 07000000 02 01 7831 62", false, true,
          false, false, 2, 1 },
        { "0500000000000000 07000000 89 07000000 02 01 7831 62", true, false,
          false, false, 2, 1 },
        { "0500000000000000 07000000 29 02 0000000000", true, false, true,
          false, 0, 0 },
        { "0500000000000000 07000000 29 08 1700000000000000", true, false,
          false, true, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(gtids); i++) {
        struct bytes b = bytes_of(gtids[i].hex);
        struct event e = body_of(&b);
        struct gtid_event g;

        assert_int_equal(event_gtid(&e, &g, &why), ERR_OK);
        assert_false(g.gtid.is_uuid);
        assert_int_equal(g.gtid.domain, 7);
        assert_int_equal(g.gtid.server, 9);
        assert_int_equal(g.gtid.seq, 5);
        assert_int_equal(g.alone, gtids[i].alone);
        assert_int_equal(g.prepared, gtids[i].prepared);
        assert_int_equal(g.alter_begins, gtids[i].begins);
        assert_int_equal(g.alter_fails, gtids[i].fails);
        assert_int_equal(g.xid.gtrid_bytes, gtids[i].gtrid);
        assert_int_equal(g.xid.bqual_bytes, gtids[i].bqual);
        if (gtids[i].gtrid > 0) {
            assert_int_equal(g.xid.format, 7);
            assert_memory_equal(g.xid.data, "x1b", 3);
        }
        free(b.p);
    }
}

static void
a_gtid_of_mysql_is_read(void **state)
{
    static const struct {
        const char *hex;
        uint64_t at_us;
    } gtids[] = {
        /* 5.6 */
        { "01 00112233445566778899aabbccddeeff 0500000000000000", 0 },
        /* 5.7: with numbers of the group commit */
        { "01 00112233445566778899aabbccddeeff 0500000000000000 02"
          "0100000000000000 0200000000000000",
          0 },
        /* 8.0: when it was committed, here and at first */
        { "01 00112233445566778899aabbccddeeff 0500000000000000 02"
          "0100000000000000 0200000000000000 40420f0000 0080 41420f00000000"
          "fd000100 80380180",
          1000000 },
        { "00 00112233445566778899aabbccddeeff 0500000000000000 02"
          "0100000000000000 0200000000000000 40420f00000000 2a 83380100",
          1000000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(gtids); i++) {
        struct bytes b = bytes_of(gtids[i].hex);
        struct event e = body_of(&b);
        struct gtid_event g;
        char text[BINLOG_GTID_MAX];

        assert_int_equal(event_gtid_mysql(&e, &g, &why), ERR_OK);
        binlog_gtid_text(&g.gtid, text);
        assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff:5");
        assert_int_equal(g.at_us, gtids[i].at_us);
        free(b.p);
    }
}

static void
gtids_that_are_cut_are_refused(void **state)
{
    static const struct {
        enum err (*f)(struct event *, struct gtid_event *,
                      struct binlog_failure *);
        const char *hex;
    } bad[] = {
        { event_gtid, "0500000000000000 070000" },
        { event_gtid, "0000000000000000 07000000 29 000000000000" },
        { event_gtid, "0500000000000000 07000000 0e 01020304" },
        { event_gtid, "0500000000000000 07000000 4c 07000000 02 41 7831" },
        { event_gtid, "0500000000000000 07000000 4c 07000000 02 02 7831" },
        { event_gtid_mysql, "01 00112233445566778899aabbccddee" },
        { event_gtid_mysql, "01 00112233445566778899aabbccddeeff 05000000" },
        { event_gtid_mysql,
          "01 00112233445566778899aabbccddeeff 0000000000000000" },
        { event_gtid_mysql,
          "01 00112233445566778899aabbccddeeff ffffffffffffffff" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes b = bytes_of(bad[i].hex);
        struct event e = body_of(&b);
        struct gtid_event g;

        assert_int_equal(bad[i].f(&e, &g, &why), ERR_STATE);
        assert_int_equal(why.fault, BINLOG_FAULT_CUT);
        free(b.p);
    }
}

static void
list_is(const char *hex, const char *text)
{
    struct bytes b = bytes_of(hex);
    struct event e = body_of(&b);
    struct binlog_gtids *s = binlog_gtids_new();
    struct buf out = BUF_INIT(4096);

    if (text == NULL) {
        assert_int_equal(event_gtid_list(&e, s, &why), ERR_STATE);
    } else {
        assert_int_equal(event_gtid_list(&e, s, &why), ERR_OK);
        binlog_gtids_print(s, &out);
        assert_string_equal(buf_text(&out), text);
    }
    buf_free(&out);
    binlog_gtids_free(s);
    free(b.p);
}

static void
a_list_has_the_furthest_of_each_domain(void **state)
{
    (void)state;
    list_is("00000000 00", "");
    list_is("03000010 00000000 01000000 0900000000000000"
            "00000000 02000000 0800000000000000"
            "04000000 01000000 0100000000000000",
            "0-1-9,4-1-1");
    list_is("02000000 00000000 01000000 0900000000000000", NULL);
    list_is("ffffff0f", NULL);
}

static void
a_rotation_is_read(void **state)
{
    struct bytes b = bytes_of("0400000000000000 62696e6c6f672e303031");
    struct event e = body_of(&b);
    struct rotation r;

    (void)state;
    assert_int_equal(event_rotation(&e, &r, &why), ERR_OK);
    assert_int_equal(r.pos, 4);
    assert_int_equal(r.file.n, 10);
    assert_memory_equal(r.file.p, "binlog.001", 10);
    e.body = cursor_on(b.p, 8);
    assert_int_equal(event_rotation(&e, &r, &why), ERR_STATE);
    e.body = cursor_on(b.p, 7);
    assert_int_equal(event_rotation(&e, &r, &why), ERR_STATE);
    free(b.p);
}

static void
an_xa_prepare_is_read(void **state)
{
    struct bytes b = bytes_of("01 07000000 02000000 01000000 783162");
    struct event e = body_of(&b);
    struct binlog_xid xid;
    bool one_phase;

    (void)state;
    assert_int_equal(event_xa_prepare(&e, &xid, &one_phase, &why), ERR_OK);
    assert_true(one_phase);
    assert_int_equal(xid.format, 7);
    assert_int_equal(xid.gtrid_bytes, 2);
    assert_int_equal(xid.bqual_bytes, 1);
    b.p[5] = 65;
    e = body_of(&b);
    assert_int_equal(event_xa_prepare(&e, &xid, &one_phase, &why), ERR_STATE);
    free(b.p);
}

/* The first of a file of MariaDB 10.11 that is being written. */
static const char format_hex[] =
    "d55f0c6b0f01000000fc000000000100000000040031302e31312e31392d4d61726961"
    "44422d302b646562313275312d6c6f6700000000000000000000000000000000000000"
    "00d55f0c6b13380d000800120004040404120000e400041a0800000008080802000000"
    "0a0a0a0000000000000a0a0a0000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000041304000d0808080a"
    "0a0a0135d4a9f2";

static void
a_format_says_whether_there_are_sums(void **state)
{
    struct bytes b = bytes_of(format_hex);
    struct format f;

    (void)state;
    assert_int_equal(event_format(b.p, b.n, &f, &why), ERR_OK);
    assert_true(f.crc);
    assert_int_equal(f.made_s, 0x6b0c5fd5);
    b.p[b.n - 5] = 0;
    assert_int_equal(event_format(b.p, b.n, &f, &why), ERR_OK);
    assert_false(f.crc);
    free(b.p);
}

static void
another_format_is_refused(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } bad[] = {
        { 19, 3 },           /* the binlog's version */
        { 19 + 56, 20 },     /* the header's length */
        { 19 + 57 + 1, 12 }, /* QUERY */
        { 19 + 57 + 18, 6 }, /* TABLE_MAP: numbers of four bytes */
        { 19 + 57 + 22, 10 },
        { 19 + 57 + 29, 8 },
    };
    struct bytes b = bytes_of(format_hex), cut;
    struct format f;

    (void)state;
    b.p[b.n - 5] = 0; /* without a sum */
    for (size_t i = 0; i < COUNT(bad); i++) {
        uint8_t was = b.p[bad[i].at];

        b.p[bad[i].at] = bad[i].byte;
        assert_int_equal(event_format(b.p, b.n, &f, &why), ERR_STATE);
        assert_int_equal(why.fault, BINLOG_FAULT_UNKNOWN);
        b.p[bad[i].at] = was;
    }
    assert_int_equal(event_format(b.p, b.n, &f, &why), ERR_OK);
    b.p[b.n - 5] = 2; /* no such sum */
    assert_int_equal(event_format(b.p, b.n, &f, &why), ERR_STATE);
    b.p[b.n - 5] = 1;
    b.p[30] ^= 1;
    assert_int_equal(event_format(b.p, b.n, &f, &why), ERR_PEER);
    assert_int_equal(why.fault, BINLOG_FAULT_SUM);
    for (size_t n = 0; n < 100; n++) {
        cut = bytes_copy(b.p, n);
        assert_int_equal(event_format(cut.p, cut.n, &f, &why), ERR_STATE);
        free(cut.p);
    }
    free(b.p);
}

static void
a_rotation_may_have_a_sum_of_its_own(void **state)
{
    /* artificial, of MariaDB 10.11; the same without */
    struct bytes b = bytes_of("00000000 04 01000000 28000000 00000000 2000"
                              "0400000000000000 62696e6c6f672e3030303030 31");

    (void)state;
    assert_false(event_has_sum(b.p, b.n, true));
    b.p[17] = 0; /* a real one is as all others are */
    assert_true(event_has_sum(b.p, b.n, true));
    assert_false(event_has_sum(b.p, b.n, false));
    free(b.p);
}

#define TEST(f) cmocka_unit_test(f)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_header_is_read),
        TEST(an_event_may_be_a_header_alone),
        TEST(a_wrong_sum_is_found),
        TEST(a_length_that_is_another_is_cut),
        TEST(a_gtid_of_mariadb_is_read),
        TEST(a_gtid_of_mysql_is_read),
        TEST(gtids_that_are_cut_are_refused),
        TEST(a_list_has_the_furthest_of_each_domain),
        TEST(a_rotation_is_read),
        TEST(an_xa_prepare_is_read),
        TEST(a_format_says_whether_there_are_sums),
        TEST(another_format_is_refused),
        TEST(a_rotation_may_have_a_sum_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
