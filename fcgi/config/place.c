/* RUN_DIR and NET: what was given, made safe to use everywhere. */
#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "dialect.h"

/* below PREFIX */
#define INSTALLED_UNIT "/lib/systemd/system/metagate.target"

/* PREFIX/bin/metagate of a `make install`. */
static bool
is_installed_binary(void)
{
    char path[PLACE_BYTES];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 64);

    for (int i = 0; i < 2; i++) {
        while (n > 0 && path[n - 1] != '/')
            n--;
        n--;
    }
    if (n < 0)
        return false;
    memcpy(path + n, INSTALLED_UNIT, sizeof(INSTALLED_UNIT));
    return access(path, F_OK) == 0;
}

const char *
place_default_run_dir(bool makes)
{
    bool root = geteuid() == 0;
    const char *own = root ? ROOT_RUN_DIR : "run";

    if (makes || !is_installed_binary())
        return own;
    /* who is not root cannot look into the installed one */
    if (root ? access(INSTALLED_RUN_DIR "/metagate.ini", F_OK) == 0
             : access("run/metagate.ini", F_OK) != 0)
        return INSTALLED_RUN_DIR;
    return !root || access(ROOT_RUN_DIR "/metagate.ini", F_OK) == 0
               ? own
               : INSTALLED_RUN_DIR;
}

/* The path stands in nginx's configuration and in scripts of MariaDB: blanks,
 * quotes and what either expands are refused here, once for all. */
static bool
is_plain_path(const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789._-+@,:=~/";

    for (const char *p = path; *p != '\0'; p++) {
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

bool
place_is_installed(void)
{
    return strcmp(config_run_dir(), INSTALLED_RUN_DIR) == 0;
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

/* ---- listeners ---- */

/* The i-th element of a list; an empty one when there is none. */
static struct span
list_piece(const char *list, size_t i)
{
    struct span s;

    while (config_list_next(&list, &s))
        if (i-- == 0)
            return s;
    return (struct span){ "", 0 };
}

static size_t
machines_of(const struct listener *l)
{
    return l->machine == EACH_MACHINE ? PLACE_MACHINES : 1;
}

/* The key that moves it: its name, '_' for '-'. */
static void
set_key(struct listening *out)
{
    (void)snprintf(out->key, sizeof(out->key), "%s", out->row->name);
    for (char *p = out->key; *p != '\0'; p++)
        *p = *p == '-' ? '_' : *p;
    if (config_text("listen", out->key) == NULL)
        out->key[0] = '\0';
}

/* The m-th of what a row of the table stands for. */
static enum err
describe(const struct listener *table, const struct listener *row, size_t m,
         struct listening *out)
{
    const char *set = NULL;
    char own[32];
    struct span piece;
    int n;

    *out = (struct listening){ .row = row, .rank = m, .machine = row->machine };
    for (const struct listener *l = table; l < row; l++)
        if (strcmp(l->name, row->name) == 0)
            out->rank += machines_of(l);
    if (row->machine == EACH_MACHINE)
        out->machine = (unsigned)m + 1;
    (void)snprintf(own, sizeof(own), "%s.%u", config_net(), out->machine);
    (void)snprintf(out->id, sizeof(out->id), "%s%s%s", row->name,
                   row->machine == EACH_MACHINE || row->tail[0] != '\0' ? "/"
                                                                        : "",
                   row->machine == EACH_MACHINE ? own : row->tail);
    set_key(out);
    if (out->key[0] != '\0')
        set = config_text("listen", out->key);
    if (set != NULL && strcmp(set, "off") == 0)
        return ERR_STATE;
    piece = list_piece(set != NULL ? set : "", out->rank);
    if (piece.n > 0)
        n = snprintf(out->address, sizeof(out->address), "%.*s", (int)piece.n,
                     piece.p);
    else
        n = snprintf(out->address, sizeof(out->address), "%s:%u", own,
                     row->port);
    return n >= 0 && (size_t)n < sizeof(out->address) ? ERR_OK : ERR_LIMIT;
}

enum err
place_listener(size_t i, struct listening *out)
{
    for (size_t d = 0; dialects[d] != NULL; d++) {
        const struct listener *table = dialects[d]->listeners, *l = table;

        for (; l != NULL && l->name != NULL; i -= machines_of(l), l++)
            if (i < machines_of(l))
                return describe(table, l, i, out);
    }
    return ERR_NOT_FOUND;
}

enum err
place_listener_of(const char *name, size_t i, struct listening *out)
{
    enum err e;

    for (size_t k = 0; (e = place_listener(k, out)) != ERR_NOT_FOUND; k++)
        if (strcmp(out->row->name, name) == 0 && i-- == 0)
            return e;
    return e;
}

enum err
place_host_port(const char *text, char *host, size_t host_size, unsigned *port)
{
    const char *colon = strrchr(text, ':');
    unsigned long v;
    char *end;
    size_t n;
    bool v6;

    if (colon == NULL || colon[1] < '0' || colon[1] > '9')
        return ERR_BAD_PARAM;
    v = strtoul(colon + 1, &end, 10);
    n = (size_t)(colon - text);
    /* without brackets nobody could tell which colon parts the port */
    v6 = memchr(text, ':', n) != NULL;
    if (v6 != (n > 2 && text[0] == '[' && text[n - 1] == ']'))
        return ERR_BAD_PARAM;
    if (v6) {
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
