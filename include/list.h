/* Room: base/ */
/* Lists: in one text, their elements parted by commas, and of words. */
#ifndef MG_LIST_H
#define MG_LIST_H

#include "base.h"

/* The next element of *list, which moves behind it; false at the end. "" has
 * none; between two commas, and behind one at the end, is an empty one. */
bool list_next(const char **list, struct span *out);

/* Whether word is one of its elements. */
bool list_has(const char *list, struct span word);

/* Whether word is one of those before the NULL; words may be NULL. */
bool list_has_word(const char *const *words, const char *word);

#endif
