/* Growth: the jobs that make servers and take them into a cluster. They share
 * their steps; what is its own of a kind (run->kind->of) is what it may be
 * asked for and which rows come of it.
 *
 *     ask the machines ─► choose and reserve ─► install ─► begin the shards
 *     ─► point the computing nodes ─► prove it ─► rows
 *
 * Who leads a shard, and that the others follow, is the watch's (shard/watch.h)
 * from the moment on in which the shard is stored. */
#ifndef LIFE_BUILD_H
#define LIFE_BUILD_H

#include "choose.h"
#include "kunlun/cluster_mgr/jobs.h"
#include "meta.h"

/* What is to be done, once it has been found to be possible. */
#define LIFE_WISHES 64
struct life_order {
    struct cluster_want want;
    struct meta_cluster cluster; /* name NULL: it is to be made */
    size_t n;
    struct life_wish wish[LIFE_WISHES];
};

/* What a job keeps: what it has chosen. schema_of, schema: the computing node
 * whose schema is copied, and what it was before (computer_schema_state). */
#define LIFE_MEMO(X, s)                            \
    X(s, STR, cluster, "cluster", IN | OUT, -)     \
    X(s, STR, schema_of, "schema_of", IN | OUT, -) \
    X(s, STR, schema, "schema", IN | OUT, -)       \
    X(s, LIST, servers, "servers", IN | OUT, life_server)
STRUCT(life_memo, LIFE_MEMO);
#define SERVERS(m) \
    ((struct list_of_life_server){ (m)->servers.n, (m)->servers.v })

struct kunlun_shard;
struct life_growth {
    const char *error; /* "add shards error" */
    /* Whether it can be, in the documented order; fills out->wish by out->want.
     * BAD_PARAM, NOT_FOUND, EXISTS, STATE, LIMIT with the client's sentence. */
    enum err (*check)(struct db *db, struct arena *a, struct life_order *o,
                      char why[WHY_BYTES]);
    /* Writes the rows, in the caller's transaction, unless they are there;
     * *info: what the client is told. EXISTS: the nick name is taken by now. */
    enum err (*rows)(struct job_run *run, const struct cluster_want *want,
                     const struct life_memo *m, const char **info);
};

extern const struct job_step life_growth_steps[];
#define LIFE_GROWTH_STEPS 7

/* ---- what checks share ---- */

/* The cluster that is meant, by name or id. NOT_FOUND with
 * SAYS_NO_CLUSTER. */
enum err
life_find_cluster(struct db *db, struct arena *a,
                  const struct cluster_want *want, struct meta_cluster *out,
                  char why[WHY_BYTES]) MUST_USE;
/* That, into the order, and how big its servers are. */
struct life_size;
enum err
life_find_to_grow(struct db *db, struct arena *a, struct life_order *o,
                  struct life_size *size, char why[WHY_BYTES]) MUST_USE;
/* Its shard; NOT_FOUND with SAYS_NO_SHARD. */
enum err
life_find_shard(const struct list_of_meta_shard *all,
                const struct cluster_want *want, const struct meta_shard **out,
                char why[WHY_BYTES]) MUST_USE;

/* How big the servers of a cluster are: by what asked for it, or as its memo
 * keeps that; cpu_cores and max_storage_size are only told. */
struct life_size {
    int64_t memory_bytes;
    int32_t max_connections, cpu_cores, max_storage_gb;
};
void life_size_of(const struct cluster_want *want, struct life_size *out);
enum err life_size_before(struct arena *a, const struct meta_cluster *c,
                          struct life_size *out) MUST_USE;

/* A name for a cluster that nobody has. */
enum err
life_name_it(struct db *db, struct arena *a, const char **out) MUST_USE;
/* EXISTS with SAYS_NICK_NAME_IS_THERE. */
enum err
life_check_nick(struct db *db, struct arena *a, const struct cluster_want *want,
                char why[WHY_BYTES]) MUST_USE;

/* ---- what rows share ---- */

/* The cluster that has grown, and how big its servers are. */
enum err life_grown(struct job_run *run, const struct life_memo *m,
                    struct meta_cluster *c, struct life_size *size) MUST_USE;

/* Those of a new cluster with all that it has. memo: what it was asked for
 * with, of which `size` is a part. */
enum err life_cluster_rows(struct job_run *run, const char *nick_name,
                           const char *ha_mode, const char *memo,
                           const struct life_size *size,
                           const struct life_memo *m) MUST_USE;

/* The rows of the storage nodes of that shard, and its own; nothing when it has
 * one. */
enum err life_shard_rows(struct job_run *run, int64_t cluster, const char *name,
                         const struct life_memo *m,
                         const struct life_size *size) MUST_USE;
enum err
life_comp_rows(struct job_run *run, int64_t cluster, const struct life_memo *m,
               const struct life_size *size) MUST_USE;
/* "shard2;shard3": the names of its servers of that kind. */
enum err life_names_text(struct arena *a, const struct life_memo *m,
                         enum instance_kind kind, const char **out) MUST_USE;

/* ---- what steps share ---- */

/* AGAIN when it may pass by itself (the store); else the job fails with
 * "<its error>: <step>: <why>". */
enum step_answer life_failed(struct job_run *run, const char *error, enum err e,
                             const char *step, const char *why);

/* What the job has chosen; NOT_FOUND before. */
enum err life_recall(struct job_run *run, struct life_memo *out) MUST_USE;
/* From now on that, in the caller's transaction or one of its own. */
enum err
life_remember(struct job_run *run, const struct life_memo *memo) MUST_USE;
/* Behind the asking for parts, which answered e: waits for all of that prefix
 * (parts_await); what fails is told as life_failed() does. */
enum step_answer life_await(struct job_run *run, const char *error, enum err e,
                            const char *prefix, int64_t limit_ms);
/* A memo of another version: what cannot be gone on with is undone. */
enum step_answer life_no_memo(struct job_run *run);

/* Until the step has lasted for limit_ms: the servers are asked again. */
enum step_answer life_try_again(struct job_run *run, enum err e,
                                int64_t limit_ms, const char *why);
/* All shards that the cluster has by now. */
enum err life_all_shards(struct job_run *run, const char *cluster,
                         struct kunlun_shard **out, size_t *n) MUST_USE;
/* Whether this job makes that server. */
bool life_is_new(const struct life_memo *m, const char *uuid);

/* The steps of build.c, join.c and prove.c, for kinds that have others between
 * them. */
enum step_answer life_ask(struct job_run *run);
enum step_answer life_unask(struct job_run *run);
#define LIFE_CHOOSES  "choose machines"
#define SAYS_NO_PLACE "error, %s" /* by a cluster that is there */
enum step_answer life_choose_places(struct job_run *run);
enum step_answer life_unchoose_places(struct job_run *run);
enum step_answer life_install(struct job_run *run);
enum step_answer life_uninstall(struct job_run *run);
enum step_answer life_write_rows(struct job_run *run);
enum step_answer life_begin_shards(struct job_run *run);
enum step_answer life_unbegin_shards(struct job_run *run);
enum step_answer life_point_all(struct job_run *run);
enum step_answer life_unpoint(struct job_run *run);
enum step_answer life_prove(struct job_run *run);

/* Of leave.c: AGAIN until that instance is no member of that shard any more;
 * DONE when it is none. One that leads hands over first. */
enum step_answer life_leave(struct job_run *run, const char *cluster,
                            const char *shard, const char *uuid);

#endif
