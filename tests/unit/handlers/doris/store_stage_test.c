/* Every statement of stages fits the migrated schema. */
#include "statements.h"

#include "doris/store_stage.c"

STATEMENTS_TEST(sql)
