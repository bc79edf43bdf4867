/* Every statement of store_counts.c fits the migrated schema. */
#include "statements.h"

#include "pegasus/node/store_counts.c"

STATEMENTS_TEST(sql)
