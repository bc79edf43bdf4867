/* Every statement of transactions fits the migrated schema. */
#include "statements.h"

#include "doris/txn/store_txn.c"

STATEMENTS_TEST(sql)
