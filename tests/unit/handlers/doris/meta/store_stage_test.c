/* Every statement of stages fits the migrated schema. */
#include "statements.h"

#include "doris/meta/store_stage.c"

STATEMENTS_TEST(sql)
