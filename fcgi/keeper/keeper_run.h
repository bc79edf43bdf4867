/* The keeper as its process has it: begun, ended, woken. What others may do
 * with it is in include/keeper.h. */
#ifndef MG_KEEPER_RUN_H
#define MG_KEEPER_RUN_H

#include "keeper.h"

struct child_rules;
struct instance_driver;

struct keeper_config {
    const char *machine; /* its address; kept by reference */
    /* By the name in the spec; NULL: there is none. */
    const struct instance_driver *(*driver)(const char *name);
    /* How it is started again; NULL: as usual (what stops it is its driver's).
     */
    const struct child_rules *rules;
    bool store; /* there is a store to tell, and to ask (db_init) */
    /* Whether an instance that does not answer may be ended by the keeper
     * itself. db is NULL without a store. NULL: any may. */
    bool (*may_end)(struct db *db, struct arena *a, const char *uuid);
    /* What is done at one that serves before it is ended in order, in a thread
     * of its own, at most timeout_ms. NULL: nothing. */
    void (*before_end)(struct arena *a, const struct instance_spec *s,
                       int timeout_ms);
};

/* Reads what it kept last, adopts what runs, and begins. NULL without memory
 * or threads, which it has logged. */
struct keeper *keeper_start(const struct keeper_config *cfg);

/* Somebody has committed something: the store is asked at once. */
void keeper_wake(struct keeper *k);

/* Ends the instances, computing nodes before storage nodes, each as its make
 * ends gently, and starts none any more; whether they are to run stays as it
 * is. False when one still runs after timeout_ms. */
bool keeper_end_all(struct keeper *k, int64_t timeout_ms) MUST_USE;

/* Ends the keeper; what runs lives on. False when a thread of it hangs (in the
 * store, at a server): then nothing of it may be freed. */
bool keeper_stop(struct keeper *k, int64_t timeout_ms) MUST_USE;

#endif
