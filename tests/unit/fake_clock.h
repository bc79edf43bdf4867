/* Clocks that stand still until a test moves them. They are defined here, so
 * that those of the product stay in the archive; included once per program. */
#ifndef MG_TEST_FAKE_CLOCK_H
#define MG_TEST_FAKE_CLOCK_H

#include <string.h>
#include <time.h>

#include "clock.h"

static _Atomic int64_t fake_unix_ms = INT64_C(1800000000000);
static _Atomic int64_t fake_mono_us = INT64_C(1000000000);

int64_t
clock_unix_ms(void)
{
    return fake_unix_ms;
}

int64_t
clock_unix_s(void)
{
    return fake_unix_ms / 1000;
}

int64_t
clock_unix_tick_ms(void)
{
    return fake_unix_ms;
}

int64_t
clock_mono_ms(void)
{
    return fake_mono_us / 1000;
}

int64_t
clock_mono_us(void)
{
    return fake_mono_us;
}

/* Nobody who is tried here looks at it. */
const char *
clock_text(int64_t unix_s, char out[CLOCK_TEXT])
{
    (void)unix_s;
    out[0] = '\0';
    return out;
}

bool
clock_read(const char *text, int64_t *unix_s)
{
    (void)text;
    *unix_s = -1;
    return false;
}

/* What the log's lines begin with. */
const char *
clock_stamp(int64_t unix_ms, char out[CLOCK_TEXT])
{
    (void)unix_ms;
    (void)strcpy(out, "2027-01-15T08:00:00.000+0000");
    return out;
}

int64_t
clock_stamp_read(const char *text)
{
    (void)text;
    return 0;
}

/* What is told of a token. */
const char *
clock_print(int64_t unix_s, bool local, enum clock_form form,
            char out[CLOCK_TEXT])
{
    time_t t = (time_t)unix_s;
    struct tm tm = { 0 };
    size_t n = 0;

    (void)(local ? localtime_r(&t, &tm) : gmtime_r(&t, &tm));
    switch (form) {
#define FORM(id, text)                            \
    case CLOCK_##id:                              \
        n = strftime(out, CLOCK_TEXT, text, &tm); \
        break;
        CLOCK_FORMS(FORM)
#undef FORM
    }
    out[n] = '\0';
    return out;
}

/* Time passes. */
static UNUSED void
pass_ms(int64_t ms)
{
    fake_unix_ms += ms;
    fake_mono_us += 1000 * ms;
}

#endif
