/* Shrinking: the jobs that take servers out of a cluster and remove them. They
 * go forward only: what has begun is never taken back, and what could not be
 * removed the job's error names; the same job, posted again, goes on with what
 * is left. */
#ifndef LIFE_SHRINK_H
#define LIFE_SHRINK_H

#include "kunlun/cluster_mgr/jobs.h"
#include "meta.h"

/* A server that is to go. */
#define LIFE_GOING(X, s)                                            \
    X(s, STR, machine, "machine", IN | OUT, -)                      \
    X(s, I32, port, "port", IN | OUT, -)                            \
    X(s, STR, uuid, "uuid", IN | OUT, -)                            \
    X(s, STR, of, "of", IN | OUT, -) /* shard, or computing node */ \
    X(s, BOOL, storage, "storage", IN | OUT, -)
STRUCT(life_going, LIFE_GOING);

#define LIFE_LOSS(X, s)                                                     \
    X(s, STR, cluster, "cluster", IN | OUT, -)                              \
    X(s, I64, cluster_id, "cluster_id", IN | OUT, -)                        \
    X(s, STR, name, "name", IN | OUT, -) /* of what goes; of the cluster */ \
    X(s, I64, id, "id", IN | OUT, -)                                        \
    X(s, STR, shard, "shard", IN | OUT, -) /* a node's */                   \
    X(s, BOOL, force, "force", IN | OUT, -)                                 \
    X(s, LIST, going, "going", IN | OUT, life_going)
STRUCT(life_loss, LIFE_LOSS);

struct life_decay {
    const char *error; /* "delete shard error" */
    bool tells;        /* get_status in paras shows how far its servers are */
    /* What goes, in the documented order of checks; with the client's sentence.
     */
    enum err (*check)(struct db *db, struct arena *a,
                      const struct cluster_want *want, struct life_loss *out,
                      char why[WHY_BYTES]);
    /* Whether what is there lets it go: asked by detach itself, and by a plan;
     * NULL: always. */
    enum err (*look)(struct db *db, struct arena *a, const struct life_loss *l,
                     char why[WHY_BYTES]);
    /* Takes it out of the cluster: nobody watches over it, leads to it or
     * shows it any more. May be called again. */
    enum step_answer (*detach)(struct job_run *run, const struct life_loss *l);
    /* Its rows, in the caller's transaction. */
    enum err (*rows)(struct job_run *run, const struct life_loss *l);
};

extern const struct job_step life_decay_steps[];
#define LIFE_DECAY_STEPS 4
#define LIFE_DETACHES    "take it out"

/* The kind of such a job_type. */
#define DECAY_JOB(type, error_, check_, detach_, rows_, ...)           \
    CLUSTER_JOB(type, life_decay_steps, LIFE_DECAY_STEPS,              \
                .forward_only = true,                                  \
                .of = &(const struct life_decay){ .error = (error_),   \
                                                  .check = (check_),   \
                                                  .detach = (detach_), \
                                                  .rows = (rows_),     \
                                                  __VA_ARGS__ })

#endif
