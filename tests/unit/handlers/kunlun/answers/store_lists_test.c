/* Every statement of answers/store_lists.c fits the migrated schema. */
#include "statements.h"

#include "kunlun/answers/store_lists.c"

STATEMENTS_TEST(sql)
