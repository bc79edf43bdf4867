/* Who watches over the shards: the duty cluster.failover. Under its lease each
 * shard has a thread of its own, so that a machine that does not answer holds
 * up no other shard. Each look is
 *
 *     read the stored shard ─► ask all members at once ─► failover_step
 *     ─► store what it has changed, under the lease and the order that was
 *     read ─► tell the members
 *
 * Killed anywhere, another control goes on from what is stored. */
#ifndef KUNLUN_WATCH_H
#define KUNLUN_WATCH_H

#include "duty.h"

/* duty.h: the step and what becomes of its memory. */
enum turn kunlun_watch_step(struct duty_run *run);
void kunlun_watch_forget(void *memory);

#endif
