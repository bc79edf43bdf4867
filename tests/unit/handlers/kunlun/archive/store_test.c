/* Every statement of archive/store.c fits the migrated schema. */
#include "statements.h"

#include "kunlun/archive/store.c"

STATEMENTS_TEST(sql)
