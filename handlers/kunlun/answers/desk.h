/* The room is what cluster_mgr is asked and answers at once, without a job:
 * lists of what there is (lists.h), variables of instances (variable.h),
 * failovers (failovers.h); and what keeps its own tables up to date beside that
 * (upkeep.h).
 *
 * This header: names and places for backups, and what all of them share. */
#ifndef CLUSTER_DESK_H
#define CLUSTER_DESK_H

#include "record.h"
#include "store.h"

#define PARAS .nested = "paras"

#define CLUSTER_NEW_NAME(X, s)                         \
    X(s, STR, name, "cluster_name", IN, -, .max = 120) \
    X(s, STR, nick_name, "nick_name", IN, -, .max = 120)
#define CLUSTER_NEW_NAME_PARAS(X, s)                          \
    X(s, STR, name, "cluster_name", IN, -, .max = 120, PARAS) \
    X(s, I64, id, "cluster_id", IN, -, PARAS)                 \
    X(s, STR, nick_name, "nick_name", IN, -, .max = 120, PARAS)
STRUCT(cluster_new_name, CLUSTER_NEW_NAME_PARAS);
DECLARE_TABLE(cluster_new_name_paras);

#define CLUSTER_STAMP(X, s) X(s, I64, timestamp, "timestamp", IN, -)
STRUCT(cluster_stamp, CLUSTER_STAMP);
#define CLUSTER_STAMP_PARAS(X, s) \
    X(s, I64, timestamp, "timestamp", IN, -, PARAS)
DECLARE_TABLE(cluster_stamp_paras);

/* "true" or "false". */
#define CLUSTER_BOOL(X, s) X(s, STR, result, "result", OUT, -)
STRUCT(cluster_bool, CLUSTER_BOOL);

#define CLUSTER_STORAGE(X, s)                          \
    X(s, STR, name, "name", IN, -, .max = 120)         \
    X(s, STR, stype, "stype", IN, -, .max = 16)        \
    X(s, STR, hostaddr, "hostaddr", IN, -, .max = 255) \
    X(s, I32, port, "port", IN, -, .min = 1, .max = 65535)
STRUCT(cluster_storage, CLUSTER_STORAGE);
#define CLUSTER_STORAGE_PARAS(X, s)                           \
    X(s, STR, name, "name", IN, -, .max = 120, PARAS)         \
    X(s, STR, stype, "stype", IN, -, .max = 16, PARAS)        \
    X(s, STR, hostaddr, "hostaddr", IN, -, .max = 255, PARAS) \
    X(s, I32, port, "port", IN, -, .min = 1, .max = 65535, PARAS)
DECLARE_TABLE(cluster_storage_paras);

#define CLUSTER_STORAGE_REF(X, s) X(s, STR, name, "name", IN, -, .max = 120)
STRUCT(cluster_storage_ref, CLUSTER_STORAGE_REF);
#define CLUSTER_STORAGE_REF_PARAS(X, s) \
    X(s, STR, name, "name", IN, -, .max = 120, PARAS)
DECLARE_TABLE(cluster_storage_ref_paras);

#define CLUSTER_STORAGE_LIST(X, s) \
    X(s, LIST, v, "", OUT | KEEP_EMPTY, cluster_backup_storage)
STRUCT(cluster_storage_list, CLUSTER_STORAGE_LIST);
#define CLUSTER_STORAGE_SUMMARY(X, s)                      \
    X(s, LIST, v, "list_backup_storage", OUT | KEEP_EMPTY, \
      cluster_backup_storage)
DECLARE_TABLE(cluster_storage_summary);

struct req;
/* The cluster that a request means, by its name or without one by its id, as
 * the store has it; NOT_FOUND is worded. */
enum err cluster_meant(struct req *r, const char *name, int64_t id,
                       const char **out) MUST_USE;

#endif
