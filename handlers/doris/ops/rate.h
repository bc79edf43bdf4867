/* Limits of rate. */
#ifndef MG_DORIS_RATE_H
#define MG_DORIS_RATE_H

#include "doris/doris.h"

#define DORIS_ADJUST_RATE(X, s)                          \
    X(s, STR, qps_limit, "qps_limit", QUERY, -)          \
    X(s, STR, rpc_name, "rpc_name", QUERY, -, .max = 64) \
    X(s, STR, instance_id, "instance_id", QUERY, -, .max = DORIS_ID_BYTES)
STRUCT(doris_adjust_rate, DORIS_ADJUST_RATE);

MAP_OF(I32);
#define DORIS_RATE(X, s)                    \
    X(s, I32, qps, "RPC qps limit", OUT, -) \
    X(s, MAP, instances, "instance specific qps limit", OUT | KEEP_EMPTY, I32)
STRUCT(doris_rate, DORIS_RATE);
MAP_OF(doris_rate);
#define DORIS_RATES(X, s) X(s, MAP, rates, "", OUT, doris_rate)
STRUCT(doris_rates, DORIS_RATES);

/* ---- the store ---- */

#define DORIS_RATES_MAX 100000

#define DORIS_RATE_ROW(X, s)                      \
    X(s, STR, rpc, "rpc", OUT, -)                 \
    X(s, STR, instance_id, "instance_id", OUT, -) \
    X(s, I64, qps, "qps", OUT, -)
STRUCT(doris_rate_row, DORIS_RATE_ROW);
LIST_OF(doris_rate_row);

/* "" = all operations; "" = of each instance. In order of operation. */
enum err doris_store_rates(struct db *db, struct arena *a,
                           struct list_of_doris_rate_row *out) MUST_USE;
enum err doris_store_rate_set(struct db *db, const char *rpc,
                              const char *instance_id, int64_t qps) MUST_USE;
/* Counts one more in the present second: *used with it. */
enum err doris_store_rate_use(struct db *db, const char *rpc,
                              const char *instance_id, int64_t *used) MUST_USE;

#endif
