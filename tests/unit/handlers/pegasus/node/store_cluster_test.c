/* Every statement of store_cluster.c fits the migrated schema. */
#include "statements.h"

#include "pegasus/node/store_cluster.c"

STATEMENTS_TEST(sql)
