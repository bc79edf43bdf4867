/* Regular expressions as Go has them (RE2), searched in short texts. What that
 * syntax does not have (looking around, references back, possessive and atomic
 * groups) is refused; so are its classes of characters by property (\pL).
 * There is no going back: the time is the length of the text times that of the
 * expression, whatever a client has written. */
#ifndef TICDC_REGEX_H
#define TICDC_REGEX_H

#include "arena.h"
#include "base.h"

struct regex;

/* n bytes of UTF-8 at text, kept in the arena; fold: as behind (?i). BAD_PARAM
 * with why (a sentence part) when it is none, or larger than our bounds; NOMEM.
 */
enum err regex_compile(struct arena *a, const char *text, size_t n, bool fold,
                       const struct regex **out, char why[WHY_BYTES]) MUST_USE;

/* Whether it fits anywhere in the text. */
bool regex_search(const struct regex *re, const char *text, size_t n);

#endif
