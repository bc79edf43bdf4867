/* The Doris Meta Service as a dialect: its tables, and what is not found. */
#include "config.h"
#include "doris.h"

/* Newer managers ask older services for operations they do not have, and old
 * Doris answered OK. */
enum err
doris_unknown(struct req *r, const struct none *in)
{
    (void)in;
    if (config()->doris_unknown_op_ok)
        return req_ok(r);
    return req_fail(r, DORIS_UNKNOWN_OP, ARGS());
}

/* There is no FoundationDB whose ranges could be counted. */
enum err
doris_meta_ranges(struct req *r, const struct none *in)
{
    (void)in;
    return req_fail(r, DORIS_FDB_ONLY, ARGS());
}

#include "endpoint_tables.h"

extern const struct dialect doris_dialect;
const struct dialect doris_dialect = {
    .name = "doris",
    DIALECT_TABLES,
    .admit = doris_admit,
};
