/* The jobs of a machine: what a request accepts and supervise performs
 * (job.h). The words of a step are what get_status tells as long as it is
 * under way. */
#ifndef NODE_MGR_JOBS_H
#define NODE_MGR_JOBS_H

#include "instance.h"
#include "job.h"
#include "keeper.h"

/* A kind of job of a machine: its steps, and members of struct job_kind
 * (`.of = &x`, or NULL). */
#define NODE_JOB(kind, type, steps_, ...)                     \
    const struct job_kind kind = { .name = "node_mgr." #type, \
                                   .queue = MACHINE_QUEUE,    \
                                   .steps = (steps_),         \
                                   .n = COUNT(steps_),        \
                                   __VA_ARGS__ }

/* A job_type that is queued. */
struct node_job {
    const char *verb; /* NULL ends */
    const struct job_kind *kind;
    const struct record *rec; /* its members: all that is shown of it */
    const char *accepted;     /* the word of acceptance */
};
extern const struct node_job node_jobs[];
extern const struct job_kind *const node_job_kinds[]; /* NULL ends */

/* Members that name an instance of this machine; with uuid: that one, and
 * nothing else that may listen there by now. */
#define NODE_AT(X, s)                              \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, STR, ip, "ip", IN, -, .max = 64)          \
    X(s, I32, port, "port", IN, -)                 \
    X(s, STR, uuid, "uuid", IN, -, .max = 64)
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

#define NODE_INSTALL(X, s)                                                \
    X(s, STR, job_id, "job_id", IN, -, .max = 128)                        \
    X(s, STR, cluster_name, "cluster_name", IN, -, .max = 128)            \
    X(s, STR, shard_name, "shard_name", IN, -, .max = 128)                \
    X(s, STR, ha_mode, "ha_mode", IN, -, .max = 16)                       \
    X(s, I32, innodb_size, "innodb_size", IN, -)                          \
    X(s, STR, buffer_pool, "innodb_buffer_pool_size", IN | NUM_OR_STR, -) \
    X(s, I32, max_connections, "max_connections", IN, -)                  \
    X(s, I32, install_id, "install_id", IN, -)                            \
    X(s, OBJ, spec, "spec", IN | SECRET, instance_spec)                   \
    X(s, LIST, nodes, "nodes", IN, node_place, .max = 1024)
STRUCT(node_install, NODE_INSTALL);

/* The older jobs name an instance and a login of its own. */
#define NODE_SOURCE(X, s)                                 \
    X(s, STR, job_id, "job_id", IN, -, .max = 128)        \
    X(s, STR, s_ip, "s_ip", IN, -, .max = 64)             \
    X(s, I32, s_port, "s_port", IN, -)                    \
    X(s, STR, s_user, "s_user", IN, -, .max = 64)         \
    X(s, STR, s_pwd, "s_pwd", IN | SECRET, -, .max = 128) \
    X(s, STR, file_type, "file_type", IN, -)              \
    X(s, STR, file, "file", IN, -, .max = 512)            \
    X(s, STR, timestamp, "timestamp", IN, -, .max = 32)   \
    X(s, STR, s_dbname, "s_dbname", IN, -, .max = 64)     \
    X(s, STR, s_table_name, "s_table_name", IN, -, .max = 64)
STRUCT(node_source, NODE_SOURCE);

/* A table goes from one instance (s_) to another (d_). */
#define NODE_SEND(X, s)                                       \
    X(s, STR, job_id, "job_id", IN, -, .max = 128)            \
    X(s, STR, s_ip, "s_ip", IN, -, .max = 64)                 \
    X(s, I32, s_port, "s_port", IN, -)                        \
    X(s, STR, s_user, "s_user", IN, -, .max = 64)             \
    X(s, STR, s_pwd, "s_pwd", IN | SECRET, -, .max = 128)     \
    X(s, STR, file_type, "file_type", IN, -)                  \
    X(s, STR, s_dbname, "s_dbname", IN, -, .max = 64)         \
    X(s, STR, s_table_name, "s_table_name", IN, -, .max = 64) \
    X(s, STR, d_ip, "d_ip", IN, -, .max = 64)                 \
    X(s, I32, d_port, "d_port", IN, -)                        \
    X(s, STR, d_user, "d_user", IN, -, .max = 64)             \
    X(s, STR, d_pwd, "d_pwd", IN | SECRET, -, .max = 128)     \
    X(s, STR, d_dbname, "d_dbname", IN, -, .max = 64)         \
    X(s, STR, d_table_name, "d_table_name", IN, -, .max = 64)
STRUCT(node_send, NODE_SEND);

/* What the machine that sends asks of the other one, with the token by which
 * that is let in. */
#define NODE_RECV(X, s)                                             \
    X(s, STR, job_id, "job_id", IN | OUT, -, .max = 128)            \
    X(s, STR, file_type, "file_type", IN | OUT, -)                  \
    X(s, STR, d_ip, "d_ip", IN | OUT, -, .max = 64)                 \
    X(s, I32, d_port, "d_port", IN | OUT, -)                        \
    X(s, STR, d_user, "d_user", IN | OUT, -, .max = 64)             \
    X(s, STR, d_pwd, "d_pwd", IN | OUT | SECRET, -, .max = 128)     \
    X(s, STR, d_dbname, "d_dbname", IN | OUT, -, .max = 64)         \
    X(s, STR, d_table_name, "d_table_name", IN | OUT, -, .max = 64) \
    X(s, STR, url, "url", IN | OUT, -, .max = 255)                  \
    X(s, STR, token, "token", IN | OUT | SECRET, -, .max = 128)
STRUCT(node_recv, NODE_RECV);

/* What the two keep. bytes, tries: how far it was, and at which call of the
 * step; again: how often it has begun anew. */
#define NODE_SENDING(X, s)           \
    X(s, STR, id, "id", IN | OUT, -) \
    X(s, STR, url, "url", IN | OUT, -)
STRUCT(node_sending, NODE_SENDING);
#define NODE_ARRIVING(X, s)                \
    X(s, I64, bytes, "bytes", IN | OUT, -) \
    X(s, I32, tries, "tries", IN | OUT, -) \
    X(s, I32, again, "again", IN | OUT, -) \
    X(s, BOOL, arrived, "arrived", IN | OUT, -)
STRUCT(node_arriving, NODE_ARRIVING);

#define NODE_SHARD(X, s)                                            \
    X(s, STR, job_id, "job_id", IN, -, .max = 128)                  \
    X(s, STR, ip, "ip", IN, -, .max = 64)                           \
    X(s, I32, port, "port", IN, -)                                  \
    X(s, STR, cluster_name, "cluster_name", IN, -, .max = 128)      \
    X(s, STR, shard_name, "shard_name", IN, -, .max = 128)          \
    X(s, STR, backup_storage, "backup_storage", IN, -, .max = 1024) \
    X(s, BOOL, copy, "copy", IN, -) /* a part's: for its parent alone */
STRUCT(node_shard, NODE_SHARD);

/* until_ms: cluster_mgr's own, in the place of timestamp: the same moment for
 * all. Of restore_computer shard_name is nobody's. */
#define NODE_RESTORE(X, s)                                     \
    X(s, STR, job_id, "job_id", IN, -, .max = 128)             \
    X(s, STR, ip, "ip", IN, -, .max = 64)                      \
    X(s, I32, port, "port", IN, -)                             \
    X(s, STR, cluster_name, "cluster_name", IN, -, .max = 128) \
    X(s, STR, shard_name, "shard_name", IN, -, .max = 128)     \
    X(s, STR, timestamp, "timestamp", IN, -, .max = 32)        \
    X(s, I64, until_ms, "until_ms", IN, -)                     \
    X(s, U64, backup_job, "backup_job", IN, -)                 \
    X(s, STR, backup_storage, "backup_storage", IN, -, .max = 1024)
STRUCT(node_restore, NODE_RESTORE);

/* What a restore keeps: the instance as it was found, the archive, and up to
 * where its history is played; archive_id 0: not at all. copy: its history is
 * the one that its shard has already. */
#define NODE_RESTORING(X, s)                         \
    X(s, OBJ, spec, "spec", IN | OUT, instance_spec) \
    X(s, STR, key, "key", IN | OUT, -)               \
    X(s, STR, target, "target", IN | OUT, -)         \
    X(s, I64, archive_id, "archive", IN | OUT, -)    \
    X(s, I64, until_ms, "until_ms", IN | OUT, -)     \
    X(s, BOOL, copy, "copy", IN | OUT, -)
STRUCT(node_restoring, NODE_RESTORING);

/* What a backup keeps, and the arguments of its part that notes it: first the
 * key, then what has come of it. history: the shard whose binlogs go on behind
 * it; absent: none. job: that has made it. */
#define NODE_BACKUP_MEMO(X, s)                                 \
    X(s, STR, key, "key", IN | OUT, -)                         \
    X(s, STR, storage, "storage", IN | OUT, -)                 \
    X(s, U64, job, "job", IN | OUT, -)                         \
    X(s, STR, target, "target", IN | OUT, -)                   \
    X(s, STR, kind, "kind", IN | OUT, -)                       \
    X(s, STR, cluster, "cluster", IN | OUT, -)                 \
    X(s, STR, shard, "shard", IN | OUT, -)                     \
    X(s, STR, history_cluster, "history_cluster", IN | OUT, -) \
    X(s, STR, history_shard, "history_shard", IN | OUT, -)     \
    X(s, STR, gtid, "gtid", IN | OUT, -)                       \
    X(s, I64, domain, "domain", IN | OUT, -)                   \
    X(s, I64, begun_ms, "begun_ms", IN | OUT, -)               \
    X(s, I64, ended_ms, "ended_ms", IN | OUT, -)               \
    X(s, I64, bytes, "bytes", IN | OUT, -)                     \
    X(s, STR, sha256, "sha256", IN | OUT, -)
STRUCT(node_backup_memo, NODE_BACKUP_MEMO);

/* A variable of an instance: no request of node_mgr's, cluster_mgr asks. */
#define NODE_VARIABLE(X, s)                      \
    X(s, I32, port, "port", IN | OUT, -)         \
    X(s, STR, variable, "variable", IN | OUT, -) \
    X(s, STR, value, "value", IN | OUT, -)
STRUCT(node_variable, NODE_VARIABLE);

/* A machine's directories, before it is registered: cluster_mgr asks. */
#define NODE_ROOTS_ASKED(X, s)                         \
    X(s, STR, datadir, "datadir", IN | OUT, -)         \
    X(s, STR, logdir, "logdir", IN | OUT, -)           \
    X(s, STR, wal_log_dir, "wal_log_dir", IN | OUT, -) \
    X(s, STR, comp_datadir, "comp_datadir", IN | OUT, -)
STRUCT(node_roots_asked, NODE_ROOTS_ASKED);

/* A file that was sent: the job's own arguments. */
#define NODE_FILE(X, s)                      \
    X(s, STR, folder, "folder", IN | OUT, -) \
    X(s, STR, name, "name", IN | OUT, -)     \
    X(s, BYTES, body, "body", IN | OUT, -)
STRUCT(node_file, NODE_FILE);

/* ---- for the steps ---- */

/* What is a kind's own where storage and computer share their steps. */
struct node_own {
    enum instance_kind kind;
    const char *error, *succeed; /* its sentences */
};

static inline const struct node_own *
node_own(const struct job_run *run)
{
    return run->kind->of;
}

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

/* As node_failed, of an order that the keeper has not taken: it could not write
 * it down. */
enum step_answer
node_not_kept(struct job_run *run, enum err e, const char *sentence);

/* Ends the job with that sentence as its info. */
enum step_answer node_done(struct job_run *run, const char *info);

/* Waits for the instance; again and again until it is as it shall be. */
enum step_answer node_await(struct job_run *run, unsigned port,
                            enum kept_state up, const char *sentence);

/* What jobs keep from step to step: the spec of their instance. */
enum err node_keep_spec(struct job_run *run, const struct instance_spec *spec);
/* NOT_FOUND when nothing was kept. */
enum err node_kept_spec(struct job_run *run, struct instance_spec *out);

/* Fills *out from what job_remember has kept; false: job_fails has said so. */
bool node_memo(struct job_run *run, const struct record *rec, void *out);

/* The instance of this machine on that port; false: job_fails has said
 * "connect <ip>:<port> error". */
bool node_instance(struct job_run *run, const char *ip, int32_t port,
                   enum instance_kind kind, struct instance_spec *out);

/* The members of an older job in their order, then what `rest` looks at (NULL:
 * nothing), then the instance; false: job_fails has said what is wrong. All of
 * it before anything is connected to. */
bool node_source_read(struct job_run *run, struct node_source *in,
                      struct instance_spec *spec,
                      bool (*rest)(struct job_run *run,
                                   const struct node_source *in));

/* "connect <ip>:<port> error" */
void node_no_connection(struct job_run *run, const char *ip, int32_t port);

/* Logs in as the client says, never as ourselves; closed with the arena. A
 * reply is waited for so long. NULL: job_fails has said "connect <ip>:<port>
 * error". */
#define NODE_SHORT_S 60
#define NODE_LONG_S  86400 /* rows of a table are written */
struct node_login {
    const char *ip;
    int32_t port;
    const char *user, *password;
};
struct my;
struct my *node_login_at(struct job_run *run, const struct node_login *at,
                         unsigned reply_s);
struct my *node_login(struct job_run *run, const struct node_source *in);

/* What has happened need not be undone because something of it was left
 * behind. AGAIN for a while after a failure to remove, then DONE, and the log
 * tells. */
enum step_answer
node_left(struct job_run *run, enum err e, const char *what, const char *why);

/* Asks job_go_on, and tells progress in MiB. */
struct instance_watch;
struct instance_watch node_watch(struct job_run *run);

/* As node_failed; what was broken off because the job is not ours any more, or
 * to be cancelled, is called again. */
enum step_answer node_broken_off(struct job_run *run, enum err e,
                                 const char *sentence, const char *why);

/* ---- kinds ---- */

extern const struct job_kind node_coldbackup_kind;
extern const struct job_kind node_backup_shard_kind;
extern const struct job_kind node_backup_index_kind;
extern const struct job_kind node_backup_unindex_kind;
extern const struct job_kind node_coldrestore_kind;
extern const struct job_kind node_restore_storage_kind;
extern const struct job_kind node_delete_kind;
extern const struct job_kind node_send_kind;
extern const struct job_kind node_recv_kind;
extern const struct job_kind node_peek_kind;

extern const struct job_kind node_control_kind;
extern const struct job_kind node_command_kind;
extern const struct job_kind node_upload_kind;
extern const struct job_kind node_variable_kind;
extern const struct job_kind node_paths_kind;
extern const struct job_kind node_install_storage_kind;
extern const struct job_kind node_install_computer_kind;
extern const struct job_kind node_delete_storage_kind;
extern const struct job_kind node_delete_computer_kind;

#endif
