/* Two versions of a document, each reduced to what the other has not. */
#ifndef MG_JSON_DIFFERENCE_H
#define MG_JSON_DIFFERENCE_H

#include "arena.h"
#include "base.h"

/* Of two objects, members that are the same in both are left out, and those
 * that are objects or lists in both are reduced in turn. Of two lists, what
 * both begin and end with is left out:
 *     {"from": 7, "of": 9, "items": [...]}
 * are the elements of a list of nine from the eighth on. Each result is an
 * object whose first member is "difference": true. In the arena. STATE when
 * one of the texts is no JSON object; NOMEM. */
enum err json_difference(struct arena *a, const char *old, const char *new,
                         const char **old_out, const char **new_out) MUST_USE;

#endif
