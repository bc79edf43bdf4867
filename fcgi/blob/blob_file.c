/* A directory: written beside the name, or without one, synced, then named. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "blob_kind.h"
#include "file.h"
#include "hex.h"

#define TEMP_MAX (BLOB_KEY_MAX + 32)
#define PIECE    ((size_t)256 << 10)
#define AHEAD    ((off_t)8 << 20) /* is sent to the disk while more comes */

static enum err
because(const char *what, char why[WHY_BYTES])
{
    int n = errno;

    why_say(why, "%s: %s", what, strerror(n));
    if (n == ENOENT)
        return ERR_NOT_FOUND;
    if (n == ENOSPC || n == EDQUOT || n == EFBIG)
        return ERR_LIMIT;
    return n == EACCES || n == EPERM || n == EXDEV || n == ELOOP || n == EROFS
               ? ERR_DENIED
               : ERR_PEER;
}

static enum err
file_open(struct arena *a, struct blob_store *s, const char *rest,
          char why[WHY_BYTES])
{
    const char *root = s->cfg.root;
    size_t n = strlen(rest), at = 0;

    while (n > 1 && rest[n - 1] == '/')
        n--;
    if (rest[0] != '/' || n < 2 || strchr(rest, '?') != NULL)
        return why_fail(why, ERR_BAD_PARAM, "must be file:///directory");
    if (root != NULL) {
        at = strlen(root);
        while (at > 1 && root[at - 1] == '/')
            at--;
        if (root[0] != '/' || n < at || strncmp(rest, root, at) != 0 ||
            (n > at && rest[at] != '/'))
            return why_fail(why, ERR_BAD_PARAM, "must lie below %s",
                            str_empty(root) ? "no directory at all" : root);
        at += n > at;
    }
    s->base = arena_strndup(a, rest + at, n - at);
    if (s->base == NULL)
        return ERR_NOMEM;
    return root == NULL || n == at || blob_is_key(s->base)
               ? ERR_OK
               : why_fail(why, ERR_BAD_PARAM, "has a name that cannot be used");
}

/* A directory below that one, made when it is not there: which is closed; -1
 * and errno. */
static int
step_down(int dir, const char *path, size_t n, bool make)
{
    char part[BLOB_KEY_MAX + 1];
    int next;

    for (size_t i = 0; dir >= 0 && i < n;) {
        size_t len = strcspn(path + i, "/");

        (void)snprintf(part, sizeof(part), "%.*s", (int)len, path + i);
        next = make && mkdirat(dir, part, 0750) != 0 && errno != EEXIST
                   ? -1
                   : open_beneath(dir, part, O_RDONLY | O_DIRECTORY, 0);
        (void)close(dir);
        dir = next;
        i += len + 1;
    }
    return dir;
}

static int
open_base(const struct blob_store *s, bool make)
{
    const char *top = s->cfg.root != NULL ? s->cfg.root : s->base;
    int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return s->cfg.root != NULL ? step_down(dir, s->base, strlen(s->base), make)
                               : dir;
}

/* The directory that holds key. */
static int
folder_of(const struct blob_store *s, const char *key, bool make)
{
    const char *last = strrchr(key, '/');

    return step_down(open_base(s, make), key,
                     last != NULL ? (size_t)(last - key) : 0, make);
}

static const char *
name_of(const char *key)
{
    const char *last = strrchr(key, '/');

    return last != NULL ? last + 1 : key;
}

static enum err
copy_in(const struct blob_store *s, int fd, blob_read_fn *read, void *ctx,
        char why[WHY_BYTES])
{
    char *piece = malloc(PIECE);
    enum err e = piece != NULL ? ERR_OK : ERR_NOMEM;
    off_t at = 0, begun = 0;
    int64_t got = 1;

    while (e == ERR_OK && (got = read(ctx, piece, PIECE)) > 0) {
        if (!file_write_fd(fd, piece, (size_t)got, -1))
            e = because("write", why);
        at += got;
        if (at - begun >= AHEAD) {
            /* nothing rests on it: fsync says whether all is there */
            (void)sync_file_range(fd, begun, at - begun, SYNC_FILE_RANGE_WRITE);
            begun = at;
        }
        if (s->cfg.go_on != NULL && !s->cfg.go_on(s->cfg.ctx))
            e = ERR_STATE;
    }
    free(piece);
    if (e == ERR_OK && got < 0)
        e = ERR_STATE;
    if (e == ERR_STATE)
        why_say(why, "broken off");
    if (e == ERR_OK && fsync(fd) != 0)
        e = because("fsync", why);
    return e;
}

static void
temp_of(const char *key, char out[TEMP_MAX])
{
    (void)snprintf(out, TEMP_MAX, ".%s.new", name_of(key));
}

/* A file that nobody else can be writing to, not even one who was stopped
 * while he did: without a name, or where the file system has none such, under
 * one of its own (*temp is "" or that). */
static int
open_own(int dir, const char *key, char temp[TEMP_MAX])
{
    int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0640);
    char digits[17];

    temp[0] = '\0';
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    if (hex_random(digits, 8) != ERR_OK)
        return -1;
    (void)snprintf(temp, TEMP_MAX, ".%s.%s.new", name_of(key), digits);
    return open_beneath(dir, temp, O_WRONLY | O_CREAT | O_EXCL, 0640);
}

/* Gives it its name, unless there is one of that name. */
static bool
name_own(int dir, int fd, const char *temp, const char *name)
{
    char self[32];

    if (!str_empty(temp))
        return linkat(dir, temp, dir, name, 0) == 0;
    (void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, dir, name, AT_SYMLINK_FOLLOW) == 0;
}

static enum err
put_new(const struct blob_store *s, int dir, const char *key,
        blob_read_fn *read, void *ctx, char why[WHY_BYTES])
{
    char temp[TEMP_MAX];
    int fd = open_own(dir, key, temp);
    enum err e = fd >= 0 ? copy_in(s, fd, read, ctx, why) : because(key, why);

    if (e == ERR_OK && !name_own(dir, fd, temp, name_of(key)))
        e = errno == EEXIST ? ERR_EXISTS : because("link", why);
    if (!str_empty(temp))
        (void)unlinkat(dir, temp, 0);
    if (fd >= 0)
        (void)close(fd);
    if (e == ERR_OK && fsync(dir) != 0)
        e = because("fsync", why);
    return e;
}

static enum err
put_over(const struct blob_store *s, int dir, const char *key,
         blob_read_fn *read, void *ctx, char why[WHY_BYTES])
{
    char temp[TEMP_MAX];
    int fd;
    enum err e;

    temp_of(key, temp);
    fd = open_beneath(dir, temp, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    e = fd >= 0 ? copy_in(s, fd, read, ctx, why) : because(temp, why);
    if (fd >= 0 && close(fd) != 0 && e == ERR_OK)
        e = because("close", why);
    if (e == ERR_OK &&
        (renameat(dir, temp, dir, name_of(key)) != 0 || fsync(dir) != 0))
        e = because("rename", why);
    if (e != ERR_OK)
        (void)unlinkat(dir, temp, 0);
    return e;
}

static enum err
file_put(struct blob_store *s, const char *key, blob_read_fn *read, void *ctx,
         bool only_new, char why[WHY_BYTES])
{
    int dir = folder_of(s, key, true);
    enum err e;

    if (dir < 0)
        return because(s->base, why);
    e = only_new ? put_new(s, dir, key, read, ctx, why)
                 : put_over(s, dir, key, read, ctx, why);
    (void)close(dir);
    return e;
}

static enum err
open_key(const struct blob_store *s, const char *key, int *fd,
         char why[WHY_BYTES])
{
    int dir = open_base(s, false);
    enum err e = ERR_OK;

    *fd = dir >= 0 ? open_beneath(dir, key, O_RDONLY, 0) : -1;
    if (*fd < 0)
        e = because(key, why);
    if (dir >= 0)
        (void)close(dir);
    return e;
}

static enum err
file_get(struct blob_store *s, const char *key, int64_t offset,
         blob_write_fn *write, void *ctx, char why[WHY_BYTES])
{
    char *piece = malloc(PIECE);
    ssize_t n = 0;
    int fd = -1;
    enum err e = piece != NULL ? open_key(s, key, &fd, why) : ERR_NOMEM;

    if (e == ERR_OK && lseek(fd, offset, SEEK_SET) < 0)
        e = because(key, why);
    while (e == ERR_OK && (n = read(fd, piece, PIECE)) > 0)
        if (!write(ctx, piece, (size_t)n) ||
            (s->cfg.go_on != NULL && !s->cfg.go_on(s->cfg.ctx)))
            e = why_fail(why, ERR_STATE, "broken off");
    if (e == ERR_OK && n < 0)
        e = because(key, why);
    if (fd >= 0)
        (void)close(fd);
    free(piece);
    return e;
}

static enum err
file_size(struct blob_store *s, const char *key, int64_t *bytes,
          char why[WHY_BYTES])
{
    struct stat st;
    int fd;
    enum err e = open_key(s, key, &fd, why);

    if (e != ERR_OK)
        return e;
    if (fstat(fd, &st) != 0)
        e = because(key, why);
    else if (!S_ISREG(st.st_mode))
        e = ERR_NOT_FOUND;
    else
        *bytes = st.st_size;
    (void)close(fd);
    return e;
}

/* ... and what one who was killed in a put has left. */
static enum err
file_drop(struct blob_store *s, const char *key, char why[WHY_BYTES])
{
    int dir = folder_of(s, key, false);
    char temp[TEMP_MAX];
    enum err e = ERR_OK;

    if (dir < 0)
        return errno == ENOENT ? ERR_OK : because(s->base, why);
    if (unlinkat(dir, name_of(key), 0) != 0 && errno != ENOENT)
        e = because(key, why);
    temp_of(key, temp);
    if (e == ERR_OK && unlinkat(dir, temp, 0) != 0 && errno != ENOENT)
        e = because(temp, why);
    (void)close(dir);
    return e;
}

const struct blob_kind blob_file = { "file",   file_open, file_put,
                                     file_get, file_size, file_drop };
