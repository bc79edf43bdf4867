/* A time zone of this host's database, beside the one of the process: times of
 * a changefeed are told in its own. */
#ifndef TICDC_ZONE_H
#define TICDC_ZONE_H

#include "arena.h"
#include "base.h"
#include "ticdc/encode/encode.h"

struct zone;

/* Where messages have their TIMESTAMPs. */
struct zone_choice {
    bool local;              /* as the process has it */
    const struct zone *zone; /* else; NULL: UTC */
};

/* Of a name that a client gives: "", "system" and "local" are the process's.
 * Lives as long as the arena. BAD_PARAM: no zone of this host; NOMEM. */
enum err zone_choose(struct arena *a, const char *name,
                     struct zone_choice *out) MUST_USE;

/* The zone in the bytes of a file as RFC 8536 has it, which live as long as it.
 * BAD_PARAM; NOMEM. */
enum err zone_parse(struct arena *a, const char *p, size_t n,
                    const struct zone **out) MUST_USE;

/* By how many seconds its clocks are ahead of UTC then; ctx is a zone. Behind
 * the last change that the file lists it is that of this one: 2037 where rules
 * go on. */
int32_t zone_offset_s(const void *ctx, int64_t unix_s);

/* The choice as values are told by it; and by how many seconds it is ahead of
 * UTC then, 0 of the process's own. */
struct encode_zone zone_of_values(const struct zone_choice *c);
int32_t zone_ahead_s(const struct zone_choice *c, int64_t unix_s);

#endif
