/* The test of a store: each of its statements is prepared against the
 * migrated schema. The file that has them is included after this one. */
#ifndef MG_TEST_STATEMENTS_H
#define MG_TEST_STATEMENTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_server.h"

static UNUSED int
statements_setup(void **state)
{
    if (!server_init(10, 2) || !server_migrate())
        return -1;
    *state = db_open();
    return *state != NULL ? 0 : -1;
}

static UNUSED int
statements_teardown(void **state)
{
    db_close(*state);
    return server_fini() ? 0 : -1;
}

/* n statements, none left out of the enumeration. */
static UNUSED void
statements_prepare(struct db *db, const char *const *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (all[i] == NULL)
            fail_msg("statement %zu has no text", i);
        if (db_prepare_only(db, all[i]) != ERR_OK)
            fail_msg("%s\n%s", db_error(db), all[i]);
    }
}

#define STATEMENTS_TEST(sql)                                   \
    static void each_statement_fits_the_schema(void **state)   \
    {                                                          \
        statements_prepare(*state, sql, COUNT(sql));           \
    }                                                          \
    int main(void)                                             \
    {                                                          \
        const struct CMUnitTest tests[] = {                    \
            cmocka_unit_test(each_statement_fits_the_schema),  \
        };                                                     \
                                                               \
        return cmocka_run_group_tests(tests, statements_setup, \
                                      statements_teardown);    \
    }

#endif
