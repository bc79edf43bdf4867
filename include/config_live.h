/* Room: loop/ */
/* Settings that change while processes run: the LIVE_ rows of its tables.
 *
 * A change is a row of the store (config_change), and holds for all processes
 * of all hosts that share it: each looks once a second. One that is to
 * persist stands above file and environment until it is changed again. One
 * that is not holds on each host until metagate is started there anew: the
 * file RUN_DIR/started says since when it runs. */
#ifndef MG_CONFIG_LIVE_H
#define MG_CONFIG_LIVE_H

#include "arena.h"
#include "base.h"
#include "db.h"

enum config_type { CONFIG_TEXT, CONFIG_INT, CONFIG_BOOL };

/* A key as it stands in this process. No value is a secret: those are in
 * files, which the configuration names. */
struct config_line {
    const char *name; /* "recycler.keep_s" */
    enum config_type type;
    const char *value; /* in the arena; true or false of a CONFIG_BOOL */
    bool live;
    /* Where it comes from: "default", "file" (which line of it), "environment",
     * or "store", where a change of a running deployment lies. */
    const char *from;
    int line; /* 0: of no file */
    const char *dflt, *doc;
    const char *needs; /* by a change in the file: "live", "reload", "restart",
                        * "reload, then restart" */
};

/* The i-th key; NOT_FOUND past the last. */
enum err
config_line(size_t i, struct arena *a, struct config_line *out) MUST_USE;
/* NOT_FOUND when no key is called so. */
enum err config_line_of(const char *name, struct arena *a,
                        struct config_line *out) MUST_USE;

/* Whether the key may be changed to the value: NOT_FOUND for an unknown key,
 * STATE for one that is not live, BAD_PARAM for a bad value. */
enum err config_change_allowed(const char *name, const char *value) MUST_USE;

/* Writes a change, inside a transaction of the caller. */
enum err config_change_store(struct db *db, const char *name, const char *value,
                             bool persist) MUST_USE;

/* Takes over what the store says. A value that this version does not take is
 * logged, and passed over. */
enum err config_refresh(struct db *db) MUST_USE;

/* Does so now and then once a second, in a thread of its own, until stop;
 * stop answers false when the thread hangs in the store: it is left behind. */
void config_watch_start(void);
bool config_watch_stop(int64_t timeout_ms) MUST_USE;

/* RUN_DIR/started: from now on this host runs anew. */
enum err config_mark_start(void) MUST_USE;

#endif
