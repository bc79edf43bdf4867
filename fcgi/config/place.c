/* RUN_DIR and NET: what was given, made safe to use everywhere. */
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "file.h"
#include "hex.h"
#include "number.h"

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
    return !str_empty(path);
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
place_set(const char *run_dir, const char *net, char why[WHY_BYTES])
{
    char dir[PLACE_BYTES], three[16];

    if (!parse_net(net, three, sizeof(three)))
        return why_fail(why, ERR_BAD_PARAM,
                        "NET is the first three parts of an IPv4 address, as "
                        "127.0.0, not \"%.40s\"",
                        net);
    if (make_absolute(run_dir, dir, sizeof(dir)) != ERR_OK)
        return why_fail(why, ERR_BAD_PARAM, "RUN_DIR cannot be made absolute");
    if (!is_plain_path(dir) || strcmp(dir, "/") == 0)
        return why_fail(why, ERR_BAD_PARAM,
                        "RUN_DIR may hold letters, digits and ._-+@,:=~/ only "
                        "and is not the root");
    config_place(dir, three);
    return ERR_OK;
}

bool
place_is_installed(void)
{
    return strcmp(config_run_dir(), INSTALLED_RUN_DIR) == 0;
}

const char *
place_machine(unsigned k, char out[PLACE_MACHINE_BYTES])
{
    (void)snprintf(out, PLACE_MACHINE_BYTES, "%s.%u", config_net(), k);
    return out;
}

unsigned
place_machine_of(const char *address)
{
    size_t n = strlen(config_net());
    int64_t k;

    return strncmp(address, config_net(), n) == 0 && address[n] == '.' &&
                   number_read(address + n + 1, 255, &k)
               ? (unsigned)k
               : 0;
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

enum err
place_hex_read(const char *name, size_t least, char *out, size_t size)
{
    char path[PLACE_BYTES];
    size_t n;
    enum err e;
    int fd;

    out[0] = '\0';
    if (place_path(path, sizeof(path), name) != ERR_OK)
        return ERR_LIMIT;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_STATE;
    e = file_read_fd(fd, out, size - 1, &n);
    (void)close(fd);
    if (e != ERR_OK) {
        out[0] = '\0';
        return e == ERR_LIMIT ? ERR_BAD_PARAM : e;
    }
    out[strcspn(out, "\r\n")] = '\0';
    return hex_is(out, least, size) ? ERR_OK : ERR_BAD_PARAM;
}

enum err
place_hex_make(const char *name, size_t n, mode_t mode, char *out)
{
    char path[PLACE_BYTES], line[2 * 64 + 2];
    enum err e;

    if (place_path(path, sizeof(path), name) != ERR_OK)
        return ERR_LIMIT;
    e = hex_random(out, n);
    if (e != ERR_OK)
        return e;
    (void)snprintf(line, sizeof(line), "%s\n", out);
    e = file_write(path, mode, line, 2 * n + 1);
    explicit_bzero(line, sizeof(line));
    return e;
}
