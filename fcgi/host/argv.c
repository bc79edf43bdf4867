/* Argument vectors, put together one by one. */
#include "argv.h"

#include <stdarg.h>
#include <stdio.h>

void
argv_add(struct argv *a, const char *fmt, ...)
{
    char text[8192];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof(text) || a->n == ARGV_MAX) {
        a->failed = true;
        return;
    }
    a->at[a->n++] = a->text.n;
    buf_put(&a->text, text, (size_t)n + 1);
}

/* Offsets become pointers once the text has stopped to move. */
enum err
argv_done(struct argv *a)
{
    enum err e = buf_err(&a->text);

    if (e == ERR_OK && a->failed)
        e = ERR_LIMIT;
    for (size_t i = 0; i < a->n && e == ERR_OK; i++)
        a->v[i] = a->text.p + a->at[i];
    a->v[e == ERR_OK ? a->n : 0] = NULL;
    return e;
}

void
argv_free(struct argv *a)
{
    buf_free(&a->text);
}
