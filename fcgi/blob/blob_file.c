/* A directory: written beside the name, synced, renamed. */
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

#define TEMP_MAX (BLOB_KEY_MAX + 8)
#define PIECE    ((size_t)256 << 10)

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
    size_t n = strlen(rest);

    while (n > 1 && rest[n - 1] == '/')
        n--;
    if (rest[0] != '/' || n < 2 || strchr(rest, '?') != NULL)
        return why_fail(why, ERR_BAD_PARAM, "must be file:///directory");
    s->base = arena_strndup(a, rest, n);
    return s->base != NULL ? ERR_OK : ERR_NOMEM;
}

/* The directory that holds key, made when it is not there; -1 and errno. */
static int
folder_of(const struct blob_store *s, const char *key, bool make)
{
    const char *last = strrchr(key, '/');
    size_t n = last != NULL ? (size_t)(last - key) : 0, i = 0;
    char part[BLOB_KEY_MAX + 1];
    int dir = open(s->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;

    while (dir >= 0 && i < n) {
        size_t len = strcspn(key + i, "/");

        (void)snprintf(part, sizeof(part), "%.*s", (int)len, key + i);
        next = make && mkdirat(dir, part, 0750) != 0 && errno != EEXIST
                   ? -1
                   : open_beneath(dir, part, O_RDONLY | O_DIRECTORY, 0);
        (void)close(dir);
        dir = next;
        i += len + 1;
    }
    return dir;
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
    int64_t got = 1;

    while (e == ERR_OK && (got = read(ctx, piece, PIECE)) > 0) {
        const char *p = piece;

        while (e == ERR_OK && got > 0) {
            ssize_t n = write(fd, p, (size_t)got);

            if (n < 0 && errno != EINTR)
                e = because("write", why);
            p += n > 0 ? n : 0;
            got -= n > 0 ? n : 0;
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

static enum err
file_put(struct blob_store *s, const char *key, blob_read_fn *read, void *ctx,
         char why[WHY_BYTES])
{
    char temp[TEMP_MAX];
    int dir = folder_of(s, key, true), fd;
    enum err e;

    if (dir < 0)
        return because(s->base, why);
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
    (void)close(dir);
    return e;
}

static enum err
open_key(const struct blob_store *s, const char *key, int *fd,
         char why[WHY_BYTES])
{
    int dir = open(s->base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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
