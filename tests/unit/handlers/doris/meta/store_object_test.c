/* Every statement of objects fits the migrated schema. */
#include "statements.h"

#include "doris/meta/store_object.c"

STATEMENTS_TEST(sql)
