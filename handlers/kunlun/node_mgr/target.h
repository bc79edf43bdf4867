/* Where backups of a machine go, and how they are called there:
 *     coldbackup/<cluster>/<shard>/coldback_<YYYYmmdd_HHMMSS>.tgz
 * with a line for each in coldbackup/storage.txt. Times are the host's. */
#ifndef NODE_MGR_TARGET_H
#define NODE_MGR_TARGET_H

#include "blob.h"
#include "jobs.h"

#define TARGET_INDEX "coldbackup/storage.txt"

/* asked: a request's own, NULL or "" for the machine's: [node_mgr] backup_url
 * or, without one, the first directory that it was registered with. A client
 * may name that or a WebHDFS, nothing else: BAD_PARAM. */
enum err node_target(struct job_run *run, const char *asked,
                     struct blob_store **out, char why[WHY_BYTES]);

/* The key of a backup that is made now; NULL when cluster or shard cannot be
 * part of one. */
const char *
node_backup_key(struct job_run *run, const char *cluster, const char *shard);

/* The newest key of the index for them whose time is not after `when`
 * ("YYYY-MM-DD HH:MM:SS"; NULL: of all); NOT_FOUND. */
enum err
node_backup_find(struct job_run *run, struct blob_store *from,
                 const char *cluster, const char *shard, const char *when,
                 const char **out, char why[WHY_BYTES]);

#endif
