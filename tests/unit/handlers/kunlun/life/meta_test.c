/* Every statement of the jobs by which clusters live fits the schema. */
#include "statements.h"

#include "kunlun/life/meta.c"

STATEMENTS_TEST(sql)
