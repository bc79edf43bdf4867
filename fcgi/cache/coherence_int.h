/* The file that the processes of a host share; included by coherence*.c and
 * their unit test alone. */
#ifndef MG_COHERENCE_INT_H
#define MG_COHERENCE_INT_H

#include <stdatomic.h>

#include "coherence.h"

#define COHERENCE_SLOTS 16384 /* a power of two, at most 65536 */

#define COHERENCE_PROCESSES \
    320 /* 256 workers and the daemons; more share one */

/* What a process is committing: how many changes of each slot, the last of
 * everything. Its owner holds a lock on the file's byte of the row's number,
 * which ends with it however it ends. */
struct coherence_process {
    _Atomic int64_t dead_ms; /* when its end was noticed; 0: it was not;
                              * CLEAN: it left nothing */
    _Atomic uint16_t pending[COHERENCE_SLOTS + 1];
};

/* A word: the changes that ended. What stands up to `host` is the same in the
 * files of all versions (coherence_is_own). */
struct coherence_file {
    uint64_t layout;
    char boot_id[40];       /* of another boot: nobody has this file mapped */
    char host[33];          /* made with the file */
    uint64_t dev, ino;      /* where it was made: a copy is another host */
    _Atomic uint64_t alone; /* steps << 36 | until, in units of 100 ms */
    _Atomic uint64_t epoch; /* +1 whenever the host is alone anew */
    _Atomic int64_t settled_ms; /* until then; boot time */
    _Atomic int64_t looked_ms;  /* when a process last looked for hosts */
    _Atomic uint64_t all;
    _Atomic uint64_t word[COHERENCE_SLOTS];
    _Atomic unsigned used; /* rows below this may say something */
    /* Of the first, nobody is the owner and nothing is ever cleared. */
    struct coherence_process process[COHERENCE_PROCESSES];
};

extern struct coherence_file *coherence_file;
extern bool coherence_may_keep;

/* coherence_open's part about the file. may_keep: false when nothing is to be
 * kept. */
void coherence_map(bool may_keep);

/* Time that goes on while the machine sleeps. */
int64_t coherence_clock_ms(void);

/* ---- writers: struct db_watch ---- */

/* The slots of things; a count beyond the array means everything. */
void coherence_touch(struct db_touched *t, const char *thing);

/* Without the second call the things are not kept any more, until the process
 * has ended and COHERENCE_DEAD_MS have passed. */
void coherence_begin(const struct db_touched *t);
void coherence_end(const struct db_touched *t);

/* A COMMIT that a dead process has sent is over after that: statements time
 * out far earlier. */
#define COHERENCE_DEAD_MS 60000

/* Clears what processes that have ended left behind. */
void coherence_sweep(int64_t now);

/* Whether no other host can show what was before now. */
bool coherence_ready(void);

/* Returns when none can. */
enum err coherence_settle(struct db *db, int64_t until) MUST_USE;

/* ---- being alone ---- */

#define ALONE_UNIT_MS    100
#define ALONE_UNTIL_BITS 36
#define ALONE_UNTIL_MASK ((UINT64_C(1) << ALONE_UNTIL_BITS) - 1)

/* Every step writes the word anew with a count of its own, so that a process
 * that was held up between its COMMIT and this cannot bring back what another
 * process has ended since: false then. `seen` is the word as of before the
 * transaction. until_ms 0: not alone. */
bool coherence_alone_set(uint64_t seen, int64_t until_ms) MUST_USE;

/* ---- rules, as pure functions ---- */

/* How long a row lives: it is dead when it stood unchanged for so long, on
 * the clock of the host that looks at it. What the database's clock does does
 * not matter. */
#define COHERENCE_LIFE_MS 5000

/* What a process has seen of the rows of others. Beyond so many it remembers
 * none: those are alive. */
#define COHERENCE_SEEN 64

struct coherence_sight {
    unsigned n;
    struct coherence_seen {
        char host[65];
        bool shared;
        int64_t expires_ms; /* as it stands there: changes when renewed */
        int64_t since_ms;   /* when it was first seen so */
        int64_t last_ms;
    } v[COHERENCE_SEEN];
};

/* A row as it stands at `now` (coherence_clock_ms), or a moment before;
 * whether its host counts on it no more. */
bool coherence_is_dead(struct coherence_sight *s, const char *host, bool shared,
                       int64_t expires_ms, int64_t now);

struct coherence_peers {
    bool live;  /* another host has a row that is not dead */
    bool alone; /* ... and says that it is alone */
};

/* Whether this host writes that it shares the store. */
bool coherence_must_share(const struct coherence_peers *p, bool may_keep);

/* Whether changes may be acknowledged once the own row is written. */
bool coherence_is_settled(const struct coherence_peers *p);

#endif
