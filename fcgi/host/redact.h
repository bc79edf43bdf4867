/* What programs of others write to their standard error, on its way to a log
 * of ours. */
#ifndef MG_REDACT_H
#define MG_REDACT_H

#include <pthread.h>

#include "base.h"

/* Replaces the value of every token parameter in the line by "***": nginx
 * quotes request lines, upstream URLs and referrers. In place; returns the
 * new length, never longer. n bytes, need not be NUL-terminated. */
size_t redact_line(char *line, size_t n);

/* A pipe into a log file, and the thread between them, which has no other
 * duty. All members are private; thread may be joined. */
struct redact {
    int in, out;
    const char *path;
    pthread_mutex_t lock;
    pthread_t thread;
};

/* Opens path (borrowed) for appending and starts the thread: what is written
 * to *writer, the pipe's O_NONBLOCK end, appears there line by line, redacted.
 * It ends when nobody has the writer's end any more, and closes its own
 * descriptors then. STATE with errno set. */
enum err redact_start(struct redact *r, const char *path, int *writer) MUST_USE;
/* After the file was renamed: from now on lines go to a new one. */
void redact_reopen(struct redact *r);
/* Returns when every whole line written so far is in the file; after a second
 * at the latest. */
void redact_settle(struct redact *r);

#endif
