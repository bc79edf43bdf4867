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
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

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
 * terminal; they are written as \xNN. */
static void
line_escaped(struct line *l, const char *s)
{
    const unsigned char *p = (const unsigned char *)s;
    char hex[8];

    for (; *p != '\0' && !l->cut; p++) {
        bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0;

        if (*p >= 0x20 && *p != 0x7f && !c1) {
            line_put(l, (const char *)p, 1);
            continue;
        }
        if (c1)
            p++;
        line_put(l, hex, (size_t)snprintf(hex, sizeof(hex), "\\x%02x", *p));
    }
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
    char text[96], zone[16];
    struct timeval now;
    struct tm tm;
    size_t n;

    (void)gettimeofday(&now, NULL);
    (void)localtime_r(&now.tv_sec, &tm);
    n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    if (strftime(zone, sizeof(zone), "%z", &tm) == 0)
        zone[0] = '\0';
    (void)snprintf(text + n, sizeof(text) - n, ".%03ld%s %s ",
                   (long)(now.tv_usec / 1000), zone, level_names[lv]);
    line_puts(l, text);
    line_puts(l, process_name[0] != '\0' ? process_name : "metagate");
    if (request_id != NULL) {
        line_puts(l, " [");
        line_escaped(l, request_id);
        line_puts(l, "]");
    }
    line_puts(l, " ");
}

void
log_write(enum log_level lv, const char *fmt, ...)
{
    char event[LINE_MAX_BYTES];
    struct line l = { .n = 0 };
    int saved = errno;
    va_list ap;

    if (lv < log_least)
        return;
    va_start(ap, fmt);
    if (vsnprintf(event, sizeof(event), fmt, ap) < 0)
        event[0] = '\0';
    va_end(ap);
    line_start(&l, lv);
    line_escaped(&l, event);
    if (l.cut) {
        memcpy(l.text + l.n, "...", 3);
        l.n += 3;
    }
    l.text[l.n++] = '\n';
    (void)!write(log_fd, l.text, l.n);
    errno = saved;
}
