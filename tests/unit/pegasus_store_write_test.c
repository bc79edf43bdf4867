/* Every statement of store_write.c fits the migrated schema. */
#include "statements.h"

#include "../../handlers/pegasus/store_write.c"

STATEMENTS_TEST(sql)
