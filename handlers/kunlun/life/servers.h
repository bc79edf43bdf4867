/* The servers that a job makes: looked at together. */
#ifndef LIFE_SERVERS_H
#define LIFE_SERVERS_H

#include "choose.h"
#include "kunlun/cluster_mgr/jobs.h"
#include "kunlun/shard/shard.h"

LIST_OF(STR);

/* The names of their shards, each once, in order; of those of one kind, when
 * they are computing nodes their own. */
enum err life_names(struct arena *a, const struct list_of_life_server *servers,
                    enum instance_kind kind, struct list_of_STR *out) MUST_USE;

/* Whether a part is about that server: its name ends with its place. */
bool life_is_of(const struct job *part, const struct instance_spec *s);

/* Which run of its server the first of specs is, the others being its
 * replicas-to-be. PEER, TIMEOUT, STATE with why. */
enum err life_run_of(struct arena *a, const struct instance_spec *const specs[],
                     unsigned n, int timeout_ms, uint64_t *out,
                     char why[WHY_BYTES]) MUST_USE;

/* What a machine has told of its directories becomes its row of statistics. */
enum err life_note_space(struct db *db, int64_t machine,
                         const struct survey *s) MUST_USE;

/* What XPanel shows of creating or deleting them: all in that state. */
enum err life_tell(struct job_run *run, const char *cluster,
                   const struct list_of_life_server *servers,
                   const char *state) MUST_USE;

#endif
