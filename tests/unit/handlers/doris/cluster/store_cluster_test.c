/* Every statement of clusters and nodes fits the migrated schema. */
#include "statements.h"

#include "doris/cluster/store_cluster.c"

STATEMENTS_TEST(sql)
