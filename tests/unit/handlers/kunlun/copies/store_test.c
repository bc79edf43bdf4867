/* Every statement of copies/store.c fits the migrated schema. */
#include "statements.h"

#include "kunlun/copies/store.c"

STATEMENTS_TEST(sql)
