/* What the source's information_schema says of a table: types as declared,
 * defaults, generated columns, keys. */
#ifndef TICDC_DESCRIBE_H
#define TICDC_DESCRIBE_H

#include "arena.h"
#include "my.h"
#include "ticdc/encode/encode.h"

/* Asks that server, over a connection of its own; for one thread. */
struct describer;
/* NULL without memory. server lives as long as it does; NULL: nobody is asked.
 */
struct describer *describer_new(const struct my_server *server);
void describer_free(struct describer *d);

/* What is said, until the next call; NULL: there is no such table any more, or
 * no answer. Then the log alone has to do, and it does but for keys that are
 * not primary ones. */
const struct encode_schema *
describe(struct describer *d, const char *schema, const char *table);

#endif
