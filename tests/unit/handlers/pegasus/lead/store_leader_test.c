/* Every statement of store_leader.c fits the migrated schema. */
#include "statements.h"

#include "pegasus/lead/store_leader.c"

STATEMENTS_TEST(sql)
