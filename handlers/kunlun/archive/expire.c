/* Backups and binlogs that nobody needs any more. */
#include "archive.h"

#include "blob.h"
#include "clock.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "log.h"

#define AT_ONCE 100
#define DAY_MS  ((int64_t)86400 * 1000)

/* False: they are kept for ever. */
static bool
limit(int64_t *before_ms)
{
    int64_t days = node_mgr_settings()->backup_keep_days;

    *before_ms = clock_unix_ms() - days * DAY_MS;
    return days > 0;
}

/* The file, its line, its row: in this order, so that what is named is there.
 */
static enum err
drop_backup(struct job_run *run, const struct archive_backup *b,
            char why[WHY_BYTES])
{
    const struct target_user u = target_of(run);
    const char *line = arena_printf(run->arena, "/%s", b->path);
    struct blob_store *at;
    enum err e =
        line != NULL ? target_again(&u, b->target, &at, why) : ERR_NOMEM;

    if (e == ERR_OK)
        e = blob_drop_line(at, run->arena, TARGET_INDEX, line, why);
    if (e == ERR_OK)
        e = blob_drop(at, b->path, why);
    return e == ERR_OK ? archive_backup_drop(run->db, b->id) : e;
}

static enum err
drop_piece(struct job_run *run, const struct archive_piece *p,
           char why[WHY_BYTES])
{
    const struct target_user u = target_of(run);
    struct blob_store *at;
    enum err e = target_again(&u, p->target, &at, why);

    if (e == ERR_OK)
        e = blob_drop(at, p->path, why);
    return e == ERR_OK ? archive_piece_drop(run->db, p->archive_id, p->n) : e;
}

/* Some of it. */
static enum err
expire(struct job_run *run, bool *more, char why[WHY_BYTES])
{
    const char *machine = ((struct machine *)run->ctx)->address;
    struct list_of_archive_backup backups = { 0 };
    struct list_of_archive_piece pieces = { 0 };
    int64_t before_ms;
    enum err e;

    *more = false;
    if (!limit(&before_ms))
        return ERR_OK;
    e = archive_old_backups(run->db, run->arena, machine, before_ms, AT_ONCE,
                            &backups);
    for (size_t i = 0; e == ERR_OK && i < backups.n && job_go_on(run); i++) {
        e = drop_backup(run, &backups.v[i], why);
        if (e == ERR_OK)
            log_info("backup.expired path=%s", backups.v[i].path);
    }
    if (e == ERR_OK)
        e = archive_old_pieces(run->db, run->arena, machine, before_ms, AT_ONCE,
                               &pieces);
    for (size_t i = 0; e == ERR_OK && i < pieces.n && job_go_on(run); i++)
        e = drop_piece(run, &pieces.v[i], why);
    *more = backups.n == AT_ONCE || pieces.n == AT_ONCE;
    return e == ERR_OK ? archive_drop_empty(run->db, before_ms) : e;
}

enum step_answer
archive_expire_step(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    bool more;
    enum err e = expire(run, &more, why);

    if (job_store_failed(e, why))
        return node_failed(run, e, "backup expire error", why);
    if (e != ERR_OK)
        log_warn("backup.not_expired err=%s why=\"%s\"", err_name(e), why);
    if (e != ERR_OK || !more)
        return STEP_DONE;
    job_waits(run, 100, "there is more");
    return STEP_AGAIN;
}

static const struct job_step steps[] = { { "backup expire", archive_expire_step,
                                           NULL } };

NODE_JOB(node_backup_expire_kind, backup_expire, steps, .forward_only = true);

/* ---- what was made for one job alone ---- */

TABLE(node_drop, NODE_DROP);

static enum step_answer
drop_one(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct archive_backup b;
    struct node_drop in;
    enum err e;

    if (!node_args(run, &node_drop_rec, &in))
        return STEP_FAILED;
    e = archive_backup_of(run->db, run->arena, in.backup_job, &b);
    if (e == ERR_OK)
        e = drop_backup(run, &b, why);
    return e == ERR_OK || e == ERR_NOT_FOUND
               ? STEP_DONE
               : node_failed(run, e, "backup drop error", why);
}

static const struct job_step drop_steps[] = { { "backup drop", drop_one,
                                                NULL } };

const struct job_kind node_backup_drop_kind = {
    .name = "node_mgr.backup_drop",
    .queue = MACHINE_QUEUE,
    .steps = drop_steps,
    .n = COUNT(drop_steps),
    .forward_only = true,
};

enum err
archive_expire(struct db *db, struct arena *a, const char *machine)
{
    struct job_new n = { .kind = &node_backup_expire_kind,
                         .machine = machine,
                         .args = "{}",
                         .shown = "{}",
                         .locks = TARGET_INDEX_LOCK,
                         .lock_now = true };
    struct list_of_archive_backup backups = { 0 };
    struct list_of_archive_piece pieces = { 0 };
    int64_t before_ms;
    uint64_t id;
    enum err e;

    if (!limit(&before_ms))
        return ERR_OK;
    e = archive_old_backups(db, a, machine, before_ms, 1, &backups);
    if (e == ERR_OK && backups.n == 0)
        e = archive_old_pieces(db, a, machine, before_ms, 1, &pieces);
    if (e != ERR_OK || backups.n + pieces.n == 0)
        return e;
    e = db_begin(db);
    if (e == ERR_OK)
        e = job_accept(db, a, &n, &id);
    e = db_end(db, e);
    return e == ERR_EXISTS ? ERR_OK : e; /* of another job: later */
}
