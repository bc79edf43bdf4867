/* Every statement of answers/store.c fits the migrated schema. */
#include "statements.h"

#include "kunlun/answers/store.c"

STATEMENTS_TEST(sql)
