/* RUN_DIR/deployment_id, made once and read by whoever meets the store. */
#include "deployment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "hex.h"
#include "log.h"
#include "place.h"

#define RANDOM_BYTES 16 /* 32 hex digits */

static bool
is_id(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz"
                            "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    return n > 0 && n < DEPLOYMENT_ID_BYTES && text[n] == '\0';
}

static enum err
read_id(const char *path, char *out)
{
    char text[2 * DEPLOYMENT_ID_BYTES];
    size_t n = 0;
    enum err e;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED;
    e = file_read_fd(fd, text, sizeof(text) - 1, &n);
    (void)close(fd);
    if (e == ERR_STATE)
        return ERR_DENIED;
    text[e == ERR_OK ? n : 0] = '\0';
    text[strcspn(text, " \t\r\n")] = '\0';
    if (!is_id(text)) {
        log_error("deployment.id path=%s why=\"letters, digits, - _ . and at "
                  "most %d\"",
                  path, DEPLOYMENT_ID_BYTES - 1);
        errno = EINVAL;
        return ERR_BAD_PARAM;
    }
    memcpy(out, text, strlen(text) + 1);
    return ERR_OK;
}

/* By link, so that of several only one makes it and none reads half of it. */
static enum err
make_id(const char *path)
{
    char temp[PLACE_BYTES + 8], id[2 * RANDOM_BYTES + 2];
    enum err e = hex_random(id, RANDOM_BYTES);
    bool ok;
    int fd;

    if (e != ERR_OK)
        return e;
    (void)snprintf(temp, sizeof(temp), "%s.XXXXXX", path);
    fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return ERR_DENIED;
    id[2 * RANDOM_BYTES] = '\n';
    ok = write(fd, id, 2 * RANDOM_BYTES + 1) == 2 * RANDOM_BYTES + 1 &&
         fchmod(fd, 0640) == 0 && fsync(fd) == 0;
    (void)close(fd);
    ok = ok && (link(temp, path) == 0 || errno == EEXIST);
    (void)unlink(temp);
    if (ok)
        file_sync_folder(path);
    return ok ? ERR_OK : ERR_DENIED;
}

enum err
deployment_id(char out[DEPLOYMENT_ID_BYTES])
{
    char path[PLACE_BYTES];
    enum err e = place_path(path, sizeof(path), DEPLOYMENT_ID_FILE);

    out[0] = '\0';
    if (e == ERR_OK)
        e = read_id(path, out);
    if (e == ERR_NOT_FOUND) {
        e = make_id(path);
        if (e == ERR_OK)
            e = read_id(path, out);
    }
    if (e != ERR_OK)
        log_error("deployment.id path=%s err=%s errno=%d", path, err_name(e),
                  errno);
    return e;
}
