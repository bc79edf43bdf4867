/* Every statement of rowsets fits the migrated schema. */
#include "statements.h"

#include "../../handlers/doris/store_rowset.c"

STATEMENTS_TEST(sql)
