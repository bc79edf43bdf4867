/* When a round of heartbeats begins, and how many are asked at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <sys/resource.h>

#include <cmocka.h>

/* What a process may have differs by machine: here each test says it. */
static struct rlimit descriptors;
static int
files_told(struct rlimit *out)
{
    *out = descriptors;
    return 0;
}
static int
files_taken(const struct rlimit *in)
{
    assert_true(in->rlim_cur <= descriptors.rlim_max);
    assert_int_equal(in->rlim_max, descriptors.rlim_max);
    descriptors = *in;
    return 0;
}
#define getrlimit(what, out) files_told(out)
#define setrlimit(what, in)  files_taken(in)

#include "doris/ops/heartbeat.c"
#include "config.h"

#define NOW 1000000

static int
setup(void **state)
{
    char why[WHY_BYTES];

    (void)state;
    (void)setenv("METAGATE_DORIS_HEARTBEAT_S", "5", 1);
    config_place("/nonexistent", "127.9.9");
    return config_load(NULL, why) == ERR_OK ? 0 : -1;
}

static void
the_first_round_is_due_at_once(void **state)
{
    struct beats b = { .addr = "" };

    (void)state;
    assert_true(is_due(&b, 1));
}

static void
a_round_that_took_long_does_not_put_off_the_next(void **state)
{
    struct beats b = { .addr = "" };

    (void)state;
    begin_round(&b, NOW);
    (void)snprintf(b.addr, sizeof(b.addr), "h"); /* its second page */
    assert_true(is_due(&b, NOW + 1));
    begin_round(&b, NOW + 4000);
    end_round(&b);
    assert_int_equal(b.rounds, 1);
    assert_false(is_due(&b, NOW + 4999));
    assert_true(is_due(&b, NOW + 5000));
}

static void
a_round_that_took_longer_than_that_is_followed_at_once(void **state)
{
    struct beats b = { .addr = "" };

    (void)state;
    begin_round(&b, NOW);
    end_round(&b);
    assert_true(is_due(&b, NOW + 60000));
    begin_round(&b, NOW + 60000);
    end_round(&b);
    assert_int_equal(b.rounds, 2);
    assert_false(is_due(&b, NOW + 64999));
}

static void
so_many_are_asked_at_once_as_there_are_descriptors(void **state)
{
    static const struct {
        rlim_t now, most;
        size_t page;
        rlim_t then;
    } cases[] = {
        { 1024, 1048576, 4096, 8192 }, { 1024, RLIM_INFINITY, 4096, 8192 },
        { 65536, 65536, 4096, 65536 }, { 4224, 4224, 4096, 4224 },
        { 1024, 4223, 4095, 4223 },    { 1024, 1024, 896, 1024 },
        { 257, 257, 129, 257 },        { 256, 256, 128, 256 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        descriptors = (struct rlimit){ cases[i].now, cases[i].most };
        assert_int_equal(page_size(), cases[i].page);
        assert_int_equal(descriptors.rlim_cur, cases[i].then);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_round_is_due_at_once),
        cmocka_unit_test(a_round_that_took_long_does_not_put_off_the_next),
        cmocka_unit_test(
            a_round_that_took_longer_than_that_is_followed_at_once),
        cmocka_unit_test(so_many_are_asked_at_once_as_there_are_descriptors),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
