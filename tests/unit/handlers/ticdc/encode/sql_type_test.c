/* The number of JDBC's type that canal gives an unsigned integer: that of the
 * next larger type once it is beyond its own as if it were signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ticdc/encode/encode_int.h"

#define OWN 77

static void
an_unsigned_number_beyond_its_type_has_the_next(void **state)
{
    static const struct {
        enum binlog_type type;
        uint64_t most;
        int next;
    } cases[] = {
        { BINLOG_TINY, INT8_MAX, 5 },         { BINLOG_SHORT, INT16_MAX, 4 },
        { BINLOG_INT24, (1 << 23) - 1, OWN }, { BINLOG_LONG, INT32_MAX, -5 },
        { BINLOG_LONGLONG, INT64_MAX, 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct binlog_column log = { .type = cases[i].type };
        struct encode_column c = { .log = &log,
                                   .is_unsigned = true,
                                   .sql_type = OWN };
        struct binlog_value v = { .form = BINLOG_U64, .u = cases[i].most };

        assert_int_equal(encode_sql_type(&c, &v), OWN);
        v.u++;
        assert_int_equal(encode_sql_type(&c, &v), cases[i].next);
        v.u = 0;
        assert_int_equal(encode_sql_type(&c, &v), OWN);
        v.u = cases[i].most + 1;
        v.form = BINLOG_NULL;
        assert_int_equal(encode_sql_type(&c, &v), OWN);
        v.form = BINLOG_U64;
        c.is_unsigned = false;
        assert_int_equal(encode_sql_type(&c, &v), OWN);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unsigned_number_beyond_its_type_has_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
