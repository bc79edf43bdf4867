/* Binlogs that are kept behind backups. The words of journal.h; an *archive* is
 * a shard's timeline from one backup on (sql/0048). What adds to it is the
 * machine that the shard's primary is on, under a lease of the archive's own;
 * what it adds some replica has, so that no failover takes it back. A restore
 * takes the newest backup that ended before a moment, and plays what is behind
 * it up to that: a moment that is not covered is refused. */
#ifndef KUNLUN_ARCHIVE_H
#define KUNLUN_ARCHIVE_H

#include "duty.h"
#include "store.h"
#include "target.h"

/* The upkeep "node_mgr.archive" of each machine. */
int64_t archive_every_ms(void);
enum turn archive_step(struct upkeep_run *run);
void archive_forget(void *memory);

/* Plays what a job has loaded up to a moment: all of the pieces that are behind
 * it, wherever they lie. */
enum err archive_play(struct job_run *run, const struct instance_spec *s,
                      const struct instance_backup *loaded, int64_t archive,
                      int64_t until_ms, const struct instance_watch *w,
                      char why[WHY_BYTES]) MUST_USE;

/* Up to when: the same moment for all that one asks for, or what a client has
 * said; one that is to come is now, the latest there is. */
enum err restore_moment(const struct node_restore *in, int64_t *until_ms,
                        char why[WHY_BYTES]) MUST_USE;

/* Whether it wants what another part of its parent has made, whatever came
 * after. */
bool restore_is_copy(const struct job_run *run, const struct node_restore *in);

/* restore_computer; and what cluster_mgr alone asks for: reads a backup again,
 * whole. */
extern const struct job_kind node_restore_computer_kind;
extern const struct job_kind node_backup_verify_kind;
#define NODE_VERIFY(X, s)                    \
    X(s, STR, target, "target", IN | OUT, -) \
    X(s, STR, path, "path", IN | OUT, -)     \
    X(s, STR, sha256, "sha256", IN | OUT, -)
STRUCT(node_verify, NODE_VERIFY);
/* ... and removes one that was made for a job of its own. */
extern const struct job_kind node_backup_drop_kind;
#define NODE_DROP(X, s) X(s, U64, backup_job, "backup_job", IN | OUT, -)
STRUCT(node_drop, NODE_DROP);

/* Removes what [node_mgr] backup_keep_days has made old and this machine has
 * written; what cannot be removed is logged, and tried again another time. A
 * step of a job that has TARGET_INDEX_LOCK: of one that has just added a
 * backup, and of one that is accepted when there is something. */
enum step_answer archive_expire_step(struct job_run *run);
extern const struct job_kind node_backup_expire_kind;
enum err
archive_expire(struct db *db, struct arena *a, const char *machine) MUST_USE;

#endif
