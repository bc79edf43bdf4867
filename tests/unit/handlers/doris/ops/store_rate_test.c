/* Every statement of limits of rate fits the migrated schema. */
#include "statements.h"

#include "doris/ops/store_rate.c"

STATEMENTS_TEST(sql)
