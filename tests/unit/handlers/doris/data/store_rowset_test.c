/* Every statement of rowsets fits the migrated schema. */
#include "statements.h"

#include "doris/data/store_rowset.c"

STATEMENTS_TEST(sql)
