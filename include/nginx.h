/* The front end of a deployment: nginx's configuration is rendered from the
 * templates in nginx/ into RUN_DIR/nginx, checked by nginx itself, and nginx
 * is told to read it again.
 *
 * Files in RUN_DIR that are made here: nginx/ (0750, all of it), tokens.map,
 * token, curlrc (0600). tokens.map has one line per token, read by nginx's
 * map and by the worker's tokens.c:
 *
 *     "<64 lower-case hex digits>" "<scope> <name> <1 or 0>";
 *
 * where 1 is the mark secrets=yes; lines that begin with # are comments.
 *
 * How nginx wants to be run (fcgi/up*): as RUN_DIR's owner; in a process
 * group of its own (a terminal's Ctrl-C is not for it, and when the master
 * was killed its workers live on and still hold the listeners: kill the
 * group before starting another master); PR_SET_PDEATHSIG SIGTERM, never
 * SIGKILL, for the same reason; standard error on a pipe (below). SIGQUIT
 * ends it gracefully, SIGTERM at once. */
#ifndef MG_NGINX_H
#define MG_NGINX_H

#include "base.h"
#include "config.h"

struct nginx_site {
    const struct config *conf;
    const char *run_dir;    /* absolute, no '"', '\', '$' or control byte */
    const char *net;        /* "127.0.0" */
    const char *socket_dir; /* where serve-<n>.sock are; NULL: RUN_DIR/s */
};

/* The site of this process, by config(), config_run_dir(), config_net(). */
struct nginx_site nginx_site(void);

/* Writes RUN_DIR/nginx for the site. secret is MG_SECRET, hex (RUN_DIR/secret
 * is up's). Files are replaced by rename: a running nginx may read them at
 * any time. BAD_PARAM for a bad [nginx] or [listen] value; why names the key
 * or the file. */
enum err nginx_write(const struct nginx_site *site, const char *secret,
                     char *why, size_t why_size) MUST_USE;

/* nginx -t on what was written. STATE when nginx refuses it: why then holds
 * nginx's own words, redacted. */
enum err nginx_test(const struct nginx_site *site, char *why,
                    size_t why_size) MUST_USE;

/* The argument vector of nginx in the foreground, NULL-terminated. Static. */
#define NGINX_ARGV_MAX 8
void nginx_argv(const struct nginx_site *site,
                const char *argv[NGINX_ARGV_MAX]);

/* Tells the running nginx of the site to read its files again. NOT_FOUND
 * when none runs (the pid file names no nginx of this site). */
enum err nginx_reload(const struct nginx_site *site) MUST_USE;

/* The first token of a new deployment, scope admin: writes tokens.map, token
 * and curlrc; OK without a change when tokens.map exists. */
enum err token_first(const char *run_dir) MUST_USE;

/* ---- what nginx writes to its standard error ---- */

/* Replaces the value of every token parameter in the line by "***": nginx
 * quotes request lines, upstream URLs and referrers. In place; returns the
 * new length, never longer. n bytes, need not be NUL-terminated. */
size_t redact_line(char *line, size_t n);

/* Reads lines from the pipe until its end and appends them, redacted, to
 * RUN_DIR/log/nginx-error.log (reopened after SIGHUP: redact_reopen). Runs on
 * a thread with no other duty: pthread_create(…, redact_thread, &arg). The
 * writer's end must be O_NONBLOCK before exec: nginx then loses lines rather
 * than hold up requests when this thread does not keep pace. */
struct redact {
    int fd;           /* the pipe's read end; closed at the end */
    const char *path; /* the log file */
};
void *redact_thread(void *redact);
void redact_reopen(void);

#endif
