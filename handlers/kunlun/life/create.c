/* create_cluster, add_shards: what is their own. */
#include <inttypes.h>
#include <string.h>

#include "build.h"
#include "buf.h"
#include "clock.h"
#include "kunlun/shard/shard.h"
#include "kunlun/core/names.h"
#include "servers.h"

#define GIB             ((int64_t)1 << 30)
#define CONNECTIONS_MIN 100 /* our own accounts need some */
#define CONNECTIONS     500
#define MEMO_BYTES      ((size_t)1 << 20)
#define NAMES_BYTES     65536
#define NAME_TRIES      1000

/* ---- what checks share ---- */

enum err
life_find_cluster(struct db *db, struct arena *a,
                  const struct cluster_want *want, struct meta_cluster *out,
                  char why[WHY_BYTES])
{
    enum err e = meta_cluster(
        db, a,
        HAS(want, cluster_want, cluster_name) ? want->cluster_name : NULL,
        want->cluster_id, out);

    return e == ERR_NOT_FOUND ? why_fail(why, e, SAYS_NO_CLUSTER) : e;
}

enum err
life_find_shard(const struct list_of_meta_shard *all,
                const struct cluster_want *want, const struct meta_shard **out,
                char why[WHY_BYTES])
{
    bool by_name = HAS(want, cluster_want, shard_name);

    for (size_t i = 0; i < all->n; i++)
        if (by_name ? strcmp(all->v[i].name, want->shard_name) == 0
                    : all->v[i].id == want->shard_id) {
            *out = &all->v[i];
            return ERR_OK;
        }
    return why_fail(why, ERR_NOT_FOUND, SAYS_NO_SHARD);
}

void
life_size_of(const struct cluster_want *want, struct life_size *out)
{
    int32_t connections = HAS(want, cluster_want, max_connections)
                              ? want->max_connections
                              : CONNECTIONS;

    *out = (struct life_size){
        .memory_bytes = want->innodb_size * GIB,
        .max_connections =
            connections > CONNECTIONS_MIN ? connections : CONNECTIONS_MIN,
        .cpu_cores = want->cpu_cores > 0 ? want->cpu_cores : 0,
        .max_storage_gb =
            want->max_storage_size > 0 ? want->max_storage_size : 0,
    };
}

enum err
life_size_before(struct arena *a, const struct meta_cluster *c,
                 struct life_size *out)
{
    const char *memo = HAS(c, meta_cluster, memo) ? c->memo : "{}";
    struct cluster_want want = { 0 };
    enum err e = record_read(a, &cluster_want_rec, memo, strlen(memo),
                             BIND_INT_FROM_STR, &want);

    life_size_of(&want, out);
    return e;
}

enum err
life_find_to_grow(struct db *db, struct arena *a, struct life_order *o,
                  struct life_size *size, char why[WHY_BYTES])
{
    enum err e = life_find_cluster(db, a, &o->want, &o->cluster, why);

    return e == ERR_OK ? life_size_before(a, &o->cluster, size) : e;
}

static void
put_size(struct life_wish *w, const struct life_size *s)
{
    w->memory_bytes = s->memory_bytes;
    w->max_connections = s->max_connections;
}

/* ---- what rows share ---- */

enum err
life_grown(struct job_run *run, const struct life_memo *m,
           struct meta_cluster *c, struct life_size *size)
{
    enum err e = meta_cluster(run->db, run->arena, m->cluster, 0, c);

    return e == ERR_OK ? life_size_before(run->arena, c, size) : e;
}

static enum err
node_rows(struct job_run *run, int64_t cluster, int64_t shard,
          const struct kunlun_shard *sh, const struct life_memo *m,
          const struct life_size *size)
{
    const char *primary = sh->spec[sh->s.primary].uuid;
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < m->servers.n; i++) {
        const struct life_server *v = &m->servers.v[i];
        struct meta_node_new n = { .spec = v->spec,
                                   .cluster = cluster,
                                   .shard = shard,
                                   .machine = v->machine,
                                   .cpu_cores = size->cpu_cores,
                                   .max_storage_gb = size->max_storage_gb };

        if (v->spec->kind != INSTANCE_STORAGE ||
            strcmp(v->spec->shard, sh->name) != 0)
            continue;
        n.source = strcmp(v->spec->uuid, primary) == 0;
        e = meta_node_add(run->db, &n);
    }
    return e;
}

enum err
life_shard_rows(struct job_run *run, int64_t cluster, const char *name,
                const struct life_memo *m, const struct life_size *size)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    struct list_of_meta_shard all;
    enum err e = sh != NULL ? meta_shards(run->db, run->arena, cluster, &all)
                            : ERR_NOMEM;
    int64_t id;

    for (size_t i = 0; e == ERR_OK && i < all.n; i++)
        if (strcmp(all.v[i].name, name) == 0)
            return ERR_OK;
    if (e == ERR_OK)
        e = kunlun_store_shard_find(run->db, run->arena, m->cluster, name, sh);
    if (e == ERR_OK)
        e = meta_shard_add(run->db, cluster, name, sh->s.n, &id);
    return e == ERR_OK ? node_rows(run, cluster, id, sh, m, size) : e;
}

enum err
life_comp_rows(struct job_run *run, int64_t cluster, const struct life_memo *m,
               const struct life_size *size)
{
    struct list_of_meta_comp all;
    enum err e = meta_comps(run->db, run->arena, cluster, &all);

    for (size_t i = 0; e == ERR_OK && i < m->servers.n; i++) {
        const struct life_server *v = &m->servers.v[i];
        size_t k = 0;

        while (k < all.n && strcmp(all.v[k].name, v->spec->shard) != 0)
            k++;
        if (v->spec->kind == INSTANCE_COMPUTER && k == all.n)
            e = meta_comp_add(run->db, v->spec, cluster, v->machine,
                              size->cpu_cores);
    }
    return e;
}

enum err
life_names_text(struct arena *a, const struct life_memo *m,
                enum instance_kind kind, const char **out)
{
    struct buf b = BUF_INIT(NAMES_BYTES);
    struct list_of_STR names;
    enum err e = life_names(a, &SERVERS(m), kind, &names);

    for (size_t i = 0; e == ERR_OK && i < names.n; i++)
        buf_printf(&b, "%s%s", i > 0 ? ";" : "", names.v[i].v);
    return e == ERR_OK ? buf_settle(&b, a, out) : e;
}

/* ---- create_cluster ---- */

/* A name that nobody has. */
enum err
life_name_it(struct db *db, struct arena *a, const char **out)
{
    char name[NAMES_CLUSTER_BYTES];
    int64_t last = 0;
    bool taken = true;
    enum err e = meta_cluster_last(db, &last);

    for (int i = 0; e == ERR_OK && taken && i < NAME_TRIES; i++) {
        names_cluster(clock_unix_ms() / 1000, last + 1 + i, name);
        e = meta_name_is_taken(db, name, &taken);
    }
    if (e == ERR_OK && taken)
        return ERR_LIMIT;
    *out = e == ERR_OK ? arena_strdup(a, name) : NULL;
    return e == ERR_OK && *out == NULL ? ERR_NOMEM : e;
}

enum err
life_check_nick(struct db *db, struct arena *a, const struct cluster_want *want,
                char why[WHY_BYTES])
{
    struct meta_cluster other;
    enum err e = HAS(want, cluster_want, nick_name)
                     ? meta_cluster_nick(db, a, want->nick_name, &other)
                     : ERR_NOT_FOUND;

    if (e == ERR_OK)
        return why_fail(why, ERR_EXISTS, SAYS_NICK_NAME_IS_THERE);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err
check_create(struct db *db, struct arena *a, struct life_order *o,
             char why[WHY_BYTES])
{
    const struct cluster_want *want = &o->want;
    struct life_wish *w = &o->wish[0];
    struct life_size size;
    enum err e = life_check_nick(db, a, want, why);

    if (e != ERR_OK)
        return e;
    *w = (struct life_wish){ .shards = (unsigned)want->shards,
                             .nodes = (unsigned)want->nodes,
                             .comps = (unsigned)want->comps,
                             .first_shard = 1,
                             .first_comp = 1,
                             .want = want,
                             .lone = strcmp(want->ha_mode, "no_rep") == 0 };
    life_size_of(want, &size);
    put_size(w, &size);
    o->n = 1;
    return life_name_it(db, a, &w->cluster);
}

/* What later jobs, and restores, need to know of how it was made. */
static enum err
memo_of(struct arena *a, const struct cluster_want *want, const char **out)
{
    struct buf b = BUF_INIT(MEMO_BYTES);
    struct cluster_want shown = *want;
    struct json_writer w;
    enum err e;

    UNSET(&shown, cluster_want, computer_password);
    jw_init(&w, &b, &json_compact);
    e = record_render(&w, &cluster_want_rec, &shown, SECRETS_STARS, true, a);
    if (e != ERR_OK) {
        buf_free(&b);
        return e;
    }
    return buf_settle(&b, a, out);
}

enum err
life_cluster_rows(struct job_run *run, const char *nick_name,
                  const char *ha_mode, const char *memo,
                  const struct life_size *size, const struct life_memo *m)
{
    struct meta_cluster c = { 0 };
    struct list_of_STR shards;
    int64_t id;
    enum err e = meta_cluster(run->db, run->arena, m->cluster, 0, &c);

    if (e != ERR_NOT_FOUND)
        return e; /* they are there */
    PUT(&c, meta_cluster, name, m->cluster);
    if (nick_name != NULL)
        PUT(&c, meta_cluster, nick_name, nick_name);
    PUT(&c, meta_cluster, ha_mode, ha_mode);
    PUT(&c, meta_cluster, memo, memo);
    e = meta_cluster_add(run->db, &c, &id);
    if (e == ERR_OK)
        e = life_names(run->arena, &SERVERS(m), INSTANCE_STORAGE, &shards);
    for (size_t i = 0; e == ERR_OK && i < shards.n; i++)
        e = life_shard_rows(run, id, shards.v[i].v, m, size);
    return e == ERR_OK ? life_comp_rows(run, id, m, size) : e;
}

static enum err
rows_of_create(struct job_run *run, const struct cluster_want *want,
               const struct life_memo *m, const char **info)
{
    struct life_size size;
    const char *memo;
    enum err e = memo_of(run->arena, want, &memo);

    *info = m->cluster;
    life_size_of(want, &size);
    return e == ERR_OK ? life_cluster_rows(run,
                                           HAS(want, cluster_want, nick_name)
                                               ? want->nick_name
                                               : NULL,
                                           want->ha_mode, memo, &size, m)
                       : e;
}

CLUSTER_JOB(create_cluster, life_growth_steps, LIFE_GROWTH_STEPS,
            .of = &(const struct life_growth){ "create cluster error",
                                               check_create, rows_of_create });

/* ---- add_shards ---- */

/* As many nodes as the first one was made with. */
static enum err
check_add_shards(struct db *db, struct arena *a, struct life_order *o,
                 char why[WHY_BYTES])
{
    struct life_wish *w = &o->wish[0];
    struct list_of_meta_shard all;
    struct life_size size;
    enum err e = life_find_to_grow(db, a, o, &size, why);

    if (e == ERR_OK)
        e = meta_shards(db, a, o->cluster.id, &all);
    if (e != ERR_OK)
        return e;
    *w = (struct life_wish){
        .cluster = o->cluster.name,
        .shards = (unsigned)o->want.shards,
        .nodes = all.n > 0 ? (unsigned)all.v[0].num_nodes : 1,
        .want = &o->want,
        .lone = strcmp(o->cluster.ha_mode, "no_rep") == 0,
    };
    put_size(w, &size);
    o->n = 1;
    w->first_shard = 1;
    for (size_t i = 0; i < all.n; i++)
        w->first_shard = names_above(w->first_shard, "shard", all.v[i].name);
    return ERR_OK;
}

static enum err
rows_of_add_shards(struct job_run *run, const struct cluster_want *want,
                   const struct life_memo *m, const char **info)
{
    struct list_of_STR shards;
    struct meta_cluster c;
    struct life_size size;
    enum err e = life_grown(run, m, &c, &size);

    (void)want;
    if (e == ERR_OK)
        e = life_names(run->arena, &SERVERS(m), INSTANCE_STORAGE, &shards);
    for (size_t i = 0; e == ERR_OK && i < shards.n; i++)
        e = life_shard_rows(run, c.id, shards.v[i].v, m, &size);
    return e == ERR_OK ? life_names_text(run->arena, m, INSTANCE_STORAGE, info)
                       : e;
}

CLUSTER_JOB(add_shards, life_growth_steps, LIFE_GROWTH_STEPS,
            .of = &(const struct life_growth){
                "add shards error", check_add_shards, rows_of_add_shards });
