/* Every sealed column can be rotated: its statements fit the schema, and none
 * that the schema has is missing. */
#include <string.h>

#include "statements.h"

#include "arena.h"
#include "secrets.h"

static void
each_statement_fits_the_schema(void **state)
{
    const struct secret_column *c;

    for (size_t i = 0; (c = secret_column_at(i)) != NULL; i++) {
        const char *const all[] = { c->page, c->replace, c->count };

        statements_prepare(*state, all, COUNT(all));
    }
}

/* Whether a row before the i-th is about the same column: where a text comes
 * from may differ. */
static bool
named_before(size_t i)
{
    const struct secret_column *c = secret_column_at(i), *o;

    for (size_t k = 0; k < i; k++) {
        o = secret_column_at(k);
        if (strcmp(o->table, c->table) == 0 &&
            strcmp(o->column, c->column) == 0)
            return true;
    }
    return false;
}

/* Secrets are called ak, sk, secret and external_id wherever they are; of a
 * job, an HDFS vault, a stage, a shard's member, a computing node and a
 * changefeed all is sealed that was said of it. */
static void
no_sealed_column_is_missing(void **state)
{
    int64_t there = 0, named = 0;

    assert_int_equal(
        db_one_i64(*state,
                   "SELECT COUNT(*) FROM information_schema.COLUMNS"
                   " WHERE TABLE_SCHEMA = DATABASE()"
                   " AND (COLUMN_NAME REGEXP '(^|_)(ak|sk|secret|external_id)$'"
                   " OR TABLE_NAME = 'job' AND COLUMN_NAME IN"
                   " ('args', 'memo')"
                   " OR TABLE_NAME = 'doris_vault'"
                   " AND COLUMN_NAME = 'hdfs_conf'"
                   " OR TABLE_NAME = 'doris_stage'"
                   " AND COLUMN_NAME = 'body'"
                   " OR TABLE_NAME IN ('kunlun_member', 'kunlun_computer')"
                   " AND COLUMN_NAME = 'spec'"
                   " OR TABLE_NAME = 'ticdc_changefeed'"
                   " AND COLUMN_NAME IN ('sink_uri', 'config'))",
                   DB_NO_ARGS, &there),
        ERR_OK);
    for (size_t i = 0; secret_column_at(i) != NULL; i++)
        named += named_before(i) ? 0 : 1;
    assert_int_equal(named, there);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement_fits_the_schema),
        cmocka_unit_test(no_sealed_column_is_missing),
    };

    return cmocka_run_group_tests(tests, statements_setup, statements_teardown);
}
