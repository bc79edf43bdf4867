/* restore_new_cluster: a cluster like the one that a copy is of, each of whose
 * storage nodes gets its shard's backup and what is behind it up to one moment,
 * the same for all, before any of them leads. The computing nodes get the
 * schema, and then the new shards in the place of the old ones. */
#include <string.h>

#include "clock.h"
#include "copies.h"
#include "kunlun/archive/archive.h"
#include "kunlun/core/names.h"
#include "kunlun/life/build.h"
#include "kunlun/life/parts.h"
#include "kunlun/life/servers.h"

#define PART_RESTORE "restore/"
#define PART_SCHEMA  "schema/"
#define RESTORE_MS   ((int64_t)3 * 3600 * 1000)
#define SCHEMA_MS    ((int64_t)1800 * 1000)
#define ROUNDED_MS   1000

static const char error[] = "restore new cluster error";

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    return life_failed(run, error, e, run->job->doing, why);
}

/* ---- what is asked for ---- */

struct source {
    const char *cluster;
    int64_t until_ms;
    struct copy_doc doc;
};

/* One that is deleted is known by its copies. */
static enum err
name_of(struct db *db, struct arena *a, const struct cluster_want *want,
        const char **out, char why[WHY_BYTES])
{
    struct meta_cluster c;
    bool known = false;
    enum err e = life_find_cluster(db, a, want, &c, why);

    *out = e == ERR_OK ? c.name : NULL;
    if (e != ERR_NOT_FOUND)
        return e;
    why_say(why, "%s", "");
    *out = HAS(want, cluster_want, cluster_name) ? want->cluster_name : NULL;
    e = *out != NULL ? copy_store_known(db, *out, &known) : ERR_OK;
    if (e == ERR_OK && !known)
        e = why_fail(why, ERR_NOT_FOUND, SAYS_NO_BACKUP_CLUSTER);
    return e;
}

static bool
is_copied(const struct source *s, const char *shard)
{
    for (size_t i = 0; i < s->doc.shards.n; i++)
        if (strcmp(s->doc.shards.v[i].name, shard) == 0)
            return true;
    return false;
}

/* Whether the copy has that shard if, and only if, it was there at the moment:
 * its number may have been another one's before. STATE: it is not so. */
static enum err
fits(const struct source *s, int64_t copied_ms, const struct copy_life *l,
     char why[WHY_BYTES])
{
    bool gone = l->gone_ms != 0 && l->gone_ms <= s->until_ms;
    bool copied = l->came_ms <= copied_ms && is_copied(s, l->name);
    char came[CLOCK_TEXT], went[CLOCK_TEXT], until[CLOCK_TEXT];

    if (l->came_ms > s->until_ms || copied != gone)
        return ERR_OK;
    (void)clock_text(l->came_ms / 1000, came);
    (void)clock_text(l->gone_ms / 1000, went);
    (void)clock_text(s->until_ms / 1000, until);
    if (gone)
        return why_fail(why, ERR_STATE,
                        "%s was deleted at %s, and the newest backup before %s"
                        " has it: choose a time before it was deleted, or one"
                        " after a later backup",
                        l->name, went, until);
    return why_fail(why, ERR_STATE,
                    "%s was added at %s, and no backup before %s has it: back"
                    " up the cluster first and choose a time after that, or"
                    " choose a time before it was added",
                    l->name, came, until);
}

/* Of all shards that its cluster has had since. */
static enum err
check_shards(struct db *db, struct arena *a, const struct source *s,
             int64_t copied_ms, char why[WHY_BYTES])
{
    struct list_of_copy_life now = { 0 };
    enum err e = copy_store_lives(db, a, s->cluster, &now);

    for (size_t i = 0; e == ERR_OK && i < now.n; i++)
        e = fits(s, copied_ms, &now.v[i], why);
    for (size_t i = 0; e == ERR_OK && i < s->doc.past.n; i++)
        e = fits(s, copied_ms, &s->doc.past.v[i], why);
    return e;
}

/* now_ms: a moment to come is that one. */
static enum err
find_source(struct db *db, struct arena *a, const struct cluster_want *want,
            int64_t now_ms, struct source *out, char why[WHY_BYTES])
{
    struct copy_found copy;
    enum err e;

    if (!target_moment(want->timestamp, &out->until_ms))
        return why_fail(why, ERR_BAD_PARAM, "get timestamp error");
    if (out->until_ms > now_ms)
        out->until_ms = now_ms;
    e = name_of(db, a, want, &out->cluster, why);
    if (e == ERR_OK)
        e = life_check_nick(db, a, want, why);
    if (e != ERR_OK)
        return e;
    e = copy_store_find(db, a, out->cluster, out->until_ms, &copy);
    if (e == ERR_NOT_FOUND)
        return why_fail(why, e, "get_backup_info_from_metadata error");
    if (e == ERR_OK)
        e = record_read(a, &copy_doc_rec, copy.doc, strlen(copy.doc), 0,
                        &out->doc);
    return e == ERR_OK ? check_shards(db, a, out, copy.ended_ms, why) : e;
}

/* The shards keep their names, since tables of the computing nodes have them:
 * a wish for each run of them without a gap. */
static enum err
wish(struct db *db, struct arena *a, struct life_order *o,
     const struct source *s, char why[WHY_BYTES])
{
    struct meta_cluster c = { 0 };
    struct life_size size;
    const char *name;
    struct life_wish *w = NULL;
    enum err e;

    PUT(&c, meta_cluster, memo, s->doc.memo);
    e = life_size_before(a, &c, &size);
    if (e == ERR_OK)
        e = life_name_it(db, a, &name);
    if (e != ERR_OK)
        return e;
    o->n = 0;
    for (size_t i = 0; i < s->doc.shards.n; i++) {
        const struct copy_shard *sh = &s->doc.shards.v[i];
        unsigned n = names_number("shard", sh->name);

        if (w != NULL && n == w->first_shard + w->shards &&
            (unsigned)sh->nodes == w->nodes) {
            w->shards++;
            continue;
        }
        if (n == 0 || o->n + 1 >= LIFE_WISHES)
            return why_fail(why, ERR_LIMIT, "its shards have too many gaps");
        w = &o->wish[o->n++];
        *w = (struct life_wish){ .shards = 1,
                                 .nodes = (unsigned)sh->nodes,
                                 .first_shard = n };
    }
    w = &o->wish[o->n++];
    *w = (struct life_wish){ .comps = (unsigned)s->doc.comps, .first_comp = 1 };
    for (size_t i = 0; i < o->n; i++) {
        o->wish[i].cluster = name;
        o->wish[i].want = &o->want;
        o->wish[i].memory_bytes = size.memory_bytes;
        o->wish[i].max_connections = size.max_connections;
        o->wish[i].lone = strcmp(s->doc.ha_mode, "no_rep") == 0;
    }
    return ERR_OK;
}

static enum err
check(struct db *db, struct arena *a, struct life_order *o, char why[WHY_BYTES])
{
    struct source s = { 0 };
    enum err e = find_source(db, a, &o->want, clock_unix_ms(), &s, why);

    return e == ERR_OK ? wish(db, a, o, &s, why) : e;
}

/* The same in each step: a moment to come is when the job was accepted. */
static bool
take_source(struct job_run *run, struct source *s, enum step_answer *answer)
{
    struct cluster_want want;
    char why[WHY_BYTES] = "";
    enum err e;

    *s = (struct source){ 0 };
    *answer = STEP_FAILED;
    if (!cluster_wants(run, &want))
        return false;
    e = find_source(run->db, run->arena, &want, run->job->created_ms, s, why);
    if (e == ERR_OK)
        return true;
    if (!str_empty(why))
        job_fails(run, "%s", why);
    else
        *answer = failed(run, e, NULL);
    return false;
}

/* ---- it can be reached ---- */

/* One that has ended within the second before is what the copy's own time
 * asks for. */
static enum err
await_one(struct job_run *run, const struct source *s, const char *shard,
          bool *covered, char why[WHY_BYTES])
{
    struct archive_backup b;
    enum err e = archive_backup_find(run->db, run->arena, INSTANCE_STORAGE,
                                     s->cluster, shard, NULL, s->until_ms, &b);

    *covered = true;
    if (e == ERR_NOT_FOUND)
        return why_fail(why, e, "there is no backup of %s", shard);
    if (e != ERR_OK)
        return e;
    if (HAS(&b, archive_backup, archive_id))
        return copy_await_covered(run, &b, s->until_ms, covered, why);
    return s->until_ms - b.ended_ms < ROUNDED_MS
               ? ERR_OK
               : why_fail(why, ERR_STATE, "no binlogs of %s are kept", shard);
}

static enum step_answer
await_binlogs(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    enum step_answer answer;
    bool all = true, covered;
    struct source s;
    enum err e = ERR_OK;

    if (!take_source(run, &s, &answer))
        return answer;
    for (size_t i = 0; e == ERR_OK && i < s.doc.shards.n; i++) {
        e = await_one(run, &s, s.doc.shards.v[i].name, &covered, why);
        all = all && covered;
    }
    return e == ERR_OK ? copy_covered(run, all, why) : failed(run, e, why);
}

/* ---- servers get what they are to have ---- */

static enum step_answer
restore_of(struct job_run *run, enum instance_kind kind, const char *prefix,
           int64_t limit_ms)
{
    bool storage = kind == INSTANCE_STORAGE;
    enum step_answer answer;
    struct life_memo memo;
    struct source s;
    enum err e = life_recall(run, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    if (!take_source(run, &s, &answer))
        return answer;
    if (!storage && !HAS(&s.doc, copy_doc, schema_path))
        return STEP_DONE;
    for (size_t i = 0; e == ERR_OK && i < memo.servers.n; i++) {
        const struct instance_spec *at = memo.servers.v[i].spec;
        const struct part_copy p = { .ip = at->address,
                                     .port = at->port,
                                     .cluster_name = s.cluster,
                                     .shard_name = at->shard,
                                     .until_ms = s.until_ms };

        if (at->kind == (int)kind)
            e = part_restore(run, prefix, storage, &p);
    }
    return life_await(run, error, e, prefix, limit_ms);
}

static enum step_answer
restore_shards(struct job_run *run)
{
    return restore_of(run, INSTANCE_STORAGE, PART_RESTORE, RESTORE_MS);
}

static enum step_answer
stop_shards(struct job_run *run)
{
    return parts_stop(run, PART_RESTORE);
}

static enum step_answer
restore_schema(struct job_run *run)
{
    return restore_of(run, INSTANCE_COMPUTER, PART_SCHEMA, SCHEMA_MS);
}

static enum step_answer
stop_schema(struct job_run *run)
{
    return parts_stop(run, PART_SCHEMA);
}

/* ---- rows ---- */

static enum err
rows(struct job_run *run, const struct cluster_want *want,
     const struct life_memo *m, const char **info)
{
    struct meta_cluster like = { 0 };
    char why[WHY_BYTES] = "";
    struct source s = { 0 };
    struct life_size size;
    struct cluster_want asked = *want;
    enum err e;

    *info = m->cluster;
    UNSET(&asked, cluster_want, nick_name); /* it is checked by its key */
    e = find_source(run->db, run->arena, &asked, run->job->created_ms, &s, why);
    if (e != ERR_OK)
        return e;
    PUT(&like, meta_cluster, memo, s.doc.memo);
    e = life_size_before(run->arena, &like, &size);
    return e == ERR_OK ? life_cluster_rows(run,
                                           HAS(want, cluster_want, nick_name)
                                               ? want->nick_name
                                               : NULL,
                                           s.doc.ha_mode, s.doc.memo, &size, m)
                       : e;
}

static const struct job_step steps[] = {
    { "wait for the binlogs", await_binlogs, NULL },
    { "ask the machines", life_ask, life_unask },
    { LIFE_CHOOSES, life_choose_places, life_unchoose_places },
    { "install servers", life_install, life_uninstall },
    { "restore the shards", restore_shards, stop_shards },
    { "begin the shards", life_begin_shards, life_unbegin_shards },
    { "restore the computing nodes", restore_schema, stop_schema },
    { "point the computing nodes", life_point_all, life_unpoint },
    { "prove it", life_prove, NULL },
    { "write the rows", life_write_rows, NULL },
};

CLUSTER_JOB(restore_new_cluster, steps, COUNT(steps),
            .of = &(const struct life_growth){ error, check, rows });
