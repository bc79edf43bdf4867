/* Every statement of rows.c fits the migrated schema. */
#include "statements.h"

#include "ticdc/store/rows.c"

STATEMENTS_TEST(sql)
