/* Copying a data directory. */
#include "copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "paths.h"

#define DEPTH_MAX 16
#define PIECE     ((size_t)1 << 20)

enum err
copy_failed(enum err other, const char *what, char why[WHY_BYTES])
{
    int n = errno;

    return why_fail(
        why, n == ENOSPC || n == EDQUOT || n == EFBIG ? ERR_LIMIT : other,
        "%.300s: %s", what, strerror(n));
}

enum err
copy_secret(struct buf *b, const char *path, char why[WHY_BYTES])
{
    enum err e = buf_err(b);

    if (e == ERR_OK && file_write(path, 0600, b->p, b->n) != ERR_OK)
        e = copy_failed(ERR_STATE, path, why);
    buf_wipe(b);
    return e;
}

/* Between two kinds of file systems, or on one that cannot, as some over a
 * network. */
static bool
kernel_refuses(int code)
{
    return code == EXDEV || code == EOPNOTSUPP || code == ENOSYS ||
           code == EINVAL;
}

static bool
copy_by_hand(int from, int to, off_t at, off_t end)
{
    char *piece = malloc(PIECE);
    bool ok = piece != NULL;

    while (ok && at < end) {
        size_t want = end - at < (off_t)PIECE ? (size_t)(end - at) : PIECE;
        ssize_t n = pread(from, piece, want, at);

        if (n < 0 && errno == EINTR)
            continue;
        ok = n > 0 && file_write_fd(to, piece, (size_t)n, at);
        at += n;
    }
    free(piece);
    return ok;
}

/* The bytes from at to end; the kernel copies them where it can. */
static bool
copy_range(int from, int to, off_t at, off_t end)
{
    while (at < end) {
        off_t in = at, out = at;
        ssize_t n = copy_file_range(from, &in, to, &out, (size_t)(end - at), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && kernel_refuses(errno))
            return copy_by_hand(from, to, at, end);
        if (n <= 0)
            return false;
        at += n;
    }
    return true;
}

/* What is written in a file; what is a hole there gets blocks here, since a
 * server that has reserved its log must find it reserved. */
static bool
copy_data(int from, int to, off_t size)
{
    off_t at = 0, hole;

    if (size == 0)
        return true;
    /* EOPNOTSUPP: the file system cannot; then the blocks come when written */
    if (fallocate(to, 0, 0, size) != 0 &&
        (errno != EOPNOTSUPP || ftruncate(to, size) != 0))
        return false;
    while ((at = lseek(from, at, SEEK_DATA)) >= 0 && at < size) {
        hole = lseek(from, at, SEEK_HOLE);
        if (hole < 0 || !copy_range(from, to, at, hole))
            return false;
        at = hole;
    }
    return at >= 0 || errno == ENXIO;
}

static bool
copy_one(int from_dir, int to_dir, const char *name, const struct stat *st)
{
    int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    int to = openat(to_dir, name,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    st->st_mode & 0700);
    bool ok =
        from >= 0 && to >= 0 &&
        (ioctl(to, FICLONE, from) == 0 || copy_data(from, to, st->st_size));
    int code = errno;

    if (from >= 0)
        (void)close(from);
    if (to >= 0 && close(to) != 0)
        return false;
    errno = code;
    return ok;
}

static bool
copy_dir(int from, int to, int depth)
{
    DIR *d = depth <= DEPTH_MAX ? fdopendir(from) : NULL;
    struct dirent *e;
    struct stat st;
    bool ok = d != NULL;

    if (d == NULL)
        (void)close(from);
    while (ok && (errno = 0, e = readdir(d)) != NULL) {
        const char *name = e->d_name;

        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        ok = fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) == 0;
        if (ok && S_ISREG(st.st_mode)) {
            ok = copy_one(dirfd(d), to, name, &st);
        } else if (ok && S_ISDIR(st.st_mode)) {
            int sub = openat(dirfd(d), name,
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            int into = -1;

            if (mkdirat(to, name, 0700) == 0)
                into = openat(to, name,
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            ok = sub >= 0 && into >= 0 && copy_dir(sub, into, depth + 1);
            if (sub >= 0 && into < 0)
                (void)close(sub);
            if (into >= 0)
                (void)close(into);
        }
    }
    ok = ok && errno == 0;
    if (d != NULL) {
        int code = errno;

        (void)closedir(d);
        errno = code;
    }
    return ok;
}

enum err
copy_tree(const char *from, int at, const char *to, char why[WHY_BYTES])
{
    int in = open(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), out;
    bool ok;

    if (in < 0)
        return copy_failed(ERR_STATE, from, why);
    if (mkdirat(at, to, 0700) != 0 ||
        (out = openat(at, to,
                      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0) {
        enum err e = copy_failed(ERR_STATE, to, why);

        (void)close(in);
        return e;
    }
    ok = copy_dir(in, out, 0);
    (void)close(out);
    return ok ? ERR_OK : copy_failed(ERR_STATE, to, why);
}

enum err
copy_move(const char *from, const char *to)
{
    char new[PATH_MAX];
    struct stat st;
    int in, out;
    bool ok;

    if (rename(from, to) == 0) {
        file_sync_folder(to);
        return ERR_OK;
    }
    if (errno != EXDEV ||
        snprintf(new, sizeof(new), "%s.new", to) >= (int)sizeof(new))
        return ERR_STATE;
    in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    out =
        open(new, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    ok = in >= 0 && out >= 0 && fstat(in, &st) == 0 &&
         copy_data(in, out, st.st_size) && fsync(out) == 0 &&
         rename(new, to) == 0 && unlink(from) == 0;
    if (in >= 0)
        (void)close(in);
    if (out >= 0)
        (void)close(out);
    if (!ok)
        return ERR_STATE;
    file_sync_folder(to);
    return ERR_OK;
}
