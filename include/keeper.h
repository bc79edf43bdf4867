/* Room: keeper/ */
/* The room is who keeps database instances running. Here is what steps of jobs
 * and handlers have of it; its process begins and ends it
 * (keeper/keeper_run.h), `metagate status` and `check` read the list that it
 * leaves in RUN_DIR (keeper/keeper_list.h), and what the *watchdog* does is a
 * pure decision (keeper/pullup.h). The words of instance.h: spec, home.
 *
 * The owner of the database instances of one machine: starts them, watches
 * them, starts them again, stops them. One thread in the machine's `supervise`
 * does all of that; the steps of jobs, which run there too, tell it what is
 * wanted (the first part). Workers are other processes: they read what the
 * store says of the instances, and say by it when the watchdog shall pause
 * (the second part).
 *
 * Three things are known of an instance. Whether it is to run, its desired
 * state: that is changed by orders alone, and survives everything. Whether the
 * watchdog may start it when it is down: not while it is paused. And whether a
 * job holds it: then nothing is done to it but what that job orders.
 *
 * The keeper has its knowledge in the instances' homes (a file beside the
 * marker) and a list of these homes in RUN_DIR; the store has a copy. So it
 * works while the store is down, also when it begins then. Instances outlive
 * it, and are adopted by the next one. */
#ifndef MG_KEEPER_H
#define MG_KEEPER_H

#include "arena.h"
#include "base.h"
#include "db.h"
#include "record.h"

struct instance_spec;
struct keeper;

/* The ctx of the steps of jobs of the queue "machine" (job_run.ctx). */
struct machine {
    const char *address;
    struct keeper *keeper;
    struct helpers *helpers; /* helper.h */
};
#define MACHINE_QUEUE "machine"

/* What has become of an instance. */
enum kept_state {
    KEPT_STOPPED,  /* down, and to stay so */
    KEPT_WAITING,  /* down, to be started: now, or after a back-off, or once
                    * its port or its lock is free (`why` says) */
    KEPT_FAILED,   /* down after a crash loop: tried every five minutes */
    KEPT_PAUSED,   /* down, to run, but the watchdog is paused */
    KEPT_HELD,     /* down, a job holds it */
    KEPT_STARTING, /* runs, does not serve yet */
    KEPT_RUNNING,
    KEPT_ENDING,
    KEPT_LOST, /* its home cannot be read: `why` says */
    KEPT__MAX
};
/* "stopped" "waiting" "failed" "paused" "held" "starting" "running" "ending"
 * "lost". */
extern const struct enum_name kept_state_names[];

/* An instance as keeper and store tell of it. Times are Unix ms. */
#define KEPT(X, s)                                       \
    X(s, STR, machine, "machine", OUT, -)                \
    X(s, STR, uuid, "uuid", IN | OUT, -)                 \
    X(s, I32, port, "port", IN | OUT, -)                 \
    X(s, STR, driver, "driver", IN | OUT, -)             \
    X(s, STR, kind, "kind", IN | OUT, -)                 \
    X(s, ENUM, state, "state", IN | OUT, kept_state)     \
    X(s, I64, since_ms, "since_ms", IN | OUT, -)         \
    X(s, I32, pid, "pid", IN | OUT, -)                   \
    X(s, I32, restarts, "restarts", IN | OUT, -)         \
    X(s, BOOL, to_run, "to_run", IN | OUT, -)            \
    X(s, I64, paused_ms, "paused_until_ms", IN | OUT, -) \
    X(s, U64, held_by, "held_by", IN | OUT, -)           \
    X(s, STR, why, "why", IN | OUT, -)
STRUCT(kept, KEPT);
LIST_OF(kept);

/* ---- in the machine's supervise: steps of jobs. Any thread. ---- */

/* `job` is the id of the job that calls (job_run.job->id), 0 for none. A call
 * for an instance that another job holds answers BUSY; for a port where there
 * is none NOT_FOUND. What they change is on disk when they return (LIMIT,
 * DENIED: it could not be written, and nothing is changed). */

/* Begins to keep an instance: its home is there, with its marker; nothing has
 * to be in it yet, since it is held by `job` and is to be stopped. One that is
 * known under its uuid gets this spec (and is held; its desired state stays).
 * EXISTS: another is kept on that port. The spec is copied. */
enum err keeper_add(struct keeper *k, const struct instance_spec *spec,
                    uint64_t job) MUST_USE;

/* Forgets it; its home is the caller's to remove, afterwards. STATE while
 * anything of it runs. OK too when it is not known. */
enum err keeper_drop(struct keeper *k, unsigned port, uint64_t job) MUST_USE;

/* Its spec, with its secrets, copied to the arena. */
enum err keeper_spec(struct keeper *k, struct arena *a, unsigned port,
                     struct instance_spec *out) MUST_USE;

/* Takes and gives back the right to it. Holding what one holds is OK. A hold
 * outlives the keeper; it ends with the job, should that not release it.
 * While held it is left as it is, running or not; what runs and dies is not
 * started again. */
enum err keeper_hold(struct keeper *k, unsigned port, uint64_t job) MUST_USE;
enum err keeper_release(struct keeper *k, unsigned port, uint64_t job) MUST_USE;

enum keeper_order {
    ORDER_START,   /* is to run from now on; started even while paused, and
                    * anew after a crash loop */
    ORDER_STOP,    /* is to stay down until ORDER_START or ORDER_RESTART,
                    * whatever pauses end and restart there is */
    ORDER_RESTART, /* as both */
    ORDER_END,     /* ends this run only: whether it is to run stays as it is,
                    * so the watchdog starts it again unless that is paused or
                    * it is held */
    ORDER_BEGIN,   /* starts it for the job that holds it (STATE without one);
                    * when it is released, it ends if it is not to run */
};
/* Does not wait: see keeper_await. */
enum err keeper_tell(struct keeper *k, unsigned port, enum keeper_order order,
                     uint64_t job) MUST_USE;

/* Waits until it is up (KEPT_RUNNING) or nothing of it runs (KEPT_STOPPED: in
 * whatever state of that), at most timeout_ms. After an order of this thread
 * what it was before does not count. STATE: it will not come to that by
 * itself (it has failed, it died while held); TIMEOUT. `why` (may be NULL) is
 * for people. A step calls it with a second or two, and answers
 * STEP_AGAIN after TIMEOUT. */
enum err keeper_await(struct keeper *k, unsigned port, enum kept_state up,
                      int timeout_ms, char why[WHY_BYTES]) MUST_USE;

/* All of them, by port, copied to the arena. */
enum err keeper_list(struct keeper *k, struct arena *a,
                     struct list_of_kept *out) MUST_USE;

/* ---- by the store: handlers and steps of any process ---- */

/* The instances of a machine (NULL: of all) as its keeper has last written
 * them, by port: seconds old at most while that runs. */
enum err kept_list(struct db *db, struct arena *a, const char *machine,
                   struct list_of_kept *out) MUST_USE;

#define PAUSE_NONE    0
#define PAUSE_FOREVER INT64_MAX
/* From the commit on the watchdog of the machine does not start (again) what
 * listens on that port, until then (Unix ms) or PAUSE_FOREVER; PAUSE_NONE ends
 * it, and what is down is started at once. Port 0: all, and what was said for
 * single ports is void. A port without an instance: OK, no effect. Part of the
 * caller's transaction. */
enum err pullup_pause(struct db *db, const char *machine, unsigned port,
                      int64_t until_ms) MUST_USE;

#endif
