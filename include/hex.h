/* Room: base/ */
/* Bytes as text: hex digits, read in either case and written in lower case;
 * base64; what stands for a byte in a URL, and the parameters of its query. */
#ifndef MG_HEX_H
#define MG_HEX_H

#include "base.h"

/* 0 to 15; -1 for what is no hex digit. */
int hex_digit(char c);

/* The n bytes of the first 2n characters at text, NUL-terminated or not;
 * false when one of them is no hex digit. */
bool hex_read(const char *text, void *out, size_t n) MUST_USE;

/* Whether the whole text is lower-case digits, at least and at most so many. */
bool hex_is(const char *text, size_t least, size_t most);

/* n bytes as 2n digits and NUL. */
void hex_write(const void *p, size_t n, char *out);

#define UUID_TEXT 37 /* 8-4-4-4-12 digits and NUL */
/* The 16 bytes that the text begins with, in either case; false when it does
 * not begin so. */
bool uuid_read(const char *text, uint8_t out[16]) MUST_USE;
void uuid_write(const uint8_t uuid[16], char out[UUID_TEXT]);

/* n bytes as base64 with padding and NUL: room for BASE64_TEXT(n). */
#define BASE64_TEXT(n) (((n) + 2) / 3 * 4 + 1)
void base64_write(const void *p, size_t n, char *out);
/* Of n digits, without padding; with `url`, '-' and '_' are digits too. False
 * when another byte is among them or no bytes give so many. out has room for
 * n / 4 * 3 + 2. */
bool base64_read(const char *text, size_t n, bool url, unsigned char *out,
                 size_t *bytes) MUST_USE;

/* The byte that "%41" at p stands for, of n bytes that are there; -1 when that
 * is no escape. */
int percent_read(const char *p, size_t n);
/* "%41" and NUL, in capitals. */
void percent_write(char c, char out[4]);
/* The text that n bytes stand for, into n + 1 of out; plus: '+' is a blank.
 * NULL, or why it is none, for people: a bad escape; a NUL, which would cut it
 * for whoever reads it. Whether it is UTF-8 is not looked at. */
const char *
percent_decode(const char *p, size_t n, bool plus, char *out) MUST_USE;

/* "key=value" of a query, or "key" alone; as it is written. */
struct query_param {
    struct span key, value;
    bool bare; /* without '=' */
};
/* The next at *p, which goes behind it; false at the end. What stands between
 * two '&' may be empty. */
bool query_next(const char **p, const char *end, struct query_param *out);

/* Up to 64 random bytes of the kernel, as 2n digits and NUL; INTERNAL when it
 * gives none. */
enum err hex_random(char *out, size_t n) MUST_USE;

#endif
