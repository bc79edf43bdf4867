/* What is in a profile: gperftools' binary form of CPU time, or the text of a
 * heap, both as stacks that one takes by turns. */
#ifndef MG_PROFILE_READ_H
#define MG_PROFILE_READ_H

#include "base.h"

#define PROFILE_DEPTH_MAX 512
#define PROFILE_COUNTS    4

/* counts: of CPU time the samples alone; of a heap objects and bytes that are
 * in use, then objects and bytes that were allocated. */
struct profile_stack {
    uint64_t count[PROFILE_COUNTS];
    size_t depth;
    uint64_t pc[PROFILE_DEPTH_MAX]; /* leaf first */
};

enum profile_kind { PROFILE_CPU, PROFILE_HEAP, PROFILE_NEITHER };
enum profile_kind profile_kind_of(const void *profile, size_t n);

/* Calls each for every stack, in the order of the profile, until it answers
 * other than OK, which is answered then. BAD_PARAM for bytes that are no whole
 * profile. A heap's text ends with NUL, at n. */
typedef enum err profile_each_fn(void *ctx, const struct profile_stack *s);
enum err profile_each(const void *profile, size_t n, profile_each_fn *each,
                      void *ctx) MUST_USE;

/* Where the text of what was mapped begins, which goes to the profile's end,
 * and how many stacks are before it. BAD_PARAM as above. */
enum err profile_maps(const void *profile, size_t n, const char **maps,
                      size_t *stacks) MUST_USE;

/* The counts of a heap's first line, which are those of the whole. */
void profile_total(const char *heap, uint64_t count[PROFILE_COUNTS]);

#endif
