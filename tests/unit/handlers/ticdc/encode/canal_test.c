/* The columns of a row in canal's messages: each with its name, its value and
 * its word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_tables.h"
#include "ticdc/encode/encode_int.h"

static const struct made made[] = {
    { .name = "first", .type = BINLOG_LONG, .is_key = true },
    { .name = "second", .type = BINLOG_LONG, .is_nullable = true },
    { .name = "third", .type = BINLOG_LONG },
    { .name = "fourth", .type = BINLOG_LONGLONG },
};
static const struct binlog_value one[] = { I(11), NIL, I(33), I(44) };
static const struct binlog_value two[] = { I(11), I(22), I(33), I(45) };

static struct encode_config config;

/* How often the bytes are part of the message of such a change. */
static int
times_in(const struct encode_piece *p, const char *bytes)
{
    const char *at = p->value.p, *end = at + p->value.n;
    int n = 0;

    while ((at = memmem(at, (size_t)(end - at), bytes, strlen(bytes))) != NULL)
        n++, at++;
    return n;
}

/* words: of field, length and text, each with how often it is there. */
static void
holds(enum binlog_kind kind, const struct binlog_value *before,
      const struct binlog_value *after, const char *const *words,
      const int *times)
{
    struct encode_table *t = made_encode_table("s", "t", made, 4, NULL);
    struct encode_values *values = encode_values_new(false);
    struct encoder *e = encoder_new(&config);
    struct binlog_row row = { before, after };
    struct encode_piece piece;
    struct encode_event ev;

    assert_int_equal(encode_values_of(values, t, kind, &row, 1, &ev), ERR_OK);
    assert_int_equal(encoder_row(e, &ev, "topic", &piece), ERR_OK);
    for (size_t i = 0; words[i] != NULL; i++)
        if (times_in(&piece, words[i]) != times[i])
            fail_msg("%d: %s is there %d times", (int)kind, words[i],
                     times_in(&piece, words[i]));
    encoder_free(e);
    encode_values_free(values);
    encode_table_free(t);
}

static const char *const words[] = { "\x1a\x05"
                                     "first",
                                     "\x1a\x06"
                                     "second",
                                     "\x1a\x05"
                                     "third",
                                     "\x1a\x06"
                                     "fourth",
                                     "\x42\x02"
                                     "11",
                                     "\x42\x02"
                                     "22",
                                     "\x42\x02"
                                     "33",
                                     "\x42\x02"
                                     "44",
                                     "\x42\x02"
                                     "45",
                                     "\x52\x06"
                                     "bigint",
                                     NULL };

static void
each_column_of_a_row_is_there(void **state)
{
    static const int inserted[] = { 1, 1, 1, 1, 1, 0, 1, 1, 0, 1 },
                     updated[] = { 2, 2, 2, 2, 2, 1, 2, 1, 1, 2 },
                     deleted[] = { 1, 1, 1, 1, 1, 1, 1, 0, 1, 1 };

    (void)state;
    holds(BINLOG_INSERT, NULL, one, words, inserted);
    holds(BINLOG_UPDATE, one, two, words, updated);
    holds(BINLOG_DELETE, two, NULL, words, deleted);
}

static void
of_what_was_there_may_be_told_what_has_changed(void **state)
{
    static const int updated[] = { 1, 2, 1, 2, 1, 1, 1, 1, 1, 2 };

    (void)state;
    config.only_updated = true;
    holds(BINLOG_UPDATE, one, two, words, updated);
}

static void
of_what_is_deleted_may_be_told_the_key(void **state)
{
    static const int deleted[] = { 1, 0, 0, 0, 1, 0, 0, 0, 0, 0 };

    (void)state;
    config.delete_only_handle = true;
    holds(BINLOG_DELETE, two, NULL, words, deleted);
}

/* What is too large for a message is told by its key alone. */
static void
of_a_large_row_each_column_of_its_key_is_there(void **state)
{
    static const struct made keys[] = {
        { .name = "a", .type = BINLOG_LONG, .is_key = true },
        { .name = "b", .type = BINLOG_LONG },
        { .name = "c", .type = BINLOG_LONG, .is_key = true },
        { .name = "d", .type = BINLOG_LONGLONG, .is_key = true },
    };
    static const char *const parts[] = {
        "\"sqlType\":{\"a\":4,\"c\":4,\"d\":-5}",
        "\"mysqlType\":{\"a\":\"int\",\"c\":\"int\",\"d\":\"bigint\"}",
        "\"data\":[{\"a\":\"11\",\"c\":\"33\",\"d\":\"44\"}]",
    };
    struct encode_table *t = made_encode_table("s", "t", keys, 4, NULL);
    struct encode_values *values = encode_values_new(false);
    struct binlog_row row = { NULL, one };
    struct encode_piece piece;
    struct encode_event ev;
    struct encoder *e;

    (void)state;
    config.protocol = ENCODE_CANAL_JSON;
    config.tidb_extension = true;
    e = encoder_new(&config);
    assert_int_equal(encode_values_of(values, t, BINLOG_INSERT, &row, 1, &ev),
                     ERR_OK);
    ev.only_handle = true;
    assert_int_equal(encoder_row(e, &ev, "topic", &piece), ERR_OK);
    for (size_t i = 0; i < COUNT(parts); i++)
        if (times_in(&piece, parts[i]) != 1)
            fail_msg("no %s", parts[i]);
    encoder_free(e);
    encode_values_free(values);
    encode_table_free(t);
}

static int64_t
built_at(void)
{
    return 7;
}

static int
setup(void **state)
{
    (void)state;
    config = (struct encode_config){ .protocol = ENCODE_CANAL,
                                     .message_bytes = 1 << 20,
                                     .batch = 1,
                                     .now_ms = built_at };
    return 0;
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(each_column_of_a_row_is_there),
        TEST(of_what_was_there_may_be_told_what_has_changed),
        TEST(of_what_is_deleted_may_be_told_the_key),
        TEST(of_a_large_row_each_column_of_its_key_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
