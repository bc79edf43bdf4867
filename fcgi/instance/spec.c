/* What an instance is to be: its record, what is refused, its secrets. */
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "config.h"
#include "hex.h"
#include "instance.h"
#include "json.h"
#include "paths.h"

#define TEXT_MAX     16384
#define SECRET_BYTES 16 /* of the kernel's randomness: 32 hex digits */
#define ROOT_MAX     900
#define LABEL_MAX    256

const struct enum_name instance_kind_names[] = {
    { "storage", INSTANCE_STORAGE },
    { "computer", INSTANCE_COMPUTER },
    { NULL, 0 },
};

TABLE(instance_spec, INSTANCE_SPEC);
TABLE(instance_position, INSTANCE_POSITION);

static const struct instance_driver *const drivers[] = { &mariadb_driver,
                                                         &postgres_driver };

const struct instance_driver *
instance_driver_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < COUNT(drivers); i++) {
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    }
    return NULL;
}

/* ---- what is refused ---- */

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool
made_of(const char *text, const char *set, size_t min, size_t max)
{
    size_t n = text != NULL ? strlen(text) : 0;

    return n >= min && n <= max && (n == 0 || strspn(text, set) == n);
}

/* Goes into option files, which know no quoting that all readers share. */
static bool
is_root(const char *path)
{
    return made_of(path, DIGITS LETTERS "_./+@:,=-", 2, ROOT_MAX) &&
           path[0] == '/';
}

static bool
is_address(const char *text)
{
    unsigned char at[16];

    return text != NULL && address_bytes(text, at);
}

static bool
is_user(const char *text)
{
    return made_of(text, DIGITS LETTERS "_", 1, 32);
}

static bool
is_secret(const char *text)
{
    return made_of(text, DIGITS LETTERS, 16, 128);
}

/* A client may have chosen that of a computing node. */
static bool
is_password(const struct instance_spec *s)
{
    return is_secret(s->client_secret) ||
           (s->kind == INSTANCE_COMPUTER &&
            made_of(s->client_secret, INSTANCE_PASSWORD, 1, 128));
}

static bool
is_label(const char *text)
{
    size_t n = text != NULL ? strlen(text) : 0;

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    }
    return n <= LABEL_MAX;
}

static enum err
check_storage(const struct instance_spec *s, char why[WHY_BYTES])
{
    if (!is_root(s->log_root))
        return why_fail(why, ERR_BAD_PARAM,
                        "log_root is no directory "
                        "that can be used");
    if (!is_root(s->wal_root))
        return why_fail(why, ERR_BAD_PARAM,
                        "wal_root is no directory "
                        "that can be used");
    if (s->server_id < 1 || s->server_id > UINT32_MAX || s->domain_id < 0 ||
        s->domain_id > UINT32_MAX)
        return why_fail(why, ERR_BAD_PARAM,
                        "server_id or domain_id is out of range");
    if (!is_user(s->repl_user) || !is_secret(s->repl_secret))
        return why_fail(why, ERR_BAD_PARAM,
                        "the account of replication is incomplete");
    return ERR_OK;
}

enum err
instance_port_check(int32_t port, char why[WHY_BYTES])
{
    if (port >= config()->instance_port_min &&
        port <= config()->instance_port_max)
        return ERR_OK;
    return why_fail(why, ERR_LIMIT,
                    "port %d is none of %d to %d ([instance] port_min,"
                    " port_max)",
                    port, (int)config()->instance_port_min,
                    (int)config()->instance_port_max);
}

static enum err
check_limits(const struct instance_spec *s, char why[WHY_BYTES])
{
    int64_t mib = config()->instance_memory_max_mib;
    enum err e = instance_port_check(s->port, why);

    if (e != ERR_OK)
        return e;
    if (mib > 0 && s->memory_bytes > mib << 20)
        return why_fail(why, ERR_LIMIT,
                        "memory is limited to %d MiB ([instance] "
                        "memory_max_mib)",
                        (int)mib);
    if (s->max_connections > config()->instance_connections_max)
        return why_fail(why, ERR_LIMIT,
                        "connections are limited to %d ([instance] "
                        "connections_max)",
                        (int)config()->instance_connections_max);
    return ERR_OK;
}

enum err
instance_check(const struct instance_spec *s, char why[WHY_BYTES])
{
    const struct instance_driver *d = instance_driver_find(s->driver);

    if (d == NULL || (int)d->kind != s->kind)
        return why_fail(why, ERR_BAD_PARAM,
                        "there is no driver for such an instance");
    if (!home_is_id(s->uuid))
        return why_fail(why, ERR_BAD_PARAM, "uuid is none");
    if (!is_address(s->address))
        return why_fail(why, ERR_BAD_PARAM, "address is none");
    if (!is_root(s->data_root))
        return why_fail(why, ERR_BAD_PARAM,
                        "data_root is no directory "
                        "that can be used");
    if (!is_user(s->admin_user) || !is_secret(s->admin_secret) ||
        !is_user(s->client_user) || !is_password(s))
        return why_fail(why, ERR_BAD_PARAM, "an account is incomplete");
    if (!is_label(s->cluster) || !is_label(s->shard))
        return why_fail(why, ERR_BAD_PARAM, "cluster or shard is no name");
    if (s->memory_bytes < (int64_t)8 << 20)
        return why_fail(why, ERR_BAD_PARAM, "memory must be 8 MiB at least");
    if (s->max_connections < 10)
        return why_fail(why, ERR_BAD_PARAM, "connections must be 10 at least");
    if (s->kind == INSTANCE_STORAGE && check_storage(s, why) != ERR_OK)
        return ERR_BAD_PARAM;
    return check_limits(s, why);
}

/* ---- secrets ---- */

static enum err
random_text(struct arena *a, const char **out)
{
    char hex[2 * SECRET_BYTES + 1];
    enum err e;

    if (!str_empty(*out))
        return ERR_OK;
    e = hex_random(hex, SECRET_BYTES);
    if (e == ERR_OK && (*out = arena_strdup(a, hex)) == NULL)
        e = ERR_NOMEM;
    return e;
}

/* A random one, version 4. */
static enum err
new_uuid(struct arena *a, const char **out)
{
    char h[2 * SECRET_BYTES + 1];
    enum err e = hex_random(h, SECRET_BYTES);

    if (e != ERR_OK)
        return e;
    h[12] = '4';
    h[16] = "89ab"[h[16] & 3];
    *out = arena_printf(a, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12,
                        h + 16, h + 20);
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
instance_secrets(struct arena *a, struct instance_spec *s)
{
    enum err e = ERR_OK;

    if (str_empty(s->uuid))
        e = new_uuid(a, &s->uuid);
    SET(s, instance_spec, uuid);
    if (e == ERR_OK)
        e = random_text(a, &s->admin_secret);
    SET(s, instance_spec, admin_secret);
    if (e == ERR_OK)
        e = random_text(a, &s->client_secret);
    SET(s, instance_spec, client_secret);
    if (e == ERR_OK && s->kind == INSTANCE_STORAGE) {
        e = random_text(a, &s->repl_secret);
        SET(s, instance_spec, repl_secret);
    }
    return e;
}

/* ---- as a text ---- */

/* Whoever fills a spec by assignment need not set its presence bits. */
static struct instance_spec
all_present(const struct instance_spec *s)
{
    struct instance_spec full = *s;

    for (size_t i = 0; i < instance_spec_rec.n; i++) {
        const struct field *f = &instance_spec_rec.fields[i];
        const char *text = "";

        if (f->type == F_STR)
            memcpy(&text, (const char *)s + f->off, sizeof(text));
        if (text != NULL)
            full.has |= UINT64_C(1) << f->bit;
    }
    return full;
}

enum err
instance_spec_text(struct arena *a, const struct instance_spec *s,
                   const char **out)
{
    struct instance_spec full = all_present(s);

    return record_text(a, &json_compact, &instance_spec_rec, &full,
                       SECRETS_FULL, TEXT_MAX, out);
}

enum err
instance_spec_read(struct arena *a, const char *json, struct instance_spec *out)
{
    const struct json *doc;
    struct json_error error;
    struct bind_error why;
    enum err e = json_parse(a, json, strlen(json), 0, &doc, &error);

    return e == ERR_OK ? record_bind(a, &instance_spec_rec, doc, 0, out, &why)
                       : e;
}
