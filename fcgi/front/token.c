/* metagate token: makes, replaces, revokes and lists access tokens. tokens.map
 * is the truth (its form: config/token_map.h). A token never reaches standard
 * output, where it would stay in scrollbacks and logs: it is left in
 * RUN_DIR/tokens/NAME (0600) beside NAME.curlrc for `curl -K`. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/commands.h"
#include "clock.h"
#include "config/token_map.h"
#include "nginx.h"
#include "place.h"
#include "token_int.h"
#include "token_list.h"

#define MARK_MS 1100

static int
begin_failed(const struct token_change *c, enum err e)
{
    if (e == ERR_NOT_FOUND)
        return token_complain(c->path,
                              "no deployment here (--run-dir DIR names "
                              "one; its first start makes it)");
    return token_complain(c->path,
                          e == ERR_STATE ? strerror(errno) : err_name(e));
}

static const char *
time_text(int64_t at_s, const char *none, char out[CLOCK_TEXT])
{
    return at_s == 0 ? none : clock_print(at_s, false, CLOCK_MINUTE, out);
}

static int
tell_added(const struct token_line *t)
{
    char raw[PLACE_BYTES], rc[PLACE_BYTES], end[CLOCK_TEXT];

    if (token_files_paths(t->name, raw, rc, sizeof(raw)) != ERR_OK)
        return token_complain("tokens", strerror(errno));
    printf("%s: scope %s%s%s%s\n  %s\n  curl -K %s ...\n", t->name, t->scope,
           t->secrets ? ", sees secrets" : "",
           t->expires_s != 0 ? ", until (UTC) " : "",
           t->expires_s != 0 ? time_text(t->expires_s, "", end) : "", raw, rc);
    return EXIT_SUCCESS;
}

static int
token_add(struct token_change *c, const struct token_order *o)
{
    struct token_line there,
        t = { .secrets = o->mark != NULL, .expires_s = o->expires_s };
    char text[TOKEN_TEXT];
    int status;

    if (token_find_valid(c->map, o->name, &there))
        return token_complain(o->name,
                              "there is a token of that name; revoke or "
                              "rotate it, or take another name");
    (void)snprintf(t.name, sizeof(t.name), "%s", o->name);
    (void)snprintf(t.scope, sizeof(t.scope), "%s", o->scope);
    if (token_make(&t, text) != ERR_OK || token_files_write(&t) != ERR_OK)
        return token_complain("tokens", strerror(errno));
    status = token_change_add(c, &t, 0);
    if (status != EXIT_SUCCESS) {
        token_files_remove(o->name);
        return status;
    }
    if (token_change_publish() != EXIT_SUCCESS)
        return EXIT_FAILURE;
    token_forget_expired(c, o->name);
    return tell_added(&t);
}

/* Without --expires the new one lives as long as the old one was to. */
static int64_t
same_life(const struct token_line *old, int64_t now)
{
    if (old->expires_s == 0 || old->created_s == 0)
        return old->expires_s;
    return now + (old->expires_s - old->created_s);
}

static int
token_rotate(struct token_change *c, const struct token_order *o)
{
    int64_t now = clock_unix_s(), end_s = now + o->keep_s;
    char text[TOKEN_TEXT], end[CLOCK_TEXT];
    struct token_line old, t;
    int status;

    if (!token_find_valid(c->map, o->name, &old))
        return token_complain(o->name,
                              "there is no token of that name, or it has "
                              "expired: `token add` makes one");
    t = old;
    t.expires_s = o->expires_s != 0 ? o->expires_s : same_life(&old, now);
    if (token_make(&t, text) != ERR_OK)
        return token_complain("tokens", strerror(errno));
    status = token_change_add(c, &t, end_s);
    if (status != EXIT_SUCCESS)
        return status;
    if (token_files_write(&t) != ERR_OK) {
        (void)token_complain("tokens", strerror(errno));
        (void)token_change_undo(c);
        return EXIT_FAILURE;
    }
    if (token_change_publish() != EXIT_SUCCESS)
        return EXIT_FAILURE;
    token_forget_expired(c, o->name);
    if (old.expires_s != 0 && old.expires_s < end_s)
        end_s = old.expires_s;
    printf("the old one is valid until (UTC) %s\n", time_text(end_s, "", end));
    return tell_added(&t);
}

/* Until every process of nginx has looked for the mark again: open_file_cache
 * _valid in listener.conf. Then the token is dead, whatever the connection. */
static void
await_mark(int64_t since_ms)
{
    int64_t left;

    while ((left = since_ms + MARK_MS - clock_mono_ms()) > 0)
        (void)poll(NULL, 0, (int)left);
}

static int
token_revoke(struct token_change *c, const char *name)
{
    const char *map = c->map;
    struct token_line l;
    int64_t marked_ms;
    int status;

    if (!token_next_of(&map, name, &l))
        return token_complain(name, "there is no token of that name");
    status = token_change_drop(c, name);
    if (status != EXIT_SUCCESS)
        return status;
    token_files_remove(name);
    for (map = c->map; token_next_of(&map, name, &l);) {
        if (!str_empty(l.id) && nginx_revoke(l.id) != ERR_OK)
            return token_complain("nginx/revoked", strerror(errno));
        token_forget_use(l.id);
    }
    marked_ms = clock_mono_ms();
    if (token_change_publish() != EXIT_SUCCESS)
        return EXIT_FAILURE;
    if (token_has_nginx())
        await_mark(marked_ms);
    printf("%s: revoked\n", name);
    return EXIT_SUCCESS;
}

static int
token_list(const struct token_change *c)
{
    char made[CLOCK_TEXT], end[CLOCK_TEXT], use[CLOCK_TEXT];
    const char *map = c->map;
    struct token_line l;

    printf("%-24s %-8s %-7s  %-16s  %-16s  %s\n", "name", "scope", "secrets",
           "created (UTC)", "expires", "last use");
    for (int number = 1; token_map_next(&map, &l); number++) {
        if (l.token.n > 0)
            printf("%-24s %-8s %-7s  %-16s  %-16s  %s\n", l.name, l.scope,
                   l.secrets ? "yes" : "-", time_text(l.created_s, "-", made),
                   token_expired(l.expires_s)
                       ? "expired"
                       : time_text(l.expires_s, "never", end),
                   time_text(token_used_s(l.id), "-", use));
        if (l.broken)
            (void)fprintf(stderr, "metagate token: %s:%d is no token\n",
                          c->path, number);
    }
    return EXIT_SUCCESS;
}

int
token_main(int argc, char **argv)
{
    struct token_change c;
    struct token_order o;
    int status;
    enum err e;

    status = token_order_read(argc, argv, &o);
    if (status != 0)
        return status;
    e = token_change_begin(&c);
    if (e != ERR_OK)
        status = begin_failed(&c, e);
    else if (strcmp(o.verb, "add") == 0)
        status = token_add(&c, &o);
    else if (strcmp(o.verb, "rotate") == 0)
        status = token_rotate(&c, &o);
    else if (strcmp(o.verb, "revoke") == 0)
        status = token_revoke(&c, o.name);
    else
        status = token_list(&c);
    token_change_end(&c);
    return status;
}
