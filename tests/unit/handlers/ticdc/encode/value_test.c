/* Which values are the same, and which change of a row is one of its key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_tables.h"
#include "ticdc/encode/encode_int.h"

static void
a_value_is_the_same_by_form_and_content(void **state)
{
    static const struct binlog_value some[] = {
        NIL,     I(0),    I(-1),   U(0),   U(UINT64_MAX), F(0.0),
        F(-0.0), F4(0.0), F4(1.5), B(""),  B("ab"),       B("ac"),
        B("a"),  T(""),   T("ab"), T("a"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(some); i++)
        for (size_t k = 0; k < COUNT(some); k++) {
            struct binlog_value copy = some[k];

            if (encode_same_value(&some[i], &copy) != (i == k))
                fail_msg("%zu %zu", i, k);
        }
}

static void
a_key_changes_by_an_update_of_one_of_its_columns(void **state)
{
    static const struct made made[] = {
        { .name = "a", .type = BINLOG_LONG, .is_key = true },
        { .name = "n", .type = BINLOG_LONG },
        { .name = "b", .type = BINLOG_LONG, .is_key = true },
        { .name = "c", .type = BINLOG_LONG, .is_key = true },
    };
    static const struct binlog_value was[] = { I(1), I(2), I(3), I(4) };
    struct encode_table *t = made_encode_table("s", "t", made, 4, NULL);

    (void)state;
    assert_int_equal(t->n_handle, 3);
    for (size_t i = 0; i < COUNT(was); i++) {
        struct binlog_value is[] = { I(1), I(2), I(3), I(4) };
        struct encode_event e = {
            .table = t, .kind = BINLOG_UPDATE, .before = was, .after = is
        };

        assert_false(encode_changes_handle(&e));
        is[i].i = 7;
        assert_int_equal(encode_changes_handle(&e), i != 1);
        e.kind = BINLOG_INSERT;
        assert_false(encode_changes_handle(&e));
        e.kind = BINLOG_DELETE;
        assert_false(encode_changes_handle(&e));
    }
    encode_table_free(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_the_same_by_form_and_content),
        cmocka_unit_test(a_key_changes_by_an_update_of_one_of_its_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
