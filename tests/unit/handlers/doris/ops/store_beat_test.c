/* Every statement of heartbeats fits the migrated schema. */
#include "statements.h"

#include "doris/ops/store_beat.c"

STATEMENTS_TEST(sql)
