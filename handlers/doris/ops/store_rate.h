/* The store's side of limits of rate: store_rate.c. */
#ifndef MG_DORIS_STORE_RATE_H
#define MG_DORIS_STORE_RATE_H

#include "db.h"
#include "record.h"

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
