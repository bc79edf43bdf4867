/* The console's own SQL: rows of the runtime, jobs and the audit trail. What
 * the views of dialects are asked by is made in view.h. */
#include "db.h"
#include "view.h"

#include "audit.h"
#include "jobs.h"
#include "things.h"
#include "who.h"

#define JOB_COLUMNS                                                       \
    "SELECT id, kind, machine, client_id, parent_id, part, state, step,"  \
    " steps, doing, progress, since_ms, waits_for, tries, cancel, error," \
    " owner, token_name, request_id, client_request_id, trace_id,"        \
    " created_ms, begun_ms, finished_ms FROM job"

/* By our id, by the client's, or by its trace. */
#define OF_REQUEST                                            \
    " AND (? = '' OR request_id = ? OR client_request_id = ?" \
    " OR trace_id = ?)"

#define AUDIT_HEAD                                                           \
    "SELECT id, at_ms, token_name, listener, operation, target, request_id," \
    " client_request_id, trace_id"
#define AUDIT_WHOLE AUDIT_HEAD ", request_json, before_json, after_json"
/* A dialect's listeners are looked for between their commas. */
#define AUDIT_PAGE                                                        \
    " FROM audit WHERE (? = 0 OR id < ?) AND at_ms >= ? AND at_ms < ?"    \
    " AND (? = '' OR token_name = ?)"                                     \
    " AND (? = '' OR"                                                     \
    " INSTR(?, CONCAT(',', SUBSTRING_INDEX(listener, '/', 1), ',')) > 0)" \
    " AND LEFT(target, CHAR_LENGTH(?)) = ?"                               \
    " AND (? = '' OR operation = ?)" OF_REQUEST " ORDER BY id DESC LIMIT ?"

enum {
    JOBS,
    JOB_OF,
    AUDIT_LIST,
    AUDIT_LIST_WHOLE,
    AUDIT_ROW,
    LEASES,
    JOB_COUNTS,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [JOBS] = JOB_COLUMNS
    " WHERE (? = 0 OR id < ?) AND (? = 0 OR parent_id <=> NULLIF(?, 0))"
    " AND (? = '' OR state = ? OR (? = 'open' AND finished_ms IS NULL))"
    " AND LEFT(kind, CHAR_LENGTH(?)) = ? AND (? = '' OR machine = ?)" OF_REQUEST
    " ORDER BY id DESC LIMIT ?",
    [JOB_OF] = JOB_COLUMNS " WHERE id = ?",
    [AUDIT_LIST] = AUDIT_HEAD AUDIT_PAGE,
    [AUDIT_LIST_WHOLE] = AUDIT_WHOLE AUDIT_PAGE,
    [AUDIT_ROW] = AUDIT_WHOLE " FROM audit WHERE id = ?",
    [JOB_COUNTS] =
        "SELECT (SELECT COUNT(*) FROM job WHERE finished_ms IS NULL)"
        " AS open_jobs, (SELECT COUNT(*) FROM job WHERE state = 'failed'"
        " AND finished_ms > " DB_NOW_MS " - 86400000) AS failed_jobs",
    [LEASES] = "SELECT l.name, l.owner, l.epoch, l.expires_ms,"
               " " DB_NOW_MS " AS now_ms, s.since_ms FROM lease l"
               " LEFT JOIN lease_since s"
               " ON s.name = l.name AND s.epoch = l.epoch ORDER BY l.name",
};

/* A text that is asked about twice: whether it says anything, and what. */
#define TWICE(v) (v), (v)

enum err
console_store_jobs(struct db *db, struct arena *a,
                   const struct console_jobs_asked *in, uint64_t before,
                   size_t max, struct list_of_console_job *out)
{
    struct db_value state = db_str(or_empty(in->state));

    return db_list(
        db, a, sql[JOBS],
        DB_ARGS(TWICE(db_u64(before)),
                db_i64(HAS(in, console_jobs_asked, parent)), db_u64(in->parent),
                state, state, state, TWICE(db_str(or_empty(in->kind))),
                TWICE(db_str(or_empty(in->machine))),
                TWICE(db_str(or_empty(in->request_id))),
                TWICE(db_str(or_empty(in->request_id))), db_u64(max)),
        &console_job_rec, max, out);
}

enum err
console_store_job(struct db *db, struct arena *a, uint64_t id,
                  struct console_job *out)
{
    return db_one(db, a, sql[JOB_OF], DB_ARGS(db_u64(id)), &console_job_rec,
                  out);
}

enum err
console_store_audit(struct db *db, struct arena *a,
                    const struct console_audit_asked *in, const char *listeners,
                    uint64_t before, size_t max, bool whole,
                    struct list_of_console_audit_row *out)
{
    bool until = HAS(in, console_audit_asked, until);

    return db_list(
        db, a, sql[whole ? AUDIT_LIST_WHOLE : AUDIT_LIST],
        DB_ARGS(TWICE(db_u64(before)), db_i64(in->since),
                db_i64(until ? in->until : INT64_MAX),
                TWICE(db_str(or_empty(in->name))), TWICE(db_str(listeners)),
                TWICE(db_str(or_empty(in->target))),
                TWICE(db_str(or_empty(in->operation))),
                TWICE(db_str(or_empty(in->request_id))),
                TWICE(db_str(or_empty(in->request_id))), db_u64(max)),
        &console_audit_row_rec, max, out);
}

enum err
console_store_audit_row(struct db *db, struct arena *a, uint64_t id,
                        struct console_audit_row *out)
{
    return db_one(db, a, sql[AUDIT_ROW], DB_ARGS(db_u64(id)),
                  &console_audit_row_rec, out);
}

enum err
console_store_leases(struct db *db, struct arena *a,
                     struct list_of_console_duty *out)
{
    return db_list(db, a, sql[LEASES], DB_NO_ARGS, &console_duty_rec,
                   CONSOLE_LEASES_MAX, out);
}

enum err
console_store_things(struct db *db, struct arena *a, const struct view *v,
                     const struct console_above *above, const char *level,
                     const char *const *last, size_t max,
                     struct list_of_console_thing *out)
{
    static const char *const first[] = { "", "", "" };
    const char *const *at = last != NULL ? last : first;
    struct db_value o1 = db_str(at[0]), o2 = db_str(at[1]), o3 = db_str(at[2]);

    if (v->events)
        return db_list(db, a, v->page,
                       DB_ARGS(TWICE(db_str(level)), TWICE(o1), db_u64(max)),
                       &console_thing_rec, max, out);
    if (!str_empty(above->a1))
        return db_list(db, a, v->below,
                       DB_ARGS(db_str(above->a1), db_str(above->a2),
                               TWICE(db_str(level)), TWICE(o2), o3,
                               db_u64(max)),
                       &console_thing_rec, max, out);
    return db_list(
        db, a, v->page,
        DB_ARGS(TWICE(db_str(level)), TWICE(o1), TWICE(o2), o3, db_u64(max)),
        &console_thing_rec, max, out);
}

enum err
console_store_worst(struct db *db, struct arena *a, const struct view *v,
                    size_t max, struct list_of_console_thing *out)
{
    return db_list(db, a, v->worst, DB_ARGS(db_u64(max)), &console_thing_rec,
                   max, out);
}

enum err
console_store_count(struct db *db, struct arena *a, const struct view *v,
                    struct console_count *out)
{
    return db_one(db, a, v->count, DB_NO_ARGS, &console_count_rec, out);
}

enum err
console_store_job_counts(struct db *db, struct arena *a,
                         struct console_job_counts *out)
{
    return db_one(db, a, sql[JOB_COUNTS], DB_NO_ARGS, &console_job_counts_rec,
                  out);
}
