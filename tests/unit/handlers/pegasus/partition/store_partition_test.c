/* Every statement of store_partition.c fits the migrated schema. */
#include "statements.h"

#include "pegasus/partition/store_partition.c"

STATEMENTS_TEST(sql)
