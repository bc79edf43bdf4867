/* Every statement of jobs fits the migrated schema. */
#include "statements.h"

#include "doris/data/store_job.c"

STATEMENTS_TEST(sql)
