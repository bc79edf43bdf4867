/* Where backups of a machine go, and how they are called there:
 *     coldbackup/<cluster>/<shard>/coldback_<YYYYmmdd_HHMMSS>.tgz
 * with a line for each in coldbackup/storage.txt. Times are the host's. */
#ifndef ARCHIVE_TARGET_H
#define ARCHIVE_TARGET_H

#include "blob.h"
#include "kunlun/node_mgr/jobs.h"

#define TARGET_INDEX "coldbackup/storage.txt"
/* Who has it may write indexes. */
#define TARGET_INDEX_LOCK "node_mgr index"

/* Who speaks to it, and until when. */
struct target_user {
    struct db *db;
    struct arena *a;
    const char *machine;
    bool (*go_on)(void *ctx); /* struct blob_config's */
    void *ctx;
};

/* asked: a request's own, NULL or "" for the machine's: [node_mgr] backup_url
 * or, without one, the first directory that it was registered with. A client
 * may name that or a WebHDFS, nothing else: BAD_PARAM. *url: what is kept of
 * it; NULL: it is not asked for. */
enum err target_open(const struct target_user *u, const char *asked,
                     struct blob_store **out, const char **url,
                     char why[WHY_BYTES]) MUST_USE;
/* By a url that target_open has given, here or on another machine. */
enum err target_again(const struct target_user *u, const char *url,
                      struct blob_store **out, char why[WHY_BYTES]) MUST_USE;

/* Of a job. */
struct target_user target_of(struct job_run *run);
enum err
node_target(struct job_run *run, const char *asked, struct blob_store **out,
            const char **url, char why[WHY_BYTES]) MUST_USE;

/* The key of a backup that is made now; NULL when cluster or shard cannot be
 * part of one. */
const char *
node_backup_key(struct job_run *run, const char *cluster, const char *shard);

/* "YYYY-MM-DD HH:MM:SS", as clients say when, of the host's time. False: it is
 * none. */
bool target_moment(const char *when, int64_t *unix_ms);

#endif
