/* Marks of revoked tokens: empty files that nginx looks for by the token's id.
 * A reload alone is not enough: an old process still takes the first request
 * of a connection it had accepted, with the map it had. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "nginx.h"
#include "place.h"

/* Ten times what worker_shutdown_timeout lets an old process live. */
#define KEEP_S 600

void
nginx_forget_revoked(void)
{
    char folder[PLACE_BYTES];
    int64_t now = clock_unix_s();
    struct dirent *d;
    struct stat st;
    DIR *dir;

    if (place_path(folder, sizeof(folder), "nginx/revoked") != ERR_OK)
        return;
    dir = opendir(folder);
    if (dir == NULL)
        return;
    while ((d = readdir(dir)) != NULL) {
        if (fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode) && st.st_mtime < now - KEEP_S)
            (void)unlinkat(dirfd(dir), d->d_name, 0);
    }
    (void)closedir(dir);
}

enum err
nginx_revoke(const char *id)
{
    char folder[PLACE_BYTES], path[PLACE_BYTES + 32];
    enum err e;
    int fd;

    e = place_path(folder, sizeof(folder), "nginx/revoked");
    if (e != ERR_OK)
        return e;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, id);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    if (fd < 0) /* no nginx has ever run here */
        return errno == ENOENT ? ERR_OK : ERR_STATE;
    (void)close(fd);
    return ERR_OK;
}
