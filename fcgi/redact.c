/* nginx's error log on its way to the disk: tokens are taken out. nginx
 * quotes what clients sent (request line, upstream, referrer), and names of
 * arguments are the same to it in any letter case. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "nginx.h"

#define STARS 3
/* nginx cuts its lines at 2048 bytes; what is longer is cut here. */
#define LINE_BYTES   8192
#define TOKEN_DIGITS 64

static atomic_bool reopen;

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether the text at *p goes on with c, in either case, as it is or
 * percent-encoded; moves *p past it. */
static bool
take(const char **p, const char *end, char c)
{
    const char *s = *p;
    int v = s < end ? (unsigned char)*s : -1;
    size_t n = 1;

    if (v == '%' && end - s >= 3 && hex_value(s[1]) >= 0 &&
        hex_value(s[2]) >= 0) {
        v = hex_value(s[1]) * 16 + hex_value(s[2]);
        n = 3;
    }
    if (v >= 'A' && v <= 'Z')
        v |= 0x20;
    if (v != c)
        return false;
    *p = s + n;
    return true;
}

/* Bytes of "token=" at p; 0 when something else is there. */
static size_t
name_bytes(const char *p, const char *end)
{
    const char *q = p, *c;

    for (c = "token="; *c != '\0'; c++) {
        if (!take(&q, end, *c))
            return 0;
    }
    return (size_t)(q - p);
}

/* Up to what ends an argument in a URL, or a quotation in the log. */
static size_t
value_bytes(const char *p, const char *end)
{
    const char *q = p;

    while (q < end && strchr("& \"\r\n\t", *q) == NULL)
        q++;
    return (size_t)(q - p);
}

/* As long as a token, wherever it stands: nginx quotes a bad line of
 * tokens.map, and clients put tokens into paths. */
static size_t
digits_bytes(const char *p, const char *end)
{
    const char *q = p;

    while (q < end && hex_value(*q) >= 0)
        q++;
    return q - p >= TOKEN_DIGITS ? (size_t)(q - p) : 0;
}

size_t
redact_line(char *line, size_t n)
{
    const char *in = line, *end = line + n;
    char *out = line;

    while (in < end) {
        size_t name = name_bytes(in, end);
        size_t hide =
            name > 0 ? value_bytes(in + name, end) : digits_bytes(in, end);
        size_t stars = hide < STARS ? hide : STARS;

        if (name == 0 && hide == 0) {
            *out++ = *in++;
            continue;
        }
        memmove(out, in, name);
        memset(out + name, '*', stars);
        out += name + stars;
        in += name + hide;
    }
    return (size_t)(out - line);
}

/* ---- the thread ---- */

static int
open_log(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

/* A full or missing disk costs lines, never more. */
static void
write_line(int fd, char *line, size_t n)
{
    n = redact_line(line, n);
    while (n > 0) {
        ssize_t done = write(fd, line, n);

        if (done < 0 && errno != EINTR)
            return;
        if (done > 0) {
            line += done;
            n -= (size_t)done;
        }
    }
}

/* Writes the whole lines of text; returns how many bytes it took. Of a line
 * that fills the buffer the rest is dropped: it may begin inside a token. */
static size_t
write_lines(int fd, char *text, size_t n, bool *dropping)
{
    size_t done = 0;

    while (done < n) {
        char *lf = memchr(text + done, '\n', n - done);
        size_t len = lf != NULL ? (size_t)(lf - (text + done)) + 1 : n - done;

        if (lf == NULL && len < LINE_BYTES && !*dropping)
            break;
        if (!*dropping)
            write_line(fd, text + done, len);
        *dropping = lf == NULL;
        done += len;
    }
    return done;
}

void *
redact_thread(void *redact)
{
    const struct redact *r = redact;
    char text[LINE_BYTES];
    bool dropping = false;
    int fd = open_log(r->path);
    size_t n = 0, done;
    ssize_t got;

    while ((got = read(r->fd, text + n, sizeof(text) - n)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        if (atomic_exchange(&reopen, false) || fd < 0) {
            (void)close(fd);
            fd = open_log(r->path);
        }
        n += (size_t)got;
        done = write_lines(fd, text, n, &dropping);
        memmove(text, text + done, n - done);
        n -= done;
    }
    write_line(fd, text, n);
    (void)close(fd);
    (void)close(r->fd);
    return NULL;
}

void
redact_reopen(void)
{
    atomic_store(&reopen, true);
}
