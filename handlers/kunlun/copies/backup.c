/* backup_cluster: all shards at once, each from a replica where it has one, and
 * the schema of a computing node; then the binlogs of all of them up to one
 * second, which is the copy's end. It is a copy when all of it was read again
 * and found whole. What has been made of one that fails are backups of single
 * shards: they stay, and go when they are old. */
#include <string.h>

#include "buf.h"
#include "clock.h"
#include "copies.h"
#include "kunlun/archive/archive.h"
#include "kunlun/life/build.h"
#include "kunlun/life/parts.h"
#include "kunlun/life/servers.h"
#include "kunlun/shard/shard.h"

#define PART_BACKUP "backup/"
#define PART_VERIFY "verify/"
#define BACKUP_MS   ((int64_t)3 * 3600 * 1000)
#define COVERED_MS  120000
#define TEXT_BYTES  ((size_t)4 << 20)

TABLE(copy_source, COPY_SOURCE);
TABLE(copy_memo, COPY_MEMO);
TABLE(copy_shard, COPY_SHARD);
TABLE(copy_life, COPY_LIFE);
TABLE(copy_doc, COPY_DOC);

static const char error[] = "backup cluster error";

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    return life_failed(run, error, e, run->job->doing, why);
}

/* ---- what is copied ---- */

const struct instance_spec *
copy_member_of(const struct kunlun_shard *sh)
{
    for (unsigned i = 0; i < sh->s.n; i++) {
        const struct fo_member *m = &sh->s.member[i];

        if (m->role == FO_IN && !m->broken && !m->leaving && m->evict == 0)
            return &sh->spec[i];
    }
    return &sh->spec[sh->s.primary];
}

static enum err
add_shards(struct job_run *run, const struct meta_cluster *c,
           struct copy_memo *memo)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    struct list_of_meta_shard all;
    enum err e =
        sh != NULL ? meta_shards(run->db, run->arena, c->id, &all) : ERR_NOMEM;
    struct copy_source *v;

    if (e != ERR_OK)
        return e;
    v = arena_array(run->arena, all.n + 2, sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < all.n; i++) {
        const struct instance_spec *s;

        e = kunlun_store_shard_find(run->db, run->arena, c->name, all.v[i].name,
                                    sh);
        if (e != ERR_OK)
            break;
        s = copy_member_of(sh);
        PUT(&v[i], copy_source, name, all.v[i].name);
        PUT(&v[i], copy_source, shard_id, all.v[i].id);
        PUT(&v[i], copy_source, nodes, all.v[i].num_nodes);
        PUT(&v[i], copy_source, machine, s->address);
        PUT(&v[i], copy_source, port, s->port);
    }
    PUT_LIST(memo, copy_memo, sources, all.n, v);
    return e;
}

/* They all have the same one. */
static enum err
add_computer(struct job_run *run, const struct meta_cluster *c,
             struct copy_memo *memo)
{
    struct list_of_instance_spec comps;
    enum err e = meta_computers(run->db, run->arena, c->name, &comps);
    struct copy_source *v = &memo->sources.v[memo->sources.n];

    PUT(memo, copy_memo, comps, (int32_t)comps.n);
    if (e != ERR_OK || comps.n == 0)
        return e;
    PUT(v, copy_source, name, comps.v[0].shard);
    PUT(v, copy_source, shard_id, 0);
    PUT(v, copy_source, nodes, 0);
    PUT(v, copy_source, machine, comps.v[0].address);
    PUT(v, copy_source, port, comps.v[0].port);
    memo->sources.n++;
    return ERR_OK;
}

/* In the caller's transaction. */
static enum err
plan(struct job_run *run, const struct meta_cluster *c,
     const struct copy_storage *storage)
{
    struct copy_memo memo = { 0 };
    enum err e;

    PUT(&memo, copy_memo, cluster_id, c->id);
    PUT(&memo, copy_memo, cluster, c->name);
    PUT(&memo, copy_memo, ha_mode, c->ha_mode);
    PUT(&memo, copy_memo, memo, HAS(c, meta_cluster, memo) ? c->memo : "{}");
    PUT(&memo, copy_memo, storage_id, storage->id);
    PUT(&memo, copy_memo, storage, storage->conn);
    e = add_shards(run, c, &memo);
    if (e == ERR_OK)
        e = add_computer(run, c, &memo);
    for (size_t i = 0; e == ERR_OK && i < memo.sources.n; i++) {
        const struct copy_log l = { run->job->id, storage->id, c->id,
                                    memo.sources.v[i].shard_id, false };

        if (l.shard != 0)
            e = copy_store_log(run->db, &l);
    }
    if (e == ERR_OK)
        e = job_remember_record(run, &copy_memo_rec, &memo);
    return e;
}

static enum step_answer
choose(struct job_run *run)
{
    struct copy_storage storage;
    struct cluster_want want;
    struct meta_cluster c;
    char why[WHY_BYTES] = "";
    enum err e;

    if (run->memo != NULL)
        return STEP_DONE;
    if (!cluster_wants(run, &want))
        return STEP_FAILED;
    e = life_find_cluster(run->db, run->arena, &want, &c, why);
    if (e == ERR_NOT_FOUND) {
        job_fails(run, SAYS_NO_BACKUP_CLUSTER);
        return STEP_FAILED;
    }
    if (e == ERR_OK)
        e = copy_store_storage(run->db, run->arena, &storage);
    if (e == ERR_NOT_FOUND) {
        job_fails(run, "get_backup_storage error");
        return STEP_FAILED;
    }
    if (e != ERR_OK)
        return failed(run, e, NULL);
    e = job_begin(run);
    if (e == ERR_OK)
        e = plan(run, &c, &storage);
    e = db_end(run->db, e);
    return e == ERR_OK ? STEP_DONE : failed(run, e, NULL);
}

static enum step_answer
unchoose(struct job_run *run)
{
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = copy_store_log_end(run->db, run->job->id, false);
    e = db_end(run->db, e);
    return e == ERR_OK ? STEP_DONE : failed(run, e, NULL);
}

/* ---- backups ---- */

static enum step_answer
back_up(struct job_run *run)
{
    struct copy_memo memo;
    enum err e = job_recall_record(run, &copy_memo_rec, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    for (size_t i = 0; e == ERR_OK && i < memo.sources.n; i++) {
        const struct copy_source *s = &memo.sources.v[i];
        const struct part_copy p = { .ip = s->machine,
                                     .port = s->port,
                                     .cluster_name = memo.cluster,
                                     .shard_name = s->name,
                                     .storage = memo.storage };

        e = part_backup(run, PART_BACKUP, &p);
    }
    return life_await(run, error, e, PART_BACKUP, BACKUP_MS);
}

static enum step_answer
stop_backups(struct job_run *run)
{
    return parts_stop(run, PART_BACKUP);
}

/* The backup that a source's part has made. */
static enum err
backup_of(struct job_run *run, const struct list_of_job *parts,
          const struct copy_source *s, struct archive_backup *out)
{
    for (size_t i = 0; i < parts->n; i++) {
        const struct instance_spec at = { .address = s->machine,
                                          .port = s->port };

        if (strcmp(parts->v[i].machine, s->machine) == 0 &&
            life_is_of(&parts->v[i], &at))
            return archive_backup_of(run->db, run->arena, parts->v[i].id, out);
    }
    return ERR_NOT_FOUND;
}

static enum err
backups(struct job_run *run, const struct copy_memo *memo,
        struct archive_backup **out)
{
    struct list_of_job parts;
    enum err e = job_parts(run, PART_BACKUP, &parts);

    *out = arena_array(run->arena, memo->sources.n + 1, sizeof(**out));
    if (e == ERR_OK && *out == NULL)
        e = ERR_NOMEM;
    for (size_t i = 0; e == ERR_OK && i < memo->sources.n; i++)
        e = backup_of(run, &parts, &memo->sources.v[i], &(*out)[i]);
    return e;
}

/* A whole second that none of them has ended behind. */
static int64_t
end_of(const struct archive_backup *b, size_t n)
{
    int64_t ended_ms = 0;

    for (size_t i = 0; i < n; i++)
        if (b[i].ended_ms > ended_ms)
            ended_ms = b[i].ended_ms;
    return (ended_ms + 999) / 1000 * 1000;
}

/* ---- the binlogs up to its end ---- */

enum err
copy_await_covered(struct job_run *run, const struct archive_backup *b,
                   int64_t until_ms, bool *covered, char why[WHY_BYTES])
{
    char until[CLOCK_TEXT], end[CLOCK_TEXT];
    struct archive a;
    enum err e = archive_get(run->db, run->arena, b->archive_id, &a);

    *covered = e == ERR_OK && a.covered_ms >= until_ms;
    if (e != ERR_OK || *covered)
        return e;
    (void)clock_text(until_ms / 1000, until);
    (void)clock_text(a.covered_ms / 1000, end);
    why_say(why, "%s of %s is not covered: the binlogs that are kept end at %s",
            until, b->shard, a.covered_ms > 0 ? end : "the backup");
    if (!HAS(&a, archive, open) || a.members == 0 ||
        job_step_ms(run) > COVERED_MS)
        return ERR_STATE;
    e = job_begin(run);
    if (e == ERR_OK)
        e = archive_want(run->db, b->archive_id, until_ms);
    return db_end(run->db, e);
}

enum step_answer
copy_covered(struct job_run *run, bool all, const char *why)
{
    if (all)
        return STEP_DONE;
    job_waits(run, 300, "waits for the binlogs: %s", why);
    return STEP_AGAIN;
}

static enum step_answer
keep(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct archive_backup *b;
    struct copy_memo memo;
    bool all = true, covered;
    enum err e = job_recall_record(run, &copy_memo_rec, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    e = backups(run, &memo, &b);
    for (size_t i = 0; e == ERR_OK && i < memo.sources.n; i++) {
        if (memo.sources.v[i].shard_id == 0)
            continue;
        if (!HAS(&b[i], archive_backup, archive_id)) {
            e = why_fail(why, ERR_STATE, "no binlogs of %s are kept",
                         b[i].shard);
            break;
        }
        e = copy_await_covered(run, &b[i], end_of(b, memo.sources.n), &covered,
                               why);
        all = all && covered;
    }
    return e == ERR_OK ? copy_covered(run, all, why) : failed(run, e, why);
}

/* ---- it is read again ---- */

static enum step_answer
verify(struct job_run *run)
{
    struct archive_backup *b;
    struct copy_memo memo;
    enum err e = job_recall_record(run, &copy_memo_rec, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    e = backups(run, &memo, &b);
    for (size_t i = 0; e == ERR_OK && i < memo.sources.n; i++)
        e = part_verify(run, PART_VERIFY, &b[i], memo.sources.v[i].port);
    return life_await(run, error, e, PART_VERIFY, BACKUP_MS);
}

static enum step_answer
stop_verify(struct job_run *run)
{
    return parts_stop(run, PART_VERIFY);
}

/* ---- rows ---- */

static enum err
make_doc(struct job_run *run, const struct copy_memo *memo,
         const struct archive_backup *b, struct copy_new *out)
{
    struct copy_shard *v =
        arena_array(run->arena, memo->sources.n + 1, sizeof(*v));
    struct copy_doc doc = { 0 };
    struct buf names = BUF_INIT(TEXT_BYTES);
    size_t n = 0;
    enum err e;

    if (v == NULL)
        return ERR_NOMEM;
    PUT(&doc, copy_doc, ha_mode, memo->ha_mode);
    PUT(&doc, copy_doc, memo, memo->memo);
    PUT(&doc, copy_doc, comps, memo->comps);
    out->begun_ms = INT64_MAX;
    for (size_t i = 0; i < memo->sources.n; i++) {
        if (b[i].begun_ms < out->begun_ms)
            out->begun_ms = b[i].begun_ms;
        if (memo->sources.v[i].shard_id == 0) {
            PUT(&doc, copy_doc, schema_path, b[i].path);
            out->schema = true;
            continue;
        }
        buf_printf(&names, "%s%s", n > 0 ? ";" : "", memo->sources.v[i].name);
        PUT(&v[n], copy_shard, name, memo->sources.v[i].name);
        PUT(&v[n], copy_shard, nodes, memo->sources.v[i].nodes);
        PUT(&v[n], copy_shard, path, b[i].path);
        PUT(&v[n], copy_shard, gtid, b[i].gtid);
        n++;
    }
    PUT_LIST(&doc, copy_doc, shards, n, v);
    e = buf_settle(&names, run->arena, &out->names);
    return e == ERR_OK ? record_text(run->arena, &json_compact, &copy_doc_rec,
                                     &doc, SECRETS_FULL, TEXT_BYTES, &out->doc)
                       : e;
}

/* In the caller's transaction. */
static enum err
write_rows(struct job_run *run, const struct copy_memo *memo,
           const struct archive_backup *b, const struct copy_new *c)
{
    enum err e = copy_store_add(run->db, c);

    for (size_t i = 0; e == ERR_OK && i < memo->sources.n; i++) {
        const struct copy_log l = { c->job, c->storage_id, c->cluster_id,
                                    memo->sources.v[i].shard_id, false };

        if (l.shard != 0)
            e = copy_store_log_path(run->db, &l,
                                    arena_printf(run->arena, "/%s", b[i].path));
    }
    return e == ERR_OK ? copy_store_log_end(run->db, c->job, true) : e;
}

static enum step_answer
finish(struct job_run *run)
{
    struct copy_new c = { .job = run->job->id };
    struct archive_backup *b;
    char ended[CLOCK_TEXT];
    struct copy_memo memo;
    enum err e = job_recall_record(run, &copy_memo_rec, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    e = backups(run, &memo, &b);
    if (e == ERR_OK)
        e = make_doc(run, &memo, b, &c);
    if (e != ERR_OK)
        return failed(run, e, NULL);
    c.cluster = memo.cluster;
    c.cluster_id = memo.cluster_id;
    c.storage_id = memo.storage_id;
    c.addr = memo.storage;
    c.ended_ms = end_of(b, memo.sources.n);
    e = job_begin(run);
    if (e == ERR_OK)
        e = write_rows(run, &memo, b, &c);
    e = db_end(run->db, e);
    if (e != ERR_OK && e != ERR_EXISTS) /* it is there: of a call before */
        return failed(run, e, NULL);
    return cluster_done(run, clock_text(c.ended_ms / 1000, ended));
}

static const struct job_step steps[] = {
    { "choose the nodes", choose, unchoose },
    { "back the shards up", back_up, stop_backups },
    { "keep the binlogs", keep, NULL },
    { "read the backups", verify, stop_verify },
    { "write the rows", finish, NULL },
};

CLUSTER_JOB(backup_cluster, steps, COUNT(steps), .of = NULL);
