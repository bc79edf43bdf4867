/* Every statement of store_env.c fits the migrated schema. */
#include "statements.h"

#include "pegasus/table/store_env.c"

STATEMENTS_TEST(sql)
