/* Every statement of heartbeats fits the migrated schema. */
#include "statements.h"

#include "doris/store_beat.c"

STATEMENTS_TEST(sql)
