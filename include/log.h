/* Room: base/ */
/* One event per line: time, level, process, request id when there is one,
 * event, facts. Values come from outside, so control characters are escaped.
 * Never pass a secret or a token. */
#ifndef MG_LOG_H
#define MG_LOG_H

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

/* From log_hush to log_unhush, which the same thread calls, what is written to
 * standard error is lost: for a library that puts lines of its own there,
 * which are no events. Lines of log_write go on, also those of other
 * threads. */
void log_hush(void);
void log_unhush(void);

/* The request id that this thread's lines carry; NULL for none. Borrowed:
 * must stay valid until it is replaced. */
void log_request_id(const char *id);

/* The fmt is "event.name key=%s key=%d": the event first, then facts. What a
 * %s gives stands in quotes when it is no plain word, with \" and \\ inside. */
void log_write(enum log_level lv, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_write(LOG_LV_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_LV_INFO, __VA_ARGS__)
#define log_warn(...) log_write(LOG_LV_WARN, __VA_ARGS__)
#define log_error(...) log_write(LOG_LV_ERROR, __VA_ARGS__)

#endif
