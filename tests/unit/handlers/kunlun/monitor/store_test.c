/* Every statement of monitor/store.c fits the migrated schema. */
#include "statements.h"

#include "kunlun/monitor/store.c"

STATEMENTS_TEST(sql)
