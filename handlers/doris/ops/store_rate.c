/* The SQL of limits of rate. */
#include "rate.h"

enum { LIST, SET_ONE, USE, SQL__MAX };

static const char *const sql[SQL__MAX] = {
    [LIST] = "SELECT rpc, instance_id, qps FROM doris_rate_limit"
             " ORDER BY rpc, instance_id",
    [SET_ONE] = "INSERT INTO doris_rate_limit (rpc, instance_id, qps)"
                " VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE qps = VALUES(qps)",
    [USE] = "INSERT INTO doris_rate_used (rpc, instance_id, second, used)"
            " VALUES (?, ?, UNIX_TIMESTAMP(), LAST_INSERT_ID(1))"
            " ON DUPLICATE KEY UPDATE used ="
            " LAST_INSERT_ID(IF(second = VALUES(second), used + 1, 1)),"
            " second = VALUES(second)",
};

TABLE(doris_rate_row, DORIS_RATE_ROW);

enum err
doris_store_rates(struct db *db, struct arena *a,
                  struct list_of_doris_rate_row *out)
{
    return db_list(db, a, sql[LIST], DB_NO_ARGS, &doris_rate_row_rec,
                   DORIS_RATES_MAX, out);
}

enum err
doris_store_rate_set(struct db *db, const char *rpc, const char *instance_id,
                     int64_t qps)
{
    return db_exec(db, sql[SET_ONE],
                   DB_ARGS(db_str(rpc), db_str(instance_id), db_i64(qps)));
}

enum err
doris_store_rate_use(struct db *db, const char *rpc, const char *instance_id,
                     int64_t *used)
{
    enum err e;

    e = db_exec(db, sql[USE], DB_ARGS(db_str(rpc), db_str(instance_id)));
    *used = (int64_t)db_insert_id(db);
    return e;
}
