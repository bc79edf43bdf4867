/* What the Meta Service does in the background: rows of its
 * dialect.c. */
#ifndef MG_DORIS_DUTIES_H
#define MG_DORIS_DUTIES_H

#include "duty.h"

/* Finishes dropped instances, table by table; aborts overdue transactions;
 * forgets what is kept for a time only. */
enum turn doris_recycle(struct duty_run *run);

/* Asks each compute node how it is. */
enum turn doris_heartbeat(struct duty_run *run);
void doris_heartbeat_end(void *memory);

#endif
