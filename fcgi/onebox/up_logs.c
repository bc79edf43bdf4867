/* The logs of a onebox, which grow for as long as it runs: one that is too
 * large is renamed, name.log.1 and so on, and the oldest goes. */
#include "up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "log.h"

#define NAME_BYTES 288 /* a name, and a number */

static bool
is_log(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && strcmp(name + n - 4, ".log") == 0;
}

static bool
is_large(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) &&
           st.st_size >= (off_t)config()->log_max_mib << 20;
}

static void
numbered(const char *name, int64_t i, char out[NAME_BYTES])
{
    (void)snprintf(out, NAME_BYTES, i == 0 ? "%s" : "%s.%lld", name,
                   (long long)i);
}

/* Those that an earlier start has kept beyond ours go too. */
static bool
shift(int dir, const char *name)
{
    char from[NAME_BYTES], to[NAME_BYTES];
    int64_t i = config()->log_keep;

    do {
        numbered(name, i++, to);
    } while (unlinkat(dir, to, 0) == 0);
    for (i = config()->log_keep; i > 0; i--) {
        numbered(name, i, to);
        numbered(name, i - 1, from);
        if (renameat(dir, from, dir, to) != 0 && errno != ENOENT) {
            log_error("log.rotate name=%s errno=%d", from, errno);
            return false;
        }
    }
    return true;
}

bool
up_rotate_logs(void)
{
    char path[PLACE_BYTES];
    const struct dirent *d;
    bool any = false;
    DIR *dir = NULL;

    if (place_path(path, sizeof(path), "log") == ERR_OK)
        dir = opendir(path);
    while (dir != NULL && (d = readdir(dir)) != NULL)
        if (is_log(d->d_name) && is_large(dirfd(dir), d->d_name))
            any |= shift(dirfd(dir), d->d_name);
    if (dir != NULL)
        (void)closedir(dir);
    return any;
}
