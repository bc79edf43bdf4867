/* Parts of jobs, on machines. */
#include "parts.h"

#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "buf.h"
#include "kunlun/archive/archive.h"
#include "kunlun/archive/target.h"
#include "kunlun/kunlun.h"
#include "kunlun/node_mgr/jobs.h"
#include "kunlun/survey.h"

#define SILENT_MS  9000
#define AWAIT_MS   1000 /* a part that ends wakes its parent */
#define LEFT_BYTES 1500

/* ---- what machines are told ---- */

#define PART_AT(X, s)               \
    X(s, STR, ip, "ip", OUT, -)     \
    X(s, I32, port, "port", OUT, -) \
    X(s, STR, uuid, "uuid", OUT, -) \
    X(s, STR, name, "name", OUT, -)
STRUCT(part_at, PART_AT);
TABLE(part_at, PART_AT);

#define PART_NEW(X, s)                              \
    X(s, STR, cluster_name, "cluster_name", OUT, -) \
    X(s, STR, shard_name, "shard_name", OUT, -)     \
    X(s, LIST, nodes, "nodes", OUT, part_at)        \
    X(s, OBJ, spec, "spec", OUT, instance_spec)
STRUCT(part_new, PART_NEW);
TABLE(part_new, PART_NEW);

static enum err
make(struct job_run *run, const char *prefix, const char *machine, int32_t port,
     struct job_new *n)
{
    char at[ADDRESS_BYTES];
    const char *part =
        port != 0 ? arena_printf(run->arena, "%s%s", prefix,
                                 address_print(machine, port, at, sizeof(at)))
                  : arena_printf(run->arena, "%s%s", prefix, machine);
    uint64_t id;

    n->machine = machine;
    if (port != 0 &&
        (n->locks = kunlun_port_lock(run->arena, machine, port)) == NULL)
        return ERR_NOMEM;
    return part != NULL ? job_part(run, part, n, &id) : ERR_NOMEM;
}

enum err
part_ask(struct job_run *run, const char *machine, const char *question)
{
    struct job_new n = { .kind = &kunlun_survey_kind,
                         .args = question,
                         .shown = question };

    return make(run, PART_ASK, machine, 0, &n);
}

enum err
part_install(struct job_run *run, const struct instance_spec *s)
{
    bool storage = s->kind == INSTANCE_STORAGE;
    struct job_new n = { .kind = storage ? &node_install_storage_kind
                                         : &node_install_computer_kind };
    struct part_new in = { 0 };
    struct part_at at = { 0 };
    enum err e;

    PUT(&at, part_at, ip, s->address);
    PUT(&at, part_at, port, s->port);
    PUT(&at, part_at, name, s->shard);
    PUT(&in, part_new, cluster_name, s->cluster);
    PUT(&in, part_new, shard_name, s->shard);
    PUT_LIST(&in, part_new, nodes, 1, &at);
    e = job_new_args(run->arena, &n, &part_new_rec, &in);
    in.spec = arena_alloc(run->arena, sizeof(*in.spec));
    if (e != ERR_OK || in.spec == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    *in.spec = *s;
    SET(&in, part_new, spec);
    e = record_text(run->arena, &json_compact, &part_new_rec, &in, SECRETS_FULL,
                    JOB_TEXT_MAX, &n.args); /* the spec is not shown */
    return e == ERR_OK ? make(run, PART_INSTALL, s->address, s->port, &n) : e;
}

enum err
part_remove(struct job_run *run, const char *machine, int32_t port,
            const char *uuid, bool storage)
{
    struct job_new n = { .kind = storage ? &node_delete_storage_kind
                                         : &node_delete_computer_kind };
    struct part_at at = { 0 };
    enum err e;

    PUT(&at, part_at, ip, machine);
    PUT(&at, part_at, port, port);
    PUT(&at, part_at, uuid, uuid);
    e = job_new_args(run->arena, &n, &part_at_rec, &at);
    return e == ERR_OK ? make(run, PART_REMOVE, machine, port, &n) : e;
}

/* ---- copies ---- */

#define PART_COPY(X, s)                             \
    X(s, STR, ip, "ip", OUT, -)                     \
    X(s, I32, port, "port", OUT, -)                 \
    X(s, STR, cluster_name, "cluster_name", OUT, -) \
    X(s, STR, shard_name, "shard_name", OUT, -)     \
    X(s, STR, storage, "backup_storage", OUT, -)    \
    X(s, BOOL, copy, "copy", OUT, -)                \
    X(s, I64, until_ms, "until_ms", OUT, -)         \
    X(s, U64, backup_job, "backup_job", OUT, -)
STRUCT(part_copy_args, PART_COPY);
TABLE(part_copy_args, PART_COPY);

static enum err
make_copy(struct job_run *run, const char *prefix, const struct job_kind *kind,
          const struct part_copy *c)
{
    struct job_new n = { .kind = kind };
    struct part_copy_args in = { 0 };
    enum err e;

    PUT(&in, part_copy_args, ip, c->ip);
    PUT(&in, part_copy_args, port, c->port);
    PUT(&in, part_copy_args, cluster_name, c->cluster_name);
    if (c->shard_name != NULL)
        PUT(&in, part_copy_args, shard_name, c->shard_name);
    if (!str_empty(c->storage))
        PUT(&in, part_copy_args, storage, c->storage);
    if (c->copy)
        PUT(&in, part_copy_args, copy, true);
    if (c->until_ms != 0)
        PUT(&in, part_copy_args, until_ms, c->until_ms);
    if (c->backup_job != 0)
        PUT(&in, part_copy_args, backup_job, c->backup_job);
    e = job_new_args(run->arena, &n, &part_copy_args_rec, &in);
    return e == ERR_OK ? make(run, prefix, c->ip, c->port, &n) : e;
}

enum err
part_backup(struct job_run *run, const char *prefix, const struct part_copy *c)
{
    return make_copy(run, prefix, &node_backup_shard_kind, c);
}

enum err
part_restore(struct job_run *run, const char *prefix, bool storage,
             const struct part_copy *c)
{
    return make_copy(
        run, prefix,
        storage ? &node_restore_storage_kind : &node_restore_computer_kind, c);
}

enum err
part_drop(struct job_run *run, const char *prefix,
          const struct archive_backup *b)
{
    struct job_new n = { .kind = &node_backup_drop_kind,
                         .machine = b->machine,
                         .locks = TARGET_INDEX_LOCK };
    const char *part = arena_printf(run->arena, "%s%s:%" PRIu64, prefix,
                                    b->machine, b->job_id);
    struct node_drop in = { 0 };
    uint64_t id;
    enum err e;

    PUT(&in, node_drop, backup_job, b->job_id);
    e = job_new_args(run->arena, &n, &node_drop_rec, &in);
    if (e != ERR_OK || part == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    return job_part(run, part, &n, &id);
}

enum err
part_verify(struct job_run *run, const char *prefix,
            const struct archive_backup *b, int32_t port)
{
    struct job_new n = { .kind = &node_backup_verify_kind };
    struct node_verify in = { 0 };
    enum err e;

    PUT(&in, node_verify, target, b->target);
    PUT(&in, node_verify, path, b->path);
    PUT(&in, node_verify, sha256, b->sha256);
    e = job_new_args(run->arena, &n, &node_verify_rec, &in);
    return e == ERR_OK ? make(run, prefix, b->machine, port, &n) : e;
}

/* ---- waiting for them ---- */

static bool
is_over(const struct job *j)
{
    return j->state >= JOB_DONE;
}

/* Its machine performs something else, and comes to it. */
static bool
machine_works(const struct list_of_job *all, const char *machine)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct job *j = &all->v[i];

        if (!is_over(j) && j->state != JOB_QUEUED && j->idle_ms == 0 &&
            strcmp(j->machine, machine) == 0)
            return true;
    }
    return false;
}

bool
part_is_silent(const struct list_of_job *all, const struct job *part)
{
    return !is_over(part) && part->idle_ms > SILENT_MS &&
           !machine_works(all, part->machine);
}

const char *
part_place(const struct job *part)
{
    const char *slash = strchr(part->part, '/');

    return slash != NULL ? slash + 1 : part->part;
}

static bool
has_failed(const struct list_of_job *all, const struct job *j, int64_t limit_ms,
           char why[WHY_BYTES])
{
    if (j->state == JOB_FAILED || j->state == JOB_CANCELLED) {
        why_say(why, "%s: %s", part_place(j),
                j->error != NULL ? j->error : "cancelled");
        return true;
    }
    if (part_is_silent(all, j)) {
        why_say(why, "%s: %s does not answer", part_place(j), j->machine);
        return true;
    }
    if (!is_over(j) && j->age_ms > limit_ms) {
        why_say(why, "%s: %s takes longer than %" PRId64 " s", part_place(j),
                j->doing, limit_ms / 1000);
        return true;
    }
    return false;
}

enum step_answer
parts_await(struct job_run *run, const char *prefix, int64_t limit_ms,
            char why[WHY_BYTES])
{
    const struct job *next = NULL;
    struct list_of_job all;
    size_t done = 0;
    enum err e = job_parts(run, prefix, &all);

    if (e != ERR_OK)
        return job_waits_for_store(run, AWAIT_MS, e);
    for (size_t i = 0; i < all.n; i++) {
        const struct job *j = &all.v[i];

        if (has_failed(&all, j, limit_ms, why))
            return STEP_FAILED;
        if (is_over(j))
            done++;
        else if (next == NULL || j->state != JOB_QUEUED)
            next = j;
    }
    if (next == NULL)
        return STEP_DONE;
    job_waits(run, AWAIT_MS, "%zu of %zu done; %s %s: %s", done, all.n,
              part_place(next), next->doing,
              !str_empty(next->progress) ? next->progress : "under way");
    return STEP_AGAIN;
}

enum step_answer
parts_stop(struct job_run *run, const char *prefix)
{
    const struct job *next = NULL;
    struct list_of_job all;
    enum err e = job_parts(run, prefix, &all);

    for (size_t i = 0; e == ERR_OK && i < all.n; i++) {
        const struct job *j = &all.v[i];

        if (is_over(j))
            continue;
        if (!j->cancel)
            e = job_cancel(run->db, j->id);
        if (e == ERR_STATE)
            e = ERR_OK; /* it has just ended */
        if (!part_is_silent(&all, j))
            next = j;
    }
    if (e != ERR_OK)
        return job_waits_for_store(run, AWAIT_MS, e);
    if (next == NULL)
        return STEP_DONE;
    job_wakes(run);
    job_waits(run, AWAIT_MS / 4, "%s: %s %s", part_place(next), next->doing,
              next->progress);
    return STEP_AGAIN;
}

enum step_answer
parts_gone(struct job_run *run, const char *prefix, int64_t limit_ms,
           const char **left)
{
    const struct job *next = NULL;
    struct list_of_job all;
    struct buf b = BUF_INIT(LEFT_BYTES);
    size_t done = 0;
    enum err e = job_parts(run, prefix, &all);

    if (e != ERR_OK)
        return job_waits_for_store(run, AWAIT_MS, e);
    for (size_t i = 0; i < all.n; i++) {
        char why[WHY_BYTES];

        if (has_failed(&all, &all.v[i], limit_ms, why))
            buf_printf(&b, "%s%.300s", b.n > 0 ? "; " : "", why);
        else if (!is_over(&all.v[i]))
            next = &all.v[i];
        else
            done++;
    }
    e = buf_settle(&b, run->arena, left);
    if (e != ERR_OK)
        *left = "too many to be named";
    if (next == NULL)
        return STEP_DONE;
    job_waits(run, AWAIT_MS, "%zu of %zu done; %s %s", done, all.n,
              part_place(next), next->doing);
    return STEP_AGAIN;
}
