/* restore_computer: the schema of a cluster's computing nodes, made in a new
 * one. And backups that are read again after they were made. */
#include <string.h>

#include "archive.h"
#include "backup.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "log.h"

TABLE(node_verify, NODE_VERIFY);

/* What another part of our parent has made, or the newest before a moment. */
static enum err
find_backup(struct job_run *run, const struct node_restore *in,
            struct archive_backup *out, char why[WHY_BYTES])
{
    struct blob_store *from;
    const char *target = NULL;
    int64_t until_ms = INT64_MAX;
    enum err e = ERR_OK;

    if (restore_is_copy(run, in)) {
        e = archive_backup_of(run->db, run->arena, in->backup_job, out);
    } else {
        if (HAS(in, node_restore, until_ms) || HAS(in, node_restore, timestamp))
            e = restore_moment(in, &until_ms, why);
        if (e == ERR_OK && HAS(in, node_restore, backup_storage))
            e = node_target(run, in->backup_storage, &from, &target, why);
        if (e == ERR_OK)
            e = archive_backup_find(run->db, run->arena, INSTANCE_COMPUTER,
                                    in->cluster_name, NULL, target, until_ms,
                                    out);
    }
    return e == ERR_NOT_FOUND ? why_fail(why, e, "there is no such backup") : e;
}

static enum step_answer
restore(struct job_run *run)
{
    static const char error[] = "restore computer error";
    static const char *const at[] = { "ip", "port", NULL };
    static const char *const rest[] = { "cluster_name", NULL };
    const struct instance_watch w = node_watch(run);
    const struct target_user u = target_of(run);
    struct archive_backup b;
    char why[WHY_BYTES] = "";
    struct instance_spec spec;
    struct node_restore in;
    struct blob_store *from;
    enum err e;

    if (!node_args(run, &node_restore_rec, &in) ||
        !node_wants(run, &node_restore_rec, &in, at) ||
        !node_is_ours(run, in.ip) ||
        !node_wants(run, &node_restore_rec, &in, rest) ||
        !node_instance(run, in.ip, in.port, INSTANCE_COMPUTER, &spec))
        return STEP_FAILED;
    e = find_backup(run, &in, &b, why);
    if (e == ERR_OK)
        e = target_again(&u, b.target, &from, why);
    if (e == ERR_OK)
        e = instance_load_schema(run->arena, &spec, from, b.path, &w, why);
    return e == ERR_OK ? node_done(run, "restore computer succeed")
                       : node_broken_off(run, e, error, why);
}

static const struct job_step restore_steps[] = {
    { "restore computer working", restore, NULL },
};
/* In one transaction. */
NODE_JOB(node_restore_computer_kind, restore_computer, restore_steps,
         .forward_only = true);

/* ---- read again ---- */

static void
forget(struct job_run *run, const struct node_verify *in)
{
    struct archive_backup b;

    if (archive_backup_at(run->db, run->arena, in->target, in->path, &b) !=
            ERR_OK ||
        archive_backup_drop(run->db, b.id) != ERR_OK)
        log_warn("backup.damaged path=%s", in->path);
}

static enum step_answer
verify(struct job_run *run)
{
    const struct instance_watch w = node_watch(run);
    const struct target_user u = target_of(run);
    char why[WHY_BYTES] = "";
    struct instance_backup b;
    struct blob_store *from;
    struct node_verify in;
    enum err e;

    if (!node_args(run, &node_verify_rec, &in))
        return STEP_FAILED;
    e = target_again(&u, in.target, &from, why);
    if (e == ERR_OK)
        e = instance_backup_check(run->arena, from, in.path, &w, &b, why);
    if (e == ERR_OK && strcmp(b.sha256, in.sha256) != 0)
        e = why_fail(why, ERR_BAD_PARAM, "%s is not what was written", in.path);
    if (e == ERR_BAD_PARAM) /* no restore takes it */
        forget(run, &in);
    return node_broken_off(run, e, "backup verify error", why);
}

static const struct job_step verify_steps[] = {
    { "backup verify", verify, NULL },
};
NODE_JOB(node_backup_verify_kind, backup_verify, verify_steps,
         .forward_only = true);
