/* Room: host/ */
/* The room is this host: a *child* is a process that is started, watched and
 * ended by its owner's loop (host/child.h), a *helper* one that is kept beside
 * a machine's databases (helper.h); *accounts* are who we are and what a worker
 * gives up (host/account.h, confine.h); a *port* is held by somebody
 * (host/port.h, port_idle.h); a *wake-up* is a datagram between our processes
 * (host/wake.h), and what systemd is told one to it (notify.h); a *slot* has a
 * process's counters, in a file that all map (metrics.h); a *host* is known by
 * its boot (host/self.h). What a program of others may write to a log goes
 * through redact.h.
 *
 * This header: this process, as the kernel tells of it. */
#ifndef MG_PROCESS_H
#define MG_PROCESS_H

#include "base.h"

/* When it was started, since 1970-01-01 UTC: one value, whenever it is asked
 * for. */
int64_t process_start_s(void);

/* Bytes of its address space, and those of it that are in memory; 0 when the
 * kernel does not tell. */
void process_memory(int64_t *all, int64_t *resident);

#endif
