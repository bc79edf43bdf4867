/* Whole small files: read at once, replaced at once. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beneath.h"

bool
file_write_fd(int fd, const void *p, size_t n, off_t at)
{
    for (size_t put = 0; put < n;) {
        const char *rest = (const char *)p + put;
        ssize_t done = at < 0 ? write(fd, rest, n - put)
                              : pwrite(fd, rest, n - put, at + (off_t)put);

        if (done < 0 && errno == EINTR)
            continue;
        if (done == 0)
            errno = EIO;
        if (done <= 0)
            return false;
        put += (size_t)done;
    }
    return true;
}

void
file_sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";
    int fd, saved = errno;

    if (slash != NULL)
        (void)snprintf(folder, sizeof(folder), "%.*s",
                       slash > path ? (int)(slash - path) : 1, path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
    errno = saved;
}

/* Where the file system cannot allocate, by writing: only what is new, for
 * others may have the rest mapped. */
static enum err
fill(int fd, off_t from, off_t to)
{
    static const char zeros[65536];
    ssize_t done;

    while (from < to) {
        size_t part = to - from < (off_t)sizeof(zeros) ? (size_t)(to - from)
                                                       : sizeof(zeros);

        done = pwrite(fd, zeros, part, from);
        if (done < 0 && errno != EINTR)
            return ERR_STATE;
        from += done > 0 ? done : 0;
    }
    return ERR_OK;
}

enum err
file_reserve(int fd, size_t n)
{
    struct stat st;

    if (fallocate(fd, 0, 0, (off_t)n) == 0)
        return ERR_OK;
    if (errno != EOPNOTSUPP || fstat(fd, &st) != 0)
        return ERR_STATE;
    if (st.st_size > 0 && st.st_blocks * 512 < st.st_size) {
        errno = ENOSPC; /* it has holes */
        return ERR_STATE;
    }
    return fill(fd, st.st_size, (off_t)n);
}

void *
file_map(const char *path, size_t n, int *fd)
{
    void *p = MAP_FAILED;

    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd >= 0 && flock(*fd, LOCK_EX) == 0 && file_reserve(*fd, n) == ERR_OK)
        p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

enum err
file_write(const char *path, mode_t mode, const char *p, size_t n)
{
    char temp[PATH_MAX];
    int fd, code;
    bool ok;

    if ((size_t)snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >=
        sizeof(temp)) {
        errno = ENAMETOOLONG;
        return ERR_STATE;
    }
    fd = mkostemp(temp, O_CLOEXEC); /* 0600 until everything is in it */
    if (fd < 0)
        return ERR_STATE;
    ok = file_write_fd(fd, p, n, -1) && fchmod(fd, mode) == 0 && fsync(fd) == 0;
    code = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        code = errno;
    }
    if (ok && rename(temp, path) == 0) {
        file_sync_folder(path);
        return ERR_OK;
    }
    code = ok ? errno : code;
    (void)unlink(temp);
    errno = code;
    return ERR_STATE;
}

enum err
file_write_beneath(int dir, const char *name, const char *p, size_t n)
{
    char new[NAME_MAX + 1];
    int fd, code;
    bool ok;

    if ((size_t)snprintf(new, sizeof(new), "%s.new", name) >= sizeof(new)) {
        errno = ENAMETOOLONG;
        return ERR_STATE;
    }
    fd = open_beneath(dir, new, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return ERR_STATE;
    ok = file_write_fd(fd, p, n, -1) && fsync(fd) == 0;
    code = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        code = errno;
    }
    if (ok && renameat(dir, new, dir, name) == 0 && fsync(dir) == 0)
        return ERR_OK;
    errno = ok ? errno : code;
    return ERR_STATE;
}

enum err
file_read_fd(int fd, char *text, size_t max, size_t *n)
{
    *n = 0;
    while (*n <= max) {
        ssize_t got = read(fd, text + *n, max + 1 - *n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return ERR_STATE;
        if (got == 0) {
            text[*n] = '\0';
            return ERR_OK;
        }
        *n += (size_t)got;
    }
    return ERR_LIMIT;
}

enum err
file_read(struct arena *a, const char *path, size_t max, char **out, size_t *n)
{
    struct stat st;
    enum err e = ERR_STATE;
    int fd, code;

    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_STATE;
    if (fstat(fd, &st) == 0 && st.st_size >= 0) {
        if ((size_t)st.st_size < max)
            max = (size_t)st.st_size;
        *out = arena_alloc(a, max + 1);
        e = *out != NULL ? file_read_fd(fd, *out, max, n) : ERR_NOMEM;
    }
    code = errno;
    (void)close(fd);
    errno = code;
    return e;
}

static void
cut_line(char *text)
{
    text[strcspn(text, "\r\n")] = '\0';
}

enum err
file_read_line(struct arena *a, const char *path, size_t max, char **out,
               size_t *n)
{
    enum err e = file_read(a, path, max, out, n);

    if (e == ERR_OK)
        cut_line(*out);
    return e;
}

/* What is wrong with it; NULL when out holds it. */
static const char *
secret_of(int fd, char *out, size_t size)
{
    struct stat st;
    size_t n;
    enum err e;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return "not a plain file";
    if ((st.st_mode & S_IRWXO) != 0)
        return "others can read it: chmod 600";
    e = file_read_fd(fd, out, size - 1, &n);
    if (e != ERR_OK)
        return e == ERR_LIMIT ? "too long" : strerror(errno);
    cut_line(out);
    return NULL;
}

enum err
file_read_secret(const char *path, char *out, size_t size, char why[WHY_BYTES])
{
    /* not waiting for who writes to a pipe */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    const char *wrong = fd >= 0 ? secret_of(fd, out, size) : strerror(errno);

    if (fd >= 0)
        (void)close(fd);
    if (wrong == NULL)
        return ERR_OK;
    out[0] = '\0';
    return why_fail(why, ERR_BAD_PARAM, "%s", wrong);
}

/* What is left of fd, which is closed, as far as out holds it. */
static enum err
read_start(int fd, char *out, size_t size, size_t *n)
{
    enum err e = file_read_fd(fd, out, size - 1, n);
    int code = errno;

    if (e == ERR_LIMIT) {
        *n = size - 1;
        e = ERR_OK;
    }
    out[*n] = '\0';
    (void)close(fd);
    errno = code;
    return e;
}

size_t
file_start(const char *path, char *out, size_t size)
{
    size_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    out[0] = '\0';
    if (fd >= 0)
        (void)read_start(fd, out, size, &n);
    return n;
}

enum err
file_start_beneath(int dir, const char *name, char *out, size_t size)
{
    size_t n;
    int fd = open_beneath(dir, name, O_RDONLY, 0);
    enum err e;

    out[0] = '\0';
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_STATE;
    e = read_start(fd, out, size, &n);
    if (e != ERR_OK)
        out[0] = '\0';
    return e;
}

enum err
file_append(const char *path, struct buf *out)
{
    char piece[16384];
    size_t n;
    enum err e = ERR_LIMIT;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_STATE;
    while (e == ERR_LIMIT && !out->failed) {
        e = file_read_fd(fd, piece, sizeof(piece) - 1, &n);
        buf_put(out, piece, n);
    }
    (void)close(fd);
    return e == ERR_OK || e == ERR_LIMIT ? buf_err(out) : e;
}

enum err
file_mkdir(const char *path, mode_t mode)
{
    struct stat st;

    if (mkdir(path, mode) == 0)
        return ERR_OK;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return ERR_OK;
    return ERR_STATE;
}

bool
file_none_in(int dir, const char *but)
{
    /* a place of its own to read from, unlike a dup() */
    int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = own >= 0 ? fdopendir(own) : NULL;
    struct dirent *e;
    bool none = true;

    if (d == NULL) {
        if (own >= 0)
            (void)close(own);
        return false;
    }
    while (none && (e = readdir(d)) != NULL)
        none = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
               (but != NULL && strcmp(e->d_name, but) == 0);
    (void)closedir(d);
    return none;
}
