/* How bytes get into the buffer, inline in both halves of the writer: names,
 * strings and containers in json_write.c, other values in json_write_value.c.
 * What fits goes there without a call. */
#ifndef MG_JSON_WRITE_INT_H
#define MG_JSON_WRITE_INT_H

#include "json.h"

#include <string.h>

/* A line feed and the indentation of the present container. */
void json_new_line(struct json_writer *w);

/* Names and most values are short: a few moves cost less than a call. */
static inline void
copy(char *to, const char *p, size_t n)
{
    if (n > 16) {
        memcpy(to, p, n);
    } else if (n >= 8) {
        memcpy(to, p, 8);
        memcpy(to + n - 8, p + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, p, 4);
        memcpy(to + n - 4, p + n - 4, 4);
    } else {
        for (size_t i = 0; i < n; i++)
            to[i] = p[i];
    }
}

static inline void
put(struct buf *b, const char *p, size_t n)
{
    char *to = buf_room(b, n);

    if (to == NULL) {
        buf_put(b, p, n);
        return;
    }
    copy(to, p, n);
    to[n] = '\0';
    b->n += n;
}

static inline void
putch(struct buf *b, char c)
{
    put(b, &c, 1);
}

/* Blanks before what stands in the present container. */
static inline size_t
indentation(const struct json_writer *w)
{
    return (size_t)(w->depth * w->style->indent);
}

/* What stands between this element or member and what was before. */
static inline void
separate(struct json_writer *w)
{
    if (w->need_comma)
        putch(w->out, ',');
    w->need_comma = true;
    if (w->style->indent > 0 && w->depth > 0)
        json_new_line(w);
}

static inline void
before_value(struct json_writer *w)
{
    if (w->after_key)
        w->after_key = false;
    else
        separate(w);
}

#endif
