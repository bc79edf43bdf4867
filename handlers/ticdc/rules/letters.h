/* Upper and lower case of code points, one for one, of the alphabets that have
 * both: Latin, Greek, Cyrillic, Armenian and the full-width forms. */
#ifndef TICDC_LETTERS_H
#define TICDC_LETTERS_H

#include "base.h"

uint32_t letter_lower(uint32_t c);
uint32_t letter_upper(uint32_t c);

/* The code point at *p, which is moved behind it; a byte that belongs to none
 * counts as one above all code points, so that no two of them are equal. */
uint32_t letter_next(const char **p, const char *end);
#define LETTER_BROKEN 0x110000u

#endif
