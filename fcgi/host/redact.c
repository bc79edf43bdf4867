/* Logs of nginx and MariaDB on their way to the disk: tokens are taken out.
 * nginx quotes what clients sent (request line, upstream, referrer), and names
 * of arguments are the same to it in any letter case. */
#include "redact.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "file.h"
#include "hex.h"
#include "log.h"

#define STARS 3
/* nginx cuts its lines at 2048 bytes; what is longer is cut here. */
#define LINE_BYTES   8192
#define TOKEN_DIGITS 64
#define SETTLE_MS    1000

/* Whether the text at *p goes on with c, in either case, as it is or
 * percent-encoded; moves *p past it. */
static bool
take(const char **p, const char *end, char c)
{
    const char *s = *p;
    int v = percent_read(s, (size_t)(end - s));
    size_t n = v >= 0 ? 3 : 1;

    if (v < 0 && s < end)
        v = (unsigned char)*s;
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

    while (q < end && hex_digit(*q) >= 0)
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

/* A full disk costs lines, never more. */
static void
write_line(int fd, char *line, size_t n)
{
    (void)!file_write_fd(fd, line, redact_line(line, n), -1);
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

/* Whether there is something to read, or the end. */
static bool
wait_for_text(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    int n;

    do
        n = poll(&p, 1, -1);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

/* What is read under the lock is written under it: redact_settle looks at the
 * pipe between. False at its end. */
static bool
move_text(struct redact *r, char *text, size_t *n, bool *dropping)
{
    ssize_t got;
    size_t done;

    (void)pthread_mutex_lock(&r->lock);
    got = read(r->in, text + *n, LINE_BYTES - *n);
    if (got > 0) {
        *n += (size_t)got;
        done = write_lines(r->out, text, *n, dropping);
        memmove(text, text + done, *n - done);
        *n -= done;
    }
    (void)pthread_mutex_unlock(&r->lock);
    return got > 0 || (got < 0 && errno == EINTR);
}

static void *
redact_thread(void *redact)
{
    struct redact *r = redact;
    char text[LINE_BYTES];
    bool dropping = false;
    size_t n = 0;

    while (wait_for_text(r->in) && move_text(r, text, &n, &dropping))
        continue;
    write_line(r->out, text, n);
    (void)close(r->out);
    (void)close(r->in);
    return NULL;
}

/* ---- for up ---- */

enum err
redact_start(struct redact *r, const char *path, int *writer)
{
    int fd[2];

    *r = (struct redact){
        .in = -1, .out = -1, .path = path, .lock = PTHREAD_MUTEX_INITIALIZER
    };
    r->out = open_log(path);
    if (r->out < 0 || pipe2(fd, O_CLOEXEC) != 0)
        return ERR_STATE;
    r->in = fd[0];
    *writer = fd[1];
    /* whoever writes loses lines rather than wait for this thread */
    if (fcntl(fd[1], F_SETFL, O_NONBLOCK) != 0 ||
        pthread_create(&r->thread, NULL, redact_thread, r) != 0)
        return ERR_STATE;
    return ERR_OK;
}

/* The new file goes under the old one's number: the thread needs no word. */
void
redact_reopen(struct redact *r)
{
    int fd = open_log(r->path);

    if (fd < 0) {
        log_error("log.reopen path=%s errno=%d", r->path, errno);
        return;
    }
    (void)dup3(fd, r->out, O_CLOEXEC);
    (void)close(fd);
}

void
redact_settle(struct redact *r)
{
    const struct timespec part = { .tv_nsec = 1000000 };
    int left = 1;

    for (int i = 0; i < SETTLE_MS && left > 0; i++) {
        (void)pthread_mutex_lock(&r->lock);
        if (ioctl(r->in, FIONREAD, &left) != 0)
            left = 0;
        (void)pthread_mutex_unlock(&r->lock);
        if (left > 0)
            (void)nanosleep(&part, NULL);
    }
}
