/* What the source's information_schema says of a table: types as declared,
 * defaults, generated columns, keys. */
#ifndef TICDC_DESCRIBE_H
#define TICDC_DESCRIBE_H

#include "arena.h"
#include "my.h"
#include "ticdc/encode/encode.h"

/* In the arena. NOT_FOUND: there is no such table any more; else as my_query.
 */
enum err describe_table(struct my *my, struct arena *a, const char *schema,
                        const char *table, struct encode_schema *out) MUST_USE;

#endif
