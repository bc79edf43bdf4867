/* Every statement of store_write.c fits the migrated schema. */
#include "statements.h"

#include "pegasus/store_write.c"

STATEMENTS_TEST(sql)
