/* Every statement of vaults fits the migrated schema. */
#include "statements.h"

#include "doris/meta/store_vault.c"

STATEMENTS_TEST(sql)
