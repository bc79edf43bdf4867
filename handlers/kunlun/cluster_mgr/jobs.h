/* The jobs of cluster_mgr. A request becomes a row of `job` whatever its
 * members are (accept.c); any control performs it (job.h, queue "cluster");
 * get_status, and the view cluster_general_job_log, tell of it. This header is
 * what both sides know of each other: which jobs there are, what is wanted of
 * one, and how its steps say what became of it.
 *
 * The words. A request comes *flat* (D1, D2: members at the top) or in *paras*
 * (D3: some of other names, ids in the place of names). Steps see neither: they
 * see a *want*. What a client reads of a job that is done is its *info*, a
 * value ("shard2;shard3"); the operations table gets its *log*, a sentence.
 * Both get the error of one that has failed: always D1's text, of which D3's
 * code is derived (codes.c). */
#ifndef CLUSTER_JOBS_H
#define CLUSTER_JOBS_H

#include "db.h"
#include "job.h"
#include "json.h"
#include "record.h"
#include "sentences.h"

#define CLUSTER_QUEUE "cluster"
#define CLUSTER_KIND  "cluster_mgr." /* in front of job_type: a kind's name */

/* The kind of a job_type: its steps, and what tells it from others that have
 * the same ones (`.of = &x`, or NULL), and members of struct job_kind. */
#define CLUSTER_JOB(type, steps_, n_, ...)                                  \
    const struct job_kind cluster_##type##_kind = { .name =                 \
                                                        CLUSTER_KIND #type, \
                                                    .queue = CLUSTER_QUEUE, \
                                                    .steps = (steps_),      \
                                                    .n = (n_),              \
                                                    __VA_ARGS__ }

/* ---- what is wanted ---- */

/* Members of all jobs; which of them a job has, and which it needs, says its
 * list in want.c: others are not even looked at (XPanel sends whole rows).
 * cluster_name is the source of backup_cluster and restore_new_cluster, too. In
 * paras an id may stand in the place of each of the three names. No hosts:
 * any machine. */
#define CLUSTER_WANT(X, s)                                            \
    X(s, STR, cluster_name, "cluster_name", IN, -, .max = 120)        \
    X(s, I64, cluster_id, "cluster_id", IN, -)                        \
    X(s, STR, shard_name, "shard_name", IN, -, .max = 120)            \
    X(s, I64, shard_id, "shard_id", IN, -)                            \
    X(s, STR, comp_name, "comp_name", IN, -, .max = 120)              \
    X(s, I64, comp_id, "comp_id", IN, -)                              \
    X(s, STR, nick_name, "nick_name", IN, -, .max = 120)              \
    X(s, STR, ha_mode, "ha_mode", IN, -, .max = 64)                   \
    X(s, I32, shards, "shards", IN, -)                                \
    X(s, I32, nodes, "nodes", IN, -)                                  \
    X(s, I32, comps, "comps", IN, -)                                  \
    X(s, I32, max_storage_size, "max_storage_size", IN, -)            \
    X(s, I32, max_connections, "max_connections", IN, -)              \
    X(s, I32, cpu_cores, "cpu_cores", IN, -)                          \
    X(s, I32, innodb_size, "innodb_size", IN, -) /* GB */             \
    X(s, STR, ip, "ip", IN, -, .max = 64)                             \
    X(s, I32, port, "port", IN, -)                                    \
    X(s, STR, control, "control", IN, -, .max = 32)                   \
    X(s, STR, machine_type, "machine_type", IN, -, .max = 16)         \
    X(s, STR, port_range, "port_range", IN, -, .max = 64)             \
    X(s, STR, timestamp, "timestamp", IN, -, .max = 64)               \
    X(s, STR, rack_id, "rack_id", IN, -, .max = 32)                   \
    X(s, STR, datadir, "datadir", IN, -, .max = 16384)                \
    X(s, STR, logdir, "logdir", IN, -, .max = 16384)                  \
    X(s, STR, wal_log_dir, "wal_log_dir", IN, -, .max = 16384)        \
    X(s, STR, comp_datadir, "comp_datadir", IN, -, .max = 16384)      \
    X(s, I32, total_mem, "total_mem", IN, -) /* MB */                 \
    X(s, I32, total_cpu_cores, "total_cpu_cores", IN, -)              \
    X(s, STR, computer_user, "computer_user", IN, -, .max = 64)       \
    X(s, STR, computer_password, "computer_password", IN | SECRET, -, \
      .max = 128)                                                     \
    X(s, STR, fullsync_level, "fullsync_level", IN, -, .max = 64)     \
    X(s, STR, dbcfg, "dbcfg", IN, -, .max = 4096)                     \
    X(s, LIST, storage_hosts, "storage_iplists", IN, STR)             \
    X(s, LIST, computer_hosts, "computer_iplists", IN, STR)           \
    X(s, BOOL, force, "force", IN, -)                                 \
    X(s, BOOL, dry_run, "dry_run", IN, -)
STRUCT(cluster_want, CLUSTER_WANT);

struct cluster_job;

/* Reads the members that the job has from a body, in their order, each with
 * its range; BAD_PARAM: `why` is the sentence for the client. */
enum err
cluster_want_read(struct arena *a, const struct cluster_job *j, bool paras,
                  const struct json *body, struct cluster_want *out,
                  char why[WHY_BYTES]) MUST_USE;

/* Prints, into an object that is open, what the body has of the members that
 * the job knows. */
void cluster_want_show(struct json_writer *w, const struct cluster_job *j,
                       bool paras, const struct json *body);

/* ---- for the steps ---- */

/* The want of this job: first in its first step, and in any other one that
 * needs it. False: job_fails has said what is wrong with it. */
bool cluster_wants(struct job_run *run, struct cluster_want *out);

/* Ends the job with that info; its log is the table's. */
enum step_answer cluster_done(struct job_run *run, const char *info);

/* How far creating or deleting a cluster is, as XPanel shows it: replaces what
 * was told before. Its own transaction, under the job; STATE when the job is
 * another's. States are "prepare", "dispatch", "ongoing", "done" and "failed";
 * hosts are "ip:port;ip:port;". The ids are put here: of the rows, 0 as long as
 * there are none. */
#define CLUSTER_PART_STEP(X, s)                                   \
    X(s, STR, name, "shard", IN | OUT, -) /* or computing node */ \
    X(s, I64, id, "id", IN | OUT, -)                              \
    X(s, STR, state, "state", IN | OUT, -)                        \
    X(s, STR, hosts, "hosts", IN | OUT, -)                        \
    X(s, STR, error, "error", IN | OUT, -)
STRUCT(cluster_part_step, CLUSTER_PART_STEP);
LIST_OF(cluster_part_step);
#define CLUSTER_TOLD(X, s)                                    \
    X(s, STR, storage_state, "storage", IN | OUT, -)          \
    X(s, STR, computer_state, "computer", IN | OUT, -)        \
    X(s, LIST, shards, "shards", IN | OUT, cluster_part_step) \
    X(s, LIST, comps, "comps", IN | OUT, cluster_part_step)
STRUCT(cluster_told, CLUSTER_TOLD);
enum err cluster_tell(struct job_run *run, const char *cluster,
                      struct cluster_told *told) MUST_USE;

/* ---- which jobs there are ---- */

/* What a job would do, for dry_run: nothing of it is written. */
#define CLUSTER_EFFECT(X, s)                                              \
    X(s, STR, what, "what", OUT, -) /* "install storage" "remove rows" */ \
    X(s, STR, name, "name", OUT, -) /* of the cluster, shard, node */     \
    X(s, STR, machine, "machine", OUT, -)                                 \
    X(s, I32, port, "port", OUT, -)                                       \
    X(s, STR, directory, "directory", OUT, -)
STRUCT(cluster_effect, CLUSTER_EFFECT);
LIST_OF(cluster_effect);

/* The same validation as the job's, in the same words (`why`, with BAD_PARAM,
 * NOT_FOUND, EXISTS, STATE or LIMIT). `of` is its kind's. In the caller's
 * snapshot; writes nothing, speaks to nobody. */
typedef enum err
cluster_plan_fn(struct db *db, struct arena *a, const void *of,
                const struct cluster_want *want,
                struct list_of_cluster_effect *out, char why[WHY_BYTES]);

/* Which members: a list of want.c. */
enum cluster_list {
    WANTS_NO,
    WANTS_MACHINE,
    WANTS_MACHINE_REF,
    WANTS_CREATE,
    WANTS_DELETE,
    WANTS_ADD_SHARDS,
    WANTS_DELETE_SHARD,
    WANTS_ADD_COMPS,
    WANTS_DELETE_COMP,
    WANTS_ADD_NODES,
    WANTS_DELETE_NODE,
    WANTS_BACKUP,
    WANTS_RESTORE_NEW,
    WANTS_CONTROL,
    WANTS_INSTANCE,
    WANTS_SWITCH,
    WANTS__MAX
};

struct cluster_job {
    const char *type;     /* job_type; NULL ends */
    const char *in_paras; /* its name there, when it has another; NULL */
    const struct job_kind *kind;
    enum cluster_list members;
    /* It changes that cluster, and no other job meanwhile: "cluster <name>" is
     * its lock from its acceptance to its end. */
    bool locks;
    bool shows_steps;            /* job_steps and the like in D3 */
    const char *start, *working; /* its info while it waits, and goes on */
    const char *log;             /* ... of the operations table when done */
    cluster_plan_fn *plan;       /* NULL: there is no dry_run of it */
};
extern const struct cluster_job cluster_jobs[];

/* By job_type of one of the dialects; by the name of a kind. NULL. */
const struct cluster_job *cluster_job_find(const char *type, bool paras);
const struct cluster_job *cluster_job_of_kind(const char *kind);

/* The name of a cluster's lock, in the arena. */
const char *cluster_lock(struct arena *a, const char *cluster);

/* ---- kinds ---- */

/* Each in the file that performs it; closed.c: the one that nobody does. */
extern const struct job_kind cluster_create_machine_kind;
extern const struct job_kind cluster_update_machine_kind;
extern const struct job_kind cluster_delete_machine_kind;
extern const struct job_kind cluster_create_cluster_kind;
extern const struct job_kind cluster_delete_cluster_kind;
extern const struct job_kind cluster_add_shards_kind;
extern const struct job_kind cluster_delete_shard_kind;
extern const struct job_kind cluster_add_comps_kind;
extern const struct job_kind cluster_delete_comp_kind;
extern const struct job_kind cluster_add_nodes_kind;
extern const struct job_kind cluster_delete_node_kind;
extern const struct job_kind cluster_backup_cluster_kind;
extern const struct job_kind cluster_restore_cluster_kind;
extern const struct job_kind cluster_restore_new_cluster_kind;
extern const struct job_kind cluster_control_instance_kind;
extern const struct job_kind cluster_manual_switch_kind;
extern const struct job_kind kunlun_rebuild_kind; /* nobody asks for it */
extern const struct job_kind cluster_update_prometheus_kind;
extern const struct job_kind cluster_postgres_exporter_kind;
extern const struct job_kind cluster_mysqld_exporter_kind;
extern const struct job_kind *const cluster_job_kinds[]; /* NULL ends */

/* What dry_run shows of those that have a plan: of those whose kind is a
 * struct life_growth, and of those whose kind is a struct life_decay. */
cluster_plan_fn life_growth_plan, life_decay_plan;

#endif
