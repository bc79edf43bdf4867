/* The loops of Pegasus: the leader's, and the beacons of a machine's
 * replica server. */
#ifndef PEGASUS_LOOPS_H
#define PEGASUS_LOOPS_H

#include "duty.h"

enum turn pegasus_lead(struct duty_run *run);
void pegasus_lead_end(void *memory);

int64_t pegasus_beacon_every_ms(void);
enum turn pegasus_beacon_send(struct upkeep_run *run);

#endif
