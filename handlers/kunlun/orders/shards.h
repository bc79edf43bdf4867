/* What orders change in a shard as it is stored; who watches over it
 * (shard/watch.c) carries it out. */
#ifndef ORDERS_SHARDS_H
#define ORDERS_SHARDS_H

#include "job.h"
#include "kunlun/shard/shard.h"

/* Each is a transaction under the job, and changes *sh as it changes the
 * stored one. BUSY: the shard has changed since it was read. */

/* That member is to get out of the shard, and to stay out; or not any more. OK
 * when that is so already. */
enum err orders_shard_leaving(struct job_run *run, struct kunlun_shard *sh,
                              unsigned i, bool leaving) MUST_USE;

/* A planned change: that member is to become primary, until then (Unix ms) it
 * is tried; FO_NOBODY: not any more. */
enum err orders_shard_switch(struct job_run *run, struct kunlun_shard *sh,
                             int to, int64_t until_ms) MUST_USE;

/* Losing rows is better than waiting: who answers is enough, at the failover
 * that is under way. */
enum err orders_shard_force(struct job_run *run, struct kunlun_shard *sh,
                            bool force) MUST_USE;

/* Whether, as far as the store knows, that member could become primary. */
bool orders_shard_may_lead(const struct fo_shard *s, unsigned i);
/* One that could, at each turn another; FO_NOBODY. */
int orders_shard_candidate(const struct fo_shard *s, unsigned turn);

#endif
