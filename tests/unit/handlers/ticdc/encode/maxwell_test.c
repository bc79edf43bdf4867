/* A value in maxwell's messages, by the form in which the log has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "made_tables.h"

#include "ticdc/encode/maxwell.c"

static void
is(struct binlog_value v, const char *want)
{
    struct encoder e = { .value = BUF_INIT(1024) };

    put_value(&e, &v);
    assert_string_equal(buf_text(&e.value), want);
    buf_free(&e.value);
}

static void
each_form_of_a_value_is_told(void **state)
{
    (void)state;
    is((struct binlog_value)NIL, "null");
    is((struct binlog_value)I(-7), "-7");
    is((struct binlog_value)U(UINT64_MAX), "18446744073709551615");
    is((struct binlog_value)F(0.5), "0.5");
    is((struct binlog_value)F4(-0.25), "-0.25");
    is((struct binlog_value)B("\xff\0"), "\"/wA=\"");
    is((struct binlog_value)T("a\"b"), "\"a\\\"b\"");
    is((struct binlog_value)T(""), "\"\"");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_of_a_value_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
