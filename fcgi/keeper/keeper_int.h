/* What the files of the keeper share.
 *
 *     keeper.c        its thread, the list, begin and end
 *     keeper_orders.c what steps of jobs call
 *     keeper_life.c   one instance: started, adopted, seen to serve, ended
 *     keeper_file.c   what is on disk: a file in each home, the list of homes
 *     keeper_store.c  what the store has of it, both ways; a thread
 *     keeper_probe.c  servers that hang, logs that grow; a thread
 *     keeper_part.c   what is done before one is ended; a thread for each
 *     keeper_end.c    why one has ended that never served
 *
 * One mutex is before all of it. Its holder never waits for a server, nor for
 * the store; for a small file, and for a process to be made. */
#ifndef MG_KEEPER_INT_H
#define MG_KEEPER_INT_H

#include <limits.h>
#include <pthread.h>

#include "host/child.h"
#include "instance.h"
#include "instance/home.h"
#include "keeper_run.h"
#include "pullup.h"

#define KEPT_WHY 512

/* What is done before this run of it is ended. */
enum keep_part { PART_NOT_YET, PART_GOES_ON, PART_DONE };

/* An instance. */
struct keep {
    char uuid[65], driver_name[32], kind[16];
    /* Of the home of its data, which holds its state and its lock too. */
    char root[PATH_MAX], class[32];
    unsigned port;
    struct arena *arena; /* of the spec */
    struct instance_spec spec;
    const struct instance_driver *driver; /* NULL: lost */
    bool lost;                            /* its home could not be read */
    int64_t again_ms;   /* lost: when it is looked for again; blocked: when it
                         * is tried again; monotonic */
    char why[KEPT_WHY]; /* of its present state, for people */

    /* ---- what is on disk ---- */
    uint64_t seq; /* grows with each change of to_run */
    struct pullup want;
    uint64_t held_by;

    /* ---- its process ---- */
    char name[96]; /* for the child */
    struct child_rules rules;
    struct child child;
    int ready_fd; /* of the driver's ready() */
    uint64_t ask; /* the answer of the store that a start waits for; 0 */
    int64_t ask_ms;
    unsigned hung; /* probes in a row without an answer */
    bool ending;   /* it is ended with the keeper */
    enum keep_part part;
    bool part_for_good;    /* as keep_end was told */
    int64_t part_until_ms; /* it is ended then, whatever goes on */

    /* ---- as it was shown last ---- */
    enum kept_state state;
    int64_t since_ms;
    int restarts, pid; /* restarts: also of keepers before */
    int restarts_before;
    bool unsaved; /* the store has not been told */
};

struct keeper {
    struct keeper_config cfg;
    pthread_mutex_t mutex;
    pthread_cond_t change; /* something has become of an instance */
    pthread_t thread, sync_thread, probe_thread;
    bool began, sync_began, probe_began;
    int event_fd; /* wakes the thread */
    bool leave;   /* the thread is to end */
    bool stopping, ended;
    unsigned parting; /* threads of keeper_part.c */

    struct keep **v; /* by port */
    size_t n;
    struct pullup_pauses pauses;
    char (*dropped)[65]; /* the store is to forget them */
    size_t n_dropped;
    bool list_changed; /* the list of homes is to be written */

    /* ---- the store ---- */
    pthread_cond_t sync_change;
    bool sync_now;
    uint64_t asked, answered; /* questions by starts; 0: none yet */
};

/* ---- keeper.c: under the mutex ---- */

struct keep *keeper_find(struct keeper *k, unsigned port);
struct keep *keeper_find_uuid(struct keeper *k, const char *uuid);
/* Puts it into the list; NOMEM. */
enum err keeper_put(struct keeper *k, struct keep *one) MUST_USE;
void keeper_take_out(struct keeper *k, struct keep *one);
/* Its thread looks at everything again. */
void keeper_poke(struct keeper *k);
/* The store is to forget it. */
enum err keeper_note_dropped(struct keeper *k, const char *uuid) MUST_USE;
/* Waits until something has become of an instance (the mutex is free
 * meanwhile); false when it is until_ms, monotonic. */
bool keeper_wait(struct keeper *k, int64_t until_ms);

/* ---- keeper_life.c ---- */

/* One that knows where its home is, and nothing else. NULL without memory. */
struct keep *keep_new(const struct home *h);
/* Its home, opened; it must be marked as its own (home_open). why in one. */
enum err keep_home(struct keep *one, int *fd) MUST_USE;
void keep_free(struct keep *one);
/* Takes over the spec (copied) and what follows from it. NOT_FOUND: there is
 * no such driver; then it is lost. */
enum err keep_spec(struct keeper *k, struct keep *one,
                   const struct instance_spec *spec) MUST_USE;
/* A server of it that runs already becomes its child. */
void keep_adopt(struct keep *one, int64_t now);
/* One step; *next: when it wants the next one without an event (monotonic, 0:
 * never). */
void keep_step(struct keeper *k, struct keep *one, int64_t now, int64_t *next);
/* What has become of it. */
enum kept_state keep_state(const struct keep *one);
/* It runs, and was not told to end. */
bool keep_is_alive(const struct keep *one);
/* Asks it to end, after what is to be done before; for good, or to be started
 * again if it is to run. One that does not serve yet has not long for it:
 * nobody loses anything, and MariaDB hangs when it is asked in the first
 * moments of its start. */
void keep_end(struct keeper *k, struct keep *one, int64_t now, bool for_good);
void keep_show(const struct keep *one, struct kept *out);

/* ---- keeper_part.c ---- */

/* Begins what is to be done before it is ended: PART_GOES_ON, and PART_DONE by
 * the thread. False: nothing is, or nothing can be. */
bool keeper_part(struct keeper *k, struct keep *one, int64_t now) MUST_USE;

/* ---- keeper_end.c ---- */

/* The first error in the log since the last start; "" when there is none. */
void keep_says_why(const char *log, char *out, size_t size);

/* ---- keeper_file.c ---- */

/* Its state into its home, by rename. */
enum err keep_save(struct keep *one) MUST_USE;
/* From its home: spec, seq, desired state, who holds it. NOT_FOUND, DENIED
 * (another's), STATE; why. */
enum err keep_load(struct keeper *k, struct keep *one) MUST_USE;
/* The list of homes with what is shown of each, in RUN_DIR. */
void keeper_save_list(struct keeper *k);
enum err keeper_load_list(struct keeper *k) MUST_USE;

/* ---- keeper_store.c, keeper_probe.c: their threads ---- */

void *keeper_sync_main(void *k);
void *keeper_probe_main(void *k);

#endif
