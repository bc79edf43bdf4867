/* metagate token: makes, replaces, revokes and lists access tokens. tokens.map
 * is the truth (its form: token_map.h). A token never reaches standard output,
 * where it would stay in scrollbacks and logs: it is left in
 * RUN_DIR/tokens/NAME (0600) beside NAME.curlrc for `curl -K`. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "base/commands.h"
#include "config.h"
#include "config/token_map.h"
#include "scope.h"
#include "file.h"
#include "nginx.h"
#include "place.h"

#define TOKEN_BYTES 32
#define TOKEN_TEXT  (2 * TOKEN_BYTES + 1)
#define ID_BYTES    ((TOKEN_ID_TEXT - 1) / 2)
#define MARK_MS     1100
#define MAP_BYTES   (4 * 1024 * 1024)
#define ARENA_BYTES (4 * MAP_BYTES)
#define FIRST       "first"
#define AGE_MAX_S   ((int64_t)36500 * 86400)
#define KEEP_S      3600 /* what `rotate` leaves the old token by itself */
/* nginx's old processes know nothing of a token's new end for that long. */
#define KEEP_MIN_S 60
#define HEAD \
    "# Tokens: written by `metagate token`, read by nginx and the workers.\n"

/* What the words of a command say. */
struct order {
    const char *verb, *name, *scope, *mark, *expires,
        *keep;         /* NULL: not given */
    int64_t expires_s; /* 0: never, or as the old one */
    int64_t keep_s;
};

/* ---- what a person may ask for ---- */

enum err
token_check(const char *name, const char *scope, const char *mark, char *why,
            size_t why_size)
{
    if (!token_name_ok(name)) {
        (void)snprintf(why, why_size,
                       "NAME is 1 to %d letters, digits, _ and "
                       "-, and does not begin with -",
                       TOKEN_NAME_MAX);
        return ERR_BAD_PARAM;
    }
    if (scope != NULL && scope_rights(scope) == 0) {
        (void)snprintf(why, why_size,
                       "SCOPE is read, write, admin, profile or machine");
        return ERR_BAD_PARAM;
    }
    if (mark != NULL && strcmp(mark, "secrets") != 0) {
        (void)snprintf(why, why_size,
                       "after SCOPE stands `secrets` (the token sees secrets "
                       "in full) or nothing");
        return ERR_BAD_PARAM;
    }
    return ERR_OK;
}

/* "90d", "12h", "30m": that long; 0 when it is none. */
static int64_t
parse_age(const char *text)
{
    static const struct {
        char letter;
        int64_t unit_s;
    } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 } };
    size_t n = strspn(text, "0123456789");
    int64_t age_s;

    if (n == 0 || n > 8 || text[n] == '\0' || text[n + 1] != '\0')
        return 0;
    for (size_t i = 0; i < COUNT(units); i++) {
        age_s = strtoll(text, NULL, 10) * units[i].unit_s;
        if (text[n] == units[i].letter && age_s <= AGE_MAX_S)
            return age_s;
    }
    return 0;
}

/* "2027-01-31", the beginning of that day, or "2027-01-31T08:30Z"; UTC. 0 when
 * it is none. */
static int64_t
parse_date(const char *text)
{
    struct tm tm = { 0 };
    char again[32];
    const char *end;
    time_t at;

    end = strptime(text, "%Y-%m-%d", &tm);
    if (end != NULL && *end == 'T')
        end = strptime(end, "T%H:%MZ", &tm);
    if (end == NULL || *end != '\0')
        return 0;
    at = timegm(&tm); /* which makes March of February 30 */
    if (strftime(again, sizeof(again), "%Y-%m-%dT%H:%MZ", &tm) == 0 ||
        strncmp(again, text, strlen(text)) != 0)
        return 0;
    return at;
}

static enum err
check_times(struct order *o, char *why, size_t why_size)
{
    int64_t now = clock_unix_s(), age_s;

    if (o->expires != NULL) {
        age_s = parse_age(o->expires);
        o->expires_s = age_s > 0 ? now + age_s : parse_date(o->expires);
        if (o->expires_s <= now || o->expires_s > now + AGE_MAX_S) {
            (void)snprintf(why, why_size,
                           "--expires is 90d, 12h or 30m from now, or a time "
                           "to come in UTC: 2027-01-31, 2027-01-31T08:30Z");
            return ERR_BAD_PARAM;
        }
    }
    o->keep_s = o->keep != NULL ? parse_age(o->keep) : KEEP_S;
    if (o->keep_s < KEEP_MIN_S) {
        (void)snprintf(why, why_size,
                       "--keep is 1m or more: 7d, 12h, 30m; to end a token "
                       "at once, revoke it and add it again");
        return ERR_BAD_PARAM;
    }
    return ERR_OK;
}

/* ---- tokens.map ---- */

/* Value, id and time of a new token. */
static enum err
make_token(struct token_line *t, char text[TOKEN_TEXT])
{
    enum err e = random_hex(text, TOKEN_BYTES);

    t->token = (struct span){ text, TOKEN_TEXT - 1 };
    t->created_s = clock_unix_s();
    return e == ERR_OK ? random_hex(t->id, ID_BYTES) : e;
}

static void
put_line(struct buf *out, const struct token_line *t)
{
    buf_printf(out, "\"%.*s\" \"%s %s %u %s", (int)t->token.n, t->token.p,
               t->scope, t->name, t->secrets, t->id);
    if (t->expires_s != 0)
        buf_printf(out, " %lld", (long long)t->expires_s);
    buf_puts(out, "\";");
    if (t->created_s != 0)
        buf_printf(out, " # created %lld", (long long)t->created_s);
    buf_putc(out, '\n');
}

/* The next token of that name; of every name when it is NULL. */
static bool
next_of(const char **map, const char *name, struct token_line *out)
{
    while (token_map_next(map, out)) {
        if (out->token.n > 0 && (name == NULL || strcmp(out->name, name) == 0))
            return true;
    }
    return false;
}

/* The token of that name that was made last and has not expired. */
static bool
find_valid(const char *map, const char *name, struct token_line *out)
{
    struct token_line l;
    bool found = false;

    while (next_of(&map, name, &l)) {
        if (!token_expired(l.expires_s)) {
            *out = l;
            found = true;
        }
    }
    return found;
}

/* The map without what of that name has expired; the rest of that name ends at
 * end_s (0: has ended). */
static enum err
put_map(struct buf *out, const char *map, const char *name, int64_t end_s)
{
    struct token_line l;
    enum err e = ERR_OK;

    while (e == ERR_OK && token_map_next(&map, &l)) {
        if (l.token.n == 0 || strcmp(l.name, name) != 0) {
            buf_put(out, l.line.p, l.line.n);
            continue;
        }
        if (end_s == 0 || token_expired(l.expires_s))
            continue;
        if (l.expires_s == 0 || l.expires_s > end_s)
            l.expires_s = end_s;
        if (str_empty(l.id)) /* of an older map; what ends has an id */
            e = random_hex(l.id, ID_BYTES);
        put_line(out, &l);
    }
    if (out->n > 0 && out->p[out->n - 1] != '\n')
        buf_putc(out, '\n'); /* an editor may leave the last line open */
    return e;
}

/* ---- files ---- */

/* RUN_DIR/tokens/NAME and NAME.curlrc; the first token's have names of their
 * own: RUN_DIR/token and curlrc. */
static enum err
token_paths(const char *name, char *raw, char *rc, size_t size)
{
    char below[128];
    bool first = strcmp(name, FIRST) == 0;
    enum err e;

    (void)snprintf(below, sizeof(below), "tokens/%s", name);
    e = place_path(raw, size, first ? "token" : below);
    (void)snprintf(below, sizeof(below), "tokens/%s.curlrc", name);
    if (e == ERR_OK)
        e = place_path(rc, size, first ? "curlrc" : below);
    return e;
}

static enum err
write_token_files(const struct token_line *t)
{
    char raw[PLACE_BYTES], rc[PLACE_BYTES], dir[PLACE_BYTES], text[160];
    enum err e;

    e = place_path(dir, sizeof(dir), "tokens");
    if (e == ERR_OK)
        e = file_mkdir(dir, 0700);
    if (e == ERR_OK)
        e = token_paths(t->name, raw, rc, sizeof(raw));
    if (e != ERR_OK)
        return e;
    (void)snprintf(text, sizeof(text), "%.*s\n", (int)t->token.n, t->token.p);
    e = file_write(raw, 0600, text, strlen(text));
    if (e != ERR_OK)
        return e;
    (void)snprintf(text, sizeof(text), "header = \"X-Metagate-Token: %.*s\"\n",
                   (int)t->token.n, t->token.p);
    e = file_write(rc, 0600, text, strlen(text));
    explicit_bzero(text, sizeof(text));
    return e;
}

static void
remove_token_files(const char *name)
{
    char raw[PLACE_BYTES], rc[PLACE_BYTES];

    if (token_paths(name, raw, rc, sizeof(raw)) != ERR_OK)
        return;
    (void)unlink(raw);
    (void)unlink(rc);
}

/* When it was used last, to a minute; 0 when nobody knows. */
static int64_t
last_use_s(const char *id)
{
    char path[PLACE_BYTES];
    struct stat st;

    if (str_empty(id) || token_use_path(id, path, sizeof(path)) != ERR_OK ||
        stat(path, &st) != 0)
        return 0;
    return st.st_mtime;
}

static void
forget_use(const char *id)
{
    char path[PLACE_BYTES];

    if (!str_empty(id) && token_use_path(id, path, sizeof(path)) == ERR_OK)
        (void)unlink(path);
}

enum err
token_first(void)
{
    struct token_line t = { .scope = "admin", .name = FIRST };
    struct buf b = BUF_INIT(1024);
    char path[PLACE_BYTES], text[TOKEN_TEXT];
    enum err e;

    e = place_path(path, sizeof(path), "tokens.map");
    if (e != ERR_OK || access(path, F_OK) == 0)
        return e;
    e = make_token(&t, text);
    if (e == ERR_OK)
        e = write_token_files(&t);
    /* the map last: it is what says that there is a first token */
    buf_puts(&b, HEAD);
    put_line(&b, &t);
    if (e == ERR_OK)
        e = buf_err(&b);
    if (e == ERR_OK)
        e = file_write(path, 0600, b.p, b.n);
    buf_free(&b);
    return e;
}

/* ---- one change of the map ---- */

struct change {
    struct arena *arena;
    char path[PLACE_BYTES];
    char *map; /* as it is */
    size_t n;
    int lock;
};

static int
complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "metagate token: %s%s%s\n", what,
                  !str_empty(why) ? ": " : "", why);
    return EXIT_FAILURE;
}

/* One at a time: two additions must not each write the map without the
 * other's line. */
static enum err
change_begin(struct change *c)
{
    char path[PLACE_BYTES];
    enum err e;

    *c = (struct change){ .lock = -1 };
    e = place_path(path, sizeof(path), "tokens.lock");
    if (e == ERR_OK)
        e = place_path(c->path, sizeof(c->path), "tokens.map");
    if (e != ERR_OK)
        return e;
    c->arena = arena_new(ARENA_BYTES);
    if (c->arena == NULL)
        return ERR_NOMEM;
    if (access(c->path, F_OK) != 0) /* no lock where no deployment is */
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_STATE;
    c->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (c->lock < 0 || flock(c->lock, LOCK_EX) != 0)
        return ERR_STATE;
    return file_read(c->arena, c->path, MAP_BYTES, &c->map, &c->n);
}

static void
change_end(struct change *c)
{
    if (c->lock >= 0)
        (void)close(c->lock);
    if (c->arena != NULL)
        arena_free(c->arena);
}

/* The map as it was. */
static int
change_undo(struct change *c)
{
    return file_write(c->path, 0600, c->map, c->n) == ERR_OK
               ? EXIT_SUCCESS
               : complain(c->path, strerror(errno));
}

static int
change_write(struct change *c, const struct buf *map)
{
    if (buf_err(map) != ERR_OK)
        return complain("too many tokens", "");
    return file_write(c->path, 0600, map->p, map->n) == ERR_OK
               ? EXIT_SUCCESS
               : complain(c->path, strerror(errno));
}

/* Ours, or one that is not: its files were written at least. */
static bool
may_have_nginx(void)
{
    char conf[PLACE_BYTES];

    return place_path(conf, sizeof(conf), "nginx/check.conf") == ERR_OK &&
           access(conf, F_OK) == 0;
}

/* nginx has to accept the new map; otherwise the old one is put back. A
 * deployment that has never run has no nginx to ask. A line less is never
 * asked about: whatever else nginx finds wrong, the token has to go. */
static int
change_test(struct change *c)
{
    char why[4096];

    if (!may_have_nginx() ||
        nginx_test(nginx_runs(), why, sizeof(why)) == ERR_OK)
        return EXIT_SUCCESS;
    if (change_undo(c) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    return complain("nothing was changed, nginx refuses it", why);
}

/* Makes a running nginx take the map. */
static int
change_publish(void)
{
    enum err e = nginx_reload();

    if (e == ERR_OK)
        nginx_forget_revoked();
    if (e == ERR_OK || e == ERR_NOT_FOUND)
        return EXIT_SUCCESS;
    return complain("tokens.map is written, but nginx keeps its old one",
                    "see log/nginx-error.log in RUN_DIR");
}

/* ---- the commands ---- */

static int
begin_failed(const struct change *c, enum err e)
{
    if (e == ERR_NOT_FOUND)
        return complain(c->path, "no deployment here (--run-dir DIR names "
                                 "one; its first start makes it)");
    return complain(c->path, e == ERR_STATE ? strerror(errno) : err_name(e));
}

#define TIME_TEXT 24

static const char *
time_text(int64_t at_s, const char *none, char out[TIME_TEXT])
{
    time_t at = at_s;
    struct tm tm;

    if (at_s == 0 || gmtime_r(&at, &tm) == NULL ||
        strftime(out, TIME_TEXT, "%Y-%m-%d %H:%M", &tm) == 0)
        (void)snprintf(out, TIME_TEXT, "%s", none);
    return out;
}

/* Writes the map with what has to become of the name's tokens and the new one,
 * and has nginx test it. */
static int
change_add(struct change *c, const struct token_line *t, int64_t end_s)
{
    struct buf b = BUF_INIT(MAP_BYTES);
    enum err e = put_map(&b, c->map, t->name, end_s);
    int status;

    put_line(&b, t);
    status = e == ERR_OK ? change_write(c, &b) : complain(c->path, err_name(e));
    buf_free(&b);
    return status == EXIT_SUCCESS ? change_test(c) : status;
}

/* The tokens of the name that are in the old map and had expired. */
static void
forget_expired(const struct change *c, const char *name)
{
    const char *map = c->map;
    struct token_line l;

    while (next_of(&map, name, &l)) {
        if (token_expired(l.expires_s))
            forget_use(l.id);
    }
}

static int
tell_added(const struct token_line *t)
{
    char raw[PLACE_BYTES], rc[PLACE_BYTES], end[TIME_TEXT];

    if (token_paths(t->name, raw, rc, sizeof(raw)) != ERR_OK)
        return complain("tokens", strerror(errno));
    printf("%s: scope %s%s%s%s\n  %s\n  curl -K %s ...\n", t->name, t->scope,
           t->secrets ? ", sees secrets" : "",
           t->expires_s != 0 ? ", until (UTC) " : "",
           t->expires_s != 0 ? time_text(t->expires_s, "", end) : "", raw, rc);
    return EXIT_SUCCESS;
}

static int
token_add(struct change *c, const struct order *o)
{
    struct token_line there,
        t = { .secrets = o->mark != NULL, .expires_s = o->expires_s };
    char text[TOKEN_TEXT];
    int status;

    if (find_valid(c->map, o->name, &there))
        return complain(o->name, "there is a token of that name; revoke or "
                                 "rotate it, or take another name");
    (void)snprintf(t.name, sizeof(t.name), "%s", o->name);
    (void)snprintf(t.scope, sizeof(t.scope), "%s", o->scope);
    if (make_token(&t, text) != ERR_OK || write_token_files(&t) != ERR_OK)
        return complain("tokens", strerror(errno));
    status = change_add(c, &t, 0);
    if (status != EXIT_SUCCESS) {
        remove_token_files(o->name);
        return status;
    }
    if (change_publish() != EXIT_SUCCESS)
        return EXIT_FAILURE;
    forget_expired(c, o->name);
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
token_rotate(struct change *c, const struct order *o)
{
    int64_t now = clock_unix_s(), end_s = now + o->keep_s;
    char text[TOKEN_TEXT], end[TIME_TEXT];
    struct token_line old, t;
    int status;

    if (!find_valid(c->map, o->name, &old))
        return complain(o->name, "there is no token of that name, or it has "
                                 "expired: `token add` makes one");
    t = old;
    t.expires_s = o->expires_s != 0 ? o->expires_s : same_life(&old, now);
    if (make_token(&t, text) != ERR_OK)
        return complain("tokens", strerror(errno));
    status = change_add(c, &t, end_s);
    if (status != EXIT_SUCCESS)
        return status;
    if (write_token_files(&t) != ERR_OK) {
        (void)complain("tokens", strerror(errno));
        (void)change_undo(c);
        return EXIT_FAILURE;
    }
    if (change_publish() != EXIT_SUCCESS)
        return EXIT_FAILURE;
    forget_expired(c, o->name);
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
token_revoke(struct change *c, const char *name)
{
    struct buf b = BUF_INIT(MAP_BYTES);
    const char *map = c->map;
    struct token_line l;
    int64_t marked_ms;
    int status;

    if (!next_of(&map, name, &l))
        return complain(name, "there is no token of that name");
    status = put_map(&b, c->map, name, 0) == ERR_OK ? change_write(c, &b)
                                                    : EXIT_FAILURE;
    buf_free(&b);
    if (status != EXIT_SUCCESS)
        return status;
    remove_token_files(name);
    for (map = c->map; next_of(&map, name, &l);) {
        if (!str_empty(l.id) && nginx_revoke(l.id) != ERR_OK)
            return complain("nginx/revoked", strerror(errno));
        forget_use(l.id);
    }
    marked_ms = clock_mono_ms();
    if (change_publish() != EXIT_SUCCESS)
        return EXIT_FAILURE;
    if (may_have_nginx())
        await_mark(marked_ms);
    printf("%s: revoked\n", name);
    return EXIT_SUCCESS;
}

static int
token_list(const struct change *c)
{
    char made[TIME_TEXT], end[TIME_TEXT], use[TIME_TEXT];
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
                   time_text(last_use_s(l.id), "-", use));
        if (l.broken)
            (void)fprintf(stderr, "metagate token: %s:%d is no token\n",
                          c->path, number);
    }
    return EXIT_SUCCESS;
}

static int
usage(const char *why)
{
    (void)fprintf(stderr,
                  "metagate token: %s\n"
                  "usage: metagate token add NAME SCOPE [secrets] "
                  "[--expires WHEN] |\n"
                  "    rotate NAME [--keep FOR] [--expires WHEN] | "
                  "revoke NAME | list\n",
                  why);
    return 2;
}

/* --expires and --keep may stand anywhere behind the verb. */
static bool
take_words(int argc, char **argv, struct order *o)
{
    const char **words[] = { &o->verb, &o->name, &o->scope, &o->mark };
    size_t n = 0;

    for (int i = 1; i < argc; i++) {
        const char **option = strcmp(argv[i], "--expires") == 0 ? &o->expires
                              : strcmp(argv[i], "--keep") == 0  ? &o->keep
                                                                : NULL;

        if (option != NULL && *option == NULL && i + 1 < argc)
            *option = argv[++i];
        else if (option == NULL && n < COUNT(words))
            *words[n++] = argv[i];
        else
            return false;
    }
    return n > 0;
}

/* Which words each command may have, at least and at most. */
static const struct form {
    const char *verb;
    int least, most; /* words, the verb's not counted */
    bool expires, keep;
} forms[] = {
    { "add", 2, 3, true, false },
    { "rotate", 1, 1, true, true },
    { "revoke", 1, 1, false, false },
    { "list", 0, 0, false, false },
};

static bool
has_form(const struct order *o)
{
    int n = (o->name != NULL) + (o->scope != NULL) + (o->mark != NULL);

    for (size_t i = 0; i < COUNT(forms); i++) {
        const struct form *f = &forms[i];

        if (strcmp(o->verb, f->verb) == 0)
            return n >= f->least && n <= f->most &&
                   (f->expires || o->expires == NULL) &&
                   (f->keep || o->keep == NULL);
    }
    return false;
}

/* Whether the words are a command: 0, or usage's status. */
static int
check_words(int argc, char **argv, struct order *o)
{
    char why[256];
    enum err e = ERR_OK;

    *o = (struct order){ 0 };
    if (!take_words(argc, argv, o) || !has_form(o))
        return usage("not a command of this form");
    if (o->name != NULL)
        e = token_check(o->name, o->scope, o->mark, why, sizeof(why));
    if (e == ERR_OK)
        e = check_times(o, why, sizeof(why));
    return e == ERR_OK ? 0 : usage(why);
}

int
token_main(int argc, char **argv)
{
    struct change c;
    struct order o;
    int status;
    enum err e;

    status = check_words(argc, argv, &o);
    if (status != 0)
        return status;
    e = change_begin(&c);
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
    change_end(&c);
    return status;
}
