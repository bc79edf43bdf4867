/* Room: loop/ */
/* What runs in the background: threads that perform a step and idle
 * (runner.h), duties and upkeeps (here), jobs (job.h), and the keys that
 * change meanwhile (config_live.h). Duties of the cluster are each behind a
 * lease and done by one `control` at a time; upkeep is done on every machine by
 * its `supervise`. Both are rows of tables that dialects bring (dialect.h); the
 * loops around them are fcgi/command/control.c and supervise.c. */
#ifndef MG_DUTY_H
#define MG_DUTY_H

#include "arena.h"
#include "base.h"
#include "db.h"
#include "lease.h"

/* What a step in the background answers: how its loop goes on. */
enum turn {
    TURN_MORE, /* there may be more to do: at once */
    TURN_IDLE, /* nothing to do: when its time has come, or somebody wakes it */
    TURN_FAILED, /* it has been logged: again, after a second at least */
    TURN_OVER,   /* the lease is lost: never again */
};

/* The turn of a step under a lease that has ended so: STATE means that
 * lease_hold found the lease lost. */
enum turn turn_of(enum err e, bool more);

struct duty_run {
    struct db *db;
    struct arena *arena; /* fresh for each step */
    const char *id;      /* the control's: "m1" */
    /* Every transaction of the step begins with lease_hold of it: a step that
     * was held up past the lease's end then changes nothing. */
    const struct lease *lease;
    void *memory; /* the duty's own from step to step; NULL at first */
};

struct duty {
    const char *lease; /* NULL ends the table */
    /* The id that leads a fresh deployment; NULL: whoever comes first. */
    const char *first;
    /* The lease is not given back by who ends: it moves only after it was
     * not renewed for its whole time, so that restarts change nothing. */
    bool sticky;
    /* How long its lease is, and so who stands still holds it; 0:
     * DUTY_LEASE_MS. A shorter one is kept by a thread of its own, and cannot
     * be sticky: it is given back. */
    int64_t lease_ms;
    /* Whether that id may have the lease at all; NULL: every one. */
    bool (*may)(const char *id);
    int64_t every_ms; /* idle time between steps */
    enum turn (*step)(struct duty_run *run);
    void (*forget)(void *memory); /* may be NULL */
};

/* The i-th duty: the runtime's own, then those of the dialects; NULL past the
 * last. */
const struct duty *duty_at(size_t i);

struct helpers;
struct keeper;

struct upkeep_run {
    struct db *db;
    struct arena *arena;
    const char *machine;   /* its address */
    struct keeper *keeper; /* of its instances (keeper.h) */
    /* Programs beside them (helper.h); they are one upkeep's. */
    struct helpers *helpers;
    void *memory;
};

struct upkeep {
    const char *name; /* NULL ends the table */
    int64_t (*every_ms)(void);
    enum turn (*step)(struct upkeep_run *run);
    void (*forget)(void *memory);
};

/* The i-th upkeep of the dialects; NULL past the last. */
const struct upkeep *upkeep_at(size_t i);

/* A process of the role `capture` (fcgi/command/daemon.c), which does nothing
 * but what its dialect brings. */
struct role_run {
    const char *id;    /* "c1" */
    const char *owner; /* whose leases are (lease_owner) */
    /* Sleeps, at most so long; false: it is to end. */
    bool (*wait)(void *ctx, int64_t ms);
    void *ctx;
};

struct job_kind;
/* The i-th kind of job (job.h) of the dialects; NULL past the last. */
const struct job_kind *job_kind_at(size_t i);

/* The length of a duty's lease that says nothing else, and for how long anybody
 * else's is taken to last that was seen unrenewed: it may be the one of an
 * older release. */
#define DUTY_LEASE_MS 10000
int64_t duty_lease_ms(const struct duty *d);

/* When a candidate that has looked at the lease in vain looks again, from now:
 * as soon as it has run out, when that is before most_ms. Pure. */
int64_t duty_look_ms(const struct duty *d, const struct lease_row *row,
                     int64_t most_ms);

/* Whether a candidate takes a lease now. owner: who it is (lease_owner of id).
 * row: as the store has it, NULL when nobody ever had it. seen_ms: for how
 * long, by its own clock, the candidate has been seeing the row as it is,
 * without a gap. Pure. */
bool duty_may_take(const struct duty *d, const char *id, const char *owner,
                   const struct lease_row *row, int64_t seen_ms);

#endif
