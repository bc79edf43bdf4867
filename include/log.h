/* Room: base/ */
/* One event per line: time, level, process, request id when there is one (and
 * what the client calls it by), event, facts; as text or as a JSON object.
 * Values come from outside, so control characters are escaped.
 * Never pass a secret or a token. */
#ifndef MG_LOG_H
#define MG_LOG_H

#include <pthread.h>

#include "base.h"

enum log_level { LOG_LV_DEBUG, LOG_LV_INFO, LOG_LV_WARN, LOG_LV_ERROR };

/* Opens path for appending ("-" or NULL: stderr) and names the process in
 * every line. log_reopen closes and opens it again (SIGHUP), and standard
 * output and error with it where they are the same file. */
enum err log_open(const char *path, const char *process) MUST_USE;
void log_reopen(void);
/* The name given to log_open: "serve-0", "control-m1". */
const char *log_process(void);
void log_set_level(enum log_level lv);
/* "debug", "info", "warn" or "error"; others change nothing. */
void log_set_level_name(const char *name);
/* "text" or "json"; others change nothing. */
void log_set_format_name(const char *name);

/* From log_hush to log_unhush, which the same thread calls, what is written to
 * standard error is lost: for a library that puts lines of its own there,
 * which are no events. Lines of log_write go on, also those of other
 * threads. */
void log_hush(void);
void log_unhush(void);

/* What the work of a thread is known by: a request, a job that it made, or
 * what nobody has asked for, a step of a background loop or a changefeed. */
struct trace {
    const char *request; /* our own id; no other work has it */
    const char *client;  /* the client's X-Request-Id; NULL, "": none */
    const char *id;      /* 32 hex digits, of W3C Trace Context; the same */
    bool sampled;        /* whether somebody keeps that trace */
};

/* Carried by this thread's lines, and by the calls that it makes to other
 * hosts; NULL for none. Borrowed: must stay valid until it is replaced. */
void log_trace(const struct trace *t);
const struct trace *log_traced(void);

/* A thread whose work is that of the calling one, which waits for its end;
 * false: it has not begun. */
bool log_thread(pthread_t *out, void *(*with)(void *), void *arg) MUST_USE;

/* The fmt is "event.name key=%s key=%d": the event first, then facts. What a
 * %s gives stands in quotes when it is no plain word, with \" and \\ inside. */
void log_write(enum log_level lv, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_write(LOG_LV_DEBUG, __VA_ARGS__)
#define log_info(...)  log_write(LOG_LV_INFO, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_LV_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LV_ERROR, __VA_ARGS__)

#endif
