/* Room: base/ */
/* Hex digits: read in either case, written in lower case. */
#ifndef MG_HEX_H
#define MG_HEX_H

#include "base.h"

/* 0 to 15; -1 for what is no hex digit. */
int hex_digit(char c);

/* The n bytes of the first 2n characters at text, NUL-terminated or not;
 * false when one of them is no hex digit. */
bool hex_read(const char *text, void *out, size_t n) MUST_USE;

/* n bytes as 2n digits and NUL. */
void hex_write(const void *p, size_t n, char *out);

#define UUID_TEXT 37 /* 8-4-4-4-12 digits and NUL */
/* The 16 bytes that the text begins with, in either case; false when it does
 * not begin so. */
bool uuid_read(const char *text, uint8_t out[16]) MUST_USE;
void uuid_write(const uint8_t uuid[16], char out[UUID_TEXT]);

/* Up to 64 random bytes of the kernel, as 2n digits and NUL; INTERNAL when it
 * gives none. */
enum err hex_random(char *out, size_t n) MUST_USE;

#endif
