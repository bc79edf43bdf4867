/* Writes RUN_DIR/nginx from the templates that the binary carries. */
#include "nginx.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "embed.h"
#include "file.h"
#include "host/port.h"
#include "nginx_render.h"
#include "listener.h"
#include "place.h"

#define ARENA_BYTES (4 * 1024 * 1024)
#define FILE_BYTES  (512 * 1024)

/* What every step needs. */
struct job {
    struct arena *arena;
    struct nginx_vars vars;
    char *why;
};

/* These are parts of other files, or for other front ends. */
static bool
is_part(const char *name)
{
    return strcmp(name, "listener.conf") == 0 ||
           strncmp(name, "front/", 6) == 0 ||
           strncmp(name, "worker/", 7) == 0 ||
           strncmp(name, "locations/", 10) == 0;
}

static enum err
fail(struct job *j, const char *path)
{
    return why_fail(j->why, ERR_STATE, "%s: %s", path, strerror(errno));
}

static enum err
make_dirs(struct job *j)
{
    static const struct {
        const char *name;
        mode_t mode;
    } dirs[] = {
        { "log", 0750 },          { "nginx", 0750 },
        { "nginx/refuse", 0750 }, { "nginx/revoked", 0750 },
        { "nginx/tmp", 0700 },    { "nginx/ui", 0750 },
    };
    char path[PLACE_BYTES];

    for (size_t i = 0; i < COUNT(dirs); i++) {
        if (place_path(path, sizeof(path), dirs[i].name) != ERR_OK)
            return ERR_LIMIT;
        if (file_mkdir(path, dirs[i].mode) != ERR_OK)
            return fail(j, path);
    }
    return ERR_OK;
}

/* Renders a template into a text of the arena. */
static enum err
render(struct job *j, const char *template, const char **out)
{
    struct buf b = BUF_INIT(FILE_BYTES);
    enum err e;

    e = nginx_expand(&j->vars, template, &b, j->why);
    if (e == ERR_OK) {
        *out = arena_strdup(j->arena, buf_text(&b));
        e = *out != NULL ? ERR_OK : ERR_NOMEM;
    }
    buf_free(&b);
    return e;
}

static enum err
write_file(struct job *j, const char *name, const char *text)
{
    char path[PLACE_BYTES], below[128];
    /* the secret is not for the group */
    mode_t mode = strcmp(name, "secret.conf") == 0 ? 0600 : 0640;

    (void)snprintf(below, sizeof(below), "nginx/%s", name);
    if (place_path(path, sizeof(path), below) != ERR_OK)
        return ERR_LIMIT;
    if (file_write(path, mode, text, strlen(text)) != ERR_OK)
        return fail(j, path);
    return ERR_OK;
}

/* One placeholder for as many copies of a template as there are workers. */
static enum err
set_each_worker(struct job *j, const char *var, const char *template)
{
    struct buf b = BUF_INIT(FILE_BYTES);
    const char *text;
    enum err e = ERR_OK;

    for (int64_t n = 0; n < config()->serve_workers && e == ERR_OK; n++) {
        text = arena_printf(j->arena, "%lld", (long long)n);
        if (text == NULL)
            e = ERR_NOMEM;
        nginx_set(&j->vars, "N", text);
        if (e == ERR_OK)
            e = nginx_expand(&j->vars, nginx_template(template), &b, j->why);
    }
    if (e == ERR_OK) {
        text = arena_strdup(j->arena, buf_text(&b));
        if (text == NULL)
            e = ERR_NOMEM;
        nginx_set(&j->vars, var, text);
    }
    buf_free(&b);
    return e;
}

static enum err
set_workers(struct job *j)
{
    enum err e;

    e = set_each_worker(j, "POOL", "worker/server.conf");
    if (e == ERR_OK)
        e = set_each_worker(j, "WORKER_UPSTREAMS", "worker/upstream.conf");
    if (e == ERR_OK)
        e = set_each_worker(j, "WORKER_LOCATIONS", "worker/location.conf");
    return e;
}

/* Where it listens, after a look at what the configuration says. */
enum err
nginx_check_address(const struct listening *l, enum err found,
                    char why[WHY_BYTES])
{
    struct port_address a;

    if (found == ERR_OK)
        found = port_address(l->address, &a);
    if (found == ERR_OK)
        return ERR_OK;
    return why_fail(why, ERR_BAD_PARAM, "[listen] %s: not address:port: %s",
                    l->key, l->address);
}

static enum err
set_listener(struct job *j, const struct listening *l)
{
    const char *id = arena_strdup(j->arena, l->id);
    const char *address = arena_strdup(j->arena, l->address);
    /* where one and the same worker must answer for it */
    const char *fixed =
        arena_printf(j->arena, "%lld",
                     (long long)l->rank % (long long)config()->serve_workers);

    if (id == NULL || address == NULL || fixed == NULL)
        return ERR_NOMEM;
    nginx_set(&j->vars, "LISTENER", id);
    nginx_set(&j->vars, "ADDRESS", address);
    nginx_set(&j->vars, "REFUSE", l->row->refuse);
    nginx_set(&j->vars, "FIXED_WORKER", fixed);
    return ERR_OK;
}

static const struct dialect *
owner_of(const struct listener *row)
{
    for (size_t i = 0; dialects[i] != NULL; i++) {
        const struct listener *l = dialects[i]->listeners;

        for (; l != NULL && l->name != NULL; l++)
            if (l == row)
                return dialects[i];
    }
    return NULL;
}

/* What pages of other origins get, where they may call. */
static enum err
set_cors(struct job *j, const struct listening *l)
{
    const struct dialect *d = owner_of(l->row);
    const char *origin = NULL, *line;

    if (d != NULL && d->cors != NULL)
        origin = config_text(d->cors, "allow_origin");
    line = arena_printf(j->arena, "    include \"%s/nginx/cors.conf\";",
                        config_run_dir());
    nginx_set(&j->vars, "ALLOW_ORIGIN", origin != NULL ? origin : "");
    nginx_set(&j->vars, "CORS", origin != NULL ? line : "");
    return line != NULL ? ERR_OK : ERR_NOMEM;
}

/* A dialect's locations beside "/": locations/<refuse>.conf, when there are
 * any. */
static enum err
set_locations(struct job *j, const struct listening *l)
{
    char name[128];
    const char *template, *text = "";
    enum err e = ERR_OK;

    (void)snprintf(name, sizeof(name), "locations/%s.conf", l->row->refuse);
    template = nginx_template(name);
    if (template != NULL)
        e = render(j, template, &text);
    nginx_set(&j->vars, "LOCATIONS", text);
    return e;
}

static enum err
write_servers(struct job *j, const char *file)
{
    struct buf b = BUF_INIT(FILE_BYTES);
    struct listening l;
    enum err e = ERR_OK, found;

    for (size_t i = 0;
         e == ERR_OK && (found = listener_at(i, &l)) != ERR_NOT_FOUND; i++) {
        if (found == ERR_STATE)
            continue;
        e = nginx_check_address(&l, found, j->why);
        if (e == ERR_OK)
            e = set_listener(j, &l);
        if (e == ERR_OK)
            e = set_cors(j, &l);
        if (e == ERR_OK)
            e = set_locations(j, &l);
        if (e == ERR_OK)
            e = nginx_expand(&j->vars, nginx_template("listener.conf"), &b,
                             j->why);
    }
    if (e == ERR_OK)
        e = write_file(j, file, buf_text(&b));
    buf_free(&b);
    return e;
}

/* The same without what may be for another account's nginx alone, the log and
 * the private key: check.conf and its servers, for `nginx -t` only. */
static enum err
write_check(struct job *j)
{
    const char *text;
    enum err e;

    nginx_set(&j->vars, "ACCESS_LOG", "off");
    nginx_set(&j->vars, "SSL", "");
    nginx_set(&j->vars, "TLS", "");
    nginx_set(&j->vars, "SERVERS", "check-servers.conf");
    e = render(j, nginx_template("nginx.conf"), &text);
    if (e == ERR_OK)
        e = write_file(j, "check.conf", text);
    return e == ERR_OK ? write_servers(j, "check-servers.conf") : e;
}

static enum err
write_files(struct job *j)
{
    const char *text;
    enum err e = ERR_OK;

    for (const struct embedded *f = embed_nginx; f->name != NULL && e == ERR_OK;
         f++) {
        if (is_part(f->name))
            continue;
        e = render(j, f->text, &text);
        if (e == ERR_OK)
            e = write_file(j, f->name, text);
    }
    return e;
}

static bool
is_page(const char *name)
{
    const struct embedded *f = embed_nginx_ui;

    while (f->name != NULL && strcmp(f->name, name) != 0)
        f++;
    return f->name != NULL;
}

/* Pages that another version had are served no longer. */
static void
forget_other_pages(void)
{
    char folder[PLACE_BYTES];
    struct dirent *d;
    DIR *dir = NULL;

    if (place_path(folder, sizeof(folder), "nginx/ui") == ERR_OK)
        dir = opendir(folder);
    while (dir != NULL && (d = readdir(dir)) != NULL)
        if (!is_page(d->d_name)) /* "." and ".." cannot be unlinked */
            (void)unlinkat(dirfd(dir), d->d_name, 0);
    if (dir != NULL)
        (void)closedir(dir);
}

/* The console's own files, as they are. */
static enum err
write_ui(struct job *j)
{
    char name[128];
    enum err e = ERR_OK;

    for (const struct embedded *f = embed_nginx_ui;
         f->name != NULL && e == ERR_OK; f++) {
        (void)snprintf(name, sizeof(name), "ui/%s", f->name);
        e = write_file(j, name, f->text);
    }
    return e;
}

enum err
nginx_write(const char *secret, char why[WHY_BYTES])
{
    struct job j = { .arena = arena_new(ARENA_BYTES), .why = why };
    enum err e;

    if (j.arena == NULL)
        return ERR_NOMEM;
    why_say(why, "nginx's configuration");
    nginx_set(&j.vars, "SERVERS", "servers.conf");
    e = nginx_values(j.arena, secret, &j.vars, why);
    if (e == ERR_OK)
        e = set_workers(&j);
    if (e == ERR_OK)
        e = make_dirs(&j);
    if (e == ERR_OK)
        e = write_files(&j);
    if (e == ERR_OK)
        e = write_ui(&j);
    if (e == ERR_OK)
        forget_other_pages();
    if (e == ERR_OK)
        e = write_servers(&j, "servers.conf");
    if (e == ERR_OK)
        e = write_check(&j);
    arena_free(j.arena);
    return e;
}
