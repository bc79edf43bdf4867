/* How often somebody has been wrong lately. */
#ifndef MG_DORIS_FE_TRIES_H
#define MG_DORIS_FE_TRIES_H

#include "base.h"

#define TRIES_WINDOW_MS 60000

/* Keys must be nothing that clients can choose: who shares a place with four
 * others is forgotten first. All zero: nobody has tried. */
struct tries {
    struct tries_of {
        uint64_t key;
        int64_t since_ms; /* 0: free */
        int n;
    } of[256][4];
};

/* Counts one try of that key, of `most` within a window; 0, or the time until
 * the next is allowed (then it does not count). now_ms is monotonic; what
 * began later was before the machine's last start, and is over. */
int64_t
tries_take(struct tries *t, uint64_t key, int most, int64_t now_ms) MUST_USE;

/* The last one taken was no try: the password was right. */
void tries_give_back(struct tries *t, uint64_t key);

#endif
