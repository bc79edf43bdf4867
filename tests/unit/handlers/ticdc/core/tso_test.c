/* Numbers for transactions that have only a time, whoever gives them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ticdc/core/tso.h"

#define MS INT64_C(1585040583740)

static void
a_tso_is_milliseconds_and_a_counter(void **state)
{
    (void)state;
    /* the worked example of the documents: physical 1585040583740, logical 2 */
    assert_true(tso_of_ms(MS) + 2 == UINT64_C(415508878783938562));
    assert_true(tso_ms(UINT64_C(415508878783938562)) == MS);
    assert_true(tso_of_ms(-1) == 0);
    assert_true(tso_ms(tso_of_ms(INT64_MAX)) == (INT64_C(1) << 46) - 1);
}

static void
each_transaction_gets_a_greater_one(void **state)
{
    struct tso_clock c = { 0 };
    uint64_t first = tso_commit(&c, MS);

    (void)state;
    assert_true(first == tso_of_ms(MS));
    assert_true(tso_commit(&c, MS) == first + 1);
    assert_true(tso_commit(&c, MS - 5000) == first + 2); /* a slow statement */
    assert_true(tso_commit(&c, MS + 1) == tso_of_ms(MS + 1));
}

static void
a_full_counter_goes_into_the_milliseconds(void **state)
{
    struct tso_clock c = { tso_of_ms(MS) + (1 << TSO_LOGICAL_BITS) - 1 };

    (void)state;
    assert_true(tso_commit(&c, MS) == tso_of_ms(MS + 1));
    assert_true(tso_commit(&c, MS + 1) == tso_of_ms(MS + 1) + 1);
    c.prev = UINT64_MAX;
    assert_true(tso_commit(&c, MS) == UINT64_MAX);
}

static void
the_same_log_gives_the_same_numbers(void **state)
{
    static const int64_t ms[] = { MS, MS, MS - 1000, MS + 2000, MS + 1000, MS };
    struct tso_clock c = { tso_of_ms(MS - 60000) }, again;
    uint64_t given[COUNT(ms)];

    (void)state;
    for (size_t i = 0; i < COUNT(ms); i++)
        given[i] = tso_commit(&c, ms[i]);
    for (size_t from = 1; from < COUNT(ms); from++) {
        again.prev = given[from - 1]; /* the checkpoint */
        for (size_t i = from; i < COUNT(ms); i++)
            assert_true(tso_commit(&again, ms[i]) == given[i]);
    }
}

static void
what_comes_after_an_idle_time_is_later_than_what_was_told(void **state)
{
    struct tso_clock c = { 0 };
    uint64_t told;

    (void)state;
    assert_true(tso_idle(&c, 10) == 0);
    (void)tso_commit(&c, MS);
    assert_true(tso_idle(&c, MS) == tso_of_ms(MS)); /* not back */
    told = tso_idle(&c, MS + 5000);
    assert_true(told == tso_of_ms(MS + 5000 - TSO_MARGIN_MS));
    /* a statement that began before that, and was committed after it */
    assert_true(tso_commit(&c, MS + 1000) == told + 1);
}

/* ---- captures that die ----
 *
 * Tables of one log, given to captures that read it each for itself, store how
 * far they are now and then, and die at any moment; who goes on has what was
 * stored. No consumer may see a number of a table go back, nor one that is not
 * later than a checkpoint it was told; and what was committed before a
 * checkpoint's time is written. Steps are those of stream/, of
 * capture/processor_begin.c and of WORK_FOLD in store/rows.c. */

#define HISTORIES 100000
#define STEPS     100
#define TABLES    3
#define CAPTURES  3
#define TXNS      64

struct place_of {
    size_t at;
    uint64_t ts;
};

struct taker {
    struct place_of
        work; /* stored: how far all its tables are; ts 0: nothing */
    struct place_of held[TABLES]; /* of its tables, when the stream began */
    bool passed[TABLES];
    struct tso_clock clock;
    size_t at;
};

struct history {
    uint64_t seed;
    int64_t now_ms;
    size_t n;
    struct {
        int64_t ms, committed_ms;
        size_t table;
        uint64_t given; /* the greatest number it was given with */
    } txn[TXNS];
    struct place_of table[TABLES]; /* stored */
    size_t writer[TABLES];
    struct taker taker[CAPTURES];
    uint64_t told;
};

static size_t
below(struct history *h, size_t n)
{
    h->seed = h->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (size_t)(h->seed >> 33) % n;
}

static void
log_one(struct history *h)
{
    h->now_ms += (int64_t)below(h, 1500);
    if (h->n == TXNS)
        return;
    h->txn[h->n].table = below(h, TABLES);
    h->txn[h->n].committed_ms = h->now_ms;
    /* when its statement began, as a whole second */
    h->txn[h->n++].ms = (h->now_ms - (int64_t)below(h, 4000)) / 1000 * 1000;
}

static bool
counts(const struct history *h, size_t t)
{
    const struct place_of *w = &h->taker[h->writer[t]].work;

    return w->ts != 0 && w->ts >= h->table[t].ts;
}

static void
fold(struct history *h, size_t c)
{
    for (size_t t = 0; t < TABLES; t++)
        if (h->writer[t] == c && counts(h, t))
            h->table[t] = h->taker[c].work;
    h->taker[c].work = (struct place_of){ 0 };
}

/* The stream of what it holds: those whose `at` is SIZE_MAX it does not. */
static void
begin(struct taker *x)
{
    x->at = SIZE_MAX;
    x->clock.prev = UINT64_MAX;
    for (size_t t = 0; t < TABLES; t++) {
        x->passed[t] = x->held[t].at == SIZE_MAX;
        if (x->held[t].at < x->at)
            x->at = x->held[t].at;
        if (!x->passed[t] && x->held[t].ts < x->clock.prev)
            x->clock.prev = x->held[t].ts;
    }
}

/* What a stream has made of it when it ends. */
static void
keep(struct taker *x)
{
    for (size_t t = 0; t < TABLES; t++) {
        if (x->held[t].at < x->at)
            x->held[t].at = x->at;
        if (x->clock.prev > x->held[t].ts)
            x->held[t].ts = x->clock.prev;
    }
}

static void
take(struct history *h, size_t t, size_t c)
{
    struct taker *x = &h->taker[c];

    keep(x);
    fold(h, c);
    h->writer[t] = c;
    x->held[t] = h->table[t];
    begin(x);
}

static void
end(struct history *h, size_t c)
{
    struct taker *x = &h->taker[c];

    fold(h, c);
    for (size_t t = 0; t < TABLES; t++)
        x->held[t].at = SIZE_MAX;
    begin(x);
    for (size_t t = 0; t < TABLES; t++)
        if (h->writer[t] == c)
            take(h, t, (c + 1 + below(h, CAPTURES - 1)) % CAPTURES);
}

static void
move(struct history *h, size_t t)
{
    struct taker *x = &h->taker[h->writer[t]];

    keep(x);
    h->table[t] = x->held[t]; /* what it reports when it has stopped */
    x->held[t].at = SIZE_MAX;
    fold(h, h->writer[t]);
    begin(x);
    take(h, t, below(h, CAPTURES));
}

static void
give(struct history *h, size_t i, uint64_t n)
{
    assert_true(n > h->told);
    for (size_t k = 0; k <= i; k++)
        if (h->txn[k].table == h->txn[i].table)
            assert_true(k == i ? n >= h->txn[k].given : n > h->txn[k].given);
    h->txn[i].given = n;
}

static void
step(struct history *h, size_t c)
{
    struct taker *x = &h->taker[c];
    size_t table = h->txn[x->at].table;
    bool stores = false;
    uint64_t n;

    for (size_t t = 0; t < TABLES; t++)
        if (!x->passed[t] && x->held[t].at <= x->at) {
            x->passed[t] = true;
            tso_pass(&x->clock, x->held[t].ts);
            stores = true;
        }
    if (stores) {
        if (below(h, 8) == 0) {
            end(h, c);
            return;
        }
        x->work = (struct place_of){ x->at, x->clock.prev };
    }
    n = tso_commit(&x->clock, h->txn[x->at].ms);
    if (x->held[table].at <= x->at)
        give(h, x->at, n);
    x->at++;
}

static void
idle(struct history *h, size_t c)
{
    struct taker *x = &h->taker[c];
    uint64_t before = x->clock.prev;

    if (tso_idle(&x->clock, h->now_ms) == before)
        return;
    if (below(h, 4) == 0)
        x->clock.prev = before; /* it could not be stored */
    else
        x->work = (struct place_of){ x->at, x->clock.prev };
}

static void
tell(struct history *h)
{
    uint64_t least = UINT64_MAX;

    for (size_t t = 0; t < TABLES; t++) {
        uint64_t ts =
            counts(h, t) ? h->taker[h->writer[t]].work.ts : h->table[t].ts;

        least = ts < least ? ts : least;
    }
    if (least > h->told)
        h->told = least;
    for (size_t i = 0; i < h->n; i++)
        assert_true(h->txn[i].given != 0 ||
                    tso_of_ms(h->txn[i].committed_ms) + TXNS > h->told);
}

static void
turn(struct history *h)
{
    size_t c = below(h, CAPTURES);
    struct taker *x = &h->taker[c];

    switch (below(h, 16)) {
    case 0:
        end(h, c);
        break;
    case 1:
        move(h, below(h, TABLES));
        break;
    case 2:
    case 3:
    case 4:
        log_one(h);
        break;
    case 5:
        if (x->at != SIZE_MAX)
            x->work = (struct place_of){ x->at, x->clock.prev };
        break;
    default:
        if (x->at < h->n)
            step(h, c);
        else if (x->at == h->n)
            idle(h, c);
    }
    if (below(h, 2) == 0)
        tell(h);
}

static void
no_number_of_a_table_goes_back_whoever_goes_on(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= HISTORIES; seed++) {
        struct history h = { .seed = seed, .now_ms = MS };

        for (size_t c = 0; c < CAPTURES; c++)
            for (size_t t = 0; t < TABLES; t++)
                h.taker[c].held[t].at = SIZE_MAX;
        for (size_t c = 0; c < CAPTURES; c++)
            begin(&h.taker[c]);
        for (size_t t = 0; t < TABLES; t++) {
            h.table[t].ts = tso_of_ms(MS - 5000);
            take(&h, t, below(&h, CAPTURES));
        }
        for (size_t i = 0; i < STEPS; i++)
            turn(&h);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tso_is_milliseconds_and_a_counter),
        cmocka_unit_test(each_transaction_gets_a_greater_one),
        cmocka_unit_test(a_full_counter_goes_into_the_milliseconds),
        cmocka_unit_test(the_same_log_gives_the_same_numbers),
        cmocka_unit_test(
            what_comes_after_an_idle_time_is_later_than_what_was_told),
        cmocka_unit_test(no_number_of_a_table_goes_back_whoever_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
