/* The SQL of jobs. */
#include "job_store.h"

#include <stdio.h>
#include <string.h>

#include "hex.h"
#include "log.h"

#define JOBS_MAX 10000

const struct enum_name job_state_names[] = {
    { "queued", JOB_QUEUED },
    { "running", JOB_RUNNING },
    { "undoing", JOB_UNDOING },
    { "done", JOB_DONE },
    { "failed", JOB_FAILED },
    { "cancelled", JOB_CANCELLED },
    { NULL, 0 },
};

TABLE(job, JOB);
TABLE(job_kept, JOB_KEPT);
TABLE(job_due, JOB_DUE);
TABLE(job_step_row, JOB_STEP_ROW);

#define COLUMNS                                                           \
    "SELECT id, queue, machine, kind, client_id, parent_id, part, state," \
    " step, steps, doing, progress, since_ms, tries, cancel, error,"      \
    " result, shown, owner, epoch, token_name, request_id,"               \
    " client_request_id, trace_id, created_ms, begun_ms, finished_ms,"    \
    " IF(finished_ms IS NULL, GREATEST(0, " DB_NOW_MS " - due_ms), 0)"    \
    " AS idle_ms, IF(finished_ms IS NULL, GREATEST(0, " DB_NOW_MS         \
    " - COALESCE(begun_ms, " DB_NOW_MS ")), 0) AS age_ms FROM job"

/* A time further away than any lease or wait is none that we gave: the
 * database's clock has gone back. */
#define IS_DUE                                        \
    "(due_ms <= " DB_NOW_MS " OR due_ms > " DB_NOW_MS \
    " + " XSTR(JOB_WAIT_MAX_MS) ")"

enum {
    ADD,
    PART_OF,
    GET,
    FIND,
    STEPS,
    CANCEL,
    OLD,
    DROP,
    DUE,
    CLAIM,
    LOCK_ADD,
    LOCK_OWNER,
    STAND_BACK,
    KEPT,
    RENEW,
    CANCELLED,
    HOLD,
    RECORD,
    STEP_BEGIN,
    STEP_END,
    STEP_MS,
    UNLOCK,
    WAKE_WAITING,
    WAKE_PARENT,
    PROGRESS,
    REMEMBER,
    PARTS,
    FORSAKEN,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [ADD] = "INSERT INTO job (uid, queue, machine, kind, client_id,"
            " parent_id, part, state, step, steps, doing, progress, since_ms,"
            " tries, cancel, args, shown, locks, owner, epoch, due_ms,"
            " token_name, request_id, client_request_id, trace_id, created_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', 0, ?, ?, '', " DB_NOW_MS
            ", 0, 0, ?, ?, ?, '', 0, " DB_NOW_MS ", ?, ?, ?, ?, " DB_NOW_MS ")",
    [PART_OF] = "SELECT id FROM job WHERE parent_id = ? AND part = ?",
    [GET] = COLUMNS " WHERE id = ?",
    [FIND] = COLUMNS " WHERE queue = ? AND machine = ? AND client_id = ?"
                     " ORDER BY id DESC LIMIT 1",
    [STEPS] = "SELECT n, name, outcome, begun_ms, ended_ms, text"
              " FROM job_step WHERE job_id = ? ORDER BY n",
    [CANCEL] = "UPDATE job SET cancel = 1,"
               " due_ms = IF(owner = '', " DB_NOW_MS ", due_ms)"
               " WHERE id = ? AND finished_ms IS NULL",
    [OLD] = "SELECT j.id FROM job j LEFT JOIN job p ON p.id = j.parent_id"
            " WHERE j.finished_ms < " DB_NOW_MS " - ? * 86400000"
            " AND (p.id IS NULL OR p.finished_ms IS NOT NULL)"
            " ORDER BY j.finished_ms, j.id LIMIT 1",
    [DROP] = "DELETE FROM job WHERE id = ? AND finished_ms IS NOT NULL",
    [DUE] = "SELECT id, epoch, state, locks FROM job"
            " WHERE queue = ? AND machine = ? AND " IS_DUE
            " ORDER BY due_ms, id LIMIT 8",
    [CLAIM] =
        "UPDATE job SET owner = ?, epoch = epoch + 1, waits_for = NULL,"
        " due_ms = " DB_NOW_MS
        " + " XSTR(JOB_LEASE_MS) ","
                                 " begun_ms = COALESCE(begun_ms, " DB_NOW_MS ")"
                                 " WHERE id = ? AND epoch = ? AND " IS_DUE,
    /* none for a job that was taken before, by who was killed at once */
    [LOCK_ADD] = "INSERT INTO job_lock (name, job_id) SELECT ?, ? FROM DUAL"
                 " WHERE NOT EXISTS (SELECT 1 FROM job_lock"
                 " WHERE name = ? AND job_id = ?)",
    [LOCK_OWNER] = "SELECT job_id FROM job_lock WHERE name = ?",
    [STAND_BACK] = "UPDATE job SET waits_for = ?,"
                   " since_ms = IF(progress = ?, since_ms, " DB_NOW_MS "),"
                   " progress = ?, due_ms = " DB_NOW_MS " + 1000"
                   " WHERE id = ? AND epoch = ? AND state = 'queued'",
    [KEPT] = "SELECT uid, uid AS secret_row, args, memo FROM job"
             " WHERE id = ?",
    [RENEW] = "UPDATE job SET due_ms = " DB_NOW_MS " + " XSTR(
        JOB_LEASE_MS) " WHERE id = ? AND epoch = ? AND owner <> ''",
    [CANCELLED] = "SELECT cancel FROM job WHERE id = ?",
    [HOLD] = "SELECT epoch FROM job WHERE id = ? AND epoch = ?"
             " AND owner <> '' FOR UPDATE",
    /* since_ms first: assignments are made from left to right */
    [RECORD] = "UPDATE job SET since_ms = IF(doing = ? AND progress = ?,"
               " since_ms, " DB_NOW_MS "), doing = ?, progress = ?,"
               " state = ?, step = ?, tries = ?,"
               " error = COALESCE(?, error), result = COALESCE(?, result),"
               " owner = IF(?, '', owner), due_ms = IF(?, NULL, " DB_NOW_MS
               " + ?), finished_ms = IF(?, " DB_NOW_MS ", NULL)"
               " WHERE id = ? AND epoch = ?",
    [STEP_BEGIN] = "INSERT INTO job_step (job_id, n, name, outcome, begun_ms)"
                   " VALUES (?, ?, ?, 'doing', " DB_NOW_MS ")"
                   " ON DUPLICATE KEY UPDATE n = VALUES(n)",
    [STEP_END] = "INSERT INTO job_step (job_id, n, name, outcome, begun_ms,"
                 " ended_ms, text) VALUES (?, ?, ?, ?, " DB_NOW_MS
                 ", " DB_NOW_MS ", ?) ON DUPLICATE KEY UPDATE"
                 " outcome = VALUES(outcome), ended_ms = VALUES(ended_ms),"
                 " text = COALESCE(VALUES(text), text)",
    [STEP_MS] = "SELECT " DB_NOW_MS " - begun_ms FROM job_step"
                " WHERE job_id = ? AND n = ?",
    [UNLOCK] = "DELETE FROM job_lock WHERE job_id = ?",
    [WAKE_WAITING] = "UPDATE job SET due_ms = " DB_NOW_MS ", waits_for = NULL"
                     " WHERE waits_for = ? AND owner = ''"
                     " AND finished_ms IS NULL",
    [WAKE_PARENT] = "UPDATE job SET due_ms = " DB_NOW_MS
                    " WHERE id = ? AND owner = '' AND finished_ms IS NULL",
    [PROGRESS] = "UPDATE job SET progress = ? WHERE id = ? AND epoch = ?"
                 " AND owner <> ''",
    [REMEMBER] = "UPDATE job SET memo = ? WHERE id = ? AND epoch = ?"
                 " AND owner <> ''",
    [PARTS] = COLUMNS " WHERE parent_id = ? AND LEFT(part, CHAR_LENGTH(?))"
                      " = ? ORDER BY part",
    [FORSAKEN] = "SELECT COUNT(*) FROM job j WHERE j.id = ?"
                 " AND j.due_ms < " DB_NOW_MS " - ? AND NOT EXISTS ("
                 "SELECT 1 FROM job o WHERE o.queue = j.queue"
                 " AND o.machine = j.machine AND o.owner <> ''"
                 " AND o.due_ms > " DB_NOW_MS ")",
};

static enum err
lost_if_absent(enum err e)
{
    return e == ERR_NOT_FOUND ? ERR_STATE : e;
}

/* ---- accepting, asking, cancelling ---- */

static struct db_value
text_or_null(const char *text)
{
    return db_str(!str_empty(text) ? text : NULL);
}

static enum err
add(struct db *db, const struct job_new *n, uint64_t *id)
{
    static const struct trace nobodys = { .request = "" };
    const struct trace *by = n->trace != NULL ? n->trace : log_traced();
    const struct trace *t = by != NULL ? by : &nobodys;
    const struct job_kind *k = n->kind;
    char uid[33];
    enum err e;

    e = hex_random(uid, 16);
    if (e == ERR_OK)
        e = db_exec(
            db, sql[ADD],
            DB_ARGS(db_str(uid), db_str(k->queue), db_str(or_empty(n->machine)),
                    db_str(k->name), db_str(n->client_id),
                    n->parent_id != 0 ? db_u64(n->parent_id) : db_null(),
                    db_str(n->parent_id != 0 ? n->part : NULL), db_u64(k->n),
                    db_str(k->steps[0].name),
                    db_secret("job", uid, "args", n->args), db_str(n->shown),
                    db_str(or_empty(n->locks)), db_str(or_empty(n->token_name)),
                    db_str(t->request), text_or_null(t->client),
                    text_or_null(t->id)));
    if (e == ERR_OK)
        *id = db_insert_id(db);
    return e;
}

/* All of its locks. EXISTS: *taken is one that another job has. */
static enum err
take_locks(struct db *db, struct arena *a, uint64_t id, const char *locks,
           const char **taken)
{
    char *rest = arena_strdup(a, locks), *name;
    enum err e = rest != NULL ? ERR_OK : ERR_NOMEM;

    while (e == ERR_OK && (name = strsep(&rest, "\n")) != NULL) {
        if (str_empty(name))
            continue;
        *taken = name;
        e = db_exec(
            db, sql[LOCK_ADD],
            DB_ARGS(db_str(name), db_u64(id), db_str(name), db_u64(id)));
    }
    return e;
}

enum err
job_new_args(struct arena *a, struct job_new *n, const struct record *rec,
             const void *in)
{
    enum err e = record_text(a, &json_compact, rec, in, SECRETS_FULL,
                             JOB_TEXT_MAX, &n->args);

    if (e == ERR_OK)
        e = record_text(a, &json_compact, rec, in, SECRETS_STARS, JOB_TEXT_MAX,
                        &n->shown);
    return e;
}

enum err
job_accept(struct db *db, struct arena *a, const struct job_new *n,
           uint64_t *id)
{
    const char *taken;
    int64_t there;
    enum err e;

    if (n->parent_id != 0) {
        e = db_one_i64(db, sql[PART_OF],
                       DB_ARGS(db_u64(n->parent_id), db_str(n->part)), &there);
        if (e == ERR_OK)
            *id = (uint64_t)there;
        if (e != ERR_NOT_FOUND)
            return e;
    }
    e = add(db, n, id);
    if (e == ERR_OK && n->lock_now)
        e = take_locks(db, a, *id, or_empty(n->locks), &taken);
    return e;
}

enum err
job_lock(struct job_run *run, const char *lock)
{
    const char *taken;

    return take_locks(run->db, run->arena, run->job->id, lock, &taken);
}

enum err
job_lock_holder(struct db *db, const char *lock, uint64_t *id)
{
    int64_t holder;
    enum err e =
        db_one_i64(db, sql[LOCK_OWNER], DB_ARGS(db_str(lock)), &holder);

    if (e == ERR_OK)
        *id = (uint64_t)holder;
    return e;
}

enum err
job_said(struct db *db, struct arena *a, uint64_t id, const char **args)
{
    struct job_kept kept;
    enum err e = job_store_kept(db, a, id, &kept);

    if (e == ERR_OK && !HAS(&kept, job_kept, args))
        e = ERR_STATE;
    if (e == ERR_OK)
        *args = kept.args;
    return e;
}

enum err
job_get(struct db *db, struct arena *a, uint64_t id, struct job *out)
{
    return db_one(db, a, sql[GET], DB_ARGS(db_u64(id)), &job_rec, out);
}

enum err
job_find(struct db *db, struct arena *a, const char *queue, const char *machine,
         const char *client_id, struct job *out)
{
    return db_one(
        db, a, sql[FIND],
        DB_ARGS(db_str(queue), db_str(or_empty(machine)), db_str(client_id)),
        &job_rec, out);
}

enum err
job_steps(struct db *db, struct arena *a, uint64_t id,
          struct list_of_job_step_row *out)
{
    return db_list(db, a, sql[STEPS], DB_ARGS(db_u64(id)), &job_step_row_rec,
                   JOBS_MAX, out);
}

enum err
job_cancel(struct db *db, uint64_t id)
{
    enum err e = db_exec_one(db, sql[CANCEL], DB_ARGS(db_u64(id)));
    int64_t cancel;

    if (e != ERR_NOT_FOUND)
        return e;
    e = db_one_i64(db, sql[CANCELLED], DB_ARGS(db_u64(id)), &cancel);
    return e == ERR_OK ? ERR_STATE : e;
}

enum err
job_purge(struct db *db, unsigned keep_days, unsigned most, uint64_t *n)
{
    int64_t id;
    enum err e = ERR_OK;

    for (*n = 0; *n < most && e == ERR_OK;) {
        e = db_one_i64(db, sql[OLD], DB_ARGS(db_i64(keep_days)), &id);
        if (e == ERR_OK)
            e = db_exec(db, sql[DROP], DB_ARGS(db_i64(id)));
        if (e == ERR_OK)
            (*n)++;
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
job_store_parts(struct db *db, struct arena *a, uint64_t parent_id,
                const char *prefix, struct list_of_job *out)
{
    return db_list(db, a, sql[PARTS],
                   DB_ARGS(db_u64(parent_id), db_str(prefix), db_str(prefix)),
                   &job_rec, JOBS_MAX, out);
}

enum err
job_forsaken(struct db *db, uint64_t id, int64_t for_ms, bool *out)
{
    int64_t n = 0;
    enum err e =
        db_one_i64(db, sql[FORSAKEN], DB_ARGS(db_u64(id), db_i64(for_ms)), &n);

    *out = e == ERR_OK && n > 0;
    return e;
}

/* ---- performing ---- */

enum err
job_store_due(struct db *db, struct arena *a, const char *queue,
              const char *machine, struct list_of_job_due *out)
{
    return db_list(db, a, sql[DUE], DB_ARGS(db_str(queue), db_str(machine)),
                   &job_due_rec, 8, out);
}

/* It waits for whoever has that lock. */
static enum err
stand_back(struct db *db, struct arena *a, const struct job_due *d,
           const char *taken)
{
    const char *why;
    int64_t holder;
    enum err e;

    e = db_one_i64(db, sql[LOCK_OWNER], DB_ARGS(db_str(taken)), &holder);
    if (e == ERR_NOT_FOUND)
        return ERR_BUSY; /* given back meanwhile */
    if (e != ERR_OK)
        return e;
    why = arena_printf(a, "waits for job %lld, which has %s", (long long)holder,
                       taken);
    if (why == NULL)
        return ERR_NOMEM;
    e = db_exec(db, sql[STAND_BACK],
                DB_ARGS(db_i64(holder), db_str(why), db_str(why), db_u64(d->id),
                        db_u64(d->epoch)));
    return e == ERR_OK ? ERR_BUSY : e;
}

enum err
job_store_claim(struct db *db, struct arena *a, struct job_due *d,
                const char *owner)
{
    const char *taken = NULL;
    enum err e = db_begin(db);

    if (e != ERR_OK)
        return e;
    e = db_exec_one(db, sql[CLAIM],
                    DB_ARGS(db_str(owner), db_u64(d->id), db_u64(d->epoch)));
    if (e == ERR_OK && d->state == JOB_QUEUED)
        e = take_locks(db, a, d->id, d->locks, &taken);
    e = db_end(db, e);
    if (e == ERR_EXISTS)
        return stand_back(db, a, d, taken);
    if (e == ERR_OK)
        d->epoch++;
    return e == ERR_NOT_FOUND ? ERR_BUSY : e;
}

enum err
job_store_kept(struct db *db, struct arena *a, uint64_t id,
               struct job_kept *out)
{
    return db_one(db, a, sql[KEPT], DB_ARGS(db_u64(id)), &job_kept_rec, out);
}

enum err
job_store_renew(struct db *db, uint64_t id, uint64_t epoch, bool *cancel)
{
    int64_t wanted = 0;
    enum err e;

    e = db_exec_one(db, sql[RENEW], DB_ARGS(db_u64(id), db_u64(epoch)));
    if (e == ERR_OK)
        e = db_one_i64(db, sql[CANCELLED], DB_ARGS(db_u64(id)), &wanted);
    *cancel = wanted != 0;
    return lost_if_absent(e);
}

enum err
job_store_hold(struct db *db, uint64_t id, uint64_t epoch)
{
    int64_t v;

    return lost_if_absent(
        db_one_i64(db, sql[HOLD], DB_ARGS(db_u64(id), db_u64(epoch)), &v));
}

/* The row itself; the state of a job that goes on keeps its owner. */
static enum err
write_job(struct db *db, const struct job_record *r, bool finished)
{
    bool goes_on = !finished && r->due_in_ms < 0;
    int64_t due_ms = goes_on ? JOB_LEASE_MS : r->due_in_ms;

    return db_exec_one(
        db, sql[RECORD],
        DB_ARGS(db_str(r->doing), db_str(r->progress), db_str(r->doing),
                db_str(r->progress),
                db_str(enum_text(job_state_names, (int)r->state)),
                db_u64(r->step), db_u64(r->tries), db_str(r->error),
                db_str(r->result), db_bool(!goes_on), db_bool(finished),
                db_i64(due_ms), db_bool(finished), db_u64(r->id),
                db_u64(r->epoch)));
}

static enum err
write_steps(struct db *db, const struct job_record *r)
{
    enum err e = ERR_OK;

    if (r->ended)
        e = db_exec(db, sql[STEP_END],
                    DB_ARGS(db_u64(r->id), db_u64(r->called), db_str(r->name),
                            db_str(r->outcome), db_str(r->text)));
    if (e == ERR_OK && r->begins)
        e = db_exec(db, sql[STEP_BEGIN],
                    DB_ARGS(db_u64(r->id), db_u64(r->next), db_str(r->doing)));
    return e;
}

/* What waited for this one may go on: jobs behind a lock, the parent. */
static enum err
let_others_go(struct db *db, const struct job_record *r)
{
    enum err e;

    e = db_exec(db, sql[UNLOCK], DB_ARGS(db_u64(r->id)));
    if (e == ERR_OK)
        e = db_exec(db, sql[WAKE_WAITING], DB_ARGS(db_u64(r->id)));
    if (e == ERR_OK && r->parent_id != 0)
        e = db_exec(db, sql[WAKE_PARENT], DB_ARGS(db_u64(r->parent_id)));
    return e;
}

enum err
job_store_record(struct db *db, const struct job_record *r)
{
    bool finished = r->state >= JOB_DONE;
    enum err e = db_begin(db);

    if (e != ERR_OK)
        return e;
    e = job_store_hold(db, r->id, r->epoch);
    if (e == ERR_OK)
        e = write_job(db, r, finished);
    if (e == ERR_OK)
        e = write_steps(db, r);
    if (e == ERR_OK && finished)
        e = let_others_go(db, r);
    return db_end(db, e);
}

enum err
job_store_progress(struct db *db, uint64_t id, uint64_t epoch, const char *text)
{
    return lost_if_absent(db_exec_one(
        db, sql[PROGRESS], DB_ARGS(db_str(text), db_u64(id), db_u64(epoch))));
}

enum err
job_store_step_ms(struct db *db, uint64_t id, unsigned step, int64_t *out)
{
    return db_one_i64(db, sql[STEP_MS], DB_ARGS(db_u64(id), db_u64(step)), out);
}

enum err
job_store_remember(struct db *db, uint64_t id, uint64_t epoch, const char *uid,
                   const char *json)
{
    return lost_if_absent(
        db_exec_one(db, sql[REMEMBER],
                    DB_ARGS(db_secret("job", uid, "memo", json), db_u64(id),
                            db_u64(epoch))));
}
