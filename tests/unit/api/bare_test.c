/* A dialect that has just been begun, without rows, compiles and is one; beside
 * another one, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "req.h"

#define ENDPOINT_FILE "sample/bare.def"
#define ERROR_FILE    "sample/errors.def"
#include "endpoint_protos.h"
#undef ERROR_FILE
#define ERROR_FILE "sample/bare.def"
#include "endpoint_protos.h"
#include "endpoint_tables.h"

static void
it_words_no_failure(void **state)
{
    const struct dialect d = { .name = "bare", DIALECT_TABLES };

    (void)state;
    assert_int_equal(d.n_rows, 0);
    assert_int_equal(d.n_errors, 0);
    assert_null(d.uniques[0].index);
    assert_null(d.by_class[ERR_STORE].id);
}

static void
the_first_failure_of_another_is_0(void **state)
{
    (void)state;
    assert_int_equal(SAMPLE_NAME, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_words_no_failure),
        cmocka_unit_test(the_first_failure_of_another_is_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
