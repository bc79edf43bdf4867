/* Room: base/ */
/* Time, in the units of the names. */
#ifndef MG_CLOCK_H
#define MG_CLOCK_H

#include "base.h"

int64_t clock_unix_ms(void); /* wall clock, since 1970-01-01 UTC */
int64_t clock_unix_s(void);
/* As the kernel knew it at its last tick, some milliseconds ago: for what asks
 * for each of many rows. */
int64_t clock_unix_tick_ms(void);
int64_t clock_mono_ms(void); /* monotonic; for deadlines and durations */
int64_t clock_mono_us(void);

#define CLOCK_TEXT 32

/* That moment as people read it, "2026-01-31 23:59:59" in local time, into
 * out, which is answered too; "" for a year that nobody will see. */
const char *clock_text(int64_t unix_s, char out[CLOCK_TEXT]);

/* Of such a text, when that was (local time); false when it is none. */
bool clock_read(const char *text, int64_t *unix_s) MUST_USE;

/* The same for programs and to the millisecond, with the zone:
 * "2026-01-31T23:59:59.123+0800". */
const char *clock_stamp(int64_t unix_ms, char out[CLOCK_TEXT]);

/* Of such a text's beginning, when that was, in ms; of others' too, which have
 * no milliseconds or "+08:00". 0 when it begins with none. */
int64_t clock_stamp_read(const char *text);

/* All forms that a moment has here, as strftime knows them. */
#define CLOCK_FORMS(X)                                            \
    X(PEOPLE, "%Y-%m-%d %H:%M:%S")      /* 2026-01-31 23:59:59 */ \
    X(STAMP, "%Y-%m-%dT%H:%M:%S.000%z") /* before its ms */       \
    X(DAY, "%Y-%m-%d")                  /* 2026-01-31 */          \
    X(MINUTE, "%Y-%m-%d %H:%M")         /* 2026-01-31 23:59 */    \
    X(MINUTE_Z, "%Y-%m-%dT%H:%MZ")      /* 2026-01-31T23:59Z */   \
    X(NAME, "%Y%m%d_%H%M%S")            /* 20260131_235959 */
enum clock_form {
#define FORM(id, text) CLOCK_##id,
    CLOCK_FORMS(FORM)
#undef FORM
};
/* In local time or UTC; "" for a year that nobody will see. */
const char *clock_print(int64_t unix_s, bool local, enum clock_form form,
                        char out[CLOCK_TEXT]);

#endif
