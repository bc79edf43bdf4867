/* What the watchdog does with an instance, as a function of what is known:
 * no clock, no process, no store. What the words mean is in
 * include/keeper.h. */
#ifndef MG_PULLUP_H
#define MG_PULLUP_H

#include "base.h"
#include "keeper.h"

/* ---- what was said of pauses on a machine ---- */

struct pullup_pause {
    unsigned port;    /* 0: all */
    int64_t until_ms; /* PAUSE_NONE: none, also when all others pause */
};
struct pullup_pauses {
    size_t n;
    struct pullup_pause *v;
};

/* Until when the watchdog leaves that port: PAUSE_NONE when it does not. */
int64_t pullup_until(const struct pullup_pauses *said, unsigned port);

/* ---- one instance ---- */

struct pullup {
    bool to_run;  /* the desired state */
    bool ordered; /* a start was ordered, and has not been made yet */
    bool held;
    int64_t until_ms; /* pullup_until of its port */
};

enum pullup_do {
    PULLUP_LEAVE, /* as it is */
    PULLUP_START, /* it is down, and is to run now */
    PULLUP_END,   /* it runs, and is not to */
};

/* Whether it is alive, and the time; *again_ms: when the answer may change by
 * itself (0: never). */
enum pullup_do pullup_decide(const struct pullup *p, bool alive, int64_t now_ms,
                             int64_t *again_ms);

/* Why what is down is left: KEPT_STOPPED, KEPT_PAUSED, KEPT_HELD; KEPT_WAITING
 * when it is not. */
enum kept_state pullup_rest(const struct pullup *p, int64_t now_ms);

/* An order changes what is known; whether the run that there is, if it is
 * alive, has to end. */
bool
pullup_order(struct pullup *p, enum keeper_order order, bool alive) MUST_USE;

/* A start was made: the order is carried out. */
void pullup_started(struct pullup *p);

#endif
