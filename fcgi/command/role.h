/* The room: a file per command of the binary (base/commands.def lists them,
 * main.c calls them). A command that goes on running is a role: serve is a
 * worker, control does the duties of the cluster, supervise the upkeep of one
 * machine; the latter two are daemons (daemon.h: one of a name, asleep until
 * the next turn). What a role runs is in the rooms below, worker/ and loop/.
 *
 * This header: what every role does at its start, from the log to the metrics
 * slot, in the same order. */
#ifndef MG_ROLE_H
#define MG_ROLE_H

#include <signal.h>

#include "base.h"

/* name: "serve-0", "control-m1". Blocks SIGTERM, SIGINT and SIGHUP, which out
 * names, before any thread is there; opens log/<name>.log; keeps memory, with
 * its keys and tokens, out of core files and from debuggers; reads the keys;
 * prepares the store's client and what watches its writes; takes the metrics
 * slot. What fails is logged, or said where there is no log yet. */
enum err role_begin(const char *name, sigset_t *out) MUST_USE;

/* The keys, from [crypt] key_file or RUN_DIR/key. */
enum err role_load_keys(void) MUST_USE;

/* SIGHUP: log, keys and tokens are opened and read again. What cannot be read
 * stays as it was. */
void role_reload(void);

#endif
