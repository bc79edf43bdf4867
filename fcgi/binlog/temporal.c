/* Times of day and dates, in the forms of servers old and new. */
#include "value.h"

#include <time.h>

struct moment {
    bool negative;
    unsigned year, month, day, hour, minute, second;
    uint32_t us;
};

/* ---- text ---- */

static char *
put_fraction(char *to, uint32_t us, unsigned scale)
{
    static const uint32_t cut[] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };

    if (scale == 0)
        return to;
    *to++ = '.';
    return put_digits(to, us / cut[scale], scale);
}

static char *
put_date(char *to, const struct moment *m)
{
    to = put_digits(to, m->year, 4);
    *to++ = '-';
    to = put_digits(to, m->month, 2);
    *to++ = '-';
    return put_digits(to, m->day, 2);
}

static char *
put_clock(char *to, const struct moment *m, unsigned scale)
{
    if (m->negative)
        *to++ = '-';
    to = put_digits(to, m->hour, m->hour > 99 ? 3 : 2);
    *to++ = ':';
    to = put_digits(to, m->minute, 2);
    *to++ = ':';
    to = put_digits(to, m->second, 2);
    return put_fraction(to, m->us, scale);
}

static bool
is_date(const struct moment *m)
{
    return m->year <= 9999 && m->month <= 12 && m->day <= 31;
}

static bool
is_clock(const struct moment *m, unsigned hours)
{
    return m->hour <= hours && m->minute <= 59 && m->second <= 59 &&
           m->us <= 999999;
}

static size_t
print_date(const struct moment *m, char *out)
{
    return is_date(m) ? (size_t)(put_date(out, m) - out) : 0;
}

static size_t
print_time(const struct moment *m, unsigned scale, char *out)
{
    return is_clock(m, 838) ? (size_t)(put_clock(out, m, scale) - out) : 0;
}

static size_t
print_datetime(const struct moment *m, unsigned scale, char *out)
{
    char *to;

    if (m->negative || !is_date(m) || !is_clock(m, 23))
        return 0;
    to = put_date(out, m);
    *to++ = ' ';
    return (size_t)(put_clock(to, m, scale) - out);
}

/* ---- the forms of rows ---- */

static unsigned
fraction_bytes(unsigned scale)
{
    return (scale + 1) / 2;
}

/* A fraction of that many bytes has two digits in each. */
static uint32_t
fraction_us(uint64_t v, unsigned bytes)
{
    static const uint32_t factor[] = { 0, 10000, 100, 1 };

    return v > 999999 ? UINT32_MAX : (uint32_t)v * factor[bytes];
}

static void
split_clock(uint64_t hms, struct moment *m)
{
    m->hour = (unsigned)(hms >> 12);
    m->minute = (unsigned)(hms >> 6 & 63);
    m->second = (unsigned)(hms & 63);
}

static void
split_date(uint64_t ymd, struct moment *m)
{
    uint64_t ym = ymd >> 5;

    m->day = (unsigned)(ymd & 31);
    m->month = (unsigned)(ym % 13);
    m->year = (unsigned)(ym / 13);
}

size_t
date_text(const uint8_t p[3], char out[TIME_TEXT_MAX])
{
    uint64_t v = le(p, 3);

    return print_date(&(struct moment){ .day = v & 31,
                                        .month = v >> 5 & 15,
                                        .year = (unsigned)(v >> 9) },
                      out);
}

/* The whole is one number, fraction and all, of which half the range is
 * negative. */
size_t
time_text(const uint8_t *p, unsigned scale, char out[TIME_TEXT_MAX])
{
    unsigned bytes = fraction_bytes(scale);
    int64_t v = (int64_t)be(p, 3 + bytes) - (INT64_C(0x800000) << 8 * bytes);
    struct moment m = { .negative = v < 0 };
    uint64_t u = v < 0 ? (uint64_t)-v : (uint64_t)v;

    split_clock(u >> 8 * bytes, &m);
    m.us = fraction_us(u & ((1u << 8 * bytes) - 1), bytes);
    return print_time(&m, scale, out);
}

size_t
datetime_text(const uint8_t *p, unsigned scale, char out[TIME_TEXT_MAX])
{
    unsigned bytes = fraction_bytes(scale);
    uint64_t v = be(p, 5) ^ UINT64_C(0x8000000000);
    struct moment m = { .negative = v >> 39 != 0 };

    split_date(v >> 17, &m);
    split_clock(v & 0x1ffff, &m);
    m.us = fraction_us(be(p + 5, bytes), bytes);
    return print_datetime(&m, scale, out);
}

bool
timestamp_us(const uint8_t *p, unsigned scale, int64_t *out)
{
    unsigned bytes = fraction_bytes(scale);
    uint32_t us = fraction_us(be(p + 4, bytes), bytes);

    *out = (int64_t)be(p, 4) * 1000000 + us;
    return us <= 999999;
}

/* ---- before MySQL 5.6: digits of decimal numbers ---- */

size_t
old_time_text(const uint8_t p[3], char out[TIME_TEXT_MAX])
{
    int32_t v = (int32_t)((uint32_t)le(p, 3) << 8) / 256;
    uint32_t u = v < 0 ? (uint32_t)-v : (uint32_t)v;

    return print_time(&(struct moment){ .negative = v < 0,
                                        .hour = u / 10000,
                                        .minute = u / 100 % 100,
                                        .second = u % 100 },
                      0, out);
}

size_t
old_datetime_text(const uint8_t p[8], char out[TIME_TEXT_MAX])
{
    uint64_t v = le(p, 8), d = v / 1000000, t = v % 1000000;

    if (d > 99999999)
        return 0;
    return print_datetime(&(struct moment){ .year = (unsigned)(d / 10000),
                                            .month = (unsigned)(d / 100 % 100),
                                            .day = (unsigned)(d % 100),
                                            .hour = (unsigned)(t / 10000),
                                            .minute = (unsigned)(t / 100 % 100),
                                            .second = (unsigned)(t % 100) },
                          0, out);
}

/* ---- in JSON documents ---- */

static bool
unpack(int64_t packed, bool is_time, struct moment *m)
{
    uint64_t u = packed < 0 ? 0 - (uint64_t)packed : (uint64_t)packed;

    *m = (struct moment){ .negative = packed < 0, .us = u & 0xffffff };
    u >>= 24;
    if (u >> 39 != 0)
        return false;
    if (!is_time)
        split_date(u >> 17, m);
    split_clock(u & (is_time ? 0x3fffff : 0x1ffff), m);
    return true;
}

size_t
packed_date_text(int64_t packed, char out[TIME_TEXT_MAX])
{
    struct moment m;

    return unpack(packed, false, &m) && !m.negative ? print_date(&m, out) : 0;
}

size_t
packed_datetime_text(int64_t packed, char out[TIME_TEXT_MAX])
{
    struct moment m;

    return unpack(packed, false, &m) ? print_datetime(&m, 6, out) : 0;
}

size_t
packed_time_text(int64_t packed, char out[TIME_TEXT_MAX])
{
    struct moment m;

    return unpack(packed, true, &m) ? print_time(&m, 6, out) : 0;
}

/* ---- time stamps ---- */

size_t
binlog_stamp_text(int64_t us, unsigned scale, bool local,
                  char out[BINLOG_STAMP_MAX])
{
    time_t s = (time_t)(us / 1000000);
    struct moment m = { .us = (uint32_t)(us % 1000000) };
    struct tm tm;

    if (us != 0) {
        if ((local ? localtime_r(&s, &tm) : gmtime_r(&s, &tm)) == NULL)
            return 0;
        m.year = (unsigned)tm.tm_year + 1900;
        m.month = (unsigned)tm.tm_mon + 1;
        m.day = (unsigned)tm.tm_mday;
        m.hour = (unsigned)tm.tm_hour;
        m.minute = (unsigned)tm.tm_min;
        m.second = (unsigned)tm.tm_sec;
    }
    return print_datetime(&m, scale <= 6 ? scale : 6, out);
}
