/* Every statement of store_node.c fits the migrated schema. */
#include "statements.h"

#include "pegasus/node/store_node.c"

STATEMENTS_TEST(sql)
