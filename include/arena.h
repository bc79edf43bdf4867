/* Room: base/ */
/* Memory of one request or one step of a loop: allocated piece by piece,
 * released at once. Not thread-safe; one owner at a time. */
#ifndef MG_ARENA_H
#define MG_ARENA_H

#include "base.h"

struct arena;

/* A new arena that hands out at most max_bytes in all; NULL without memory.
 * The caller frees it by arena_free. */
struct arena *arena_new(size_t max_bytes);

/* Runs the deferred releases, last first, and frees everything. NULL: does
 * nothing. */
void arena_free(struct arena *a);

/* As arena_free, but keeps the arena and its first block for the next use. */
void arena_reset(struct arena *a);

/* n bytes, zeroed, aligned for any type; NULL when the limit or memory is
 * exhausted. n == 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n) MUST_USE;

/* count elements of size bytes each, zeroed; NULL on overflow too. */
void *arena_array(struct arena *a, size_t count, size_t size) MUST_USE;

/* A NUL-terminated copy of n bytes at p; NULL without memory. */
char *arena_strndup(struct arena *a, const char *p, size_t n) MUST_USE;

/* As arena_strndup of the whole string. */
char *arena_strdup(struct arena *a, const char *s) MUST_USE;

/* Formatted text; NULL without memory. Never with a client's format. */
char *arena_printf(struct arena *a, const char *fmt, ...) MUST_USE
    PRINTF_LIKE(2, 3);

/* Calls release(thing) when the arena is reset or freed, last first. When
 * there is no memory to note it, calls it now and answers ERR_NOMEM. */
enum err arena_defer(struct arena *a, void (*release)(void *), void *thing)
    MUST_USE;

/* Whether something was refused since the last reset because of max_bytes, and
 * not for want of memory. */
bool arena_is_full(const struct arena *a);

/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#endif
