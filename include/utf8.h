/* Room: base/ */
/* UTF-8 as RFC 3629 has it: shortest form, no surrogates, up to U+10FFFF. */
#ifndef MG_UTF8_H
#define MG_UTF8_H

#include "base.h"

/* Bytes of the valid sequence that starts at p, of at most n; 0 when there is
 * none. */
size_t utf8_len(const char *p, size_t n);

/* How many bytes at p, of n, are ASCII before the first that is not. */
size_t utf8_ascii(const char *p, size_t n);

/* The code point of a valid sequence of n bytes, and back (1 to 4 bytes). */
uint32_t utf8_decode(const char *p, size_t n);
size_t utf8_encode(char out[4], uint32_t code);

/* Whether all n bytes are valid. */
bool utf8_valid(const char *p, size_t n) MUST_USE;

#endif
