/* Marks on the disk: RUN_DIR/used/<id>, and nginx/revoked/<id>. */
#include "token_use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "config/token_map.h"
#include "log.h"
#include "place.h"

#define SLOTS  1024
#define MINUTE 60

/* The id's last 32 bits beside the minute of its last mark; two ids of one slot
 * are marked more often, no more. */
static _Atomic uint64_t used[SLOTS], ended[SLOTS];

/* Whether this is the id's first time in this minute. */
static bool
first_in_minute(_Atomic uint64_t *slots, const char *id)
{
    uint64_t n, now;

    n = strtoull(id, NULL, 16);
    now = n << 32 | (uint32_t)(clock_unix_s() / MINUTE);
    return atomic_exchange(&slots[(n >> 32) % SLOTS], now) != now;
}

/* false with errno. */
static bool
touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    bool ok;

    if (fd < 0)
        return false;
    ok = futimens(fd, NULL) == 0;
    (void)close(fd);
    return ok;
}

void
token_use_note(const char *id)
{
    char path[PLACE_BYTES], folder[PLACE_BYTES];

    if (!token_id_ok(id) || !first_in_minute(used, id) ||
        token_use_path(id, path, sizeof(path)) != ERR_OK || touch(path))
        return;
    if (errno == ENOENT && place_path(folder, sizeof(folder), "used") == ERR_OK)
        (void)mkdir(folder, 0750);
    if (!touch(path))
        log_warn("token.use id=%s errno=%d", id, errno);
}

void
token_use_ended(const char *id)
{
    char below[16 + TOKEN_ID_TEXT], path[PLACE_BYTES];

    if (!token_id_ok(id) || !first_in_minute(ended, id))
        return;
    (void)snprintf(below, sizeof(below), "nginx/revoked/%s", id);
    if (place_path(path, sizeof(path), below) != ERR_OK ||
        (!touch(path) && errno != ENOENT)) /* an nginx of another RUN_DIR */
        log_warn("token.ended id=%s errno=%d", id, errno);
}
