/* Where the servers of a job go: rows of the store and what machines have told
 * become the input of core/placement.c, and its choice becomes specs. */
#ifndef LIFE_CHOOSE_H
#define LIFE_CHOOSE_H

#include "kunlun/cluster_mgr/jobs.h"
#include "kunlun/survey.h"
#include "meta.h"

/* ---- what is to be made ---- */

struct life_wish {
    const char *cluster;
    unsigned shards, nodes, comps;       /* nodes: of each shard */
    unsigned first_shard, first_comp;    /* their numbers */
    const struct meta_shard *grow;       /* nodes for this one, shards = 1 */
    const struct list_of_meta_node *has; /* ... beside those of it in here */
    const struct cluster_want *want;     /* which hosts */
    int64_t memory_bytes;                /* of each storage node */
    int32_t max_connections;
    bool lone; /* storage nodes without replicas */
};

/* A server that a job makes; machine: the id of its row. */
#define LIFE_SERVER(X, s)                            \
    X(s, OBJ, spec, "spec", IN | OUT, instance_spec) \
    X(s, I64, machine, "machine", IN | OUT, -)
STRUCT(life_server, LIFE_SERVER);
LIST_OF(life_server);

/* ---- what machines have told ---- */

/* said NULL: it does not answer. */
struct life_told {
    const char *machine;
    const struct survey *said;
};
struct life_asked {
    size_t n;
    struct life_told *v;
};

/* A machine is asked for these; in the arena. */
enum err life_question(struct arena *a, const struct meta_machine *m,
                       const struct list_of_meta_place *places,
                       const char **out) MUST_USE;

/* ---- the choice ---- */

/* Adds to *out (which has been zeroed, or has what was chosen for the job
 * before) the storage nodes, shard by shard, then the computing nodes. asked
 * NULL: nobody was, all count as reachable. NOT_FOUND: no machine may be
 * chosen; LIMIT: there is no memory, or no port; with a sentence in why. In a
 * transaction that began with meta_turn, or in a snapshot. */
enum err
life_choose(struct db *db, struct arena *a, const struct life_wish *wish,
            const struct life_asked *asked, struct list_of_life_server *out,
            char why[WHY_BYTES]) MUST_USE;

/* Where it is going to lie, as a machine with one directory of each class would
 * have it; of several: all that may be. */
enum err life_effects(struct db *db, struct arena *a,
                      const struct list_of_life_server *servers,
                      struct list_of_cluster_effect *out) MUST_USE;

#endif
