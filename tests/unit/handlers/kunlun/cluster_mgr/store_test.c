/* Every statement of cluster_mgr's requests fits the migrated schema. */
#include "statements.h"

#include "kunlun/cluster_mgr/store.c"

STATEMENTS_TEST(sql)
