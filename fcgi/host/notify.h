/* Words to the service manager (systemd, Type=notify): a datagram each to the
 * socket that NOTIFY_SOCKET names. Without one nothing is said. */
#ifndef MG_NOTIFY_H
#define MG_NOTIFY_H

#include "base.h"

/* "READY=1": it serves; "WATCHDOG=1": it goes on, to be said more often than
 * WatchdogSec; "STOPPING=1"; "STATUS=…" for people. Lines of one text. */
void notify(const char *words);

#endif
