/* delete_node: a replica gets out of its shard, and is removed. And how a
 * member leaves whose job is undone. */
#include <string.h>

#include "address.h"
#include "build.h"
#include "clock.h"
#include "kunlun/orders/shards.h"
#include "shrink.h"

#define LEAVE_MS  60000
#define SWITCH_MS 15000
#define LOOK_MS   100
#define NODES_MIN 2 /* one alone could not commit */

static const char error[] = "delete node error";

/* ---- what goes ---- */

static const struct meta_place *
place_at(const struct list_of_meta_place *all, const struct cluster_want *want)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].machine, want->ip) == 0 &&
            all->v[i].port == want->port)
            return &all->v[i];
    return NULL;
}

static const struct meta_node *
node_at(const struct list_of_meta_node *all, int64_t shard,
        const struct cluster_want *want)
{
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].shard_id == shard &&
            strcmp(all->v[i].hostaddr, want->ip) == 0 &&
            all->v[i].port == want->port)
            return &all->v[i];
    return NULL;
}

/* Whether the shard can do without it, as it is now. */
static enum err
check_shard(const struct kunlun_shard *sh, int i, char why[WHY_BYTES])
{
    if (i != FO_NOBODY && i == sh->s.primary)
        return why_fail(why, ERR_STATE, SAYS_PRIMARY ", switch first");
    if (i != FO_NOBODY && sh->s.n <= NODES_MIN)
        return why_fail(why, ERR_STATE, "error, node <= %d", NODES_MIN);
    return ERR_OK;
}

static enum err
put_node(struct db *db, struct arena *a, const struct cluster_want *want,
         const struct meta_shard *shard, struct life_loss *l,
         char why[WHY_BYTES])
{
    struct life_going *g = arena_alloc(a, sizeof(*g));
    const struct meta_place *place;
    struct list_of_meta_place places;
    struct list_of_meta_node nodes;
    const struct meta_node *node;
    char at[ADDRESS_BYTES];
    enum err e =
        g != NULL ? meta_nodes(db, a, l->cluster_id, &nodes) : ERR_NOMEM;

    if (e == ERR_OK)
        e = meta_places_of(db, a, l->cluster, shard->name, &places);
    if (e != ERR_OK)
        return e;
    node = node_at(&nodes, shard->id, want);
    place = place_at(&places, want);
    if (node == NULL || place == NULL)
        return why_fail(why, ERR_NOT_FOUND, SAYS_NO_NODE);
    *g = (struct life_going){ 0 };
    PUT(g, life_going, machine, place->machine);
    PUT(g, life_going, port, place->port);
    PUT(g, life_going, uuid, place->uuid);
    PUT(g, life_going, storage, true);
    PUT_LIST(l, life_loss, going, 1, g);
    PUT(l, life_loss, id, node->id);
    PUT(l, life_loss, shard, shard->name);
    PUT(l, life_loss, name,
        arena_strdup(
            a, address_print(place->machine, place->port, at, sizeof(at))));
    return l->name != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err
check(struct db *db, struct arena *a, const struct cluster_want *want,
      struct life_loss *l, char why[WHY_BYTES])
{
    struct kunlun_shard *sh = arena_alloc(a, sizeof(*sh));
    const struct meta_shard *shard = NULL;
    struct list_of_meta_shard all;
    struct meta_cluster c;
    enum err e =
        sh != NULL ? life_find_cluster(db, a, want, &c, why) : ERR_NOMEM;

    if (e != ERR_OK)
        return e;
    if (strcmp(c.ha_mode, "no_rep") == 0)
        return why_fail(why, ERR_STATE, "error, delete node must in mgr mode");
    PUT(l, life_loss, cluster, c.name);
    PUT(l, life_loss, cluster_id, c.id);
    e = meta_shards(db, a, c.id, &all);
    if (e == ERR_OK)
        e = life_find_shard(&all, want, &shard, why);
    if (e == ERR_OK)
        e = put_node(db, a, want, shard, l, why);
    if (e == ERR_OK)
        e = kunlun_store_shard_find(db, a, c.name, shard->name, sh);
    /* one that is out of it is gone on with */
    if (e == ERR_OK)
        e = check_shard(sh, kunlun_shard_member(sh, l->going.v[0].uuid), why);
    return e;
}

/* ---- it gets out ---- */

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    return life_failed(run, error, e, run->job->doing, why);
}

static enum step_answer
wait(struct job_run *run, const char *what)
{
    job_waits(run, LOOK_MS, "%s", what);
    return STEP_AGAIN;
}

/* What knows members by their number. */
static void
close_the_gap(struct fo_shard *s, unsigned i)
{
    memmove(&s->member[i], &s->member[i + 1],
            (s->n - i - 1) * sizeof(s->member[0]));
    s->n--;
    s->member[s->n] = (struct fo_member){ .role = FO_OUT };
    if (s->primary > (int)i)
        s->primary--;
    if (s->switch_to == (int)i)
        s->switch_to = FO_NOBODY;
    else if (s->switch_to > (int)i)
        s->switch_to--;
    s->order++;
}

/* It has acknowledged nothing that counts: nobody asks for it any more. */
static enum err
drop_member(struct job_run *run, struct kunlun_shard *sh, unsigned i)
{
    uint64_t was = sh->s.order;
    enum err e = db_begin(run->db);

    if (e != ERR_OK)
        return e;
    close_the_gap(&sh->s, i);
    e = job_hold(run);
    if (e == ERR_OK)
        e = kunlun_store_shard_save(run->db, run->arena, sh, was);
    if (e == ERR_OK)
        e = kunlun_store_member_drop(run->db, sh, i);
    return db_end(run->db, e);
}

/* Nothing of it has gone yet: it stays what it was. */
static enum step_answer
give_up(struct job_run *run, struct kunlun_shard *sh, unsigned i)
{
    if (orders_shard_leaving(run, sh, i, false) != ERR_OK)
        return wait(run, "stays");
    job_fails(run, "%s: nobody else acknowledges what the primary writes",
              error);
    return STEP_FAILED;
}

/* One that leads by now hands over first. */
static enum step_answer
hand_over(struct job_run *run, struct kunlun_shard *sh)
{
    int to = orders_shard_candidate(&sh->s, (unsigned)run->job->tries);
    enum err e = ERR_OK;

    if (sh->s.switch_to == FO_NOBODY && to != FO_NOBODY)
        e = orders_shard_switch(run, sh, to, clock_unix_ms() + SWITCH_MS);
    return e == ERR_OK || e == ERR_BUSY ? wait(run, "hands over")
                                        : failed(run, e, NULL);
}

enum step_answer
life_leave(struct job_run *run, const char *cluster, const char *shard,
           const char *uuid)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    int i = FO_NOBODY;
    enum err e = sh != NULL ? kunlun_store_shard_find(run->db, run->arena,
                                                      cluster, shard, sh)
                            : ERR_NOMEM;

    if (e == ERR_OK)
        i = kunlun_shard_member(sh, uuid);
    if (e == ERR_NOT_FOUND || (e == ERR_OK && i == FO_NOBODY))
        return STEP_DONE; /* it is out */
    if (e != ERR_OK)
        return failed(run, e, NULL);
    if (i == sh->s.primary)
        return hand_over(run, sh);
    if (!sh->s.member[i].leaving) {
        e = orders_shard_leaving(run, sh, (unsigned)i, true);
        return e == ERR_OK || e == ERR_BUSY ? wait(run, "is told to leave")
                                            : failed(run, e, NULL);
    }
    if (sh->s.member[i].role != FO_OUT)
        return wait(run, "waits until another one acknowledges");
    e = drop_member(run, sh, (unsigned)i);
    return e == ERR_OK      ? STEP_DONE
           : e == ERR_STATE ? wait(run, "leaves")
                            : failed(run, e, NULL);
}

static enum step_answer
detach(struct job_run *run, const struct life_loss *l)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    const char *uuid = l->going.v[0].uuid;
    char why[WHY_BYTES] = "";
    int i = FO_NOBODY;
    enum err e = sh != NULL ? kunlun_store_shard_find(run->db, run->arena,
                                                      l->cluster, l->shard, sh)
                            : ERR_NOMEM;

    if (e == ERR_OK)
        i = kunlun_shard_member(sh, uuid);
    if (e != ERR_OK && e != ERR_NOT_FOUND)
        return failed(run, e, NULL);
    if (i == FO_NOBODY)
        return STEP_DONE;
    if (check_shard(sh, i, why) != ERR_OK) {
        job_fails(run, "%s", why);
        return STEP_FAILED;
    }
    if (sh->s.member[i].leaving && sh->s.member[i].role != FO_OUT &&
        job_step_ms(run) > LEAVE_MS)
        return give_up(run, sh, (unsigned)i);
    return life_leave(run, l->cluster, l->shard, uuid);
}

/* Again, when that was done before: the number of nodes changes once. */
static enum err
rows(struct job_run *run, const struct life_loss *l)
{
    struct list_of_meta_node all;
    int64_t shard = 0;
    enum err e = meta_nodes(run->db, run->arena, l->cluster_id, &all);

    for (size_t i = 0; e == ERR_OK && i < all.n; i++)
        if (all.v[i].id == l->id)
            shard = all.v[i].shard_id;
    if (e != ERR_OK || shard == 0)
        return e;
    e = meta_node_drop(run->db, l->id);
    return e == ERR_OK ? meta_shard_nodes(run->db, shard, -1) : e;
}

DECAY_JOB(delete_node, error, check, detach, rows);
