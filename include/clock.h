/* Room: base/ */
/* Time, in the units of the names. */
#ifndef MG_CLOCK_H
#define MG_CLOCK_H

#include "base.h"

int64_t clock_unix_ms(void); /* wall clock, since 1970-01-01 UTC */
int64_t clock_unix_s(void);
int64_t clock_mono_ms(void); /* monotonic; for deadlines and durations */
int64_t clock_mono_us(void);

#endif
