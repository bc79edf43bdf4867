/* What goes on beside requests and jobs. */
#ifndef CLUSTER_UPKEEP_H
#define CLUSTER_UPKEEP_H

#include "duty.h"

/* The duty cluster.meta: the servers of the metadata as a table, and the place
 * for backups that is there without anybody's doing. */
enum turn cluster_meta_step(struct duty_run *run);
void cluster_meta_forget(void *memory);

/* Each machine's sign that it is there, once it is registered. */
int64_t cluster_beat_every_ms(void);
enum turn cluster_beat(struct upkeep_run *run);

#endif
