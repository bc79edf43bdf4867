/* metagate front KIND: another front end in nginx's place. Its configuration is
 * rendered from the templates front/KIND*.conf, with every listener of this
 * deployment. */
#include <dirent.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "address.h"
#include "base/commands.h"
#include "config.h"
#include "embed.h"
#include "listener.h"
#include "nginx_render.h"
#include "place.h"

#define ARENA_BYTES (4u << 20)
#define FILE_BYTES  (1u << 20)
#define ROLES_MAX   256
#define ROLE_BYTES  80

struct front {
    struct arena *arena;
    struct nginx_vars vars;
    const char *kind;
    char role[ROLES_MAX][ROLE_BYTES]; /* daemons with a socket: "control-m1" */
    size_t n_roles;
    char *why; /* WHY_BYTES */
};

/* "front/haproxy-listener.conf"; NULL when the kind has no such part. */
static const char *
template_of(const struct front *f, const char *part)
{
    char name[96];

    (void)snprintf(name, sizeof(name), "front/%s%s%s.conf", f->kind,
                   !str_empty(part) ? "-" : "", part);
    return nginx_template(name);
}

/* ---- what the parts are repeated for; true while there is an i-th ---- */

static enum err
set_copy(struct front *f, const char *name, const char *text)
{
    const char *copy = arena_strdup(f->arena, text);

    if (copy == NULL)
        return ERR_NOMEM;
    nginx_set(&f->vars, name, copy);
    return ERR_OK;
}

static enum err
set_number(struct front *f, const char *name, int64_t v)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%lld", (long long)v);
    return set_copy(f, name, text);
}

/* NOT_FOUND past the last, STATE for one that is left out. */
typedef enum err each_fn(struct front *f, size_t i);

static enum err
each_worker(struct front *f, size_t i)
{
    return i < (size_t)config()->serve_workers ? set_number(f, "N", (int64_t)i)
                                               : ERR_NOT_FOUND;
}

static enum err
each_role(struct front *f, size_t i)
{
    return i < f->n_roles ? set_copy(f, "ROLE", f->role[i]) : ERR_NOT_FOUND;
}

static enum err
each_listener(struct front *f, size_t i)
{
    char host[ADDRESS_BYTES] = "";
    struct listening l;
    unsigned port = 0;
    enum err e = listener_at(i, &l);

    if (e == ERR_NOT_FOUND || e == ERR_STATE)
        return e;
    e = nginx_check_address(&l, e, f->why);
    if (e == ERR_OK)
        e = address_read(l.address, strlen(l.address), 0, host, sizeof(host),
                         &port);
    if (e == ERR_OK)
        e = set_copy(f, "LISTENER", l.id);
    if (e == ERR_OK)
        e = set_copy(f, "ADDRESS", l.address);
    if (e == ERR_OK)
        e = set_copy(f, "HOST", host);
    if (e == ERR_OK)
        e = set_number(f, "PORT", port);
    if (e == ERR_OK) /* as in nginx.c */
        e = set_number(f, "FIXED_WORKER",
                       (int64_t)l.rank % config()->serve_workers);
    return e;
}

/* Those behind come first: a listener's part may hold the others. */
static const struct {
    const char *part, *var;
    each_fn *each;
} parts[] = {
    { "worker", "WORKERS", each_worker },
    { "server", "SERVERS", each_worker },
    { "role", "ROLES", each_role },
    { "fixed", "FIXED", each_listener },
    { "listener", "LISTENERS", each_listener },
};

static enum err
set_part(struct front *f, const char *part, const char *var, each_fn *each)
{
    const char *template = template_of(f, part);
    struct buf b = BUF_INIT(FILE_BYTES);
    enum err e = ERR_OK, found = ERR_OK;

    for (size_t i = 0; template != NULL && e == ERR_OK &&
                       (found = each(f, i)) != ERR_NOT_FOUND;
         i++) {
        if (found == ERR_OK)
            e = nginx_expand(&f->vars, template, &b, f->why);
        else if (found != ERR_STATE)
            e = found;
    }
    if (e == ERR_OK && b.n > 0 && b.p[b.n - 1] == '\n')
        b.p[--b.n] = '\0';
    if (e == ERR_OK)
        e = set_copy(f, var, buf_text(&b));
    buf_free(&b);
    return e;
}

/* ---- the values ---- */

/* Of the names there, only what a path of /role/ may hold. */
static void
find_roles(struct front *f, const char *dir)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    DIR *d = opendir(dir);
    const struct dirent *entry;
    size_t n;

    while (d != NULL && f->n_roles < ROLES_MAX && (entry = readdir(d))) {
        const char *name = entry->d_name;

        if (strncmp(name, "role-", 5) != 0)
            continue;
        n = strspn(name + 5, letters);
        if (n <= 5 || n >= ROLE_BYTES || name[5 + n] != '\0' ||
            strcmp(name + n, ".sock") != 0)
            continue;
        memcpy(f->role[f->n_roles], name + 5, n - 5);
        f->role[f->n_roles++][n - 5] = '\0';
    }
    if (d != NULL)
        (void)closedir(d);
    qsort(f->role, f->n_roles, ROLE_BYTES,
          (int (*)(const void *, const void *))strcmp);
}

/* The group to which the sockets are open. */
static enum err
set_group(struct front *f)
{
    struct stat st;
    const struct group *g =
        stat(config_run_dir(), &st) == 0 ? getgrgid(st.st_gid) : NULL;

    if (g == NULL)
        return why_fail(f->why, ERR_STATE, "%s has no group with a name",
                        config_run_dir());
    return set_copy(f, "GROUP", g->gr_name);
}

static enum err
set_values(struct front *f)
{
    char sockets[PLACE_BYTES];
    enum err e = place_socket_dir(sockets, sizeof(sockets));

    if (e == ERR_OK)
        e = set_copy(f, "SOCKETS", sockets);
    if (e == ERR_OK)
        e = set_group(f);
    if (e == ERR_OK)
        e = set_number(f, "BODY_KIB", config()->serve_body_kib);
    if (e == ERR_OK)
        e = set_number(f, "BODY_BYTES", config()->serve_body_kib * 1024);
    if (e == ERR_OK)
        find_roles(f, sockets);
    for (size_t i = 0; i < COUNT(parts) && e == ERR_OK; i++)
        e = set_part(f, parts[i].part, parts[i].var, parts[i].each);
    return e;
}

static enum err
print_front(struct front *f)
{
    struct buf b = BUF_INIT(FILE_BYTES);
    enum err e = set_values(f);

    if (e == ERR_OK)
        e = nginx_expand(&f->vars, template_of(f, ""), &b, f->why);
    if (e == ERR_OK &&
        (fputs(buf_text(&b), stdout) == EOF || fflush(stdout) == EOF))
        e = why_fail(f->why, ERR_STATE, "it cannot be written");
    buf_free(&b);
    return e;
}

/* Kinds are the templates without a part. */
static int
usage(void)
{
    (void)fprintf(stderr, "usage: metagate front KIND; KIND is one of");
    for (const struct embedded *e = embed_nginx; e->name != NULL; e++) {
        if (strncmp(e->name, "front/", 6) == 0 && strchr(e->name, '-') == NULL)
            (void)fprintf(stderr, " %.*s", (int)strcspn(e->name + 6, "."),
                          e->name + 6);
    }
    (void)fprintf(stderr, "\n");
    return 2;
}

int
front_main(int argc, char **argv)
{
    char why[WHY_BYTES] = "no memory";
    struct front *f;
    enum err e;

    f = calloc(1, sizeof(*f));
    if (f == NULL)
        return EXIT_FAILURE;
    f->why = why;
    f->kind = argc == 2 ? argv[1] : "";
    if (strpbrk(f->kind, "-/.") != NULL || template_of(f, "") == NULL) {
        free(f);
        return usage();
    }
    f->arena = arena_new(ARENA_BYTES);
    e = f->arena != NULL ? print_front(f) : ERR_NOMEM;
    if (f->arena != NULL)
        arena_free(f->arena);
    free(f);
    if (e == ERR_OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "metagate front: %s\n", why);
    return EXIT_FAILURE;
}
