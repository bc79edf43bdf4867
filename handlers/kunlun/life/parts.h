/* What a job has done on machines: parts of it (job.h), which a machine's
 * supervise performs. A machine that takes none of them is silent: it is not
 * waited for. */
#ifndef LIFE_PARTS_H
#define LIFE_PARTS_H

#include "job.h"
#include "meta.h"

#define PART_ASK     "ask/"
#define PART_INSTALL "install/"
#define PART_REMOVE  "remove/"

/* Where a part is done, as its name says behind the prefix: "127.0.0.2:57330"
 * of "install/127.0.0.2:57330"; all of it without one. */
const char *part_place(const struct job *part);

/* Each makes the part when it is not there. */
enum err part_ask(struct job_run *run, const char *machine,
                  const char *question) MUST_USE;
enum err
part_install(struct job_run *run, const struct instance_spec *s) MUST_USE;
/* Removes that instance, wherever in its life it is; what else may be on its
 * port is left. */
enum err part_remove(struct job_run *run, const char *machine, int32_t port,
                     const char *uuid, bool storage) MUST_USE;

/* A copy of what is at that place, or one that is put there: node_mgr's
 * backup_shard; restore_storage or restore_computer, all up to the same
 * moment. prefix: of the part's name. */
struct part_copy {
    const char *ip;
    int32_t port;
    const char *cluster_name, *shard_name;
    const char *storage; /* of a backup; "": the machine's own */
    bool copy;           /* ... for this job alone: no binlogs are kept behind
                          * it */
    int64_t until_ms;    /* of a restore */
    uint64_t backup_job; /* ... or: that part's backup, and nothing behind it */
};
enum err part_backup(struct job_run *run, const char *prefix,
                     const struct part_copy *c) MUST_USE;
enum err part_restore(struct job_run *run, const char *prefix, bool storage,
                      const struct part_copy *c) MUST_USE;
/* Who has made it removes it. */
struct archive_backup;
enum err part_drop(struct job_run *run, const char *prefix,
                   const struct archive_backup *b) MUST_USE;
/* Who has made it, from the port, reads it again. */
enum err part_verify(struct job_run *run, const char *prefix,
                     const struct archive_backup *b, int32_t port) MUST_USE;

/* Whether nobody performs it: its machine has taken nothing of what all has
 * for it for too long. */
bool part_is_silent(const struct list_of_job *all, const struct job *part);

/* Waits for all parts of that prefix: AGAIN; DONE; FAILED, with a sentence in
 * why, as soon as one has failed, is silent, or takes longer than limit_ms. */
enum step_answer parts_await(struct job_run *run, const char *prefix,
                             int64_t limit_ms, char why[WHY_BYTES]);

/* For undo: cancels what is under way, and waits for those that machines
 * perform. What a silent machine has begun it undoes itself, when it is back.
 */
enum step_answer parts_stop(struct job_run *run, const char *prefix);

/* Waits for all parts of that prefix that machines perform, whatever becomes of
 * them: AGAIN, or DONE; *left names those that are not done, and why. */
enum step_answer parts_gone(struct job_run *run, const char *prefix,
                            int64_t limit_ms, const char **left);

#endif
