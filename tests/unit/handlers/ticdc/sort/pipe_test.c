/* Rows of a transaction in memory and on disk; the pipe between two threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "binlog/table.h"
#include "ticdc/sort/pipe.h"

/* The bytes of the i-th event: its number, as often as it is long. */
static size_t
fill(char *p, unsigned i)
{
    size_t n = i % 7 == 0 ? 300000 : 10 + i % 100;

    memset(p, (int)('a' + i % 26), n);
    return n;
}

static void
check_all(struct spool *s, struct binlog_table *const t[2], unsigned n,
          char *scratch)
{
    struct binlog_rows rows;

    spool_rewind(s);
    for (unsigned i = 0; i < n; i++) {
        size_t bytes = fill(scratch, i);

        assert_int_equal(spool_next(s, &rows), ERR_OK);
        assert_ptr_equal(rows.table, t[i % 2]);
        assert_int_equal(rows.kind, i % 3);
        assert_int_equal(rows.n, bytes);
        assert_memory_equal(rows.p, scratch, bytes);
    }
    assert_int_equal(spool_next(s, &rows), ERR_NOT_FOUND);
}

/* A table by a map of one INT column, as the servers write it. */
static struct binlog_table *
make_table(const char *name)
{
    static const uint8_t tail[] = { 1, 3, 0, 1, 4, 2, 1, 'a' };
    uint8_t map[64] = { 1, 0, 0, 0, 0, 0, 1, 0, 1, 's', 0 };
    size_t at = 11, n = strlen(name);
    struct binlog_failure why;
    struct table_head h;
    struct collations c = { 0 };
    struct binlog_table *t;

    map[at++] = (uint8_t)n;
    memcpy(map + at, name, n + 1);
    at += n + 1;
    memcpy(map + at, tail, sizeof(tail));
    at += sizeof(tail);
    assert_int_equal(table_head(cursor_on(map, at), &h, &why), ERR_OK);
    if (table_parse(&h, &c, false, &t, &why) != ERR_OK)
        fail_msg("%s", why.why);
    return t;
}

static void
what_is_spilled_comes_back_as_it_was(void **state)
{
    char *scratch = malloc(300000);
    struct binlog_table *t[2] = { make_table("a"), make_table("b") };

    (void)state;
    for (size_t bound = 0; bound <= 1u << 24; bound = bound * 16 + 1000) {
        struct spool *s = spool_new("/tmp", bound);

        for (unsigned i = 0; i < 200; i++) {
            struct binlog_rows rows = { t[i % 2], (enum binlog_kind)(i % 3),
                                        (const unsigned char *)scratch, 0 };

            rows.n = fill(scratch, i);
            assert_int_equal(spool_add(s, &rows), ERR_OK);
            if (i == 99)
                check_all(s, t, 100, scratch);
        }
        assert_true(spool_memory(s) <= bound + 1200000);
        check_all(s, t, 200, scratch);
        check_all(s, t, 200, scratch);
        spool_free(s);
    }
    binlog_table_let_go(t[0]);
    binlog_table_let_go(t[1]);
    free(scratch);
}

/* Whether it is in memory or in a file by then, and what comes behind it. */
static void
what_is_cut_off_does_not_come(void **state)
{
    char *scratch = malloc(300000);
    struct binlog_table *t[2] = { make_table("a"), make_table("b") };

    (void)state;
    for (unsigned how = 0; how < 3; how++) {
        struct spool *s = spool_new("/tmp", how == 0 ? 1u << 24 : 5000);
        uint64_t mark = 0;

        for (unsigned i = 0; i < 120; i++) {
            struct binlog_rows rows = { t[i % 2], (enum binlog_kind)(i % 3),
                                        (const unsigned char *)scratch, 0 };

            if (i == 60)
                mark = spool_mark(s);
            if (i == 61 && how == 2)
                assert_int_equal(spool_settle(s), ERR_OK);
            rows.n = fill(scratch, i);
            assert_int_equal(spool_add(s, &rows), ERR_OK);
        }
        spool_cut(s, mark);
        check_all(s, t, 60, scratch);
        for (unsigned i = 60; i < 90; i++) {
            struct binlog_rows rows = { t[i % 2], (enum binlog_kind)(i % 3),
                                        (const unsigned char *)scratch, 0 };

            rows.n = fill(scratch, i);
            assert_int_equal(spool_add(s, &rows), ERR_OK);
        }
        check_all(s, t, 90, scratch);
        assert_int_equal(spool_settle(s), ERR_OK);
        assert_true(spool_memory(s) <= 300000 + 100);
        check_all(s, t, 90, scratch);
        spool_cut(s, 0);
        assert_int_equal(spool_mark(s), 0);
        check_all(s, t, 0, scratch);
        spool_free(s);
    }
    binlog_table_let_go(t[0]);
    binlog_table_let_go(t[1]);
    free(scratch);
}

static void
a_file_that_cannot_be_made_is_a_failure(void **state)
{
    struct binlog_table *t = make_table("a");
    struct binlog_rows rows = { t, BINLOG_INSERT, (const unsigned char *)"x",
                                1 };
    struct spool *s = spool_new("/nowhere", 0);

    (void)state;
    assert_int_equal(spool_add(s, &rows), ERR_STATE);
    spool_free(s);
    binlog_table_let_go(t);
}

/* ---- the pipe ---- */

#define PIECES 2000

static void *
put_all(void *arg)
{
    struct pipe *p = arg;

    for (uint64_t i = 1; i <= PIECES; i++) {
        struct piece *x = piece_new(PIECE_TXN);

        x->ts = i;
        if (pipe_push(p, x) != ERR_OK)
            return NULL;
    }
    pipe_end(p);
    return p;
}

static void
pieces_come_in_order_and_never_more_than_the_quota(void **state)
{
    size_t most, quota = 3 * sizeof(struct piece);
    struct pipe *p = pipe_new(quota);
    pthread_t writer;
    bool ended = false;
    uint64_t next = 1;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, put_all, p), 0);
    while (!ended) {
        struct piece *x = pipe_take(p, 1000, &ended);

        if (x == NULL)
            continue;
        assert_int_equal(x->ts, next++);
        assert_true(pipe_bytes(p, &most) <= quota);
        pipe_done(p, x);
    }
    assert_int_equal(next, PIECES + 1);
    (void)pipe_bytes(p, &most);
    assert_true(most <= quota && most > 0);
    (void)pthread_join(writer, NULL);
    pipe_free(p);
}

static void
who_waits_for_room_is_let_go_by_a_stop(void **state)
{
    struct pipe *p = pipe_new(1);
    pthread_t writer;
    void *answer;

    (void)state;
    assert_int_equal(pthread_create(&writer, NULL, put_all, p), 0);
    pipe_stop(p);
    (void)pthread_join(writer, &answer);
    assert_null(answer);
    assert_false(pipe_sleep(p, 60000));
    pipe_free(p);
}

static void
unknown_names_are_noted_once(void **state)
{
    struct piece *p = piece_new(PIECE_TXN);

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(piece_unknown(p, "s", "a"), ERR_OK);
        assert_int_equal(piece_unknown(p, "s", "bc"), ERR_OK);
    }
    assert_int_equal(p->unknown_n, 9);
    assert_memory_equal(p->unknown, "s\0a\0s\0bc", 9);
    piece_free(p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_spilled_comes_back_as_it_was),
        cmocka_unit_test(what_is_cut_off_does_not_come),
        cmocka_unit_test(a_file_that_cannot_be_made_is_a_failure),
        cmocka_unit_test(pieces_come_in_order_and_never_more_than_the_quota),
        cmocka_unit_test(who_waits_for_room_is_let_go_by_a_stop),
        cmocka_unit_test(unknown_names_are_noted_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
