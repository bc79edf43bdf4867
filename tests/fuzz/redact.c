/* Lines of other programs: no value of a token parameter stays, whether a line
 * is given by itself or goes through the pipe and the thread to a file. */
#include "host/redact.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

/* The value of the first "?token=" or "&token=" in any case, or NULL. */
static const char *
value(const char *line, size_t n)
{
    static const char name[] = "token=";

    for (size_t i = 1; i + sizeof(name) - 1 < n; i++)
        if ((line[i - 1] == '?' || line[i - 1] == '&') &&
            strncasecmp(line + i, name, sizeof(name) - 1) == 0)
            return line + i + sizeof(name) - 1;
    return NULL;
}

/* The pipe does not block: who writes loses lines, but not we. */
static void
send_all(int fd, const char *p, size_t n)
{
    struct pollfd room = { .fd = fd, .events = POLLOUT };
    ssize_t done;

    while (n > 0) {
        HOLDS(poll(&room, 1, -1) == 1);
        done = write(fd, p, n);
        HOLDS(done > 0 || errno == EAGAIN || errno == EINTR);
        p += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
}

/* What the thread leaves of it in a file; *out bytes. */
static char *
through_the_pipe(const char *p, size_t n, size_t *out)
{
    int file = memfd_create("log", MFD_CLOEXEC), writer;
    struct redact r;
    char path[64], *text;
    off_t end;

    HOLDS(file >= 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    HOLDS(redact_start(&r, path, &writer) == ERR_OK);
    send_all(writer, p, n / 2);
    redact_reopen(&r);
    send_all(writer, p + n / 2, n - n / 2);
    redact_settle(&r);
    (void)close(writer);
    HOLDS(pthread_join(r.thread, NULL) == 0);
    end = lseek(file, 0, SEEK_END);
    text = malloc((size_t)end + 1);
    HOLDS(end >= 0 && text != NULL);
    HOLDS(pread(file, text, (size_t)end, 0) == end);
    (void)close(file);
    *out = (size_t)end;
    return text;
}

/* As line by line; longer ones than it takes are cut. */
static void
check_pipe(const char *p, size_t n)
{
    size_t got, at = 0, line;
    char *text = through_the_pipe(p, n, &got), *copy = malloc(n + 1);
    const char *lf;

    HOLDS(copy != NULL);
    for (const char *end = p + n; p < end; p += line) {
        lf = memchr(p, '\n', (size_t)(end - p));
        line = lf != NULL ? (size_t)(lf - p) + 1 : (size_t)(end - p);
        if (line >= 8192)
            break;
        memcpy(copy, p, line);
        n = redact_line(copy, line);
        HOLDS(at + n <= got && memcmp(text + at, copy, n) == 0);
        at += n;
    }
    free(copy);
    free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *line = malloc(n + 1), *again;
    const char *v;
    size_t now, then;

    HOLDS(line != NULL);
    memcpy(line, data, n);
    now = redact_line(line, n);
    HOLDS(now <= n);
    v = value(line, now);
    if (v != NULL) /* "***", or cut where the line ends */
        HOLDS(strncmp(v, "***",
                      (size_t)(line + now - v) < 3 ? (size_t)(line + now - v)
                                                   : 3) == 0 ||
              *v == '&' || *v == ' ');
    again = malloc(now + 1);
    HOLDS(again != NULL);
    memcpy(again, line, now);
    then = redact_line(again, now);
    HOLDS(then == now && memcmp(again, line, now) == 0);
    free(again);
    free(line);
    check_pipe((const char *)data, n);
    return 0;
}
