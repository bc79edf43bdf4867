/* Room: base/ */
/* Numbers as people and front ends write them. */
#ifndef MG_NUMBER_H
#define MG_NUMBER_H

#include "base.h"

/* A text of decimal digits alone, 0 to max: no sign, no blank, nothing behind
 * it. False for any other (NULL too); *out is untouched then. */
bool number_read(const char *text, int64_t max, int64_t *out) MUST_USE;

#endif
