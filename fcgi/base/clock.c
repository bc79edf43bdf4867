/* The two clocks of the kernel in the units that we count in. */
#include "clock.h"

#include <time.h>

static int64_t
read_us(clockid_t id)
{
    struct timespec t;

    (void)clock_gettime(id, &t); /* cannot fail for these two clocks */
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
clock_text(int64_t unix_s, char out[CLOCK_TEXT])
{
    time_t t = (time_t)unix_s;
    struct tm tm;

    if (localtime_r(&t, &tm) == NULL ||
        strftime(out, CLOCK_TEXT, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        out[0] = '\0';
    return out;
}
