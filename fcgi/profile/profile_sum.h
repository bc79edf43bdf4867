/* Profiles of several processes of one host as one: stacks that are equal are
 * summed. Each process has its files mapped elsewhere, so that addresses are
 * moved to where the first profile's process has the same part of the same
 * file; a file that it has not (an older binary that still runs) gets a place
 * of its own in the list of what is mapped. Clients name functions of the sum
 * by that list, or by the symbols of the first one's process. */
#ifndef MG_PROFILE_SUM_H
#define MG_PROFILE_SUM_H

#include "buf.h"

struct profile_sum;

/* Empty; NULL without memory. */
struct profile_sum *profile_sum_new(void);
void profile_sum_free(struct profile_sum *s);

/* Adds n bytes of a profile, which are not kept; all are of one kind.
 * BAD_PARAM when they are not, or no profile; NOMEM. */
enum err
profile_sum_add(struct profile_sum *s, const void *profile, size_t n) MUST_USE;

/* Appends the whole as a profile of that kind. STATE when nothing was added. */
enum err profile_sum_write(struct profile_sum *s, struct buf *out) MUST_USE;

#endif
