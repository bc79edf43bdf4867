/* metagate token: makes, revokes and lists access tokens. tokens.map is the
 * truth (its form: token_map.h). A token never reaches standard output, where
 * it would stay in scrollbacks and logs: it is left in RUN_DIR/tokens/NAME
 * (0600) beside NAME.curlrc for `curl -K`. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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
#define ID_BYTES    8
#define MARK_MS     1100
#define MAP_BYTES   (4 * 1024 * 1024)
#define ARENA_BYTES (4 * MAP_BYTES)
#define FIRST       "first"
#define HEAD \
    "# Tokens: written by `metagate token`, read by nginx and the workers.\n"

struct token {
    char text[TOKEN_TEXT];
    char scope[16];
    char name[TOKEN_NAME_MAX + 1];
    bool secrets;
    char id[2 * ID_BYTES + 1];
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

/* ---- tokens.map ---- */

static enum err
make_token(struct token *t)
{
    enum err e = random_hex(t->text, TOKEN_BYTES);

    return e == ERR_OK ? random_hex(t->id, ID_BYTES) : e;
}

static void
put_line(struct buf *out, const struct token *t)
{
    buf_printf(out, "\"%s\" \"%s %s %u %s\";\n", t->text, t->scope, t->name,
               t->secrets, t->id);
}

/* Whether the map has a token of that name: its line. */
static bool
find_line(const char *map, const char *name, struct token_line *out)
{
    while (token_map_next(&map, out)) {
        if (out->token.n > 0 && strcmp(out->name, name) == 0)
            return true;
    }
    return false;
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
write_token_files(const struct token *t)
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
    (void)snprintf(text, sizeof(text), "%s\n", t->text);
    e = file_write(raw, 0600, text, strlen(text));
    if (e != ERR_OK)
        return e;
    (void)snprintf(text, sizeof(text), "header = \"X-Metagate-Token: %s\"\n",
                   t->text);
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

enum err
token_first(void)
{
    struct token t = { .scope = "admin", .name = FIRST };
    struct buf b = BUF_INIT(1024);
    char path[PLACE_BYTES];
    enum err e;

    e = place_path(path, sizeof(path), "tokens.map");
    if (e != ERR_OK || access(path, F_OK) == 0)
        return e;
    e = make_token(&t);
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
                  why[0] != '\0' ? ": " : "", why);
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
    if (file_write(c->path, 0600, c->map, c->n) != ERR_OK)
        return complain(c->path, strerror(errno));
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

static int
token_add(struct change *c, const char *name, const char *scope, bool secrets)
{
    char raw[PLACE_BYTES], rc[PLACE_BYTES];
    struct buf b = BUF_INIT(MAP_BYTES);
    struct token_line there;
    struct token t;
    int status;

    if (find_line(c->map, name, &there))
        return complain(name, "there is a token of that name; revoke it "
                              "first, or take another name");
    (void)snprintf(t.name, sizeof(t.name), "%s", name);
    (void)snprintf(t.scope, sizeof(t.scope), "%s", scope);
    t.secrets = secrets;
    if (make_token(&t) != ERR_OK ||
        token_paths(name, raw, rc, sizeof(raw)) != ERR_OK ||
        write_token_files(&t) != ERR_OK)
        return complain("tokens", strerror(errno));
    buf_put(&b, c->map, c->n);
    if (c->n > 0 && c->map[c->n - 1] != '\n')
        buf_putc(&b, '\n'); /* an editor may leave the last line open */
    put_line(&b, &t);
    status = change_write(c, &b);
    buf_free(&b);
    if (status == EXIT_SUCCESS)
        status = change_test(c);
    if (status != EXIT_SUCCESS) {
        remove_token_files(name);
        return status;
    }
    if (change_publish() != EXIT_SUCCESS)
        return EXIT_FAILURE;
    printf("%s: scope %s%s\n  %s\n  curl -K %s ...\n", name, scope,
           secrets ? ", sees secrets" : "", raw, rc);
    return EXIT_SUCCESS;
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
    struct token_line l;
    int64_t marked_ms;
    int status;

    if (!find_line(c->map, name, &l))
        return complain(name, "there is no token of that name");
    buf_put(&b, c->map, (size_t)(l.line.p - c->map));
    buf_puts(&b, l.line.p + l.line.n);
    status = change_write(c, &b);
    buf_free(&b);
    if (status != EXIT_SUCCESS)
        return status;
    remove_token_files(name);
    if (l.id[0] != '\0' && nginx_revoke(l.id) != ERR_OK)
        return complain("nginx/revoked", strerror(errno));
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
    const char *map = c->map;
    struct token_line l;

    printf("%-24s %-8s\n", "name", "scope");
    for (int number = 1; token_map_next(&map, &l); number++) {
        if (l.token.n > 0)
            printf("%-24s %-8s%s\n", l.name, l.scope,
                   l.secrets ? " secrets" : "");
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
                  "usage: metagate token add NAME SCOPE [secrets] | "
                  "revoke NAME | list\n",
                  why);
    return 2;
}

/* Whether the words are a command: 0, or usage's status. */
static int
check_words(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    char why[256];
    enum err e;

    if (strcmp(verb, "list") == 0 && argc == 2)
        return 0;
    if (strcmp(verb, "add") == 0 && (argc == 4 || argc == 5))
        e = token_check(argv[2], argv[3], argc == 5 ? argv[4] : NULL, why,
                        sizeof(why));
    else if (strcmp(verb, "revoke") == 0 && argc == 3)
        e = token_check(argv[2], NULL, NULL, why, sizeof(why));
    else
        return usage("not a command of this form");
    return e == ERR_OK ? 0 : usage(why);
}

int
token_main(int argc, char **argv)
{
    struct change c;
    int status;
    enum err e;

    status = check_words(argc, argv);
    if (status != 0)
        return status;
    e = change_begin(&c);
    if (e != ERR_OK)
        status = begin_failed(&c, e);
    else if (argv[1][0] == 'a')
        status = token_add(&c, argv[2], argv[3], argc == 5);
    else if (argv[1][0] == 'r')
        status = token_revoke(&c, argv[2]);
    else
        status = token_list(&c);
    change_end(&c);
    return status;
}
