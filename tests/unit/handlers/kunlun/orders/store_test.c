/* Every statement of orders/store.c fits the migrated schema. */
#include "statements.h"

#include "kunlun/orders/store.c"

STATEMENTS_TEST(sql)
