/* A program that works beside us, on a stream: started, spoken to, ended. */
#ifndef MG_BACKUP_TOOL_H
#define MG_BACKUP_TOOL_H

#include <sys/types.h>

#include "backup.h"

struct tool {
    pid_t pid;    /* 0: it does not run any more */
    int fd;       /* our end of its standard output, or input */
    int log;      /* what it says on standard error */
    int status;   /* after tool_wait: as proc_result's */
    bool stopped; /* go_on has said so */
};

/* With its output (to_us) or its input as a stream. It ends with the thread
 * that has started it. NOT_FOUND, STATE with why. tool_close afterwards. */
enum err
tool_start(struct tool *t, const struct argv *argv, const char *const *env,
           bool to_us, char why[WHY_BYTES]) MUST_USE;

/* Up to n bytes of its output: how many, 0 at the end, -1 on failure, or when
 * w's go_on says so. */
int64_t
tool_read(struct tool *t, const struct instance_watch *w, char *p, size_t n);
/* All of it into its input; false likewise, and when it has ended. */
bool tool_write(struct tool *t, const struct instance_watch *w, const char *p,
                size_t n);

/* Whether it has ended; tool_wait says how. */
bool tool_has_ended(const struct tool *t);

/* Closes the stream and waits for its end, at most so long; then it is killed.
 * OK when it exited with 0; STATE, TIMEOUT. */
enum err tool_wait(struct tool *t, int timeout_ms) MUST_USE;
/* The end of what it has said; its last line. */
void tool_log_tail(const struct tool *t, char *out, size_t size);
void tool_last_line(const struct tool *t, char *out, size_t size);

/* Kills it if it still runs, closes what is open. */
void tool_close(struct tool *t);

#endif
