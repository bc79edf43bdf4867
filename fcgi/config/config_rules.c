/* What a text of the configuration may be: one function per shape, named by
 * rows of config.def. */
#include "config_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "config.h"
#include "list.h"
#include "number.h"
#include "scope.h"

const char *
is_log_level(const char *value)
{
    static const char *const words[] = { "debug", "info", "warn", "error",
                                         NULL };

    return list_has_word(words, value) ? NULL
                                       : "must be debug, info, warn or error";
}

const char *
is_compression(const char *value)
{
    static const char *const words[] = { "zstd", "gzip", "none", NULL };

    return list_has_word(words, value) ? NULL : "must be zstd, gzip or none";
}

const char *
is_log_format(const char *value)
{
    return strcmp(value, "text") == 0 || strcmp(value, "json") == 0
               ? NULL
               : "must be text or json";
}

/* The C library takes an unknown zone for UTC and says nothing. */
const char *
is_zone(const char *value)
{
    const char *name = value + strspn(value, ":");
    char path[256];
    int n = snprintf(path, sizeof(path), "%s%s",
                     name[0] == '/' ? "" : "/usr/share/zoneinfo/", name);

    if (str_empty(name) || strcmp(name, "UTC") == 0 ||
        (n > 0 && (size_t)n < sizeof(path) && access(path, R_OK) == 0))
        return NULL;
    /* POSIX: UTC-8, <+08>-8, CET-1CEST */
    if (name[strcspn(name, "0123456789")] != '\0' && strchr(name, '/') == NULL)
        return NULL;
    return "must be a zone of /usr/share/zoneinfo, as Asia/Shanghai";
}

/* The name stands in SQL and in an option. */
const char *
is_schema(const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t n = strlen(value);

    return n > 0 && n <= 64 && strspn(value, plain) == n
               ? NULL
               : "must be 1 to 64 letters, digits and _";
}

/* ---- lists, comma-separated; an empty one is well ---- */

#define ELEMENT_BYTES 256

bool
config_list_next(const char **list, struct span *out)
{
    if (!list_next(list, out))
        return false;
    for (; out->n > 0 && strchr(" \t", *out->p) != NULL; out->n--)
        out->p++;
    while (out->n > 0 && strchr(" \t", out->p[out->n - 1]) != NULL)
        out->n--;
    return true;
}

/* Whether each element is well. */
static bool
all_are(const char *list, bool (*is)(char *element))
{
    char element[ELEMENT_BYTES];
    struct span s;

    while (config_list_next(&list, &s)) {
        if (s.n == 0 || s.n >= sizeof(element))
            return false;
        memcpy(element, s.p, s.n);
        element[s.n] = '\0';
        if (!is(element))
            return false;
    }
    return true;
}

static bool
is_network(char *element)
{
    char *scope = strchr(element, '=');
    struct network n;

    return scope != NULL && scope_rights(scope + 1) != 0 &&
           network_read(element, (size_t)(scope - element), &n);
}

const char *
is_networks(const char *value)
{
    return all_are(value, is_network)
               ? NULL
               : "must be network=scope, as 10.0.0.0/8=read";
}

static bool
is_name(char *element)
{
    return element[strspn(element, "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789-.")] == '\0';
}

const char *
is_names(const char *value)
{
    return all_are(value, is_name) ? NULL : "must be host names";
}

static bool
is_server(char *element)
{
    char host[ELEMENT_BYTES];
    unsigned port;

    return address_read_server(element, strlen(element), 0, host, sizeof(host),
                               &port) == ERR_OK;
}

const char *
is_servers(const char *value)
{
    return all_are(value, is_server) ? NULL : "must be host:port or unix:/path";
}

/* It stands in nginx's configuration, between quotes. Whether the file can be
 * read is nginx's to say: a private key may be for nginx's root alone. */
const char *
is_pem(const char *value)
{
    if (str_empty(value) ||
        (value[0] == '/' && strpbrk(value, "\"\\$;{}\n\r") == NULL))
        return NULL;
    return "must be an absolute path of plain characters";
}

const char *
is_log_file(const char *value)
{
    return strcmp(value, "off") == 0 ? NULL : is_pem(value);
}
