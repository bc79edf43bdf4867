/* KunlunBase node_mgr: what speaks for one machine. The machine is that whose
 * listener was asked: r->listener_tail is its address. */
#ifndef NODE_MGR_H
#define NODE_MGR_H

#include "kunlun/kunlun.h"
#include "nodes.h"

/* ---- what is asked ---- */

/* A job that needs nothing but its name. Its number, if it has one, is for
 * get_status. */
#define NODE_ASK(X, s) X(s, STR, job_id, "job_id", IN, -, .max = 128)
STRUCT(node_ask, NODE_ASK);

#define NODE_PATH(X, s)                            \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, STR, path, "path", IN, -, .max = 4095)
STRUCT(node_path, NODE_PATH);

/* Lists of directories by class, each with ';' between them. */
#define NODE_PATHS(X, s)                           \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, STR, paths0, "paths0", IN, -)             \
    X(s, STR, paths1, "paths1", IN, -)             \
    X(s, STR, paths2, "paths2", IN, -)             \
    X(s, STR, paths3, "paths3", IN, -)
STRUCT(node_paths, NODE_PATHS);

/* port0, port1 ...: read by the handler. */
#define NODE_PORTS(X, s)                           \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, JSON, all, "", IN, -)
STRUCT(node_ports, NODE_PORTS);

/* cmd may be anything: what is no line of the table is not allowed. */
#define NODE_COMMAND(X, s)                         \
    X(s, STR, job_id, "job_id", IN, -, .max = 128) \
    X(s, JSON, cmd, "cmd", IN, -)
STRUCT(node_command, NODE_COMMAND);

#define NODE_STATUS_REF(X, s) X(s, STR, job_id, "job_id", IN, -, .max = 128)
STRUCT(node_status_ref, NODE_STATUS_REF);

/* ---- what is told ---- */

/* What its clients of either time read: job_id and job_status, or result and
 * info. progress: how far a long step is, what a job waits for. */
#define NODE_STATUS(X, s)                       \
    X(s, STR, job_id, "job_id", OUT, -)         \
    X(s, STR, job_status, "job_status", OUT, -) \
    X(s, STR, result, "result", OUT, -)         \
    X(s, STR, info, "info", OUT, -)             \
    X(s, STR, progress, "progress", OUT, -)
STRUCT(node_status, NODE_STATUS);

#define NODE_INFO(X, s)                                     \
    X(s, STR, cpu_used, "cpu_used", OUT, -)                 \
    X(s, STR, mem_used, "mem_used", OUT, -)                 \
    X(s, STR, mem_free, "mem_free", OUT, -)                 \
    X(s, STR, disk_used, "disk_used", OUT, -)               \
    X(s, STR, disk_free, "disk_free", OUT, -)               \
    X(s, I32, meta_node, "meta_node", OUT, -)               \
    X(s, I32, storage_node, "storage_node", OUT, -)         \
    X(s, I32, computer_node, "computer_node", OUT, -)       \
    X(s, I32, cpu_cores, "cpu_cores", OUT, -)               \
    X(s, I64, mem_total_mb, "mem_total_mb", OUT, -)         \
    X(s, F64, load1, "load1", OUT, -)                       \
    X(s, LIST, disks, "disks", OUT | KEEP_EMPTY, node_root) \
    X(s, LIST, instances, "instances", OUT | KEEP_EMPTY, node_short)
STRUCT(node_info, NODE_INFO);

#define NODE_DISK(X, s)                       \
    X(s, STR, disk_used, "disk_used", OUT, -) \
    X(s, STR, disk_free, "disk_free", OUT, -)
STRUCT(node_disk, NODE_DISK);

/* MB, of 2^20 bytes. */
#define NODE_SPACE(X, s)            \
    X(s, STR, path, "path", OUT, -) \
    X(s, I64, used, "used", OUT, -) \
    X(s, I64, free, "free", OUT, -)
STRUCT(node_space, NODE_SPACE);

#define NODE_SPACES(X, s)                                      \
    X(s, STR, result, "result", OUT, -)                        \
    X(s, STR, info, "info", OUT, -)                            \
    X(s, LIST, paths0, "paths0", OUT | KEEP_EMPTY, node_space) \
    X(s, LIST, paths1, "paths1", OUT | KEEP_EMPTY, node_space) \
    X(s, LIST, paths2, "paths2", OUT | KEEP_EMPTY, node_space) \
    X(s, LIST, paths3, "paths3", OUT | KEEP_EMPTY, node_space)
STRUCT(node_spaces, NODE_SPACES);

/* The epoch that a request of our own daemons carries: OK, also when it has
 * none, or what req_fail has said. In the request's transaction. */
enum err node_epoch(struct req *r) MUST_USE;

/* The onebox's own MariaDB listens on this machine's address. */
bool node_has_meta(const struct req *r);

/* Accepts the job that the request's job_type names, its body as arguments. */
enum err node_job_queue(struct req *r, const char *job_id) MUST_USE;

/* "upload" for a body of multipart/form-data; NULL. */
const char *node_raw_verb(const struct req *r);

/* The row of a job_type that is queued; NULL. */
struct node_job;
const struct node_job *node_job_find(const char *verb);

extern const struct form node_mgr_form;

#define ENDPOINT_FILE "kunlun/node_mgr/endpoints.def"
#define ERROR_FILE    "kunlun/node_mgr/errors.def"
#include "endpoint_protos.h"

#define SETTINGS      node_mgr_settings
#define SETTINGS_FILE "kunlun/node_mgr/settings.def"
#include "settings_struct.h"

#endif
