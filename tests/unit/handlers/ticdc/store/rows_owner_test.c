/* Every statement of rows_owner.c fits the migrated schema. */
#include "statements.h"

#include "ticdc/store/rows_owner.c"

STATEMENTS_TEST(sql)
