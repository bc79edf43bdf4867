/* The loops of Pegasus: the leader's, and the replica server of a machine. */
#ifndef PEGASUS_LOOPS_H
#define PEGASUS_LOOPS_H

#include "duty.h"

enum turn pegasus_lead(struct duty_run *run);
void pegasus_lead_end(void *memory);

int64_t pegasus_keep_every_ms(void);
enum turn pegasus_keep(struct upkeep_run *run);

#endif
