/* The life of a child process: started, watched, started again after a
 * back-off, told to stop, killed, adopted after a restart of its parent.
 *
 * Nothing here waits. The owner has one loop: it polls the pidfd of each
 * child, calls child_step when one is readable or when child_next says so, and
 * does what the answer asks for. The time is handed in (clock_mono_ms()).
 *
 *            child_want       child_start      child_ready
 *     DOWN ------------> WAITING -------> STARTING -------> READY
 *       ^                 |   ^               |               |
 *       | not wanted      |   | back-off      v               v
 *       +-----------------+   +----------- ENDING <-----------+
 *                         FAILED <-- a crash loop: tried rarely
 *
 * A child leads a process group of its own; it has ended when nothing of the
 * group is left. Whether it outlives its parent is said in the proc_spec: with
 * death_signal = 0 it does, and a parent that comes back adopts it. */
#ifndef MG_CHILD_H
#define MG_CHILD_H

#include <sys/types.h>

#include "base.h"
#include "proc.h"

enum child_state {
    CHILD_DOWN,     /* nothing of it runs, and nothing will by itself */
    CHILD_WAITING,  /* to be started, at once or after a back-off */
    CHILD_FAILED,   /* the same after a crash loop: the pause is long */
    CHILD_STARTING, /* runs, is not ready yet */
    CHILD_READY,
    CHILD_ENDING, /* told to end, or its process has ended and what it left
                   * behind is being killed */
    CHILD_STATE__MAX
};

/* "stopped" "waiting" "failed" "starting" "running" "ending". Static. */
const char *child_state_name(enum child_state s);

#define CHILD_BACKOFFS 8
#define CHILD_DEATHS   8

struct child_rules {
    /* The pause before it is started again: the first after its first early
     * end, the next after the next one, the last that is not 0 from then on
     * (leading ones may be 0: at once). An end is early when it comes within
     * quick_ms of the start. */
    int backoff_ms[CHILD_BACKOFFS];
    int quick_ms;
    /* That many early ends within loop_ms are a crash loop: FAILED, tried
     * every failed_ms until a run lasts longer than quick_ms. loop_deaths is
     * at most CHILD_DEATHS; 0: there is no such state. */
    int loop_deaths, loop_ms, failed_ms;
    bool once;       /* a task: DOWN after its end, however it was */
    int stop_signal; /* asks it to end; after stop_ms the group is killed */
    int stop_ms;
};

/* Which process: its number alone is given to others later. */
struct child_id {
    pid_t pid;
    uint64_t ticks; /* field 22 of /proc/<pid>/stat: when it was started */
    char boot[37];  /* of /proc/sys/kernel/random/boot_id: the host's start */
};

/* Members are to be read by the owner, written by the functions below. */
struct child {
    const struct child_rules *rules;
    const char *name; /* in logs; borrowed */
    enum child_state state;
    bool wanted;        /* it is to run */
    bool told;          /* this run was told to end */
    bool adopted;       /* not a child of ours: its status is not known */
    struct child_id id; /* pid 0: it does not run */
    pid_t group;        /* what is left of its process group; 0: nothing */
    int pidfd;          /* readable once it has ended; -1 */
    int status;         /* as of waitpid; -1 when it is not known */
    int64_t started_ms;
    int64_t due_ms; /* WAITING, FAILED: start; ENDING: kill */
    int restarts;   /* ends that nobody had asked for */
    int quick_deaths;
    bool looping; /* FAILED was reached and no run has lasted since */
    int64_t death_ms[CHILD_DEATHS]; /* of the last early ones, as a ring */
    unsigned deaths;
};

/* DOWN, not wanted. */
void
child_init(struct child *c, const char *name, const struct child_rules *rules);
/* Lets go of the pidfd; the process is left as it is. */
void child_close(struct child *c);

/* It is to run: from DOWN and FAILED it is due at once, with a new count of
 * early ends; after an end that it was told to make, too. */
void child_want(struct child *c, int64_t now_ms);
/* It is to end and to stay so: asks it to, or is DOWN at once. */
void child_unwant(struct child *c, int64_t now_ms);
/* Asks it to end; it is started again if it is wanted. */
void child_tell(struct child *c, int64_t now_ms);
/* Does not wait for the rest of stop_ms: it is killed at that time. */
void child_hurry(struct child *c, int64_t at_ms);

enum child_event {
    CHILD_QUIET, /* nothing for the owner to do */
    CHILD_DUE,   /* call child_start, or child_put_off */
    CHILD_ENDED, /* nothing of it runs any more: state, status and told say
                  * what has become of it */
};
enum child_event child_step(struct child *c, int64_t now_ms) MUST_USE;

/* When child_step wants to be called again without an event of the pidfd; 0:
 * never. */
int64_t child_next(const struct child *c, int64_t now_ms);

/* Starts it: STARTING, or the failure of proc_spawn as after an early end.
 * own_group of the spec is set whatever it says. */
enum err child_start(struct child *c, const struct proc_spec *spec,
                     int64_t now_ms) MUST_USE;
/* It could not be prepared: as after an early end. */
void child_put_off(struct child *c, int64_t now_ms);
/* The owner has seen it serve. */
void child_ready(struct child *c, int64_t now_ms);

/* Takes over a process that an earlier parent has started: STARTING, wanted.
 * NOT_FOUND unless that very process still runs, as this account, leading its
 * group, with `argument` among its arguments (what no other process would
 * have: "--datadir=/srv/1/data"). */
enum err child_adopt(struct child *c, const struct child_id *id,
                     const char *argument, int64_t now_ms) MUST_USE;

/* The process of this account that leads its group, whose program is called so
 * (the last part of its argv[0]) and that has `argument` among its arguments:
 * one to adopt, whose number nobody has noted. NOT_FOUND. */
enum err child_find(const char *program, const char *argument,
                    struct child_id *out) MUST_USE;

/* Who has that number now; NOT_FOUND. */
enum err child_identify(pid_t pid, struct child_id *out) MUST_USE;
/* Whether the group that this process led is still there and not another of
 * that number. */
bool child_group_lives(pid_t group, uint64_t ticks);

/* "ended with status 1", "ended by signal 9", "ended". */
void child_describe_end(const struct child *c, char *out, size_t size);

#endif
