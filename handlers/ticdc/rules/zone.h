/* A time zone of this host's database, beside the one of the process: times of
 * a changefeed are told in its own. */
#ifndef TICDC_ZONE_H
#define TICDC_ZONE_H

#include "arena.h"
#include "base.h"

struct sink_fault;
struct zone;

/* Where TIMESTAMPs are told. */
struct zone_choice {
    bool local;              /* as the process has it */
    const struct zone *zone; /* else; NULL: UTC */
};

/* Of a name that a client gives: "", "system" and "local", in letters of either
 * case, are the process's, others are of the host's database, by their letters'
 * case. Lives as long as the arena. BAD_PARAM with *why: there is none of that
 * name; NOMEM. */
enum err zone_choose(struct arena *a, const char *name, struct zone_choice *out,
                     struct sink_fault *why) MUST_USE;

/* The zone in the bytes of a file as RFC 8536 has it, which live as long as it.
 * BAD_PARAM; NOMEM. */
enum err zone_parse(struct arena *a, const char *p, size_t n,
                    const struct zone **out) MUST_USE;

/* By how many seconds its clocks are ahead of UTC then. Behind the last change
 * that the file lists it is that of this one: 2037 where rules go on. */
int32_t zone_offset_s(const struct zone *z, int64_t unix_s);

/* Likewise of a choice; 0 of the process's own. */
int32_t zone_ahead_s(const struct zone_choice *c, int64_t unix_s);

#endif
