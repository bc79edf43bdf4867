/* Every statement of the console fits the migrated schema. */
#include "statements.h"

#include "console/store.c"

STATEMENTS_TEST(sql)
