/* The two clocks of the kernel in the units that we count in. */
#include "clock.h"

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

#define PEOPLE "%Y-%m-%d %H:%M:%S"

static bool
to_local(int64_t unix_s, struct tm *out)
{
    time_t t = (time_t)unix_s;

    return localtime_r(&t, out) != NULL;
}

const char *
clock_text(int64_t unix_s, char out[CLOCK_TEXT])
{
    struct tm tm;

    if (!to_local(unix_s, &tm) || strftime(out, CLOCK_TEXT, PEOPLE, &tm) == 0)
        out[0] = '\0';
    return out;
}

bool
clock_read(const char *text, int64_t *unix_s)
{
    struct tm tm = { .tm_isdst = -1 };
    const char *end = strptime(text, PEOPLE, &tm);
    time_t t = end != NULL && *end == '\0' ? mktime(&tm) : -1;

    *unix_s = t;
    return t >= 0;
}

const char *
clock_stamp(int64_t unix_ms, char out[CLOCK_TEXT])
{
    struct tm tm;
    size_t n = to_local(unix_ms / 1000, &tm)
                   ? strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%S.000%z", &tm)
                   : 0;
    char *point = n > 0 ? strchr(out, '.') : NULL;

    out[n] = '\0';
    for (int64_t i = 3, ms = unix_ms % 1000; point != NULL && i > 0;
         i--, ms /= 10)
        point[i] = (char)('0' + ms % 10);
    return out;
}
