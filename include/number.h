/* Room: base/ */
/* Numbers as people and front ends write them. */
#ifndef MG_NUMBER_H
#define MG_NUMBER_H

#include "base.h"

/* A text of decimal digits alone, 0 to max: no sign, no blank, nothing behind
 * it. False for any other (NULL too); *out is untouched then. */
bool number_read(const char *text, int64_t max, int64_t *out) MUST_USE;

/* The decimal digits at *p, which goes behind them, up to end (NULL: to what is
 * none). False when there are none or they are more than max; *p is somewhere
 * in them and *out untouched then. */
bool number_take(const char **p, const char *end, uint64_t max,
                 uint64_t *out) MUST_USE;

/* The fewest digits that read back as v, which is finite: 15 to 17 of them, as
 * "%g" prints. Their number, as snprintf. */
int number_shortest(char *text, size_t size, double v);

#endif
