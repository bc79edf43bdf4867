/* Why a server has ended before it served, by its own log, which goes with the
 * instance when an installation is undone. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keeper_int.h"

#define TAIL_BYTES 16384

/* The last bytes of a file, as text. */
static bool
read_tail(const char *path, char out[TAIL_BYTES + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = -1;
    struct stat st;

    if (fd < 0)
        return false;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        n = pread(fd, out, TAIL_BYTES,
                  st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0);
    (void)close(fd);
    if (n < 0)
        return false;
    for (ssize_t i = 0; i < n; i++)
        if (out[i] == '\0')
            out[i] = ' ';
    out[n] = '\0';
    return true;
}

/* Of what was written since the last start. */
static char *
last_start(char *text)
{
    static const char *const starts[] = { "] Starting MariaDB ",
                                          "LOG:  starting PostgreSQL " };
    char *at = text;

    for (size_t i = 0; i < COUNT(starts); i++)
        for (char *p = at; (p = strstr(p, starts[i])) != NULL;)
            at = p += strlen(starts[i]);
    return at;
}

/* The first error is the cause; later ones follow from it. What is said to
 * clients that came too early is none. */
void
keep_says_why(const char *log, char *out, size_t size)
{
    static const char *const marks[] = { "[ERROR] ", "FATAL:  ", "PANIC:  " };
    char text[TAIL_BYTES + 1], *line, *rest;

    *out = '\0';
    if (log == NULL || !read_tail(log, text))
        return;
    rest = last_start(text);
    while ((line = strsep(&rest, "\n")) != NULL)
        for (size_t i = 0; i < COUNT(marks); i++) {
            const char *p = strstr(line, marks[i]);

            if (p == NULL || strstr(p, "the database system is ") != NULL)
                continue;
            (void)snprintf(out, size, "%s", p + strlen(marks[i]));
            return;
        }
}
