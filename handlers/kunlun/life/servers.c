/* Servers of a job, looked at together. */
#include "servers.h"

#include <string.h>

#include "address.h"
#include "buf.h"
#include "kunlun/life/parts.h"
#include "kunlun/shard/member.h"
#include "kunlun/core/placement.h"

#define HOSTS_BYTES ((size_t)1 << 20)

enum err
life_names(struct arena *a, const struct list_of_life_server *servers,
           enum instance_kind kind, struct list_of_STR *out)
{
    out->n = 0;
    out->v = arena_array(a, servers->n + 1, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < servers->n; i++) {
        const struct instance_spec *s = servers->v[i].spec;
        size_t k = 0;

        while (k < out->n && strcmp(out->v[k].v, s->shard) != 0)
            k++;
        if (s->kind == (int)kind && k == out->n)
            out->v[out->n++].v = s->shard;
    }
    return ERR_OK;
}

bool
life_is_of(const struct job *part, const struct instance_spec *s)
{
    char at[ADDRESS_BYTES];

    return strcmp(part_place(part),
                  address_print(s->address, s->port, at, sizeof(at))) == 0;
}

enum err
life_run_of(struct arena *a, const struct instance_spec *const specs[],
            unsigned n, int timeout_ms, uint64_t *out, char why[WHY_BYTES])
{
    struct member m = { .spec = specs[0] };
    struct fo_seen seen = { 0 };

    member_see(&m, a, specs, n, timeout_ms, &seen);
    member_close(&m);
    *out = seen.start;
    return seen.answered ? ERR_OK : why_fail(why, ERR_PEER, "%.500s", m.why);
}

/* The numbers of enum placement_class; of each the directories together. */
enum err
life_note_space(struct db *db, int64_t machine, const struct survey *s)
{
    struct meta_space m = { { 0 }, { 0 } };

    for (size_t i = 0; i < s->spaces.n; i++) {
        enum placement_class k = placement_class_of(s->spaces.v[i].class);

        if (k < PLACEMENT_CLASS__MAX) {
            m.used[k] += s->spaces.v[i].used;
            m.avail[k] += s->spaces.v[i].free;
        }
    }
    return meta_machine_space(db, machine, &m);
}

/* ---- what is told of them ---- */

/* "127.0.0.1:57330;127.0.0.2:57330;" of those with that name. */
static enum err
hosts_of(struct arena *a, const struct list_of_life_server *servers,
         const char *name, const char **out)
{
    struct buf b = BUF_INIT(HOSTS_BYTES);

    for (size_t i = 0; i < servers->n; i++) {
        const struct instance_spec *s = servers->v[i].spec;
        char at[ADDRESS_BYTES];

        if (strcmp(s->shard, name) == 0)
            buf_printf(&b, "%s;",
                       address_print(s->address, s->port, at, sizeof(at)));
    }
    return buf_settle(&b, a, out);
}

/* Where the servers of a kind are, shard by shard or node by node. */
static enum err
tell(struct arena *a, const struct list_of_life_server *servers,
     enum instance_kind kind, const char *state, size_t *n,
     struct cluster_part_step **out)
{
    struct list_of_STR names;
    enum err e = life_names(a, servers, kind, &names);
    struct cluster_part_step *v =
        e == ERR_OK ? arena_array(a, names.n + 1, sizeof(*v)) : NULL;
    const char *hosts;

    if (v == NULL)
        return e == ERR_OK ? ERR_NOMEM : e;
    for (size_t i = 0; e == ERR_OK && i < names.n; i++) {
        e = hosts_of(a, servers, names.v[i].v, &hosts);
        PUT(&v[i], cluster_part_step, name, names.v[i].v);
        PUT(&v[i], cluster_part_step, state, state);
        PUT(&v[i], cluster_part_step, hosts, hosts);
        PUT(&v[i], cluster_part_step, error, "");
    }
    *n = names.n;
    *out = v;
    return e;
}

enum err
life_tell(struct job_run *run, const char *cluster,
          const struct list_of_life_server *servers, const char *state)
{
    struct cluster_told told = { 0 };
    struct cluster_part_step *shards, *comps;
    size_t n_shards, n_comps;
    enum err e =
        tell(run->arena, servers, INSTANCE_STORAGE, state, &n_shards, &shards);

    if (e == ERR_OK)
        e = tell(run->arena, servers, INSTANCE_COMPUTER, state, &n_comps,
                 &comps);
    if (e != ERR_OK)
        return e;
    PUT_LIST(&told, cluster_told, shards, n_shards, shards);
    PUT_LIST(&told, cluster_told, comps, n_comps, comps);
    PUT(&told, cluster_told, storage_state, state);
    PUT(&told, cluster_told, computer_state, state);
    return cluster_tell(run, cluster, &told);
}
