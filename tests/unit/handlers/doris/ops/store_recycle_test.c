/* Every statement of the recycler fits the migrated schema. */
#include "statements.h"

#include "doris/ops/store_recycle.c"

STATEMENTS_TEST(sql)
