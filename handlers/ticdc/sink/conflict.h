/* Which changes of rows must stay in their order: those that may have a value
 * of a unique key in common. A function of values, without a server.
 *
 * Whether two texts are the same the collation says, and there are hundreds of
 * them. So a text of plain ASCII has a weight that is equal whenever any
 * collation calls two such texts equal, and more often (case, spaces at the
 * end, and the letters that some languages do not tell apart); every other
 * text is ANY: it is taken to be equal to all others of that key. */
#ifndef TICDC_CONFLICT_H
#define TICDC_CONFLICT_H

#include "base.h"
#include "binlog.h"

/* How values of a column are compared. */
enum conflict_rule {
    CONFLICT_EXACT,  /* numbers, times, bytes */
    CONFLICT_BYTES,  /* texts of a collation that compares their bytes */
    CONFLICT_FOLDED, /* texts of any other collation */
};

enum conflict_weight {
    CONFLICT_NONE, /* a NULL: equal to nothing */
    CONFLICT_SOME,
    CONFLICT_ANY,
};

/* Takes the value into *hash (FNV-1a, 64 bits; CONFLICT_SEED at first).
 * prefix: of how many characters the key takes notice; 0 = all. */
#define CONFLICT_SEED UINT64_C(0xcbf29ce484222325)
enum conflict_weight
conflict_value(uint64_t *hash, enum conflict_rule rule, size_t prefix,
               const struct binlog_value *v);

#endif
