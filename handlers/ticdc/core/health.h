/* The state of a changefeed, and what it becomes by what happens to it: a
 * function without I/O. Stored are TiCDC's present states; v1 of the interface
 * shows WARNING and PENDING as `error`. (spec/ticdc §7.)
 *
 *     NORMAL --error--> PENDING --pause over--> WARNING --gets on--> NORMAL
 *     PENDING, WARNING --too long--> FAILED
 *     any that runs --fatal error--> FAILED, --target reached--> FINISHED,
 *     --pause--> STOPPED;  STOPPED, FAILED, FINISHED --resume--> NORMAL */
#ifndef TICDC_HEALTH_H
#define TICDC_HEALTH_H

#include "base.h"

/* X(id, word, shown): the word that is stored and that v2 shows, v1's. */
#define HEALTH_STATES(X)             \
    X(NORMAL, "normal", "normal")    \
    X(WARNING, "warning", "error")   \
    X(PENDING, "pending", "error")   \
    X(FAILED, "failed", "failed")    \
    X(STOPPED, "stopped", "stopped") \
    X(FINISHED, "finished", "finished")
enum health_state {
#define X(id, word, shown) HEALTH_##id,
    HEALTH_STATES(X)
#undef X
        HEALTH__MAX
};

/* Static. */
const char *health_word(enum health_state state);
const char *health_shown(enum health_state state);
/* HEALTH__MAX: no such word. */
enum health_state health_of_word(const char *word);

/* Whether captures are to work for it. PENDING waits before it tries again. */
bool health_runs(enum health_state state);

struct health {
    enum health_state state;
    unsigned tries;     /* that failed, since it was last well */
    int64_t since_ms;   /* ... the first of them; 0: it is well */
    int64_t again_ms;   /* PENDING: when it is tried again */
    uint64_t failed_at; /* the checkpoint at which the last one failed */
};

enum health_event {
    HEALTH_PAUSE,  /* a client asks for it */
    HEALTH_RESUME, /* ... */
    HEALTH_ERROR,  /* what may be better later */
    HEALTH_FATAL,  /* what will not */
    HEALTH_LOST,   /* the source has thrown away what comes next */
    HEALTH_TICK,   /* time has passed, the checkpoint may have moved */
    HEALTH_TARGET, /* everything up to target_ts is written */
};

struct health_rules {
    int64_t first_ms, most_ms; /* before the next try: doubled each time */
    unsigned vary;             /* ... by up to so many per cent */
    int64_t stuck_ms;          /* then it is given up */
};
extern const struct health_rules health_defaults;

/* chance: any number, for the variation. True: it has changed and is to be
 * stored. What does not fit the state (a pause of one that has failed, an
 * error after the pause) changes nothing. A change to NORMAL by RESUME, or to
 * NORMAL from WARNING, ends the error that is shown. */
bool
health_step(struct health *h, enum health_event event, uint64_t checkpoint,
            const struct health_rules *rules, int64_t now_ms, uint64_t chance);

#endif
