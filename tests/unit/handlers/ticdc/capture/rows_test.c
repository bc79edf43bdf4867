/* Every statement of rows.c fits the migrated schema. */
#include "statements.h"

#include "ticdc/capture/rows.c"

STATEMENTS_TEST(sql)
