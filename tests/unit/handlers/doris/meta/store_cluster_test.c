/* Every statement of clusters and nodes fits the migrated schema. */
#include "statements.h"

#include "doris/meta/store_cluster.c"

STATEMENTS_TEST(sql)
