/* Every statement of node_mgr fits the migrated schema. */
#include "statements.h"

#include "kunlun/node_mgr/store.c"

STATEMENTS_TEST(sql)
