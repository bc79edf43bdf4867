/* One scan of a text, shared by the files that make up the scanner: values
 * and containers in json_scan.c, strings in json_scan_string.c, members' names
 * in json_scan_name.c. */
#ifndef MG_JSON_SCAN_INT_H
#define MG_JSON_SCAN_INT_H

#include "json_scan.h"

/* A member's name: where it lies in the rewritten text and in the source. */
struct name {
    uint32_t at, n, source;
};

struct scan {
    const char *start, *p, *end;
    unsigned lenient;
    int depth, max_depth;
    struct json_scanned *out;
    size_t max_values, cap_values;
    struct name *names; /* of all objects that are open, innermost last */
    size_t n_names, cap_names;
    struct json_error *why;
};

/* Fills *why and returns e; scan_refuse: BAD_PARAM at the present byte. */
enum err scan_refuse_at(struct scan *s, size_t offset, enum err e,
                        const char *reason) MUST_USE;
enum err scan_refuse(struct scan *s, const char *reason) MUST_USE;

/* The array v of elements of that size, with twice the room; NULL without
 * memory, and v is as it was. */
void *scan_grown(void *v, size_t *cap, size_t size) MUST_USE;

/* Whether a string starts here. */
bool scan_at_quote(const struct scan *s);

/* The inside of a string to its closing quote, rewritten without quotes. */
enum err scan_chars(struct scan *s) MUST_USE;

/* A member's name, rewritten with quotes and colon, and noted. */
enum err scan_name(struct scan *s) MUST_USE;

/* Whether the names noted since there were `first` of them differ. */
enum err scan_check_names(struct scan *s, size_t first) MUST_USE;

static inline bool
at_end(const struct scan *s)
{
    return s->p == s->end;
}

/* The present byte; NUL at the end, which no rule takes. */
static inline char
peek(const struct scan *s)
{
    return at_end(s) ? '\0' : *s->p;
}

static inline void
put(struct scan *s, const char *p, size_t n)
{
    buf_put(&s->out->text, p, n);
}

static inline void
putch(struct scan *s, char c)
{
    buf_putc(&s->out->text, c);
}

#endif
