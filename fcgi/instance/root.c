/* Directories that databases may be put below. */
#include "root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "config.h"
#include "home.h"

static enum err
check_mode(const char *path, const char *real, char why[WHY_BYTES])
{
    struct stat st;

    if (stat(real, &st) != 0 || (st.st_mode & S_IWOTH) != 0)
        return why_fail(why, ERR_DENIED, "%s can be written by everybody",
                        path);
    return ERR_OK;
}

enum err
root_check(const char *path, char *real, char why[WHY_BYTES])
{
    char forbidden[2 * PATH_MAX];
    struct home_error refused;
    enum err e;
    int n;

    n = snprintf(forbidden, sizeof(forbidden), "%s:/tmp:%s",
                 config()->supervise_forbid, config_run_dir());
    if (n < 0 || (size_t)n >= sizeof(forbidden))
        return why_fail(why, ERR_LIMIT, "[supervise] forbid is too long");
    e = home_root(path, forbidden, real, &refused);
    if (e != ERR_OK)
        return why_fail(why, e, "%s", refused.text);
    return check_mode(path, real, why);
}

int64_t
root_used(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int64_t bytes;

    if (fd < 0)
        return errno == ENOENT ? 0 : -1;
    bytes = home_used_bytes(fd);
    (void)close(fd);
    return bytes;
}

enum err
root_space(const char *real, struct root_space *out)
{
    struct statvfs v;

    if (statvfs(real, &v) != 0)
        return ERR_STATE;
    out->used = (int64_t)(v.f_blocks - v.f_bfree) * (int64_t)v.f_frsize;
    out->free = (int64_t)v.f_bavail * (int64_t)v.f_frsize;
    return ERR_OK;
}
