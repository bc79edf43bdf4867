/* Every statement of instances, object stores and vaults fits the migrated
 * schema. */
#include "statements.h"

#include "doris/meta/store_instance.c"

STATEMENTS_TEST(sql)
