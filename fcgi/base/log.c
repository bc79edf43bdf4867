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
#include "utf8.h"

#define LINE_MAX_BYTES 4096
#define NUMBERS_MAX    32 /* of a line, that JSON has as such */

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
static _Thread_local const struct trace *traced;
static _Atomic bool as_json;
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
log_set_format_name(const char *name)
{
    if (strcmp(name, "json") == 0)
        as_json = true;
    else if (strcmp(name, "text") == 0)
        as_json = false;
}

void
log_trace(const struct trace *t)
{
    traced = t;
}

const struct trace *
log_traced(void)
{
    return traced;
}

struct errand {
    void *(*with)(void *);
    void *arg;
    const struct trace *traced;
};

static void *
run_errand(void *arg)
{
    const struct errand e = *(struct errand *)arg;

    free(arg);
    log_trace(e.traced);
    return e.with(e.arg);
}

bool
log_thread(pthread_t *out, void *(*with)(void *), void *arg)
{
    struct errand *e = malloc(sizeof(*e));

    if (e == NULL)
        return false;
    *e = (struct errand){ with, arg, traced };
    if (pthread_create(out, NULL, run_errand, e) == 0)
        return true;
    free(e);
    return false;
}

/* A line being built: what does not fit is cut and marked by "...". */
struct line {
    char text[LINE_MAX_BYTES];
    size_t n;
    bool cut;
    /* Where the numbers of the facts begin and end. */
    struct {
        size_t from, to;
    } number[NUMBERS_MAX];
    size_t n_numbers;
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

/* " [id]", or " [id client_id=a trace=4bf9...]". */
static void
line_trace(struct line *l, const struct trace *t)
{
    line_puts(l, " [");
    line_escaped(l, t->request, SIZE_MAX, false);
    if (!str_empty(t->client)) {
        line_puts(l, " client_id=");
        line_escaped(l, t->client, SIZE_MAX, false);
    }
    if (!str_empty(t->id)) {
        line_puts(l, " trace=");
        line_escaped(l, t->id, SIZE_MAX, false);
    }
    line_puts(l, "]");
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
    if (traced != NULL)
        line_trace(l, traced);
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
    if (type != 'c' && type != 'x' && type != 'o' &&
        l->n_numbers < NUMBERS_MAX) {
        l->number[l->n_numbers].from = l->n;
        l->number[l->n_numbers++].to = l->n + strlen(text);
    }
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

/* ---- the same as a JSON object ---- */

/* Most that a byte of a line becomes: a broken one is U+FFFD. */
#define JSON_LINE_BYTES (3 * LINE_MAX_BYTES + 1024)

struct json_line {
    char text[JSON_LINE_BYTES];
    size_t n;
};

static void
object_puts(struct json_line *j, const char *s)
{
    size_t n = strlen(s);

    if (n > sizeof(j->text) - j->n)
        n = sizeof(j->text) - j->n;
    memcpy(j->text + j->n, s, n);
    j->n += n;
}

/* One character of the n bytes at p, as it stands in a JSON string; how many
 * bytes it has. */
static size_t
object_char(struct json_line *j, const char *p, size_t n)
{
    size_t len = utf8_len(p, n);
    char one[6];

    if (len == 0)
        object_puts(j, "\xef\xbf\xbd");
    (void)snprintf(one, sizeof(one), "%s%.*s",
                   *p == '"' || *p == '\\' ? "\\" : "", (int)len, p);
    object_puts(j, one);
    return len > 0 ? len : 1;
}

static void
object_text(struct json_line *j, const char *s, size_t n)
{
    const char *end = s + n;

    object_puts(j, "\"");
    while (s < end)
        s += object_char(j, s, (size_t)(end - s));
    object_puts(j, "\"");
}

static void
object_member(struct json_line *j, const char *name, const char *value)
{
    object_puts(j, j->n > 0 ? ",\"" : "{\"");
    object_puts(j, name);
    object_puts(j, "\":");
    object_text(j, value, strlen(value));
}

static bool
is_number(const struct line *l, const char *p, size_t n)
{
    size_t from = (size_t)(p - l->text);

    for (size_t i = 0; i < l->n_numbers; i++)
        if (l->number[i].from == from && l->number[i].to == from + n)
            return true;
    return false;
}

/* The value at p, up to a space: what stands in quotes comes without them and
 * without the marks before a quote and a backslash; those of control
 * characters stay. Answers where it ends. */
static const char *
object_value(struct json_line *j, const struct line *l, const char *p,
             const char *end)
{
    size_t plain = strcspn(p, " \"");
    bool in = false;
    char digits[32];

    if (p[plain] != '"' && is_number(l, p, plain)) {
        (void)snprintf(digits, sizeof(digits), "%.*s", (int)plain, p);
        object_puts(j, digits);
        return p + plain;
    }
    object_puts(j, "\"");
    while (p < end && (in || *p != ' ')) {
        if (*p == '"') {
            in = !in;
            p++;
            continue;
        }
        if (in && *p == '\\' && p + 1 < end && strchr("\"\\", p[1]) != NULL)
            p++;
        p += object_char(j, p, (size_t)(end - p));
    }
    object_puts(j, "\"");
    return p;
}

/* "key=value key=\"a value\"" as members; words behind them that are no pair
 * are the text of one more, "said". */
static void
object_facts(struct json_line *j, const struct line *l, const char *p)
{
    const char *end = l->text + l->n, *before = ",\"facts\":{";
    size_t n;

    while (p < end) {
        n = strcspn(p, "= ");
        object_puts(j, before);
        if (p + n >= end || p[n] == ' ') {
            object_puts(j, "\"said\":");
            object_text(j, p, (size_t)(end - p));
            break;
        }
        object_text(j, p, n);
        object_puts(j, ":");
        p = object_value(j, l, p + n + 1, end);
        p += p < end;
        before = ",";
    }
    object_puts(j, "}");
}

static void
write_json(enum log_level lv, struct line *l)
{
    struct json_line j = { .n = 0 };
    char at[CLOCK_TEXT];
    const char *rest;

    l->text[l->n] = '\0';
    object_member(&j, "time", clock_stamp(clock_unix_ms(), at));
    object_member(&j, "level", level_names[lv]);
    object_member(&j, "process",
                  !str_empty(process_name) ? process_name : "metagate");
    if (traced != NULL)
        object_member(&j, "id", traced->request);
    if (traced != NULL && !str_empty(traced->client))
        object_member(&j, "client_id", traced->client);
    if (traced != NULL && !str_empty(traced->id))
        object_member(&j, "trace", traced->id);
    rest = l->text + strcspn(l->text, " ");
    object_puts(&j, ",\"event\":");
    object_text(&j, l->text, (size_t)(rest - l->text));
    if (rest + 1 < l->text + l->n)
        object_facts(&j, l, rest + 1);
    object_puts(&j, l->cut ? ",\"cut\":true}\n" : "}\n");
    (void)!write(log_fd, j.text, j.n);
}

static void
write_text(struct line *l)
{
    if (l->cut) {
        memcpy(l->text + l->n, "...", 3);
        l->n += 3;
    }
    l->text[l->n++] = '\n';
    (void)!write(log_fd, l->text, l->n);
}

void
log_write(enum log_level lv, const char *fmt, ...)
{
    struct line l = { .n = 0 };
    bool json = as_json;
    int saved = errno;
    va_list ap;

    if (lv < log_least)
        return;
    if (!json)
        line_start(&l, lv);
    va_start(ap, fmt);
    line_event(&l, fmt, &ap);
    va_end(ap);
    if (json)
        write_json(lv, &l);
    else
        write_text(&l);
    errno = saved;
}
