/* Log lines: one event, one line, one write. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

#define LINE_MAX_BYTES 4096

static const char *const level_names[] = {
    [LOG_LV_DEBUG] = "debug",
    [LOG_LV_INFO] = "info",
    [LOG_LV_WARN] = "warn",
    [LOG_LV_ERROR] = "error",
};

/* The descriptor's number never changes once a file is open: log_reopen puts
 * the new file under it, so writers need no lock. */
static int log_fd = STDERR_FILENO;
static char *log_path;
static char process_name[64];
static _Atomic enum log_level log_least = LOG_LV_INFO;
static _Thread_local const char *request_id;
/* Who puts another file under standard error. */
static pthread_mutex_t stderr_lock = PTHREAD_MUTEX_INITIALIZER;
static int hushed = -1; /* standard error meanwhile */

static int
open_log(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

static void
close_log(void)
{
    if (log_fd != STDERR_FILENO)
        (void)close(log_fd);
    log_fd = STDERR_FILENO;
    free(log_path);
    log_path = NULL;
}

enum err
log_open(const char *path, const char *process)
{
    char *copy;
    int fd;

    (void)snprintf(process_name, sizeof(process_name), "%s", process);
    if (path == NULL || strcmp(path, "-") == 0) {
        close_log();
        return ERR_OK;
    }
    fd = open_log(path);
    if (fd < 0)
        return ERR_STATE;
    copy = strdup(path);
    if (copy == NULL) {
        (void)close(fd);
        return ERR_NOMEM;
    }
    close_log();
    log_fd = fd;
    log_path = copy;
    return ERR_OK;
}

const char *
log_process(void)
{
    return process_name;
}

static bool
is_log(int fd)
{
    struct stat a, b;

    return fstat(fd, &a) == 0 && fstat(log_fd, &b) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* What libraries say is in the same file when up has started us, and moves
 * with it. */
static void
replace_log(int fd)
{
    bool out = is_log(STDOUT_FILENO), err = is_log(STDERR_FILENO);

    (void)dup3(fd, log_fd, O_CLOEXEC);
    if (out)
        (void)dup2(fd, STDOUT_FILENO);
    if (err)
        (void)dup2(fd, STDERR_FILENO);
}

void
log_reopen(void)
{
    int fd;

    if (log_path == NULL)
        return;
    fd = open_log(log_path);
    if (fd < 0) {
        log_error("log.reopen path=%s errno=%d", log_path, errno);
        return;
    }
    (void)pthread_mutex_lock(&stderr_lock);
    replace_log(fd);
    (void)pthread_mutex_unlock(&stderr_lock);
    (void)close(fd);
}

void
log_hush(void)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    (void)pthread_mutex_lock(&stderr_lock);
    if (null >= 0 && log_path != NULL)
        hushed = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (hushed >= 0)
        (void)dup2(null, STDERR_FILENO);
    if (null >= 0)
        (void)close(null);
}

void
log_unhush(void)
{
    if (hushed >= 0) {
        (void)dup2(hushed, STDERR_FILENO);
        (void)close(hushed);
    }
    hushed = -1;
    (void)pthread_mutex_unlock(&stderr_lock);
}

void
log_set_level(enum log_level lv)
{
    log_least = lv;
}

void
log_set_level_name(const char *name)
{
    for (size_t lv = 0; lv < COUNT(level_names); lv++)
        if (strcmp(name, level_names[lv]) == 0)
            log_set_level((enum log_level)lv);
}

void
log_request_id(const char *id)
{
    request_id = id;
}

/* A line being built: what does not fit is cut and marked by "...". */
struct line {
    char text[LINE_MAX_BYTES];
    size_t n;
    bool cut;
};

/* Leaves room for the mark and the newline. */
static void
line_put(struct line *l, const char *p, size_t n)
{
    size_t room = sizeof(l->text) - 4 - l->n;

    if (l->cut || n > room) {
        l->cut = true;
        return;
    }
    memcpy(l->text + l->n, p, n);
    l->n += n;
}

/* Control characters, DEL and C1 (as UTF-8) could forge a line or drive a
 * terminal; they are written as \xNN. In quotes, so are a quote and a
 * backslash marked. */
static void
line_escaped(struct line *l, const char *s, size_t most, bool in_quotes)
{
    const unsigned char *p = (const unsigned char *)s,
                        *end = p + strnlen(s, most);
    char hex[8];

    for (; p < end && !l->cut; p++) {
        bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;

        if (in_quotes && (*p == '"' || *p == '\\'))
            line_put(l, "\\", 1);
        if (*p >= 0x20 && *p != 0x7f && !c1) {
            line_put(l, (const char *)p, 1);
            continue;
        }
        if (c1)
            p++;
        line_put(l, hex, (size_t)snprintf(hex, sizeof(hex), "\\x%02x", *p));
    }
}

/* A value that is no plain word stands in quotes, so that nobody's text ends
 * where a fact of ours begins. */
static void
line_value(struct line *l, const char *s, size_t most)
{
    bool quoted = l->n > 0 && l->text[l->n - 1] == '"'; /* by the format */
    bool plain = strcspn(s, " \"=\\") >= strnlen(s, most);

    if (!quoted && !plain)
        line_put(l, "\"", 1);
    line_escaped(l, s, most, quoted || !plain);
    if (!quoted && !plain)
        line_put(l, "\"", 1);
}

static void
line_puts(struct line *l, const char *s)
{
    line_put(l, s, strlen(s));
}

/* "2026-01-31T23:59:59.123+0800 info serve-0 [id] ". */
static void
line_start(struct line *l, enum log_level lv)
{
    char at[CLOCK_TEXT];

    line_puts(l, clock_stamp(clock_unix_ms(), at));
    line_puts(l, " ");
    line_puts(l, level_names[lv]);
    line_puts(l, " ");
    line_puts(l, !str_empty(process_name) ? process_name : "metagate");
    if (request_id != NULL) {
        line_puts(l, " [");
        line_escaped(l, request_id, SIZE_MAX, false);
        line_puts(l, "]");
    }
    line_puts(l, " ");
}

/* A number by its conversion and length; log lines need no widths. */
static void
line_number(struct line *l, char type, const char *length, va_list *ap)
{
    char text[64];
    bool is_signed = type == 'd' || type == 'i' || type == 'c';
    unsigned long long u;
    long long i;

    if (strcmp(length, "ll") == 0)
        i = va_arg(*ap, long long);
    else if (strcmp(length, "z") == 0 || strcmp(length, "l") == 0)
        i = va_arg(*ap, long);
    else
        i = va_arg(*ap, int);
    u = (unsigned long long)i;
    if (*length == '\0' && !is_signed)
        u = (unsigned)i;
    if (type == 'c')
        (void)snprintf(text, sizeof(text), "%c", (int)i);
    else if (type == 'x')
        (void)snprintf(text, sizeof(text), "%llx", u);
    else if (type == 'o')
        (void)snprintf(text, sizeof(text), "%llo", u);
    else if (is_signed)
        (void)snprintf(text, sizeof(text), "%lld", i);
    else
        (void)snprintf(text, sizeof(text), "%llu", u);
    line_puts(l, text);
}

static void
line_double(struct line *l, double v)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "%g", v);
    line_puts(l, text);
}

/* The event with its facts: printf's conversions, %s as line_value has it. */
static void
line_event(struct line *l, const char *fmt, va_list *ap)
{
    while (*fmt != '\0') {
        size_t n = strcspn(fmt, "%"), most = SIZE_MAX;
        char length[3] = "";
        const char *s, *dot;

        line_put(l, fmt, n);
        fmt += n;
        if (*fmt == '\0')
            return;
        n = 1 + strspn(fmt + 1, "-+ #0123456789.*");
        dot = memchr(fmt, '.', n);
        if (dot != NULL)
            most = dot[1] == '*' ? (size_t)va_arg(*ap, int)
                                 : strtoul(dot + 1, NULL, 10);
        fmt += n;
        n = strspn(fmt, "hlz");
        memcpy(length, fmt, n < 2 ? n : 2);
        fmt += n;
        if (*fmt == 's') {
            s = va_arg(*ap, const char *);
            line_value(l, s != NULL ? s : "(null)", most);
        } else if (*fmt == 'f' || *fmt == 'g') {
            line_double(l, va_arg(*ap, double));
        } else if (*fmt == '%') {
            line_put(l, "%", 1);
        } else {
            line_number(l, *fmt, length, ap);
        }
        fmt += *fmt != '\0';
    }
}

void
log_write(enum log_level lv, const char *fmt, ...)
{
    struct line l = { .n = 0 };
    int saved = errno;
    va_list ap;

    if (lv < log_least)
        return;
    line_start(&l, lv);
    va_start(ap, fmt);
    line_event(&l, fmt, &ap);
    va_end(ap);
    if (l.cut) {
        memcpy(l.text + l.n, "...", 3);
        l.n += 3;
    }
    l.text[l.n++] = '\n';
    (void)!write(log_fd, l.text, l.n);
    errno = saved;
}
