/* Every statement of store_read.c fits the migrated schema. */
#include "statements.h"

#include "pegasus/store_read.c"

STATEMENTS_TEST(sql)
