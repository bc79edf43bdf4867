/* Values of columns out of the bytes of a row. */
#ifndef MG_BINLOG_VALUE_H
#define MG_BINLOG_VALUE_H

#include "binlog_int.h"

#define DECIMAL_PRECISION_MAX 81 /* of the format; servers take 65 */
#define DECIMAL_TEXT_MAX      (DECIMAL_PRECISION_MAX + 3)
#define TIME_TEXT_MAX         32

/* v as that many digits; where they end. */
static inline char *
put_digits(char *to, uint32_t v, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--) {
        to[i - 1] = (char)('0' + v % 10);
        v /= 10;
    }
    return to + digits;
}

/* ---- decimal.c ---- */

size_t decimal_bytes(unsigned precision, unsigned scale);
/* The exact digits of that many bytes; 0: a group of digits is none. */
size_t decimal_text(const uint8_t *p, unsigned precision, unsigned scale,
                    char out[DECIMAL_TEXT_MAX]);

/* ---- temporal.c: how many bytes of text; 0: no such time ---- */

size_t date_text(const uint8_t p[3], char out[TIME_TEXT_MAX]);
size_t time_text(const uint8_t *p, unsigned scale, char out[TIME_TEXT_MAX]);
size_t datetime_text(const uint8_t *p, unsigned scale, char out[TIME_TEXT_MAX]);
size_t old_time_text(const uint8_t p[3], char out[TIME_TEXT_MAX]);
size_t old_datetime_text(const uint8_t p[8], char out[TIME_TEXT_MAX]);
/* Microseconds since 1970; false: no such time. */
bool timestamp_us(const uint8_t *p, unsigned scale, int64_t *out);
/* As JSON documents have them: packed in a number. */
size_t packed_date_text(int64_t packed, char out[TIME_TEXT_MAX]);
size_t packed_datetime_text(int64_t packed, char out[TIME_TEXT_MAX]);
size_t packed_time_text(int64_t packed, char out[TIME_TEXT_MAX]);

/* ---- document.c ---- */

/* MySQL's binary JSON as text, behind what `out` has. BAD_PARAM: it is none;
 * LIMIT, NOMEM. */
enum err document_text(const uint8_t *p, size_t n, struct buf *out) MUST_USE;

#endif
