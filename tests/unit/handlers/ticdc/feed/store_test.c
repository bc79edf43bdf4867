/* Every statement of ticdc/feed/store.c fits the migrated schema. */
#include "statements.h"

#include "ticdc/feed/store.c"

STATEMENTS_TEST(sql)
