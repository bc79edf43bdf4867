/* Which requests may be under way at once, so that no row of endpoints.def
 * takes all threads, and with each its connection to the store, from the
 * others.
 *
 * What a row costs is measured: the mean time that its requests take, newer
 * ones counting more. From a limit on it is heavy. All heavy rows that read
 * hold a quarter of the threads at the most, those that write half: they mostly
 * wait for locks and disks, and hold up no reader. A request that finds no
 * place waits here, without a thread; whoever has ended one goes on with that
 * which waits longest, of another row where there is one. */
#ifndef MG_LANES_H
#define MG_LANES_H

#include "base.h"

struct lanes;

/* Rows are numbered from 0 (tables_row); heavy_us 0: none is ever heavy. NULL
 * without memory. At most 64 requests wait for each of the threads. */
struct lanes *lanes_new(size_t rows, size_t threads, int64_t heavy_us);
void lanes_free(struct lanes *l);

enum lanes_verdict {
    LANES_GO,    /* begin; lanes_leave when it has ended */
    LANES_WAITS, /* `thing` waits: some lanes_leave will give it */
    LANES_FULL,  /* so many wait that this one is to be refused */
};

/* A request to that row begins; thing NULL: it cannot wait. */
enum lanes_verdict
lanes_enter(struct lanes *l, size_t row, bool writes, void *thing) MUST_USE;

/* It has ended, after took_us; -1: it was not served, which tells nothing of
 * the row. Gives the thing that begins in its place, and its row; NULL when
 * none may. */
void *lanes_leave(struct lanes *l, size_t row, int64_t took_us,
                  size_t *next_row) MUST_USE;

/* Whether what this thread has begun, and not left, is in a place for which
 * others wait. */
bool lanes_wanted(void) MUST_USE;

#endif
