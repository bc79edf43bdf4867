/* The two clocks of the kernel in the units that we count in. */
#include "clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t
read_us(clockid_t id)
{
    struct timespec t;

    (void)clock_gettime(id, &t); /* cannot fail for these clocks */
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
clock_unix_ms(void)
{
    return read_us(CLOCK_REALTIME) / 1000;
}

int64_t
clock_unix_s(void)
{
    return read_us(CLOCK_REALTIME) / 1000000;
}

int64_t
clock_unix_tick_ms(void)
{
    return read_us(CLOCK_REALTIME_COARSE) / 1000;
}

int64_t
clock_mono_ms(void)
{
    return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
clock_mono_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

const char *
clock_print(int64_t unix_s, bool local, enum clock_form form,
            char out[CLOCK_TEXT])
{
    time_t t = (time_t)unix_s;
    struct tm tm;
    size_t n = 0;

    if ((local ? localtime_r(&t, &tm) : gmtime_r(&t, &tm)) != NULL) {
        switch (form) { /* a case each, so that the compiler sees the text */
#define FORM(id, text)                            \
    case CLOCK_##id:                              \
        n = strftime(out, CLOCK_TEXT, text, &tm); \
        break;
            CLOCK_FORMS(FORM)
#undef FORM
        }
    }
    out[n] = '\0';
    return out;
}

const char *
clock_text(int64_t unix_s, char out[CLOCK_TEXT])
{
    return clock_print(unix_s, true, CLOCK_PEOPLE, out);
}

bool
clock_read(const char *text, int64_t *unix_s)
{
    struct tm tm = { .tm_isdst = -1 };
    const char *end = strptime(text, "%Y-%m-%d %H:%M:%S", &tm);
    int day = tm.tm_mday;
    time_t t = end != NULL && *end == '\0' ? mktime(&tm) : -1;

    /* 30 February would be one in March */
    if (tm.tm_mday != day)
        t = -1;
    *unix_s = t;
    return t >= 0;
}

const char *
clock_stamp(int64_t unix_ms, char out[CLOCK_TEXT])
{
    char *point =
        strchr(clock_print(unix_ms / 1000, true, CLOCK_STAMP, out), '.');

    for (int64_t i = 3, ms = unix_ms % 1000; point != NULL && i > 0;
         i--, ms /= 10)
        point[i] = (char)('0' + ms % 10);
    return out;
}

int64_t
clock_stamp_read(const char *text)
{
    struct tm tm = { 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t ms = 0;
    long east;
    char *end;

    if (rest == NULL)
        return 0;
    if (*rest == '.') {
        ms = strtol(rest + 1, &end, 10) % 1000;
        rest = end;
    }
    if (*rest != '+' && *rest != '-')
        return 0;
    east = strtol(rest + 1, &end, 10); /* hhmm, or hh */
    if (*end == ':')
        east = east * 100 + strtol(end + 1, NULL, 10);
    east = (east / 100 * 60 + east % 100) * 60;
    return (timegm(&tm) - (*rest == '-' ? -east : east)) * 1000 + ms;
}
