/* add_nodes: a shard gets replicas. Each begins as a copy of one that is there,
 * of which a backup is made for it, and catches up from the primary. */
#include <string.h>

#include "buf.h"
#include "copies.h"
#include "address.h"
#include "kunlun/archive/archive.h"
#include "kunlun/archive/store.h"
#include "kunlun/life/build.h"
#include "kunlun/life/parts.h"
#include "kunlun/life/servers.h"
#include "kunlun/shard/shard.h"
#include "log.h"

#define PART_BACKUP "backup/"
#define PART_LOAD   "restore/"
#define PART_DROP   "drop/"
#define BACKUP_MS   3600000
#define LOAD_MS     3600000
#define JOIN_MS     600000
#define DROP_MS     60000
#define LOOK_MS     100
#define INFO_BYTES  65536

static const char error[] = "add nodes error";

static enum step_answer
failed(struct job_run *run, enum err e, const char *why)
{
    return life_failed(run, error, e, run->job->doing, why);
}

/* ---- what is asked for ---- */

static enum err
wish(struct life_order *o, const struct life_size *size,
     const struct meta_shard *shard, const struct list_of_meta_node *nodes,
     char why[WHY_BYTES])
{
    if (shard->num_nodes == 1)
        return why_fail(why, ERR_STATE,
                        "error, %s has one node, which is alone", shard->name);
    if (shard->num_nodes + o->want.nodes > FO_MEMBERS)
        return why_fail(why, ERR_LIMIT, "error, node > %d", FO_MEMBERS);
    if (o->n == LIFE_WISHES)
        return why_fail(why, ERR_LIMIT, "%s: more than %d shards", error,
                        LIFE_WISHES);
    o->wish[o->n++] = (struct life_wish){
        .cluster = o->cluster.name,
        .shards = 1,
        .nodes = (unsigned)o->want.nodes,
        .grow = shard,
        .has = nodes,
        .want = &o->want,
        .memory_bytes = size->memory_bytes,
        .max_connections = size->max_connections,
    };
    return ERR_OK;
}

/* shard_name: that one; none: all of the cluster. */
static enum err
check(struct db *db, struct arena *a, struct life_order *o, char why[WHY_BYTES])
{
    struct list_of_meta_shard *all = arena_alloc(a, sizeof(*all));
    struct list_of_meta_node *nodes = arena_alloc(a, sizeof(*nodes));
    const struct cluster_want *w = &o->want;
    const struct meta_shard *one = NULL;
    struct copy_storage storage;
    struct life_size size;
    enum err e = all != NULL && nodes != NULL
                     ? life_find_to_grow(db, a, o, &size, why)
                     : ERR_NOMEM;

    o->n = 0;
    if (e == ERR_OK && strcmp(o->cluster.ha_mode, "no_rep") == 0)
        e = why_fail(why, ERR_STATE, "error, add nodes must in mgr mode");
    if (e == ERR_OK)
        e = meta_shards(db, a, o->cluster.id, all);
    if (e == ERR_OK &&
        (HAS(w, cluster_want, shard_name) || HAS(w, cluster_want, shard_id)))
        e = life_find_shard(all, w, &one, why);
    if (e == ERR_OK)
        e = meta_nodes(db, a, o->cluster.id, nodes);
    if (e != ERR_OK)
        return e;
    e = copy_store_storage(db, a, &storage);
    if (e == ERR_NOT_FOUND)
        return why_fail(why, e, "get_backup_storage error");
    for (size_t i = 0; e == ERR_OK && i < all->n; i++)
        if (one == NULL || one == &all->v[i])
            e = wish(o, &size, &all->v[i], nodes, why);
    return e;
}

/* ---- copies of what is there ---- */

/* The shards that grow, each once; index of the memo's names. */
static enum err
shards_of(struct job_run *run, struct life_memo *memo, struct list_of_STR *out)
{
    enum err e = life_recall(run, memo);

    return e == ERR_OK
               ? life_names(run->arena, &SERVERS(memo), INSTANCE_STORAGE, out)
               : e;
}

static const struct job *
backup_of(const struct list_of_job *parts, const char *shard_part)
{
    for (size_t i = 0; i < parts->n; i++)
        if (strncmp(parts->v[i].part, shard_part, strlen(shard_part)) == 0)
            return &parts->v[i];
    return NULL;
}

/* "backup/shard1/": whoever goes on finds what has been begun, though another
 * replica would be chosen by now. */
static const char *
part_of(struct job_run *run, const char *shard)
{
    return arena_printf(run->arena, PART_BACKUP "%s/", shard);
}

static enum err
back_up_one(struct job_run *run, const struct list_of_job *parts,
            const struct life_memo *memo, const char *shard,
            const char *storage)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    const char *prefix = part_of(run, shard);
    const struct instance_spec *from;
    enum err e = sh != NULL && prefix != NULL
                     ? kunlun_store_shard_find(run->db, run->arena,
                                               memo->cluster, shard, sh)
                     : ERR_NOMEM;

    if (e != ERR_OK || backup_of(parts, prefix) != NULL)
        return e;
    from = copy_member_of(sh);
    return part_backup(run, prefix,
                       &(struct part_copy){ .ip = from->address,
                                            .port = from->port,
                                            .cluster_name = memo->cluster,
                                            .shard_name = shard,
                                            .storage = storage,
                                            .copy = true });
}

static enum step_answer
back_up(struct job_run *run)
{
    struct copy_storage storage;
    struct list_of_job parts;
    struct list_of_STR names;
    struct life_memo memo;
    enum err e = shards_of(run, &memo, &names);

    if (e != ERR_OK)
        return life_no_memo(run);
    e = copy_store_storage(run->db, run->arena, &storage);
    if (e == ERR_NOT_FOUND)
        return failed(run, ERR_STATE, "there is no backup storage any more");
    if (e == ERR_OK)
        e = job_parts(run, PART_BACKUP, &parts);
    for (size_t i = 0; e == ERR_OK && i < names.n; i++)
        e = back_up_one(run, &parts, &memo, names.v[i].v, storage.conn);
    return life_await(run, error, e, PART_BACKUP, BACKUP_MS);
}

/* Backups that there are; those that failed have left none. */
enum step_answer
copy_drop(struct job_run *run, const char *text, const char *prefix,
          int64_t limit_ms)
{
    struct archive_backup b;
    struct list_of_job parts;
    const char *left = NULL;
    enum step_answer answer;
    enum err e = job_parts(run, prefix, &parts);

    for (size_t i = 0; e == ERR_OK && i < parts.n; i++) {
        e = archive_backup_of(run->db, run->arena, parts.v[i].id, &b);
        if (e == ERR_OK)
            e = part_drop(run, PART_DROP, &b);
        else if (e == ERR_NOT_FOUND)
            e = ERR_OK;
    }
    if (e != ERR_OK)
        return life_failed(run, text, e, run->job->doing, NULL);
    answer = parts_gone(run, PART_DROP, limit_ms, &left);
    if (answer == STEP_DONE && !str_empty(left))
        log_warn("copies.backup_left why=\"%s\"", left);
    return answer;
}

static enum step_answer
stop_backups(struct job_run *run)
{
    enum step_answer answer = parts_stop(run, PART_BACKUP);

    return answer == STEP_DONE ? copy_drop(run, error, PART_BACKUP, DROP_MS)
                               : answer;
}

static enum step_answer
drop_backups(struct job_run *run)
{
    return copy_drop(run, error, PART_BACKUP, DROP_MS);
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
    for (size_t i = 0; e == ERR_OK && i < memo.servers.n; i++) {
        const struct instance_spec *at = memo.servers.v[i].spec;
        const char *prefix = part_of(run, at->shard);
        const struct job *made =
            prefix != NULL ? backup_of(&parts, prefix) : NULL;
        struct part_copy p = { .ip = at->address,
                               .port = at->port,
                               .cluster_name = memo.cluster,
                               .shard_name = at->shard };

        if (made == NULL)
            return failed(run, ERR_STATE, "there is no backup");
        p.backup_job = made->id;
        e = part_restore(run, PART_LOAD, true, &p);
    }
    return life_await(run, error, e, PART_LOAD, LOAD_MS);
}

static enum step_answer
stop_loads(struct job_run *run)
{
    return parts_stop(run, PART_LOAD);
}

/* ---- they become members ---- */

/* Who watches tells it to follow, as it does with one that is back. */
static enum err
enter(struct job_run *run, struct kunlun_shard *sh,
      const struct instance_spec *spec)
{
    uint64_t was = sh->s.order;
    enum err e = db_begin(run->db);

    if (e != ERR_OK)
        return e;
    if (sh->s.n == FO_MEMBERS)
        return db_end(run->db, ERR_LIMIT);
    sh->s.member[sh->s.n++] = (struct fo_member){ .role = FO_OUT };
    sh->s.order++;
    e = job_hold(run);
    if (e == ERR_OK)
        e = kunlun_store_shard_save(run->db, run->arena, sh, was);
    if (e == ERR_OK)
        e = kunlun_store_member_add(run->db, run->arena, sh, spec);
    return db_end(run->db, e);
}

static enum step_answer
waits(struct job_run *run, const struct instance_spec *s, const char *what)
{
    char at[ADDRESS_BYTES];

    job_waits(run, LOOK_MS, "%s %s",
              address_print(s->address, s->port, at, sizeof(at)), what);
    return STEP_AGAIN;
}

/* One after the other: each look at the shard sees what the last has become. */
static enum step_answer
join(struct job_run *run)
{
    struct kunlun_shard *sh = arena_alloc(run->arena, sizeof(*sh));
    struct life_memo memo;
    enum err e = life_recall(run, &memo);

    if (e != ERR_OK || sh == NULL)
        return life_no_memo(run);
    for (size_t i = 0; i < memo.servers.n; i++) {
        const struct instance_spec *s = memo.servers.v[i].spec;
        int at;

        e = kunlun_store_shard_find(run->db, run->arena, memo.cluster, s->shard,
                                    sh);
        if (e != ERR_OK)
            return failed(run, e, NULL);
        at = kunlun_shard_member(sh, s->uuid);
        if (at == FO_NOBODY) {
            e = enter(run, sh, s);
            return e == ERR_OK || e == ERR_STATE ? waits(run, s, "enters")
                                                 : failed(run, e, NULL);
        }
        if (sh->s.member[at].role == FO_OUT) {
            if (job_step_ms(run) > JOIN_MS)
                return failed(run, ERR_STATE, "a new node does not follow");
            return waits(run, s, "begins to follow");
        }
    }
    return STEP_DONE;
}

static enum step_answer
unjoin(struct job_run *run)
{
    enum step_answer answer = STEP_DONE;
    struct life_memo memo;

    if (life_recall(run, &memo) != ERR_OK)
        return STEP_DONE;
    for (size_t i = 0; answer == STEP_DONE && i < memo.servers.n; i++)
        answer = life_leave(run, memo.cluster, memo.servers.v[i].spec->shard,
                            memo.servers.v[i].spec->uuid);
    return answer;
}

/* ---- rows ---- */

static bool
has_row(const struct list_of_meta_node *all, const struct instance_spec *s)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].hostaddr, s->address) == 0 &&
            all->v[i].port == s->port)
            return true;
    return false;
}

/* Its number of nodes grows with each row: both once. */
static enum err
node_row(struct job_run *run, const struct meta_cluster *c,
         const struct list_of_meta_shard *shards, const struct life_size *size,
         const struct life_server *v)
{
    struct meta_node_new n = { .spec = v->spec,
                               .cluster = c->id,
                               .machine = v->machine,
                               .cpu_cores = size->cpu_cores,
                               .max_storage_gb = size->max_storage_gb };
    enum err e;

    for (size_t i = 0; i < shards->n; i++)
        if (strcmp(shards->v[i].name, v->spec->shard) == 0)
            n.shard = shards->v[i].id;
    e = meta_node_add(run->db, &n);
    return e == ERR_OK ? meta_shard_nodes(run->db, n.shard, 1) : e;
}

/* "127.0.0.1:57333;127.0.0.2:57333" */
static enum err
places_text(struct arena *a, const struct life_memo *m, const char **out)
{
    struct buf b = BUF_INIT(INFO_BYTES);
    char at[ADDRESS_BYTES];

    for (size_t i = 0; i < m->servers.n; i++) {
        const struct instance_spec *s = m->servers.v[i].spec;

        buf_printf(&b, "%s%s", i > 0 ? ";" : "",
                   address_print(s->address, s->port, at, sizeof(at)));
    }
    return buf_settle(&b, a, out);
}

static enum err
rows(struct job_run *run, const struct cluster_want *want,
     const struct life_memo *m, const char **info)
{
    struct list_of_meta_shard shards;
    struct list_of_meta_node nodes;
    struct meta_cluster c;
    struct life_size size;
    enum err e = life_grown(run, m, &c, &size);

    (void)want;
    if (e == ERR_OK)
        e = meta_shards(run->db, run->arena, c.id, &shards);
    if (e == ERR_OK)
        e = meta_nodes(run->db, run->arena, c.id, &nodes);
    for (size_t i = 0; e == ERR_OK && i < m->servers.n; i++)
        if (!has_row(&nodes, m->servers.v[i].spec))
            e = node_row(run, &c, &shards, &size, &m->servers.v[i]);
    return e == ERR_OK ? places_text(run->arena, m, info) : e;
}

static const struct job_step steps[] = {
    { "ask the machines", life_ask, life_unask },
    { LIFE_CHOOSES, life_choose_places, life_unchoose_places },
    { "install servers", life_install, life_uninstall },
    { "back the shards up", back_up, stop_backups },
    { "load the copies", load, stop_loads },
    { "join the shards", join, unjoin },
    { "drop the backups", drop_backups, NULL },
    { "prove it", life_prove, NULL },
    { "write the rows", life_write_rows, NULL },
};

CLUSTER_JOB(add_nodes, steps, COUNT(steps),
            .of = &(const struct life_growth){ error, check, rows });
