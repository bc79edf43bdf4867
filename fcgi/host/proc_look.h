/* What /proc tells of a process: proc(5). */
#ifndef MG_PROC_LOOK_H
#define MG_PROC_LOOK_H

#include <sys/types.h>

#include "base.h"

/* Of /proc/<pid>/stat. */
struct proc_stat {
    char state;     /* field 3; 'Z': it has ended, nobody has asked for it */
    pid_t parent;   /* field 4 */
    uint64_t ticks; /* field 22: when it was started, since the boot */
};

/* False when there is no such process. */
bool proc_look_stat(pid_t pid, struct proc_stat *out);

/* Calls look with the number of each process, until that is true; whether it
 * was. False, too, when /proc cannot be read. */
bool proc_look_each(bool (*look)(pid_t pid, void *ctx), void *ctx);

/* Its arguments, each with its NUL, as far as size - 1 bytes hold them, and a
 * NUL behind: how many bytes without that. 0 when it is gone or has none. Size
 * is at least 1. */
size_t proc_look_arguments(pid_t pid, char *out, size_t size);
/* The same as one text, with a blank for each NUL. A process may have written
 * anything there. */
size_t proc_look_title(pid_t pid, char *out, size_t size);

#endif
