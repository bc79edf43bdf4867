/* What the files about jobs of tablets share: job.c starts them, job_end.c
 * ends them. */
#ifndef MG_DORIS_JOB_H
#define MG_DORIS_JOB_H

#include "doris/doris.h"
#include "rpc.h"

/* One request about the jobs of a tablet, which is locked. */
struct doris_work {
    const char *instance_id;
    int64_t tablet_id, now;
    struct doris_job job;
    struct doris_stats stats;
    bool recorded; /* the tablet has a record of jobs */
};

/* The instance, what is asked for, the tablet with its jobs, also as they were
 * for the audit row. */
enum err
doris_job_open(struct req *r, const char *cloud_unique_id,
               const struct doris_job *asked, struct doris_work *w) MUST_USE;
/* Writes the record of jobs, also for the audit row. */
enum err doris_job_save(struct req *r, struct doris_work *w) MUST_USE;

/* The compaction of that id; NULL when there is none. */
struct doris_compaction *
doris_job_find(const struct doris_job *job, const char *id);
/* Removes one of the list. */
void
doris_job_take_out(struct doris_job *job, const struct doris_compaction *c);
/* Whether it says which versions it touches, so that others may run too. */
bool doris_job_knows_range(const struct doris_compaction *c);
/* Refuses a compaction that a schema change of the tablet stands against. */
enum err doris_job_check_alter(struct req *r, const struct doris_work *w,
                               const struct doris_compaction *c) MUST_USE;

#endif
