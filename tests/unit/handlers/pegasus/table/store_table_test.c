/* Every statement of store_table.c fits the migrated schema. */
#include "statements.h"

#include "pegasus/table/store_table.c"

STATEMENTS_TEST(sql)
