/* Directories of instances: made, marked, removed. */
#include "home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "file.h"
#include "root.h"

#define DATA       "instance_data"
#define CLASS      "%s/" DATA "/%s"
#define HOME       CLASS "/%u"
#define NEW_MARKER HOME_MARKER ".new" /* as file_write_beneath calls it */
#define DEPTH_MAX  32

static enum err
because(struct home_error *why, enum err e, const char *what, const char *path)
{
    int n = errno;

    (void)snprintf(why->text, sizeof(why->text), "%s %.300s: %s", what, path,
                   strerror(n));
    if (n == ENOSPC || n == EDQUOT)
        return ERR_LIMIT;
    return n == ENOENT ? ERR_NOT_FOUND : e;
}

static enum err
refuse(struct home_error *why, enum err e, const char *path, const char *text)
{
    (void)snprintf(why->text, sizeof(why->text), "%.300s %s", path, text);
    return e;
}

/* ---- roots ---- */

static bool
lies_in(const char *path, const char *dir)
{
    size_t n = strlen(dir);

    return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Whether real is one of the forbidden directories, or below one. A forbidden
 * name that leads elsewhere counts under both names. */
static bool
is_forbidden(const char *real, const char *forbidden)
{
    char name[PATH_MAX], target[PATH_MAX];
    const char *p = forbidden;

    while (*p != '\0') {
        size_t n = strcspn(p, ":");

        if (n > 0 && n < sizeof(name)) {
            (void)snprintf(name, sizeof(name), "%.*s", (int)n, p);
            if (lies_in(real, name) ||
                (realpath(name, target) != NULL && lies_in(real, target)))
                return true;
        }
        p += n + (p[n] == ':');
    }
    return false;
}

static bool
can_make_in(const char *real)
{
    return access(real, W_OK | X_OK) == 0;
}

enum err
home_root(const char *path, const char *forbidden, char *real,
          struct home_error *why)
{
    struct stat st;

    if (path[0] != '/')
        return refuse(why, ERR_BAD_PARAM, path, "is not an absolute path");
    if (realpath(path, real) == NULL || stat(real, &st) != 0)
        return because(why, ERR_BAD_PARAM, "cannot be used:", path);
    if (!S_ISDIR(st.st_mode))
        return refuse(why, ERR_BAD_PARAM, path, "is no directory");
    if (strcmp(real, "/") == 0 || is_forbidden(real, forbidden))
        return refuse(why, ERR_DENIED, path,
                      "is none that databases may be put in");
    if (!can_make_in(real))
        return because(why, ERR_DENIED, "cannot be written:", path);
    return ERR_OK;
}

/* ---- the way down ---- */

const char *
root_home(struct arena *a, const char *root, const char *class, unsigned port)
{
    return port != 0 ? arena_printf(a, HOME, root, class, port)
                     : arena_printf(a, CLASS, root, class);
}

enum err
home_path(const struct home *h, char *out, size_t n)
{
    int len = snprintf(out, n, HOME, h->root, h->class, h->port);

    return len >= 0 && (size_t)len < n ? ERR_OK : ERR_LIMIT;
}

bool
home_is_id(const char *uuid)
{
    size_t n = uuid != NULL ? strlen(uuid) : 0;

    return n > 0 && n < HOME_ID_BYTES && strspn(uuid, "0123456789abcdef-") == n;
}

static enum err
check_names(const struct home *h, struct home_error *why)
{
    if (!home_is_id(h->uuid))
        return refuse(why, ERR_BAD_PARAM, h->uuid, "is no instance's id");
    if (h->port == 0 || h->port > 65535)
        return refuse(why, ERR_BAD_PARAM, h->class, "needs a port");
    if (strcspn(h->class, "/.") != strlen(h->class) || str_empty(h->class))
        return refuse(why, ERR_BAD_PARAM, h->class, "is no class");
    return ERR_OK;
}

/* The directory `name` in dir; made with that mode when wanted. -1: errno. */
static int
step_into(int dir, const char *name, bool make, mode_t mode)
{
    int fd;

    if (make && mkdirat(dir, name, mode) != 0 && errno != EEXIST)
        return -1;
    fd = open_beneath(dir, name, O_RDONLY | O_DIRECTORY, 0);
    /* umask is 027; what leads to a home is for all servers' accounts */
    if (fd >= 0 && make && mode != 0700 && fchmod(fd, mode) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static enum err
walk(const struct home *h, bool make, int *fd, struct home_error *why)
{
    char port[16], path[PATH_MAX];
    const struct {
        const char *name;
        mode_t mode;
    } way[] = { { DATA, 0755 }, { h->class, 0755 }, { port, 0700 } };
    int dir = open(h->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;

    (void)snprintf(port, sizeof(port), "%u", h->port);
    if (dir < 0)
        return because(why, ERR_DENIED, "cannot be opened:", h->root);
    for (size_t i = 0; i < COUNT(way); i++) {
        next = step_into(dir, way[i].name, make, way[i].mode);
        if (next < 0) {
            int n = errno;

            (void)close(dir);
            errno = n;
            if (home_path(h, path, sizeof(path)) != ERR_OK)
                path[0] = '\0';
            return because(why, ERR_DENIED, "cannot be opened:", path);
        }
        (void)close(dir);
        dir = next;
    }
    *fd = dir;
    return ERR_OK;
}

/* ---- the marker ---- */

/* Whose home it is: its uuid, or "" when nothing marks it. */
static enum err
read_marker(int fd, char out[65])
{
    enum err e = file_start_beneath(fd, HOME_MARKER, out, 65);

    out[strcspn(out, "\n")] = '\0';
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Written whole or not at all, and there after a power cut: nothing may lie
 * in a home that is not marked. */
static enum err
write_marker(int fd, const char *uuid, struct home_error *why)
{
    char line[66];
    int n = snprintf(line, sizeof(line), "%s\n", uuid);

    return file_write_beneath(fd, HOME_MARKER, line, (size_t)n) == ERR_OK
               ? ERR_OK
               : because(why, ERR_DENIED, "cannot be written:", HOME_MARKER);
}

/* EXISTS: it is not that instance's. */
static enum err
check_owner(const struct home *h, int fd, bool *marked, struct home_error *why)
{
    char uuid[65], path[PATH_MAX];

    *marked = false;
    if (home_path(h, path, sizeof(path)) != ERR_OK)
        return refuse(why, ERR_LIMIT, h->root, "is too long a path");
    if (read_marker(fd, uuid) != ERR_OK)
        return because(why, ERR_DENIED, "marker cannot be read:", path);
    *marked = !str_empty(uuid);
    if (*marked && strcmp(uuid, h->uuid) != 0)
        return refuse(why, ERR_EXISTS, path, "is another instance's");
    if (!*marked && !file_none_in(fd, NEW_MARKER))
        return refuse(why, ERR_EXISTS, path,
                      "holds something that metagate has not made");
    return ERR_OK;
}

enum err
home_make(const struct home *h, int *fd, struct home_error *why)
{
    bool marked;
    enum err e = check_names(h, why);

    if (e == ERR_OK)
        e = walk(h, true, fd, why);
    if (e != ERR_OK)
        return e;
    e = check_owner(h, *fd, &marked, why);
    if (e == ERR_DENIED)
        e = ERR_EXISTS;
    if (e == ERR_OK && !marked)
        e = write_marker(*fd, h->uuid, why);
    if (e != ERR_OK) {
        (void)close(*fd);
        *fd = -1;
    }
    return e;
}

enum err
home_open(const struct home *h, int *fd, struct home_error *why)
{
    char path[PATH_MAX];
    bool marked;
    enum err e = check_names(h, why);

    if (e == ERR_OK)
        e = walk(h, false, fd, why);
    if (e != ERR_OK)
        return e;
    e = check_owner(h, *fd, &marked, why);
    if (e == ERR_EXISTS)
        e = ERR_DENIED;
    if (e == ERR_OK && !marked) {
        e = home_path(h, path, sizeof(path));
        e = refuse(why, ERR_NOT_FOUND, e == ERR_OK ? path : h->root,
                   "is empty");
    }
    if (e != ERR_OK) {
        (void)close(*fd);
        *fd = -1;
    }
    return e;
}

/* ---- removal ---- */

static enum err
clear(int dir, const char *keep, int depth, struct home_error *why);

static enum err
remove_entry(int dir, const char *name, int depth, struct home_error *why)
{
    int fd;
    enum err e;

    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return ERR_OK;
    if (errno != EISDIR && errno != EPERM)
        return because(why, ERR_DENIED, "cannot be removed:", name);
    fd = open_beneath(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return because(why, ERR_DENIED, "cannot be removed:", name);
    e = clear(fd, NULL, depth + 1, why);
    (void)close(fd);
    if (e == ERR_OK && unlinkat(dir, name, AT_REMOVEDIR) != 0 &&
        errno != ENOENT)
        e = because(why, ERR_DENIED, "cannot be removed:", name);
    return e;
}

/* All that lies in dir but `keep`. */
static enum err
clear(int dir, const char *keep, int depth, struct home_error *why)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry;
    enum err e = ERR_OK;

    if (d == NULL || depth > DEPTH_MAX) {
        if (d != NULL)
            (void)closedir(d);
        else if (copy >= 0)
            (void)close(copy);
        errno = depth > DEPTH_MAX ? ELOOP : errno;
        return because(why, ERR_DENIED, "cannot be listed:", "directory");
    }
    while (e == ERR_OK && (entry = readdir(d)) != NULL) {
        const char *name = entry->d_name;

        if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
            (keep == NULL || strcmp(name, keep) != 0))
            e = remove_entry(dir, name, depth, why);
    }
    (void)closedir(d);
    return e;
}

/* The empty, unmarked directory itself. */
static enum err
remove_self(const struct home *h, struct home_error *why)
{
    char path[PATH_MAX];
    enum err e = home_path(h, path, sizeof(path));

    /* an empty directory of that name is all that this can remove */
    if (e == ERR_OK && rmdir(path) != 0 && errno != ENOENT)
        e = because(why, ERR_DENIED, "cannot be removed:", path);
    return e;
}

/* not_ours: what is answered where it is not that instance's. */
static enum err
remove_home(const struct home *h, enum err not_ours, struct home_error *why)
{
    bool marked;
    int fd;
    enum err e = check_names(h, why);

    if (e == ERR_OK)
        e = walk(h, false, &fd, why);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    e = check_owner(h, fd, &marked, why);
    if (e == ERR_OK)
        e = clear(fd, HOME_MARKER, 0, why);
    if (e == ERR_OK && unlinkat(fd, HOME_MARKER, 0) != 0 && errno != ENOENT)
        e = because(why, ERR_DENIED, "cannot be removed:", HOME_MARKER);
    (void)close(fd);
    if (e == ERR_EXISTS)
        return not_ours;
    return e == ERR_OK ? remove_self(h, why) : e;
}

enum err
home_remove(const struct home *h, struct home_error *why)
{
    return remove_home(h, ERR_DENIED, why);
}

enum err
home_unmake(const struct home *h, struct home_error *why)
{
    return remove_home(h, ERR_OK, why);
}

enum err
home_clear(int fd, const char *name, struct home_error *why)
{
    if (strchr(name, '/') != NULL || name[0] == '.')
        return refuse(why, ERR_BAD_PARAM, name, "is no entry of a home");
    return remove_entry(fd, name, 0, why);
}

enum err
home_move(int fd, const char *name, const char *to)
{
    if (strchr(name, '/') != NULL || strchr(to, '/') != NULL)
        return ERR_BAD_PARAM;
    if (renameat(fd, name, fd, to) != 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED;
    return fsync(fd) == 0 ? ERR_OK : ERR_DENIED;
}

/* ---- sizes ---- */

static int64_t
used(int dir, int depth)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *e;
    struct stat st;
    int64_t n = 0, sub;

    if (d == NULL || depth > DEPTH_MAX) {
        if (d != NULL)
            (void)closedir(d);
        else if (copy >= 0)
            (void)close(copy);
        return -1;
    }
    while (n >= 0 && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue; /* gone meanwhile: the server is at work */
        n += (int64_t)st.st_blocks * 512;
        if (!S_ISDIR(st.st_mode))
            continue;
        fd = open_beneath(dir, e->d_name, O_RDONLY | O_DIRECTORY, 0);
        if (fd < 0)
            continue;
        sub = used(fd, depth + 1);
        (void)close(fd);
        n = sub < 0 ? -1 : n + sub;
    }
    (void)closedir(d);
    return n;
}

int64_t
home_used_bytes(int fd)
{
    return used(fd, 0);
}
