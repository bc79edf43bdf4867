/* Every statement of ticdc/nodes/store.c fits the migrated schema. */
#include "statements.h"

#include "ticdc/nodes/store.c"

STATEMENTS_TEST(sql)
