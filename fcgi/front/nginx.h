/* The room is what stands before the workers, and who is let through: nginx,
 * its files and its process (here; its templates and their values:
 * nginx_render.h), configurations for another front end in its place (front.c),
 * and the tokens of clients (token_int.h; the first of a deployment: here). A
 * *template* is a file of nginx/ that the binary carries, with @NAME@ where a
 * value goes. A request's token is looked up by nginx, in the map made here, or
 * by the worker (identity/).
 *
 * This header: the front end of a deployment. nginx's configuration is rendered
 * from the templates in nginx/ into RUN_DIR/nginx, checked by nginx itself, and
 * nginx is told to read it again.
 *
 * Files in RUN_DIR that are made here: nginx/ (0750, all of it), tokens.map,
 * token and curlrc, tokens/<name> and <name>.curlrc (0600). Its form:
 * config/token_map.h.
 *
 * How nginx wants to be run (onebox/): as RUN_DIR's owner; in a process
 * group of its own (a terminal's Ctrl-C is not for it, and when the master
 * was killed its workers live on and still hold the listeners: kill the
 * group before starting another master); PR_SET_PDEATHSIG SIGTERM, never
 * SIGKILL, for the same reason; standard error on a pipe (below). SIGQUIT
 * ends it gracefully, SIGTERM at once. Its listeners have SO_REUSEPORT: a
 * second nginx of the same user would bind without an error and take half of
 * the connections, so who asks whether a port is free binds without it. */
#ifndef MG_NGINX_H
#define MG_NGINX_H

#include "base.h"

/* Writes RUN_DIR/nginx, with the folders that nginx needs (nginx/tmp, log).
 * secret is MG_SECRET, hex (RUN_DIR/secret is up's). Files are replaced by
 * rename: a running nginx may read them at any time. tokens.map must exist
 * (token_own). BAD_PARAM for a bad [nginx] or [listen] value; why names the
 * key or the file. */
enum err nginx_write(const char *secret, char why[WHY_BYTES]) MUST_USE;

/* Whether an nginx of ours runs: one with RUN_DIR/nginx/nginx.conf. */
bool nginx_runs(void);

/* nginx -t on what was written; with `ours`, for an nginx of ours, on all of
 * it, else without access log and TLS, which need not be open to us. STATE when
 * nginx refuses it: why then holds nginx's own words, redacted. */
enum err nginx_test(bool ours, char why[WHY_BYTES]) MUST_USE;

/* The argument vector of nginx in the foreground, NULL-terminated. Static. */
const char *const *nginx_argv(void);

/* Tells the running nginx to read its files again and waits until its old
 * processes take no more connections. NOT_FOUND when none runs (the pid file
 * names no nginx of this RUN_DIR), TIMEOUT when nginx keeps its old files
 * (its log says why). */
enum err nginx_reload(void) MUST_USE;

/* From now on (nginx looks once a second) the token with that id is unknown
 * to nginx's processes, also to old ones that still know it. */
enum err nginx_revoke(const char *id) MUST_USE;

/* Removes old marks of that kind. Only after a reload: an nginx that has not
 * read the map since would know their tokens again. */
void nginx_forget_revoked(void);

/* A deployment's own tokens: the first one, scope admin, in `token` and
 * `curlrc` of RUN_DIR, when there is no tokens.map yet; and the one by which
 * its machines ask each other, scope machine, in PLACE_MACHINE_TOKEN, when the
 * map has none. */
enum err token_own(void) MUST_USE;

/* The arguments of `token add`; scope and mark may be NULL. BAD_PARAM: why
 * says what is asked for. */
enum err token_check(const char *name, const char *scope, const char *mark,
                     char why[WHY_BYTES]) MUST_USE;

#endif
