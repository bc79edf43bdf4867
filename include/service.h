/* Room: onebox/ */
/* Our own daemons, asked for by who keeps them running: `up`, or systemd. */
#ifndef MG_SERVICE_H
#define MG_SERVICE_H

#include "base.h"

/* Ends the daemon of that name ("control-m1"), or all whose names begin so when
 * it ends in '-', and has it started again; one that is down is started. Waits
 * for each to serve, for at most a minute. OK when it is called again.
 * NOT_FOUND when there is none of that name, PEER when who keeps it refuses;
 * why. */
enum err service_restart(const char *name, char why[WHY_BYTES]) MUST_USE;

#endif
