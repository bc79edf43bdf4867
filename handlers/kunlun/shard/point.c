/* The duty cluster.computers. */
#include "point.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "computer.h"
#include "log.h"

#define TELL_MS  2000
#define LATER_MS 5000 /* one that was not reached is left alone so long */
#define LEFT_MAX 64

enum err
life_point(struct db *db, struct arena *a, const struct instance_spec *comp,
           const struct kunlun_shard *sh, int timeout_ms, char why[WHY_BYTES])
{
    enum err e = computer_point(a, comp, sh->name, &sh->spec[sh->s.primary],
                                sh->s.epoch, timeout_ms, why);

    if (e == ERR_STATE)
        return ERR_OK;
    return e == ERR_OK ? meta_pointer_set(db, comp->uuid, sh->id, sh->s.epoch)
                       : e;
}

/* Those that were not reached: until when nobody tries. */
struct left {
    size_t n;
    struct {
        char uuid[65];
        int64_t until_ms;
    } v[LEFT_MAX];
};

static bool
is_left(const struct left *l, const char *uuid)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].uuid, uuid) == 0 &&
            clock_mono_ms() < l->v[i].until_ms)
            return true;
    return false;
}

/* The oldest makes room: then one is tried too early. */
static void
leave(struct left *l, const char *uuid)
{
    size_t i = 0, oldest = 0;

    while (i < l->n && strcmp(l->v[i].uuid, uuid) != 0)
        i++;
    for (size_t k = 1; k < l->n; k++)
        if (l->v[k].until_ms < l->v[oldest].until_ms)
            oldest = k;
    if (i == LEFT_MAX)
        i = oldest;
    else if (i == l->n)
        l->n++;
    (void)snprintf(l->v[i].uuid, sizeof(l->v[i].uuid), "%s", uuid);
    l->v[i].until_ms = clock_mono_ms() + LATER_MS;
}

/* One of one shard: nobody else does that under our lease. */
static enum err
point_one(struct duty_run *run, const struct meta_behind *b)
{
    struct instance_spec comp;
    struct kunlun_shard sh;
    char why[WHY_BYTES] = "";
    enum err e;

    e = kunlun_store_shard(run->db, run->arena, b->shard_id, &sh);
    if (e == ERR_OK)
        e = meta_computer(run->db, run->arena, b->uuid, &comp);
    if (e == ERR_NOT_FOUND)
        return ERR_OK; /* deleted meanwhile */
    if (e == ERR_OK)
        e = life_point(run->db, run->arena, &comp, &sh, TELL_MS, why);
    if (e == ERR_OK)
        e = kunlun_store_failover_pointed(run->db, sh.id, sh.s.epoch,
                                          clock_unix_ms());
    if (e == ERR_OK)
        log_info("cluster.pointed cluster=%s computer=%s shard=%s epoch=%llu",
                 sh.cluster, comp.shard, sh.name,
                 (unsigned long long)sh.s.epoch);
    else if (!str_empty(why))
        log_warn("cluster.not_pointed uuid=%s shard=%s why=\"%s\"", b->uuid,
                 sh.name, why);
    return e;
}

enum turn
life_point_step(struct duty_run *run)
{
    struct left *left = run->memory;
    struct list_of_meta_behind behind;
    enum err e;

    if (left == NULL)
        left = run->memory = calloc(1, sizeof(*left));
    if (left == NULL)
        return turn_of(ERR_NOMEM, false);
    e = lease_begin(run->db, run->lease);
    if (e == ERR_OK)
        e = meta_behind(run->db, run->arena, &behind);
    e = db_end(run->db, e);
    for (size_t i = 0; e == ERR_OK && i < behind.n && lease_lasts(run->lease);
         i++) {
        if (is_left(left, behind.v[i].uuid))
            continue;
        e = point_one(run, &behind.v[i]);
        if (e == ERR_STORE || e == ERR_NOMEM)
            break;
        if (e != ERR_OK)
            leave(left, behind.v[i].uuid);
        e = ERR_OK;
    }
    return turn_of(e, false);
}

void
life_point_forget(void *memory)
{
    free(memory);
}
