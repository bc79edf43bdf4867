/* A partition's row and what it says: both ways, at its bounds, and rows that
 * nobody of ours has written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pegasus/partition/addresses.h"
#include "pegasus/partition/config_text.h"

static struct pg_addresses known;

static struct pegasus_partition
row_of(int32_t max, const char *primary, const char *secondaries,
       const char *drops)
{
    return (struct pegasus_partition){ .app_id = 7,
                                       .pidx = 3,
                                       .ballot = 11,
                                       .committed = 90,
                                       .max_replica_count = max,
                                       .primary_node = primary,
                                       .secondaries = secondaries,
                                       .last_drops = drops };
}

static enum err
read_row(int32_t max, const char *primary, const char *secondaries,
         const char *drops, struct pg_config *out)
{
    struct pegasus_partition row = row_of(max, primary, secondaries, drops);

    return pg_addresses_read(&known, &row, out);
}

static void
assert_node(int i, const char *address)
{
    assert_true(i >= 0 && i < known.n);
    assert_string_equal(pg_addresses_text(&known, i), address);
}

static void
a_row_says_who_serves_and_who_left(void **state)
{
    struct pg_config c;

    (void)state;
    assert_int_equal(
        read_row(3, "a:1", "b:2,c:3", "d:4@9@1700@88,a:1@10@1800@89", &c),
        ERR_OK);
    assert_int_equal(c.ballot, 11);
    assert_int_equal(c.committed, 90);
    assert_int_equal(c.max_replica_count, 3);
    assert_node(c.primary, "a:1");
    assert_int_equal(c.n_secondaries, 2);
    assert_node(c.secondary[0], "b:2");
    assert_node(c.secondary[1], "c:3");
    assert_int_equal(c.n_drops, 2);
    assert_node(c.drop[0].node, "d:4");
    assert_int_equal(c.drop[0].ballot, 9);
    assert_int_equal(c.drop[0].at_ms, 1700);
    assert_int_equal(c.drop[0].committed, 88);
    assert_int_equal(c.drop[0].prepared, 88);
    assert_true(c.drop[0].present);
    assert_int_equal(c.drop[1].node, c.primary); /* one index for an address */
    assert_int_equal(c.drop[1].ballot, 10);
    assert_int_equal(known.n, 4);
}

static void
an_empty_row_says_nothing(void **state)
{
    struct pg_config c;

    (void)state;
    assert_int_equal(read_row(0, NULL, "", "", &c), ERR_OK);
    assert_int_equal(c.primary, PG_NONE);
    assert_int_equal(c.n_secondaries, 0);
    assert_int_equal(c.n_drops, 0);
    assert_int_equal(known.n, 0);
}

static void
what_is_printed_is_read_again(void **state)
{
    static struct pg_addresses again;
    struct pegasus_config_texts texts;
    struct pegasus_partition row;
    struct pg_config c, back;

    (void)state;
    assert_int_equal(read_row(7, "a:1", "b:2,c:3,d:4,e:5,f:6,g:7",
                              "h:8@-1@0@9000000000,i:9@2@3@4,j:10@5@6@7", &c),
                     ERR_OK);
    pegasus_config_print(&c, known.node, &texts);
    assert_string_equal(texts.primary, "a:1");
    assert_string_equal(texts.secondaries, "b:2,c:3,d:4,e:5,f:6,g:7");
    assert_string_equal(texts.drops,
                        "h:8@-1@0@9000000000,i:9@2@3@4,j:10@5@6@7");
    row = row_of(7, texts.primary, texts.secondaries, texts.drops);
    assert_int_equal(pg_addresses_read(&again, &row, &back), ERR_OK);
    assert_memory_equal(c.secondary, back.secondary, sizeof(c.secondary));
    assert_int_equal(back.n_drops, 3);
    c.primary = PG_NONE;
    c.n_secondaries = c.n_drops = 0;
    pegasus_config_print(&c, known.node, &texts);
    assert_null(texts.primary);
    assert_string_equal(texts.secondaries, "");
    assert_string_equal(texts.drops, "");
}

static void
a_row_of_nobody_is_refused(void **state)
{
    static const struct {
        int32_t max;
        const char *primary, *secondaries, *drops;
        enum err e;
    } cases[] = {
        { PG_SECONDARIES_MAX + 1, "a:1", "", "", ERR_OK },
        { PG_SECONDARIES_MAX + 2, "a:1", "", "", ERR_INTERNAL },
        { -1, "a:1", "", "", ERR_INTERNAL },
        { 3, "a:1", NULL, "", ERR_INTERNAL },
        { 3, "a:1", "", NULL, ERR_INTERNAL },
        { 3, "a:1", "b,c,d,e,f,g", "", ERR_OK },
        { 3, "a:1", "b,c,d,e,f,g,h", "", ERR_INTERNAL },
        { 3, "a:1", "", "b@1@2@3,c@1@2@3,d@1@2@3", ERR_OK },
        { 3, "a:1", "", "b@1@2@3,c@1@2@3,d@1@2@3,e@1@2@3", ERR_INTERNAL },
        { 3, "a:1", "", "b", ERR_INTERNAL },
        { 3, "a:1", "", "b@1@2", ERR_INTERNAL },
        { 3, "a:1", "", "b@1,2@3", ERR_INTERNAL },
        { 3, "a:1", "", "b@1@2@3@4", ERR_INTERNAL },
        { 3, "a:1", "", "b@1@2@3;", ERR_INTERNAL },
    };
    struct pg_config c;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(read_row(cases[i].max, cases[i].primary,
                                  cases[i].secondaries, cases[i].drops, &c),
                         cases[i].e);
}

/* No address is longer than its place, and there are so many places. */
static void
addresses_have_their_places(void **state)
{
    char text[PG_ADDRESS_BYTES + 1];
    struct pg_config c;

    (void)state;
    memset(text, 'x', sizeof(text));
    text[PG_ADDRESS_BYTES] = '\0';
    assert_int_equal(read_row(3, text, "", "", &c), ERR_INTERNAL);
    assert_int_equal(read_row(3, "a:1", text, "", &c), ERR_INTERNAL);
    text[PG_ADDRESS_BYTES - 1] = '\0';
    assert_int_equal(read_row(3, text, "", "", &c), ERR_OK);
    assert_node(c.primary, text);

    memset(&known, 0, sizeof(known));
    assert_int_equal(pg_addresses_add(&known, "ab:1", 4), 0);
    assert_int_equal(pg_addresses_add(&known, "ab:1", 3), 1); /* "ab:" */
    assert_int_equal(pg_addresses_add(&known, "ab:1", 4), 0);
    assert_string_equal(pg_addresses_text(&known, 1), "ab:");
    for (int i = 2; i < PG_ADDRESSES_MAX; i++)
        assert_int_equal(pg_addresses_add(&known, &"klmnopqrstuvwxyz"[i], 1),
                         i);
    assert_int_equal(pg_addresses_add(&known, "A", 1), PG_NONE);
    assert_int_equal(pg_addresses_add(&known, "ab:", 3), 1);
    assert_int_equal(known.n, PG_ADDRESSES_MAX);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_says_who_serves_and_who_left),
        cmocka_unit_test(an_empty_row_says_nothing),
        cmocka_unit_test(what_is_printed_is_read_again),
        cmocka_unit_test(a_row_of_nobody_is_refused),
        cmocka_unit_test(addresses_have_their_places),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
