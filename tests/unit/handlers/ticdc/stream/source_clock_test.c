/* What a source's clock answers to many who ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clock.h"
#include "source/server.h"

#include "ticdc/stream/source_clock.c"

static struct server sv;

struct asker {
    struct source_clock *c;
    struct binlog_gtids *has;
    int64_t ms;
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

static void
asks(struct asker *a, const char *position)
{
    struct buf text = BUF_INIT(4096);

    assert_int_equal(source_clock_ask(a->c, &sv.c.server, &a->ms, a->has),
                     ERR_OK);
    binlog_gtids_print(a->has, &text);
    assert_string_equal(buf_text(&text), position);
    buf_free(&text);
}

/* The position moves. */
static const char *
write_one(void)
{
    run_sql(&sv, "CREATE TABLE IF NOT EXISTS t (id INT)");
    run_sql(&sv, "INSERT INTO t VALUES (1)");
    return present_position(&sv);
}

static void
clock_tells_the_time_and_the_position(void **state)
{
    const char *at = write_one();
    int64_t before = clock_unix_ms();
    struct asker *a = *state;

    asks(a, at);
    assert_true(a->ms >= before - 1000 && a->ms <= clock_unix_ms() + 1000);
}

static void
clock_gives_the_same_to_those_who_come_meanwhile(void **state)
{
    const char *first = write_one(), *second;
    struct asker *a = *state;

    asks(a, first);
    second = write_one();
    assert_string_not_equal(first, second);
    a->c->asked_ms = clock_mono_ms() + 3600000; /* just now, however slow */
    asks(a, first);
    a->c->asked_ms = clock_mono_ms() - SOURCE_CLOCK_MS;
    asks(a, second);
}

static void
clock_has_one_connection_for_all(void **state)
{
    static const char count_sql[] =
        "SELECT COUNT(*) FROM information_schema.processlist WHERE info IS NULL"
        " OR info NOT LIKE '%processlist%'";
    int before = atoi(value_of(&sv, count_sql));
    const char *at = present_position(&sv);
    struct asker *a = *state;

    for (int i = 0; i < 20; i++) {
        a->c->asked_ms = 0;
        asks(a, at);
    }
    assert_int_equal(atoi(value_of(&sv, count_sql)), before + 1);
}

static void
clock_of_a_server_that_is_gone_fails_and_another_is_asked_at_once(void **state)
{
    struct my_server nobody = sv.c.server;
    struct asker *a = *state;

    assert_int_equal(my_address_of("127.0.0.1", 1, &nobody.at), ERR_OK);
    assert_int_equal(source_clock_ask(a->c, &nobody, &a->ms, a->has), ERR_PEER);
    a->c->asked_ms = clock_mono_ms() + 3600000;
    assert_int_equal(source_clock_ask(a->c, &nobody, &a->ms, a->has), ERR_PEER);
    asks(a, present_position(&sv));
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
