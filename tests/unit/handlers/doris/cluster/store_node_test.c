/* Every statement of nodes fits the migrated schema. */
#include "statements.h"

#include "doris/cluster/store_node.c"

STATEMENTS_TEST(sql)
