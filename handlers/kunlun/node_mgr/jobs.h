/* The jobs of a machine: what a request accepts and supervise performs
 * (job.h). The words of a step are what get_status tells as long as it is
 * under way. */
#ifndef NODE_MGR_JOBS_H
#define NODE_MGR_JOBS_H

#include "instance.h"
#include "job.h"
#include "keeper.h"

/* A job_type that is queued. */
struct node_job {
    const char *verb; /* NULL ends */
    const struct job_kind *kind;
    const struct record *rec; /* its members: all that is shown of it */
    const char *accepted;     /* the word of acceptance */
};
extern const struct node_job node_jobs[];
extern const struct job_kind *const node_job_kinds[]; /* NULL ends */

/* Members that name an instance of this machine. */
#define NODE_AT(X, s)                              \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, STR, ip, "ip", IN, -, .max = 64)          \
    X(s, I32, port, "port", IN, -)
STRUCT(node_at, NODE_AT);

#define NODE_CONTROL(X, s)                         \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, STR, ip, "ip", IN, -, .max = 64)          \
    X(s, I32, port, "port", IN, -)                 \
    X(s, STR, type, "type", IN, -)                 \
    X(s, STR, control, "control", IN, -)
STRUCT(node_control, NODE_CONTROL);

/* One of the instances that a request lists; install_id says which. */
#define NODE_PLACE(X, s)                                                      \
    X(s, STR, name, "name", IN, -, .max = 128)                                \
    X(s, STR, ip, "ip", IN, -, .max = 64)                                     \
    X(s, I32, port, "port", IN, -)                                            \
    X(s, BOOL, is_primary, "is_primary", IN, -)                               \
    X(s, STR, user, "user", IN, -, .max = 64)                                 \
    X(s, STR, password, "password", IN | SECRET, -)                           \
    X(s, STR, data_dir_path, "data_dir_path", IN, -, .max = 4095)             \
    X(s, STR, log_dir_path, "log_dir_path", IN, -, .max = 4095)               \
    X(s, STR, innodb_log_dir_path, "innodb_log_dir_path", IN, -, .max = 4095) \
    X(s, STR, datadir, "datadir", IN, -, .max = 4095)                         \
    X(s, STR, buffer_pool, "innodb_buffer_pool_size", IN | NUM_OR_STR, -)
STRUCT(node_place, NODE_PLACE);

#define NODE_INSTALL(X, s)                                     \
    X(s, STR, job_id, "job_id", IN, -, .max = 128)             \
    X(s, STR, cluster_name, "cluster_name", IN, -, .max = 128) \
    X(s, STR, shard_name, "shard_name", IN, -, .max = 128)     \
    X(s, STR, ha_mode, "ha_mode", IN, -, .max = 16)            \
    X(s, I32, innodb_size, "innodb_size", IN, -)               \
    X(s, I32, max_connections, "max_connections", IN, -)       \
    X(s, I32, install_id, "install_id", IN, -)                 \
    X(s, LIST, nodes, "nodes", IN, node_place, .max = 1024)
STRUCT(node_install, NODE_INSTALL);

/* A file that was sent: the job's own arguments. */
#define NODE_FILE(X, s)                      \
    X(s, STR, folder, "folder", IN | OUT, -) \
    X(s, STR, name, "name", IN | OUT, -)     \
    X(s, BYTES, body, "body", IN | OUT, -)
STRUCT(node_file, NODE_FILE);

/* ---- for the steps ---- */

/* Fills *out from the job's members; false: job_fails has said which of them
 * is wrong. */
bool node_args(struct job_run *run, const struct record *rec, void *out);

/* Whether each of these members is given, in this order; false: job_fails has
 * said "get <member> error". NULL ends. */
bool node_wants(struct job_run *run, const struct record *rec, const void *in,
                const char *const *members);

/* Whether that is the address of the machine; else job_fails has said so. */
bool node_is_ours(struct job_run *run, const char *ip);

/* What a step answers to a failure: that of the store or of another job that
 * holds the instance is waited for, any other one is the job's,
 * "<sentence>: <why>". */
enum step_answer node_failed(struct job_run *run, enum err e,
                             const char *sentence, const char *why);

/* Ends the job with that sentence as its info. */
enum step_answer node_done(struct job_run *run, const char *info);

/* Waits for the instance; again and again until it is as it shall be. */
enum step_answer node_await(struct job_run *run, unsigned port,
                            enum kept_state up, const char *sentence);

/* What jobs keep from step to step: the spec of their instance. */
enum err node_keep_spec(struct job_run *run, const struct instance_spec *spec);
/* NOT_FOUND when nothing was kept. */
enum err node_kept_spec(struct job_run *run, struct instance_spec *out);

/* ---- kinds ---- */

extern const struct job_kind node_control_kind;
extern const struct job_kind node_command_kind;
extern const struct job_kind node_upload_kind;
extern const struct job_kind node_install_storage_kind;
extern const struct job_kind node_install_computer_kind;
extern const struct job_kind node_delete_storage_kind;
extern const struct job_kind node_delete_computer_kind;

#endif
