/* Where an instance's files lie. */
#include "paths.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "place.h"

#define SOCKET_MAX 107

size_t
instance_homes(const struct instance_spec *s, struct home out[HOMES_MAX])
{
    unsigned port = (unsigned)s->port;

    if (s->kind == INSTANCE_COMPUTER) {
        out[0] = (struct home){ s->data_root, "comp_datadir", port, s->uuid };
        return 1;
    }
    out[0] = (struct home){ s->data_root, "data_dir_path", port, s->uuid };
    out[1] = (struct home){ s->log_root, "log_dir_path", port, s->uuid };
    out[2] = (struct home){ s->wal_root, "innodb_log_dir_path", port, s->uuid };
    return 3;
}

const char *
instance_file(struct arena *a, const struct home *h, const char *name)
{
    char path[PATH_MAX];

    if (home_path(h, path, sizeof(path)) != ERR_OK ||
        strlen(path) + strlen(name) + 2 > sizeof(path))
        return NULL;
    return !str_empty(name) ? arena_printf(a, "%s/%s", path, name)
                            : arena_strdup(a, path);
}

enum err
instance_home(struct arena *a, const struct instance_spec *s, const char **out)
{
    struct home home[HOMES_MAX];

    (void)instance_homes(s, home);
    *out = instance_file(a, &home[0], "");
    return *out != NULL ? ERR_OK : ERR_LIMIT;
}

static enum err
place_storage(struct arena *a, const struct instance_spec *s,
              const struct home home[HOMES_MAX], struct instance *out,
              char why[WHY_BYTES])
{
    char name[64], socket[SOCKET_MAX + 1];
    const char *init = instance_file(a, &home[0], INIT_FILE);

    (void)snprintf(name, sizeof(name), "db-%.39s-%d.sock", s->address, s->port);
    if (place_socket(socket, sizeof(socket), name) != ERR_OK)
        return why_fail(why, ERR_LIMIT, "the path of the socket %s is too long",
                        name);
    out->program = config()->instance_mariadbd;
    out->socket = arena_strdup(a, socket);
    out->tmpdir = instance_file(a, &home[0], TMP_DIR);
    out->config = instance_file(a, &home[0], CONFIG_FILE);
    out->log = instance_file(a, &home[1], LOG_FILE);
    if (init == NULL || out->socket == NULL || out->tmpdir == NULL ||
        out->config == NULL || out->log == NULL)
        return why_fail(why, ERR_LIMIT, "a path is too long");
    if (access(init, F_OK) == 0)
        out->init_file = init;
    return ERR_OK;
}

static enum err
place_computer(struct arena *a, const struct home *home, struct instance *out,
               char why[WHY_BYTES])
{
    out->program =
        arena_printf(a, "%s/postgres", config()->instance_postgres_bin);
    out->tmpdir = instance_file(a, home, TMP_DIR);
    out->log = instance_file(a, home, "postgres.log");
    if (out->program == NULL || out->tmpdir == NULL || out->log == NULL)
        return why_fail(why, ERR_LIMIT, "a path is too long");
    return ERR_OK;
}

enum err
instance_place(struct arena *a, const struct instance_spec *s,
               struct instance *out, char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];

    (void)instance_homes(s, home);
    *out = (struct instance){
        .datadir = instance_file(a, &home[0], DATA_DIR),
        .address = s->address,
        .port = (unsigned)s->port,
    };
    if (out->datadir == NULL)
        return why_fail(why, ERR_LIMIT, "a path is too long");
    return s->kind == INSTANCE_STORAGE ? place_storage(a, s, home, out, why)
                                       : place_computer(a, home, out, why);
}

enum err
instance_remove(const struct instance_spec *s, char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];
    struct home_error error;
    size_t n = instance_homes(s, home);
    enum err e = ERR_OK;
    int fd;

    /* all of them are looked at before one is touched */
    for (size_t i = 0; i < n; i++) {
        e = home_open(&home[i], &fd, &error);
        if (e == ERR_OK)
            (void)close(fd);
        else if (e != ERR_NOT_FOUND)
            return why_fail(why, e, "%s", error.text);
    }
    /* the data home last: it holds what is kept of the instance's state */
    e = ERR_OK;
    while (e == ERR_OK && n-- > 0)
        e = home_remove(&home[n], &error);
    return e == ERR_OK ? e : why_fail(why, e, "%s", error.text);
}

enum err
instance_unmake(const struct instance_spec *s, char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];
    struct home_error error;
    size_t n = instance_homes(s, home);
    enum err e = ERR_OK;

    while (e == ERR_OK && n-- > 0)
        e = home_unmake(&home[n], &error);
    return e == ERR_OK ? e : why_fail(why, e, "%s", error.text);
}

int64_t
instance_used_bytes(const struct instance_spec *s)
{
    struct home home[HOMES_MAX];
    struct home_error error;
    size_t n = instance_homes(s, home);
    int64_t sum = 0, used;
    int fd;

    for (size_t i = 0; i < n; i++) {
        if (home_open(&home[i], &fd, &error) != ERR_OK)
            return -1;
        used = home_used_bytes(fd);
        (void)close(fd);
        if (used < 0)
            return -1;
        sum += used;
    }
    return sum;
}
