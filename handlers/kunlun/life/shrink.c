/* Shrinking, step by step. */
#include "shrink.h"

#include <string.h>

#include "address.h"
#include "build.h"
#include "kunlun/copies/copies.h"
#include "kunlun/shard/computer.h"
#include "kunlun/shard/shard.h"
#include "log.h"
#include "my.h"
#include "parts.h"
#include "servers.h"

#define REMOVE_MS  60000
#define ANSWER_MS  2000
#define TABLES_MAX 3 /* that are named when a shard is not empty */

TABLE(life_going, LIFE_GOING);
TABLE(life_loss, LIFE_LOSS);

static const struct life_decay *
own(const struct job_run *run)
{
    return run->kind->of;
}

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    return life_failed(run, own(run)->error, e, run->job->doing, why);
}

static bool
recall(struct job_run *run, struct life_loss *out)
{
    if (job_recall_record(run, &life_loss_rec, out) == ERR_OK)
        return true;
    job_fails(run, SAYS_RESTART);
    return false;
}

static void
put_force(const struct cluster_want *want, struct life_loss *l)
{
    PUT(l, life_loss, force, HAS(want, cluster_want, force) && want->force);
}

/* ---- steps ---- */

static enum step_answer
begin(struct job_run *run)
{
    struct life_loss l = { 0 };
    struct cluster_want want;
    char why[WHY_BYTES] = "";
    enum err e;

    if (run->memo != NULL)
        return STEP_DONE;
    if (!cluster_wants(run, &want))
        return STEP_FAILED;
    put_force(&want, &l);
    e = own(run)->check(run->db, run->arena, &want, &l, why);
    if (e != ERR_OK && !str_empty(why)) {
        job_fails(run, "%s", why);
        return STEP_FAILED;
    }
    if (e == ERR_OK)
        e = job_remember_record(run, &life_loss_rec, &l);
    return e == ERR_OK ? STEP_DONE : failed(run, e, NULL);
}

/* What becomes of what goes, as what grows is told of. */
static enum err
tell(struct job_run *run, const struct life_loss *l, const char *state)
{
    struct list_of_life_server all = { .n = l->going.n };
    struct instance_spec *specs =
        arena_array(run->arena, all.n + 1, sizeof(*specs));

    all.v = arena_array(run->arena, all.n + 1, sizeof(*all.v));
    if (all.v == NULL || specs == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < all.n; i++) {
        const struct life_going *g = &l->going.v[i];

        specs[i] = (struct instance_spec){
            .kind = g->storage ? INSTANCE_STORAGE : INSTANCE_COMPUTER,
            .address = g->machine,
            .port = g->port,
            .shard = or_empty(g->of),
        };
        all.v[i] = (struct life_server){ .spec = &specs[i] };
    }
    return life_tell(run, l->cluster, &all, state);
}

static enum step_answer
detach(struct job_run *run)
{
    struct life_loss l;
    enum err e = ERR_OK;

    if (!recall(run, &l))
        return STEP_FAILED;
    if (own(run)->tells)
        e = tell(run, &l, "ongoing");
    return e == ERR_OK ? own(run)->detach(run, &l) : failed(run, e, NULL);
}

/* By force what a machine does not do now is left to it: it is done when it is
 * back. */
static enum step_answer
remove_servers(struct job_run *run)
{
    enum step_answer answer;
    struct life_loss l;
    const char *left;
    enum err e = ERR_OK;

    if (!recall(run, &l))
        return STEP_FAILED;
    for (size_t i = 0; e == ERR_OK && i < l.going.n; i++) {
        const struct life_going *g = &l.going.v[i];

        e = part_remove(run, g->machine, g->port, g->uuid, g->storage);
    }
    if (e != ERR_OK)
        return failed(run, e, NULL);
    answer = parts_gone(run, PART_REMOVE, REMOVE_MS, &left);
    if (answer != STEP_DONE || str_empty(left))
        return answer;
    if (!l.force)
        return failed(run, ERR_STATE, left);
    log_warn("cluster.left job=%llu what=\"%s\"",
             (unsigned long long)run->job->id, left);
    return STEP_DONE;
}

static enum step_answer
finish(struct job_run *run)
{
    struct life_loss l;
    enum err e;

    if (!recall(run, &l))
        return STEP_FAILED;
    e = own(run)->tells ? tell(run, &l, "done") : ERR_OK;
    if (e != ERR_OK)
        return failed(run, e, NULL);
    e = job_begin(run);
    if (e == ERR_OK)
        e = own(run)->rows(run, &l);
    e = db_end(run->db, e);
    return e == ERR_OK ? cluster_done(run, l.name) : failed(run, e, NULL);
}

const struct job_step life_decay_steps[LIFE_DECAY_STEPS] = {
    { "look what is there", begin, NULL },
    { LIFE_DETACHES, detach, NULL },
    { "remove servers", remove_servers, NULL },
    { "remove the rows", finish, NULL },
};

/* ---- what they share ---- */

static enum err
put_going(struct arena *a, const struct list_of_meta_place *places,
          struct life_loss *l)
{
    struct life_going *v = arena_array(a, places->n + 1, sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < places->n; i++) {
        const struct meta_place *p = &places->v[i];

        PUT(&v[i], life_going, machine, p->machine);
        PUT(&v[i], life_going, port, p->port);
        PUT(&v[i], life_going, uuid, p->uuid);
        PUT(&v[i], life_going, of, p->shard);
        PUT(&v[i], life_going, storage, strcmp(p->kind, "storage") == 0);
    }
    PUT_LIST(l, life_loss, going, places->n, v);
    return ERR_OK;
}

static enum err
put_cluster(struct db *db, struct arena *a, const struct cluster_want *want,
            struct life_loss *l, char why[WHY_BYTES])
{
    struct meta_cluster c;
    enum err e = life_find_cluster(db, a, want, &c, why);

    if (e != ERR_OK)
        return e;
    PUT(l, life_loss, cluster, c.name);
    PUT(l, life_loss, cluster_id, c.id);
    return ERR_OK;
}

static enum err
drop_shards(struct job_run *run, const char *cluster, const char *name)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    struct kunlun_shard_ids ids;
    enum err e = sh != NULL ? kunlun_store_shard_ids_of(run->db, run->arena,
                                                        cluster, &ids)
                            : ERR_NOMEM;

    for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
        if (name != NULL)
            e = kunlun_store_shard(run->db, run->arena, ids.v[i], sh);
        if (e == ERR_OK && (name == NULL || strcmp(sh->name, name) == 0))
            e = kunlun_store_shard_drop(run->db, ids.v[i]);
    }
    return e;
}

/* ---- delete_cluster ---- */

static enum err
check_cluster(struct db *db, struct arena *a, const struct cluster_want *want,
              struct life_loss *l, char why[WHY_BYTES])
{
    struct list_of_meta_place places;
    enum err e = put_cluster(db, a, want, l, why);

    if (e == ERR_OK)
        e = meta_places_of(db, a, l->cluster, NULL, &places);
    if (e != ERR_OK)
        return e;
    PUT(l, life_loss, name, l->cluster);
    return put_going(a, &places, l);
}

static enum step_answer
detach_cluster(struct job_run *run, const struct life_loss *l)
{
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = drop_shards(run, l->cluster, NULL);
    if (e == ERR_OK)
        e = meta_computers_drop(run->db, l->cluster);
    e = db_end(run->db, e);
    return e == ERR_OK ? STEP_DONE : failed(run, e, NULL);
}

static enum err
cluster_rows(struct job_run *run, const struct life_loss *l)
{
    struct list_of_meta_shard all = { 0 };
    enum err e = meta_shards(run->db, run->arena, l->cluster_id, &all);

    for (size_t i = 0; e == ERR_OK && i < all.n; i++)
        e = copy_store_past(run->db, all.v[i].id, false);
    return e == ERR_OK ? meta_cluster_drop(run->db, l->cluster_id) : e;
}

DECAY_JOB(delete_cluster, "delete cluster error", check_cluster, detach_cluster,
          cluster_rows, .tells = true);

/* ---- delete_shard ---- */

static enum err
check_shard(struct db *db, struct arena *a, const struct cluster_want *want,
            struct life_loss *l, char why[WHY_BYTES])
{
    const struct meta_shard *shard;
    struct list_of_meta_place places;
    struct list_of_meta_shard all = { 0 };
    enum err e = put_cluster(db, a, want, l, why);

    if (e == ERR_OK)
        e = meta_shards(db, a, l->cluster_id, &all);
    if (e == ERR_OK)
        e = life_find_shard(&all, want, &shard, why);
    if (e == ERR_OK && all.n <= 1)
        e = why_fail(why, ERR_STATE, SAYS_LAST_SHARD);
    if (e == ERR_OK)
        e = meta_places_of(db, a, l->cluster, shard->name, &places);
    if (e != ERR_OK)
        return e;
    PUT(l, life_loss, name, shard->name);
    PUT(l, life_loss, id, shard->id);
    return put_going(a, &places, l);
}

/* Whether clients have tables on it: OK, or STATE with their names. */
static enum err
count_tables(struct arena *a, const struct kunlun_shard *sh,
             char why[WHY_BYTES])
{
    struct my_table t;
    struct my *my;
    enum err e =
        instance_connect(&sh->spec[sh->s.primary], ANSWER_MS, &my, why);

    if (e != ERR_OK)
        return e;
    if (my_query(my, a,
                 "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) AS name,"
                 " COUNT(*) OVER () AS n FROM information_schema.TABLES"
                 " WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN"
                 " ('mysql', 'sys', 'information_schema',"
                 " 'performance_schema', 'metagate_member', 'metagate_probe')"
                 " ORDER BY 1 LIMIT 1",
                 1, &t) != ERR_OK)
        e = why_fail(why, ERR_PEER, "%.300s", my_failure(my)->text);
    else if (t.n > 0)
        e = why_fail(why, ERR_STATE, "%s holds %s tables, %.200s among them",
                     sh->name, my_cell(&t, 0, "n"), my_cell(&t, 0, "name"));
    my_close(my);
    return e;
}

static enum err
look_into_shard(struct db *db, struct arena *a, const struct life_loss *l,
                char why[WHY_BYTES])
{
    struct kunlun_shard *sh = arena_alloc(a, sizeof(*sh));
    enum err e = sh != NULL
                     ? kunlun_store_shard_find(db, a, l->cluster, l->name, sh)
                     : ERR_NOMEM;

    return e == ERR_OK && !l->force ? count_tables(a, sh, why) : e;
}

/* A computing node that is not reached keeps a server that leads nowhere; when
 * it is back the number may have been given to another shard, which it is then
 * told of. */
static enum err
forget_shard(struct job_run *run, const struct life_loss *l,
             char why[WHY_BYTES])
{
    struct list_of_instance_spec comps;
    enum err e = meta_computers(run->db, run->arena, l->cluster, &comps);

    for (size_t i = 0; e == ERR_OK && i < comps.n; i++) {
        e = computer_forget(run->arena, &comps.v[i], l->name, l->force,
                            ANSWER_MS, why);
        if (e == ERR_STATE)
            return e;
        if (e != ERR_OK)
            log_warn("cluster.not_forgotten computer=%s shard=%s why=\"%s\"",
                     comps.v[i].shard, l->name, why);
        e = ERR_OK;
    }
    return e;
}

static enum step_answer
detach_shard(struct job_run *run, const struct life_loss *l)
{
    char why[WHY_BYTES] = "";
    enum err e = look_into_shard(run->db, run->arena, l, why);

    if (e == ERR_NOT_FOUND)
        return STEP_DONE; /* it is taken out */
    if (e == ERR_OK)
        e = forget_shard(run, l, why);
    if (e != ERR_OK)
        return failed(run, e, why);
    e = job_begin(run);
    if (e == ERR_OK)
        e = drop_shards(run, l->cluster, l->name);
    e = db_end(run->db, e);
    return e == ERR_OK ? STEP_DONE : failed(run, e, NULL);
}

static enum err
shard_rows(struct job_run *run, const struct life_loss *l)
{
    enum err e = copy_store_past(run->db, l->id, true);

    return e == ERR_OK ? meta_shard_drop(run->db, l->id) : e;
}

DECAY_JOB(delete_shard, "delete shard error", check_shard, detach_shard,
          shard_rows, .look = look_into_shard);

/* ---- delete_comp ---- */

static const struct meta_comp *
find_comp(const struct list_of_meta_comp *all, const struct cluster_want *want)
{
    bool by_name = HAS(want, cluster_want, comp_name);

    for (size_t i = 0; i < all->n; i++)
        if (by_name ? strcmp(all->v[i].name, want->comp_name) == 0
                    : all->v[i].id == want->comp_id)
            return &all->v[i];
    return NULL;
}

static enum err
check_comp(struct db *db, struct arena *a, const struct cluster_want *want,
           struct life_loss *l, char why[WHY_BYTES])
{
    const struct meta_comp *comp = NULL;
    struct list_of_meta_place places;
    struct list_of_meta_comp all = { 0 };
    enum err e = put_cluster(db, a, want, l, why);

    if (e == ERR_OK)
        e = meta_comps(db, a, l->cluster_id, &all);
    if (e == ERR_OK && (comp = find_comp(&all, want)) == NULL)
        e = why_fail(why, ERR_NOT_FOUND, "error, comp_name is no exist");
    if (e == ERR_OK && all.n <= 1)
        e = why_fail(why, ERR_STATE, "error, comp <= 1");
    if (e == ERR_OK)
        e = meta_places_of(db, a, l->cluster, comp->name, &places);
    if (e != ERR_OK)
        return e;
    PUT(l, life_loss, name, comp->name);
    PUT(l, life_loss, id, comp->id);
    return put_going(a, &places, l);
}

static enum step_answer
detach_comp(struct job_run *run, const struct life_loss *l)
{
    enum err e = job_begin(run);

    for (size_t i = 0; e == ERR_OK && i < l->going.n; i++)
        e = meta_computer_drop(run->db, l->going.v[i].uuid);
    e = db_end(run->db, e);
    return e == ERR_OK ? STEP_DONE : failed(run, e, NULL);
}

static enum err
comp_rows(struct job_run *run, const struct life_loss *l)
{
    return meta_comp_drop(run->db, l->cluster_id, l->id);
}

DECAY_JOB(delete_comp, "delete comp error", check_comp, detach_comp, comp_rows);

/* ---- dry_run ---- */

enum err
life_decay_plan(struct db *db, struct arena *a, const void *of,
                const struct cluster_want *want,
                struct list_of_cluster_effect *out, char why[WHY_BYTES])
{
    const struct life_decay *d = of;
    struct life_loss l = { 0 };
    char stays[WHY_BYTES] = "";
    enum err e;

    put_force(want, &l);
    e = d->check(db, a, want, &l, why);
    if (e != ERR_OK)
        return e;
    if (d->look != NULL)
        e = d->look(db, a, &l, stays);
    if (!str_empty(stays))
        return why_fail(why, e, "%s: " LIFE_DETACHES ": %s", d->error, stays);
    if (e != ERR_OK && e != ERR_NOT_FOUND) /* that: it is taken out already */
        return e;
    out->v = arena_array(a, l.going.n + 1, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < l.going.n; i++) {
        const struct life_going *g = &l.going.v[i];
        struct cluster_effect *f = &out->v[out->n++];

        PUT(f, cluster_effect, what,
            g->storage ? "remove storage" : "remove computer");
        PUT(f, cluster_effect, name, l.name);
        PUT(f, cluster_effect, machine, g->machine);
        PUT(f, cluster_effect, port, g->port);
    }
    PUT(&out->v[out->n], cluster_effect, what, "remove rows");
    PUT(&out->v[out->n], cluster_effect, name, l.name);
    out->n++;
    return ERR_OK;
}
