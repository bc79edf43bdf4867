/* Every statement of tablets fits the migrated schema. */
#include "statements.h"

#include "doris/data/store_tablet.c"

STATEMENTS_TEST(sql)
