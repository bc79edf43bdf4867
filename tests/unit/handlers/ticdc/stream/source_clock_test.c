/* What a source's clock answers to many who ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "clock.h"
#include "source/server.h"

#include "ticdc/stream/source_clock.c"

static struct server sv;

struct asker {
    struct source_clock *c;
    struct binlog_gtids *has;
    int64_t ms;
    char text[4096];
};

static int
setup(void **state)
{
    struct asker *a = calloc(1, sizeof(*a));

    *state = a;
    if (a == NULL)
        return -1;
    a->c = source_clock_open();
    a->has = binlog_gtids_new();
    return a->c != NULL && a->has != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
    struct asker *a = *state;

    source_clock_close(a->c);
    binlog_gtids_free(a->has);
    free(a);
    return 0;
}

/* Where the clock says that the source is. */
static const char *
asks(struct asker *a)
{
    struct buf text = BUF_INIT(sizeof(a->text) - 1);

    assert_int_equal(source_clock_ask(a->c, &sv.c.server, &a->ms, a->has),
                     ERR_OK);
    binlog_gtids_print(a->has, &text);
    assert_int_equal(buf_err(&text), ERR_OK);
    (void)snprintf(a->text, sizeof(a->text), "%s", buf_text(&text));
    buf_free(&text);
    return a->text;
}

/* Other tests write to the server too: it may be further than what this one
 * knows, never behind. */
static unsigned long long
transaction_of(const char *position)
{
    const char *last = strrchr(position, '-');

    assert_non_null(last);
    return strtoull(last + 1, NULL, 10);
}

/* The position moves. */
static unsigned long long
write_one(void)
{
    run_sql(&sv, "CREATE TABLE IF NOT EXISTS t (id INT)");
    run_sql(&sv, "INSERT INTO t VALUES (1)");
    return transaction_of(present_position(&sv));
}

static void
clock_tells_the_time_and_the_position(void **state)
{
    unsigned long long at = write_one(), told;
    int64_t before = clock_unix_ms();
    struct asker *a = *state;

    told = transaction_of(asks(a));
    assert_true(told >= at);
    assert_true(told <= transaction_of(present_position(&sv)));
    assert_true(a->ms >= before - 1000 && a->ms <= clock_unix_ms() + 1000);
}

static void
clock_gives_the_same_to_those_who_come_meanwhile(void **state)
{
    struct asker *a = *state;
    unsigned long long first = transaction_of(asks(a)), second = write_one();

    assert_true(second > first);
    a->c->asked_ms = clock_mono_ms() + 3600000; /* just now, however slow */
    assert_int_equal(transaction_of(asks(a)), first);
    a->c->asked_ms = clock_mono_ms() - SOURCE_CLOCK_MS;
    assert_true(transaction_of(asks(a)) >= second);
}

/* A lock goes with its connection. */
static void
clock_has_one_connection_for_all(void **state)
{
    char take_sql[64], held_sql[64];
    struct asker *a = *state;

    (void)snprintf(take_sql, sizeof(take_sql), "DO GET_LOCK('clock %ld', 0)",
                   (long)getpid());
    (void)snprintf(held_sql, sizeof(held_sql),
                   "SELECT COALESCE(IS_USED_LOCK('clock %ld'), 0)",
                   (long)getpid());
    (void)asks(a);
    assert_int_equal(my_do(a->c->my, take_sql), ERR_OK);
    assert_int_not_equal(atoi(value_of(&sv, held_sql)), 0);
    for (int i = 0; i < 20; i++) {
        a->c->asked_ms = 0;
        (void)asks(a);
    }
    assert_int_not_equal(atoi(value_of(&sv, held_sql)), 0);
}

static void
clock_of_a_server_that_is_gone_fails_and_another_is_asked_at_once(void **state)
{
    struct my_server nobody = sv.c.server;
    struct asker *a = *state;
    unsigned long long at = write_one();

    assert_int_equal(my_address_of("127.0.0.1", 1, &nobody.at), ERR_OK);
    assert_int_equal(source_clock_ask(a->c, &nobody, &a->ms, a->has), ERR_PEER);
    a->c->asked_ms = clock_mono_ms() + 3600000;
    assert_int_equal(source_clock_ask(a->c, &nobody, &a->ms, a->has), ERR_PEER);
    assert_true(transaction_of(asks(a)) >= at);
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
    return server_end(&sv);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(clock_tells_the_time_and_the_position),
        TEST(clock_gives_the_same_to_those_who_come_meanwhile),
        TEST(clock_has_one_connection_for_all),
        TEST(clock_of_a_server_that_is_gone_fails_and_another_is_asked_at_once),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
