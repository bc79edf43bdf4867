/* Room: onebox/ */
/* The children of a deployment that `metagate up` runs, as it tells of them. */
#ifndef MG_CHILDREN_H
#define MG_CHILDREN_H

#include "arena.h"
#include "base.h"

struct child_told {
    char name[32];  /* "serve-0", "nginx", "mariadb" */
    char state[16]; /* "running", "starting", "stopped", "failed" ... */
    int pid;        /* 0: it does not run */
    int restarts;
};

/* All of them, in the arena. NOT_FOUND: no `up` runs here; TIMEOUT. */
enum err children_told(struct arena *a, int timeout_ms, struct child_told **out,
                       size_t *n) MUST_USE;

#endif
