/* Sets of GTIDs with more than two of everything, against sets of bits: bit n
 * of the k-th is transaction n + 1 of the k-th server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "binlog/gtid.h"
#include "bytes.h"

#define SERVERS 5
#define SEQS    12
#define DOMAINS 9

struct bits {
    uint32_t of[SERVERS];
};

/* The same ones in each run. */
static uint32_t chance = 2463534242u;

static uint32_t
draw(void)
{
    chance ^= chance << 13;
    chance ^= chance >> 17;
    return chance ^= chance << 5;
}

static struct binlog_gtid
gtid(size_t server, unsigned bit)
{
    struct binlog_gtid g = { .is_uuid = true, .seq = bit + 1 };

    memset(g.uuid, (int)(0x11 * (server + 1)), sizeof(g.uuid));
    return g;
}

/* One after the other, in an order that chance has. */
static struct binlog_gtids *
set_of(const struct bits *b)
{
    struct binlog_gtids *s = binlog_gtids_new();
    unsigned from = draw() % (SERVERS * SEQS);

    assert_non_null(s);
    for (unsigned i = 0; i < SERVERS * SEQS; i++) {
        unsigned at = (from + 7 * i) % (SERVERS * SEQS); /* each once */
        struct binlog_gtid g = gtid(at / SEQS, at % SEQS);

        if ((b->of[at / SEQS] >> at % SEQS & 1) != 0)
            assert_int_equal(binlog_gtids_add(s, &g), ERR_OK);
    }
    return s;
}

static void
holds(const struct binlog_gtids *s, const struct bits *b)
{
    for (size_t k = 0; k < SERVERS; k++)
        for (unsigned n = 0; n < SEQS; n++) {
            struct binlog_gtid g = gtid(k, n);

            assert_int_equal(binlog_gtids_have(s, &g), b->of[k] >> n & 1);
        }
}

/* One server's piece, as MySQL prints it; nothing when it has none. */
static void
put_server(struct buf *out, size_t server, uint32_t of)
{
    unsigned d = (unsigned)(server + 1);

    for (int i = 0; i < 32 && of != 0; i++)
        buf_printf(out, "%s%x",
                   i == 8 || i == 12 || i == 16 || i == 20 ? "-" : "", d);
    for (unsigned n = 0; n < SEQS; n++) {
        unsigned end = n;

        if ((of >> n & 1) == 0)
            continue;
        while ((of >> (end + 1) & 1) != 0)
            end++;
        buf_printf(out, ":%u", n + 1);
        if (end > n)
            buf_printf(out, "-%u", end + 1);
        n = end;
    }
}

/* Which servers come first is not said. */
static const char *
printed(const struct binlog_gtids *s, const struct bits *b)
{
    static struct buf text;
    size_t n = 0;

    buf_free(&text);
    text = (struct buf)BUF_INIT(65536);
    binlog_gtids_print(s, &text);
    for (size_t k = 0; k < SERVERS; k++) {
        struct buf piece = BUF_INIT(65536);

        put_server(&piece, k, b->of[k]);
        assert_non_null(strstr(buf_text(&text), buf_text(&piece)));
        n += piece.n + (n > 0 && piece.n > 0 ? 1 : 0);
        buf_free(&piece);
    }
    assert_int_equal(text.n, n);
    return buf_text(&text);
}

static void
is(const struct binlog_gtids *s, const struct bits *b)
{
    (void)printed(s, b);
    holds(s, b);
}

/* Some have few, some nearly all; some servers none. */
static struct bits
any_bits(void)
{
    struct bits b;
    unsigned how = draw() % 4;

    for (size_t k = 0; k < SERVERS; k++) {
        b.of[k] = draw() & ((1u << SEQS) - 1);
        if (how == 0)
            b.of[k] &= draw();
        if (how == 1)
            b.of[k] |= draw() & ((1u << SEQS) - 1);
        if (draw() % 4 == 0)
            b.of[k] = 0;
    }
    return b;
}

static void
what_was_added_is_there(void **state)
{
    (void)state;
    for (int i = 0; i < 200; i++) {
        struct bits b = any_bits();
        struct binlog_gtids *s = set_of(&b), *copy = binlog_gtids_new();

        is(s, &b);
        assert_int_equal(binlog_gtids_copy(copy, s), ERR_OK);
        binlog_gtids_free(s);
        is(copy, &b);
        s = binlog_gtids_new();
        assert_int_equal(binlog_gtids_parse(s, printed(copy, &b)), ERR_OK);
        is(s, &b);
        binlog_gtids_free(s);
        binlog_gtids_free(copy);
    }
}

static void
within_and_meet_are_those_of_bits(void **state)
{
    int within = 0;

    (void)state;
    for (int i = 0; i < 400; i++) {
        struct bits a = any_bits(), b = any_bits(), both;
        struct binlog_gtids *sa, *sb;
        bool is_within = true;

        if (i % 2 == 0) /* one of all of a server's is missing, or none */
            for (size_t k = 0; k < SERVERS; k++)
                a.of[k] = b.of[k] & ~(i % 4 == 0 ? 0 : draw() & draw());
        if (i % 8 == 0)
            a.of[draw() % SERVERS] |= 1u << draw() % SEQS;
        for (size_t k = 0; k < SERVERS; k++) {
            both.of[k] = a.of[k] & b.of[k];
            is_within = is_within && both.of[k] == a.of[k];
        }
        sa = set_of(&a);
        sb = set_of(&b);
        assert_int_equal(binlog_gtids_within(sa, sb), is_within);
        within += is_within;
        assert_true(binlog_gtids_within(sa, sa));
        assert_int_equal(binlog_gtids_meet(sa, sb), ERR_OK);
        is(sa, &both);
        holds(sb, &b);
        assert_true(binlog_gtids_within(sa, sb));
        binlog_gtids_free(sa);
        binlog_gtids_free(sb);
    }
    assert_true(within > 50 && within < 350);
}

static void
packed_it_is_the_same(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct bits b = any_bits();
        struct binlog_gtids *s = set_of(&b), *back = binlog_gtids_new();
        struct buf packed = BUF_INIT(65536);
        struct cursor c;

        gtids_pack(s, &packed);
        c = cursor_on(packed.p, packed.n);
        assert_int_equal(gtids_unpack(back, &c), ERR_OK);
        is(back, &b);
        buf_free(&packed);
        binlog_gtids_free(s);
        binlog_gtids_free(back);
    }
}

/* ---- MariaDB's: a domain has its last ---- */

static void
many_domains_are_told_apart(void **state)
{
    (void)state;
    for (int round = 0; round < 50; round++) {
        struct binlog_gtids *s = binlog_gtids_new(), *t = binlog_gtids_new();
        uint64_t a[DOMAINS] = { 0 }, b[DOMAINS] = { 0 };
        bool is_within = true;

        for (int i = 0; i < 3 * DOMAINS; i++) {
            uint32_t d = draw() % DOMAINS;
            uint64_t seq = 1 + draw() % 3;
            struct binlog_gtid g = { .domain = d, .server = 1, .seq = seq };

            if (i % 2 == 0) {
                a[d] = seq;
                assert_int_equal(binlog_gtids_add(s, &g), ERR_OK);
            } else {
                b[d] = seq;
                assert_int_equal(binlog_gtids_add(t, &g), ERR_OK);
            }
        }
        for (uint32_t d = 0; d < DOMAINS; d++) {
            struct binlog_gtid g = { .domain = d, .server = 1, .seq = a[d] };

            if (a[d] > 0) {
                assert_true(binlog_gtids_have(s, &g));
                g.seq++;
            }
            assert_int_equal(binlog_gtids_have(s, &g), false);
            is_within = is_within && a[d] <= b[d];
        }
        assert_int_equal(binlog_gtids_within(s, t), is_within);
        assert_int_equal(binlog_gtids_meet(s, t), ERR_OK);
        for (uint32_t d = 0; d < DOMAINS; d++) {
            const struct binlog_gtid *g = gtids_domain(s, d);

            if (a[d] == 0 || b[d] == 0)
                assert_null(g);
            else
                assert_int_equal(g->seq, a[d] < b[d] ? a[d] : b[d]);
        }
        binlog_gtids_free(s);
        binlog_gtids_free(t);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_there),
        cmocka_unit_test(within_and_meet_are_those_of_bits),
        cmocka_unit_test(packed_it_is_the_same),
        cmocka_unit_test(many_domains_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
