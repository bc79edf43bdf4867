/* tokens.map and the files of tokens, changed: one at a time, tried by nginx
 * before it counts, put back when nginx refuses it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "file.h"
#include "hex.h"
#include "nginx.h"
#include "scope.h"
#include "token_int.h"

#define ID_BYTES    ((TOKEN_ID_TEXT - 1) / 2)
#define MAP_BYTES   (4 * 1024 * 1024)
#define ARENA_BYTES (4 * MAP_BYTES)
#define FIRST       "first"
#define HEAD \
    "# Tokens: written by `metagate token`, read by nginx and the workers.\n"

/* ---- tokens.map ---- */

/* Value, id and time of a new token. */
enum err
token_make(struct token_line *t, char text[TOKEN_TEXT])
{
    enum err e = hex_random(text, TOKEN_BYTES);

    t->token = (struct span){ text, TOKEN_TEXT - 1 };
    t->created_s = clock_unix_s();
    return e == ERR_OK ? hex_random(t->id, ID_BYTES) : e;
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
bool
token_next_of(const char **map, const char *name, struct token_line *out)
{
    while (token_map_next(map, out)) {
        if (out->token.n > 0 && (name == NULL || strcmp(out->name, name) == 0))
            return true;
    }
    return false;
}

/* The token of that name that was made last and has not expired. */
bool
token_find_valid(const char *map, const char *name, struct token_line *out)
{
    struct token_line l;
    bool found = false;

    while (token_next_of(&map, name, &l)) {
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
            e = hex_random(l.id, ID_BYTES);
        put_line(out, &l);
    }
    if (out->n > 0 && out->p[out->n - 1] != '\n')
        buf_putc(out, '\n'); /* an editor may leave the last line open */
    return e;
}

/* ---- files ---- */

/* RUN_DIR/tokens/NAME and NAME.curlrc; the first token's have names of their
 * own: RUN_DIR/token and curlrc. */
enum err
token_files_paths(const char *name, char *raw, char *rc, size_t size)
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

enum err
token_files_write(const struct token_line *t)
{
    char raw[PLACE_BYTES], rc[PLACE_BYTES], dir[PLACE_BYTES], text[160];
    enum err e;

    e = place_path(dir, sizeof(dir), "tokens");
    if (e == ERR_OK)
        e = file_mkdir(dir, 0700);
    if (e == ERR_OK)
        e = token_files_paths(t->name, raw, rc, sizeof(raw));
    if (e != ERR_OK)
        return e;
    (void)snprintf(text, sizeof(text), "%.*s\n", (int)t->token.n, t->token.p);
    e = file_write(raw, 0600, text, strlen(text));
    if (e != ERR_OK)
        return e;
    (void)snprintf(text, sizeof(text), "header = \"" TOKEN_HEADER ": %.*s\"\n",
                   (int)t->token.n, t->token.p);
    e = file_write(rc, 0600, text, strlen(text));
    explicit_bzero(text, sizeof(text));
    return e;
}

void
token_files_remove(const char *name)
{
    char raw[PLACE_BYTES], rc[PLACE_BYTES];

    if (token_files_paths(name, raw, rc, sizeof(raw)) != ERR_OK)
        return;
    (void)unlink(raw);
    (void)unlink(rc);
}

void
token_forget_use(const char *id)
{
    char path[PLACE_BYTES];

    if (!str_empty(id) && token_use_path(id, path, sizeof(path)) == ERR_OK)
        (void)unlink(path);
}

/* ---- one change of the map ---- */

int
token_complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "metagate token: %s%s%s\n", what,
                  !str_empty(why) ? ": " : "", why);
    return EXIT_FAILURE;
}

/* One at a time: two additions must not each write the map without the
 * other's line. */
enum err
token_change_begin(struct token_change *c)
{
    char path[PLACE_BYTES];
    enum err e;

    *c = (struct token_change){ .lock = -1 };
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

void
token_change_end(struct token_change *c)
{
    if (c->lock >= 0)
        (void)close(c->lock);
    if (c->arena != NULL)
        arena_free(c->arena);
}

/* The map as it was. */
int
token_change_undo(struct token_change *c)
{
    return file_write(c->path, 0600, c->map, c->n) == ERR_OK
               ? EXIT_SUCCESS
               : token_complain(c->path, strerror(errno));
}

static int
change_write(struct token_change *c, const struct buf *map)
{
    if (buf_err(map) != ERR_OK)
        return token_complain("too many tokens", "");
    return file_write(c->path, 0600, map->p, map->n) == ERR_OK
               ? EXIT_SUCCESS
               : token_complain(c->path, strerror(errno));
}

/* Ours, or one that is not: its files were written at least. */
bool
token_has_nginx(void)
{
    char conf[PLACE_BYTES];

    return place_path(conf, sizeof(conf), "nginx/check.conf") == ERR_OK &&
           access(conf, F_OK) == 0;
}

/* nginx has to accept the new map; otherwise the old one is put back. A
 * deployment that has never run has no nginx to ask. A line less is never
 * asked about: whatever else nginx finds wrong, the token has to go. */
static int
change_test(struct token_change *c)
{
    char why[WHY_BYTES];

    if (!token_has_nginx() || nginx_test(nginx_runs(), why) == ERR_OK)
        return EXIT_SUCCESS;
    if (token_change_undo(c) != EXIT_SUCCESS)
        return EXIT_FAILURE;
    return token_complain("nothing was changed, nginx refuses it", why);
}

/* Makes a running nginx take the map. */
int
token_change_publish(void)
{
    enum err e = nginx_reload();

    if (e == ERR_OK)
        nginx_forget_revoked();
    if (e == ERR_OK || e == ERR_NOT_FOUND)
        return EXIT_SUCCESS;
    return token_complain("tokens.map is written, but nginx keeps its old one",
                          "see log/nginx-error.log in RUN_DIR");
}

int
token_change_add(struct token_change *c, const struct token_line *t,
                 int64_t end_s)
{
    struct buf b = BUF_INIT(MAP_BYTES);
    enum err e = put_map(&b, c->map, t->name, end_s);
    int status;

    put_line(&b, t);
    status = e == ERR_OK ? change_write(c, &b)
                         : token_complain(c->path, err_name(e));
    buf_free(&b);
    return status == EXIT_SUCCESS ? change_test(c) : status;
}

int
token_change_drop(struct token_change *c, const char *name)
{
    struct buf b = BUF_INIT(MAP_BYTES);
    int status = put_map(&b, c->map, name, 0) == ERR_OK ? change_write(c, &b)
                                                        : EXIT_FAILURE;

    buf_free(&b);
    return status;
}

/* The tokens of the name that are in the old map and had expired. */
void
token_forget_expired(const struct token_change *c, const char *name)
{
    const char *map = c->map;
    struct token_line l;

    while (token_next_of(&map, name, &l)) {
        if (token_expired(l.expires_s))
            token_forget_use(l.id);
    }
}

/* ---- a deployment's own ---- */

static const struct token_line own_tokens[] = {
    { .scope = "admin", .name = FIRST },
    { .scope = "machine", .name = PLACE_MACHINE_NAME },
};

/* Those that the map lacks, behind it; *n: how many. */
static enum err
add_own(struct buf *map, const char *present, size_t *n)
{
    char text[TOKEN_TEXT];
    enum err e = ERR_OK;

    /* whoever has revoked the first one has others */
    for (size_t i = present != NULL; e == ERR_OK && i < COUNT(own_tokens);
         i++) {
        struct token_line t = own_tokens[i], there;

        if (present != NULL && token_find_valid(present, t.name, &there))
            continue;
        e = token_make(&t, text);
        if (e == ERR_OK)
            e = token_files_write(&t);
        put_line(map, &t);
        explicit_bzero(text, sizeof(text));
        ++*n;
    }
    return e;
}

/* The map last: it is what says that there are tokens. */
static enum err
write_own(const char *path, const char *present)
{
    struct buf b = BUF_INIT(MAP_BYTES);
    size_t n = 0;
    enum err e;

    buf_puts(&b, present != NULL ? present : HEAD);
    if (b.n > 0 && b.p[b.n - 1] != '\n')
        buf_putc(&b, '\n');
    e = add_own(&b, present, &n);
    if (e == ERR_OK)
        e = buf_err(&b);
    if (e == ERR_OK && n > 0)
        e = file_write(path, 0600, b.p, b.n);
    buf_free(&b);
    if (e == ERR_OK && n > 0 && present != NULL)
        (void)token_change_publish();
    return e;
}

enum err
token_own(void)
{
    struct token_change c;
    enum err e = token_change_begin(&c);

    if (e == ERR_NOT_FOUND)
        e = write_own(c.path, NULL);
    else if (e == ERR_OK)
        e = write_own(c.path, c.map);
    token_change_end(&c);
    return e;
}
