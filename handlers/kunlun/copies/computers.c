/* add_comps: a cluster gets computing nodes. Each begins with the schema that
 * the others have, so that it serves the same queries. */
#include <string.h>

#include "copies.h"
#include "kunlun/core/names.h"
#include "kunlun/life/build.h"
#include "kunlun/life/parts.h"
#include "kunlun/life/servers.h"
#include "kunlun/shard/computer.h"

#define PART_BACKUP "backup/"
#define PART_LOAD   "restore/"
#define SCHEMA_MS   300000
#define DROP_MS     60000
#define PROBE_MS    1000
#define STATE_MS    5000
#define SAME_MS     30000 /* so long it is asked whether it has changed */

static const char error[] = "add comps error";

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    return life_failed(run, error, e, run->job->doing, why);
}

/* Where the cluster was asked for with a login, it is that of the new ones. */
static enum err
same_login(struct db *db, struct arena *a, struct life_order *o)
{
    const struct meta_cluster *c = &o->cluster;
    const char *memo = HAS(c, meta_cluster, memo) ? c->memo : "{}";
    struct list_of_instance_spec all;
    struct cluster_want was = { 0 };
    enum err e = record_read(a, &cluster_want_rec, memo, strlen(memo),
                             BIND_INT_FROM_STR, &was);

    if (e != ERR_OK || !HAS(&was, cluster_want, computer_user))
        return e;
    e = meta_computers(db, a, c->name, &all);
    if (e != ERR_OK || all.n == 0)
        return e;
    PUT(&o->want, cluster_want, computer_user, all.v[0].client_user);
    PUT(&o->want, cluster_want, computer_password, all.v[0].client_secret);
    return ERR_OK;
}

static enum err
check(struct db *db, struct arena *a, struct life_order *o, char why[WHY_BYTES])
{
    struct life_wish *w = &o->wish[0];
    struct list_of_meta_comp all;
    struct life_size size;
    enum err e = life_find_to_grow(db, a, o, &size, why);

    if (e == ERR_OK)
        e = meta_comps(db, a, o->cluster.id, &all);
    if (e == ERR_OK)
        e = same_login(db, a, o);
    if (e != ERR_OK)
        return e;
    *w = (struct life_wish){ .cluster = o->cluster.name,
                             .comps = (unsigned)o->want.comps,
                             .want = &o->want,
                             .memory_bytes = size.memory_bytes,
                             .max_connections = size.max_connections };
    o->n = 1;
    w->first_comp = 1;
    for (size_t i = 0; i < all.n; i++)
        w->first_comp = names_above(w->first_comp, "comp", all.v[i].name);
    return ERR_OK;
}

/* ---- the schema of one that is there ---- */

/* One that answers, if there is any. The new ones are not among them yet. */
static enum err
source_of(struct job_run *run, const char *cluster,
          const struct instance_spec **out)
{
    struct list_of_instance_spec comps;
    char why[WHY_BYTES];
    enum err e = meta_computers(run->db, run->arena, cluster, &comps);

    *out = NULL;
    for (size_t i = 0; e == ERR_OK && i < comps.n; i++) {
        if (*out == NULL)
            *out = comps.v + i;
        if (instance_probe(&comps.v[i], PROBE_MS, why) == ERR_OK) {
            *out = comps.v + i;
            break;
        }
    }
    return e;
}

/* What is made in it from here on is noticed (is_same). */
static enum err
note_state(struct job_run *run, struct life_memo *memo,
           const struct instance_spec *from, char why[WHY_BYTES])
{
    const char *state;
    enum err e = computer_schema_state(run->arena, from, STATE_MS, &state, why);

    if (e != ERR_OK)
        return e;
    PUT(memo, life_memo, schema_of, from->uuid);
    PUT(memo, life_memo, schema, state);
    return life_remember(run, memo);
}

static enum step_answer
back_up(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    const struct instance_spec *from = NULL;
    struct copy_storage storage;
    struct list_of_job parts;
    struct life_memo memo;
    enum err e = life_recall(run, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    e = job_parts(run, PART_BACKUP, &parts);
    if (e == ERR_OK && parts.n == 0) {
        e = copy_store_storage(run->db, run->arena, &storage);
        if (e == ERR_NOT_FOUND)
            return failed(run, ERR_STATE, "there is no backup storage");
        if (e == ERR_OK)
            e = source_of(run, memo.cluster, &from);
        if (e == ERR_OK && from == NULL)
            return STEP_DONE;
        if (e == ERR_OK)
            e = note_state(run, &memo, from, why);
        if (!str_empty(why))
            return life_try_again(run, e, SAME_MS, why);
        if (e == ERR_OK)
            e = part_backup(run, PART_BACKUP,
                            &(struct part_copy){ .ip = from->address,
                                                 .port = from->port,
                                                 .cluster_name = memo.cluster,
                                                 .shard_name = from->shard,
                                                 .storage = storage.conn,
                                                 .copy = true });
    }
    return life_await(run, error, e, PART_BACKUP, SCHEMA_MS);
}

static enum step_answer
drop_backup(struct job_run *run)
{
    return copy_drop(run, error, PART_BACKUP, DROP_MS);
}

static enum step_answer
stop_backup(struct job_run *run)
{
    enum step_answer answer = parts_stop(run, PART_BACKUP);

    return answer == STEP_DONE ? drop_backup(run) : answer;
}

static enum step_answer
load(struct job_run *run)
{
    struct list_of_job parts;
    struct life_memo memo;
    enum err e = life_recall(run, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    e = job_parts(run, PART_BACKUP, &parts);
    if (e == ERR_OK && parts.n == 0)
        return STEP_DONE;
    for (size_t i = 0; e == ERR_OK && i < memo.servers.n; i++) {
        const struct instance_spec *at = memo.servers.v[i].spec;

        e = part_restore(run, PART_LOAD, false,
                         &(struct part_copy){ .ip = at->address,
                                              .port = at->port,
                                              .cluster_name = memo.cluster,
                                              .shard_name = at->shard,
                                              .backup_job = parts.v[0].id });
    }
    return life_await(run, error, e, PART_LOAD, SCHEMA_MS);
}

static enum step_answer
stop_loads(struct job_run *run)
{
    return parts_stop(run, PART_LOAD);
}

/* ---- rows ---- */

static enum err
rows(struct job_run *run, const struct cluster_want *want,
     const struct life_memo *m, const char **info)
{
    struct meta_cluster c;
    struct life_size size;
    enum err e = life_grown(run, m, &c, &size);

    (void)want;
    if (e == ERR_OK)
        e = life_comp_rows(run, c.id, m, &size);
    return e == ERR_OK ? life_names_text(run->arena, m, INSTANCE_COMPUTER, info)
                       : e;
}

/* Clients make what they make on all computing nodes that they know, which the
 * new ones are not among: what came after the copy was taken they would never
 * get. */
static enum err
is_same(struct job_run *run, const struct life_memo *memo, char why[WHY_BYTES])
{
    struct list_of_instance_spec comps;
    const char *state = NULL;
    size_t i = 0;
    enum err e = meta_computers(run->db, run->arena, memo->cluster, &comps);

    while (e == ERR_OK && i < comps.n &&
           strcmp(comps.v[i].uuid, memo->schema_of) != 0)
        i++;
    if (e != ERR_OK || i == comps.n)
        return e;
    e = computer_schema_state(run->arena, &comps.v[i], STATE_MS, &state, why);
    if (e == ERR_OK && strcmp(state, memo->schema) != 0)
        return why_fail(why, ERR_STATE,
                        "the schema of %s was changed while it was copied: ask"
                        " again",
                        comps.v[i].shard);
    return e;
}

static enum step_answer
write_rows(struct job_run *run)
{
    struct life_memo memo;
    char why[WHY_BYTES] = "";
    enum err e = life_recall(run, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    if (HAS(&memo, life_memo, schema))
        e = is_same(run, &memo, why);
    if (e == ERR_OK)
        return life_write_rows(run);
    return e == ERR_STATE ? failed(run, e, why)
                          : life_try_again(run, e, SAME_MS, why);
}

static const struct job_step steps[] = {
    { "ask the machines", life_ask, life_unask },
    { LIFE_CHOOSES, life_choose_places, life_unchoose_places },
    { "install servers", life_install, life_uninstall },
    { "back the schema up", back_up, stop_backup },
    { "load the schema", load, stop_loads },
    { "point the computing nodes", life_point_all, life_unpoint },
    { "drop the backup", drop_backup, NULL },
    { "prove it", life_prove, NULL },
    { "write the rows", write_rows, NULL },
};

CLUSTER_JOB(add_comps, steps, COUNT(steps),
            .of = &(const struct life_growth){ error, check, rows });
