/* Every statement of ticdc/store/tables.c fits the migrated schema. */
#include "statements.h"

#include "ticdc/store/tables.c"

STATEMENTS_TEST(sql)
