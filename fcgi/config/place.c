/* RUN_DIR and NET: what was given, made safe to use everywhere. */
#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

const char *
place_default_run_dir(void)
{
    return geteuid() == 0 ? ROOT_RUN_DIR : "run";
}

/* The path stands in nginx's configuration and in scripts of MariaDB: blanks,
 * quotes and what either expands are refused here, once for all. */
static bool
is_plain_path(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._-+@,:=~/";
    const char *p;

    for (p = path; *p != '\0'; p++) {
        if (strchr(plain, *p) == NULL && (unsigned char)*p < 0x80)
            return false;
    }
    return path[0] != '\0';
}

static enum err
make_absolute(const char *dir, char *out, size_t size)
{
    char here[PLACE_BYTES];
    size_t n;

    if (dir[0] == '/')
        here[0] = '\0';
    else if (getcwd(here, sizeof(here)) == NULL)
        return ERR_STATE;
    n = (size_t)snprintf(out, size, "%s%s%s", here, dir[0] == '/' ? "" : "/",
                         dir);
    if (n >= size || n >= PLACE_BYTES)
        return ERR_LIMIT;
    while (n > 1 && out[n - 1] == '/')
        out[--n] = '\0';
    return ERR_OK;
}

/* Three or four numbers up to 255; the first three go to out. */
static bool
parse_net(const char *net, char *out, size_t size)
{
    unsigned part[4] = { 0 };
    const char *p = net;
    size_t n = 0;

    for (;;) {
        char *end;
        unsigned long v = strtoul(p, &end, 10);

        if (*p < '0' || *p > '9' || end - p > 3 || v > 255 || n == 4)
            return false;
        part[n++] = (unsigned)v;
        if (*end == '\0')
            break;
        if (*end != '.')
            return false;
        p = end + 1;
    }
    if (n < 3 || part[0] == 0)
        return false;
    (void)snprintf(out, size, "%u.%u.%u", part[0], part[1], part[2]);
    return true;
}

enum err
place_set(const char *run_dir, const char *net, char *why, size_t why_size)
{
    char dir[PLACE_BYTES], three[16];

    if (!parse_net(net, three, sizeof(three))) {
        (void)snprintf(why, why_size,
                       "NET is the first three parts of an IPv4 address, as "
                       "127.0.0, not \"%.40s\"",
                       net);
        return ERR_BAD_PARAM;
    }
    if (make_absolute(run_dir, dir, sizeof(dir)) != ERR_OK) {
        (void)snprintf(why, why_size, "RUN_DIR cannot be made absolute");
        return ERR_BAD_PARAM;
    }
    if (!is_plain_path(dir) || strcmp(dir, "/") == 0) {
        (void)snprintf(why, why_size,
                       "RUN_DIR may hold letters, digits and ._-+@,:=~/ only "
                       "and is not the root");
        return ERR_BAD_PARAM;
    }
    config_place(dir, three);
    return ERR_OK;
}

enum err
place_path(char *out, size_t size, const char *name)
{
    int n = snprintf(out, size, "%s/%s", config_run_dir(), name);

    return n >= 0 && (size_t)n < size ? ERR_OK : ERR_LIMIT;
}

enum err
place_socket_dir(char *out, size_t size)
{
    char link[PLACE_BYTES];
    ssize_t n;

    if (place_path(link, sizeof(link), "s") != ERR_OK)
        return ERR_LIMIT;
    n = readlink(link, out, size);
    if (n >= 0 && (size_t)n < size) {
        out[n] = '\0';
        return ERR_OK;
    }
    return n < 0 ? place_path(out, size, "s") : ERR_LIMIT;
}

enum err
place_socket(char *out, size_t size, const char *name)
{
    char dir[PLACE_BYTES];
    int n;

    if (place_socket_dir(dir, sizeof(dir)) != ERR_OK)
        return ERR_LIMIT;
    n = snprintf(out, size, "%s/%s", dir, name);
    return n >= 0 && (size_t)n < size ? ERR_OK : ERR_LIMIT;
}

/* Which of the listeners of that name it is: pegasus-meta has three. */
static size_t
listener_index(const char *of, unsigned on, unsigned at)
{
    size_t i = 0;

#define LISTENER(name, tail, machine, port, refuse) \
    if (strcmp(name, of) == 0) {                    \
        if ((machine) == on && (port) == at)        \
            return i;                               \
        i++;                                        \
    }
#include "listeners.def"
#undef LISTENER
    return i;
}

/* The i-th piece of a comma-separated list; none left: an empty one. */
static struct span
list_piece(const char *list, size_t i)
{
    for (; i > 0 && *list != '\0'; i--) {
        list += strcspn(list, ",");
        list += *list == ',' ? 1 : 0;
    }
    return (struct span){ list, strcspn(list, ",") };
}

bool
place_listen_key(const char *name, char *out, size_t size)
{
    char *p;

    (void)snprintf(out, size, "%s", name);
    for (p = out; *p != '\0'; p++)
        *p = *p == '-' ? '_' : *p;
    return config_text("listen", out) != NULL;
}

enum err
place_listener(const char *name, unsigned machine, unsigned port, char *out,
               size_t size)
{
    const char *set = "";
    struct span piece;
    char key[64];
    int n;

    if (place_listen_key(name, key, sizeof(key)))
        set = config_text("listen", key);
    piece = list_piece(set, listener_index(name, machine, port));
    if (piece.n > 0)
        n = snprintf(out, size, "%.*s", (int)piece.n, piece.p);
    else
        n = snprintf(out, size, "%s.%u:%u", config_net(), machine, port);
    return n >= 0 && (size_t)n < size ? ERR_OK : ERR_LIMIT;
}

enum err
place_listener_at(size_t i, const char **name, char *out, size_t size)
{
    static const struct {
        const char *name;
        unsigned machine, port;
    } rows[] = {
#define LISTENER(name, tail, machine, port, refuse) { name, machine, port },
#include "listeners.def"
#undef LISTENER
    };

    if (i >= COUNT(rows))
        return ERR_NOT_FOUND;
    *name = rows[i].name;
    return place_listener(rows[i].name, rows[i].machine, rows[i].port, out,
                          size);
}

enum err
place_host_port(const char *text, char *host, size_t host_size, unsigned *port)
{
    const char *colon = strrchr(text, ':');
    unsigned long v;
    char *end;
    size_t n;

    if (colon == NULL || colon[1] < '0' || colon[1] > '9')
        return ERR_BAD_PARAM;
    v = strtoul(colon + 1, &end, 10);
    n = (size_t)(colon - text);
    if (n > 1 && text[0] == '[' && text[n - 1] == ']') {
        text++;
        n -= 2;
    }
    if (*end != '\0' || v == 0 || v > 65535 || n == 0 || n >= host_size)
        return ERR_BAD_PARAM;
    memcpy(host, text, n);
    host[n] = '\0';
    *port = (unsigned)v;
    return ERR_OK;
}
