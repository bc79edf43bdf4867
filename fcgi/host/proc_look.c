/* Looking at processes, ours and others. */
#include "proc_look.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"

/* The first bytes of a file of /proc/<pid>, and a NUL; how many. */
static size_t
read_start(pid_t pid, const char *name, char *out, size_t size)
{
    char path[64];
    size_t n = 0;
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        if (file_read_fd(fd, out, size - 1, &n) == ERR_LIMIT)
            n = size - 1;
        (void)close(fd);
    }
    out[n] = '\0';
    return n;
}

bool
proc_look_stat(pid_t pid, struct proc_stat *out)
{
    char text[1024], *p;

    (void)read_start(pid, "stat", text, sizeof(text));
    p = strrchr(text, ')'); /* the name may hold blanks and parentheses */
    if (p == NULL || p[1] != ' ')
        return false;
    *out = (struct proc_stat){ .state = p[2] };
    for (int field = 2; p != NULL && field < 22; field++) {
        p = strchr(p + 1, ' ');
        if (p != NULL && field == 3)
            out->parent = (pid_t)strtol(p, NULL, 10);
    }
    if (p != NULL)
        out->ticks = strtoull(p, NULL, 10);
    return p != NULL;
}

size_t
proc_look_arguments(pid_t pid, char *out, size_t size)
{
    return read_start(pid, "cmdline", out, size);
}

size_t
proc_look_title(pid_t pid, char *out, size_t size)
{
    size_t n = proc_look_arguments(pid, out, size);

    for (size_t i = 0; i < n; i++) {
        if (out[i] == '\0')
            out[i] = ' ';
    }
    return n;
}
