/* The SQL of jobs of tablets: one record of each tablet. */
#include "doris/doris.h"
#include "job.h"
#include "rpc.h"

enum { JOB, JOB_PUT, SQL__MAX };

static const char *const sql[SQL__MAX] = {
    [JOB] = "SELECT body FROM doris_tablet_job" OF_TABLET,
    [JOB_PUT] = "INSERT INTO doris_tablet_job (instance_id, tablet_id, body)"
                " VALUES (?, ?, ?)"
                " ON DUPLICATE KEY UPDATE body = VALUES(body)",
};

enum err
doris_store_job(struct db *db, struct arena *a, const char *instance_id,
                int64_t tablet_id, struct doris_job *out)
{
    return doris_store_body(db, a, sql[JOB],
                            DB_ARGS(db_str(instance_id), db_i64(tablet_id)),
                            &doris_job_rec, out);
}

enum err
doris_store_job_put(struct db *db, struct arena *a, const char *instance_id,
                    int64_t tablet_id, const struct doris_job *j)
{
    const char *body;
    enum err e;

    e = doris_doc_render(a, &doris_job_rec, j, &body);
    if (e != ERR_OK)
        return e;
    return db_later(
        db, sql[JOB_PUT],
        DB_ARGS(db_str(instance_id), db_i64(tablet_id), db_str(body)));
}
