/* Every statement of answers/store_upkeep.c fits the migrated schema. */
#include "statements.h"

#include "kunlun/answers/store_upkeep.c"

STATEMENTS_TEST(sql)
