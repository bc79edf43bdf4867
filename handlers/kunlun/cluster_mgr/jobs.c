/* Which jobs there are, and what their steps share. */
#include <string.h>

#include "cluster_mgr.h"
#include "store.h"

#define RESULT_BYTES 65536
#define TOLD_BYTES   ((size_t)1 << 20)

TABLE(cluster_said, CLUSTER_SAID);
TABLE(cluster_result, CLUSTER_RESULT);
TABLE(cluster_part_step, CLUSTER_PART_STEP);
TABLE(cluster_told, CLUSTER_TOLD);

/* clang-format off */
#define WORK(name, list, words, log_, ...)                             \
    { .type = #name, .kind = &cluster_##name##_kind,                  \
      .members = WANTS_##list, .start = words " start",   \
      .working = words " working", .log = log_, __VA_ARGS__ },
#define LOCKS .locks = true
#define STEPS .shows_steps = true
#define GROWS .plan = life_growth_plan
#define GOES  .plan = life_decay_plan

const struct cluster_job cluster_jobs[] = {
    WORK(create_machine, MACHINE, "create machine", "create machine succeed")
    WORK(update_machine, MACHINE, "update machine", "update machine succeed")
    WORK(delete_machine, MACHINE_REF, "delete machine", "delete machine succeed")
    WORK(create_cluster, CREATE, "create cluster", "create cluster succeed", STEPS, GROWS)
    WORK(delete_cluster, DELETE, "delete cluster", "delete cluster succeed", LOCKS, STEPS, GOES)
    WORK(add_shards, ADD_SHARDS, "add shards", "add shards succeed", LOCKS, GROWS)
    WORK(delete_shard, DELETE_SHARD, "delete shard", "delete shard succeed", LOCKS, GOES)
    WORK(add_comps, ADD_COMPS, "add comps", "add comps succeed", LOCKS, GROWS)
    WORK(delete_comp, DELETE_COMP, "delete comp", "delete comp succeed", LOCKS, GOES)
    WORK(add_nodes, ADD_NODES, "add nodes", "add nodes succeed", LOCKS, GROWS)
    WORK(delete_node, DELETE_NODE, "delete node", "delete nodes succeed", LOCKS, GOES)
    WORK(backup_cluster, BACKUP, "backup cluster", "backup cluster succeed", LOCKS, .in_paras = "manual_backup_cluster")
    WORK(restore_cluster, NO, "restore cluster", "restore cluster succeed", .in_paras = "cluster_restore")
    WORK(restore_new_cluster, RESTORE_NEW, "restore new cluster", "restore new cluster succeed", LOCKS, GROWS)
    WORK(control_instance, CONTROL, "control instance", "control instance succeed")
    WORK(manual_switch, SWITCH, "manual switch", "manual switch succeed", LOCKS)
    WORK(update_prometheus, NO, "update prometheus", "update prometheus succeed")
    WORK(postgres_exporter, INSTANCE, "postgres_exporter", "restart postgres_exporter succeed")
    WORK(mysqld_exporter, INSTANCE, "mysqld_exporter", "restart mysql_exporter succeed")
    { .type = NULL },
};

const struct job_kind *const cluster_job_kinds[] = {
    &cluster_create_machine_kind,  &cluster_update_machine_kind,
    &cluster_delete_machine_kind,  &cluster_create_cluster_kind,
    &cluster_delete_cluster_kind,  &cluster_add_shards_kind,
    &cluster_delete_shard_kind,    &cluster_add_comps_kind,
    &cluster_delete_comp_kind,     &cluster_add_nodes_kind,
    &cluster_delete_node_kind,     &cluster_backup_cluster_kind,
    &cluster_restore_cluster_kind, &cluster_restore_new_cluster_kind,
    &cluster_control_instance_kind, &cluster_manual_switch_kind,
    &cluster_update_prometheus_kind,
    &cluster_postgres_exporter_kind, &cluster_mysqld_exporter_kind,
    &kunlun_rebuild_kind,
    NULL,
};
/* clang-format on */

const struct cluster_job *
cluster_job_find(const char *type, bool paras)
{
    for (const struct cluster_job *j = cluster_jobs; j->type != NULL; j++)
        if (strcmp(j->type, type) == 0 ||
            (paras && j->in_paras != NULL && strcmp(j->in_paras, type) == 0))
            return j;
    return NULL;
}

const struct cluster_job *
cluster_job_of_kind(const char *kind)
{
    for (const struct cluster_job *j = cluster_jobs; j->type != NULL; j++)
        if (strcmp(j->kind->name, kind) == 0)
            return j;
    return NULL;
}

const char *
cluster_lock(struct arena *a, const char *cluster)
{
    return arena_printf(a, "cluster %s", cluster);
}

/* ---- for the steps ---- */

/* What cannot be read was not written by us, or there is no memory. */
static enum err
read_said(struct job_run *run, struct cluster_said *said,
          const struct json **body)
{
    const struct json *tree;
    struct json_error syntax;
    struct bind_error why;
    enum err e;

    e = json_parse(run->arena, run->args, strlen(run->args), JSON_OWN, &tree,
                   &syntax);
    if (e == ERR_OK)
        e = record_bind(run->arena, &cluster_said_rec, tree, 0, said, &why);
    if (e == ERR_OK)
        *body = json_member(tree, "body");
    if (e == ERR_OK && said->paras)
        *body = json_member(*body, "paras");
    return e == ERR_OK && *body == NULL ? ERR_INTERNAL : e;
}

bool
cluster_wants(struct job_run *run, struct cluster_want *out)
{
    const struct cluster_job *j = cluster_job_of_kind(run->job->kind);
    const struct json *body = NULL;
    struct cluster_said said;
    char why[WHY_BYTES] = "";
    enum err e = read_said(run, &said, &body);

    if (e == ERR_OK)
        e = cluster_want_read(run->arena, j, said.paras, body, out, why);
    if (e == ERR_OK)
        return true;
    if (!str_empty(why))
        job_fails(run, "%s", why);
    else
        job_fails(run, "arguments error: %s", err_name(e));
    return false;
}

enum step_answer
cluster_done(struct job_run *run, const char *info)
{
    const struct cluster_job *j = cluster_job_of_kind(run->job->kind);
    struct cluster_result out = { 0 };
    const char *text;

    PUT(&out, cluster_result, info, info != NULL ? info : j->log);
    PUT(&out, cluster_result, log, j->log);
    if (record_text(run->arena, &json_compact, &cluster_result_rec, &out,
                    SECRETS_FULL, RESULT_BYTES, &text) == ERR_OK)
        job_result(run, text);
    return STEP_DONE;
}

static enum err
put_ids(struct db *db, const char *cluster, bool shards, size_t n,
        struct cluster_part_step v[])
{
    enum err e = ERR_OK;
    int64_t id = 0;

    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        e = cluster_store_part_id(db, cluster, v[i].name, shards, &id);
        PUT(&v[i], cluster_part_step, id, id);
    }
    return e;
}

enum err
cluster_tell(struct job_run *run, const char *cluster,
             struct cluster_told *told)
{
    const char *text;
    enum err e =
        put_ids(run->db, cluster, true, told->shards.n, told->shards.v);

    if (e == ERR_OK)
        e = put_ids(run->db, cluster, false, told->comps.n, told->comps.v);
    if (e == ERR_OK)
        e = record_text(run->arena, &json_compact, &cluster_told_rec, told,
                        SECRETS_FULL, TOLD_BYTES, &text);
    if (e == ERR_OK)
        e = job_begin(run);
    if (e == ERR_OK)
        e = cluster_store_tell(run->db, run->job->id, text);
    return db_end(run->db, e);
}
