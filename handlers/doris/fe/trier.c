/* The tries of all workers of a host, in a file that they have mapped. */
#include "trier.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "crypt.h"
#include "doris/settings.h"
#include "file.h"
#include "log.h"
#include "place.h"
#include "tries.h"

#define TRIES_OF_A_HOST 4 /* times those of one user from there */
#define TEXT_BYTES      2048
#define LOCK_TRIES      1000 /* pauses: about a second */
#define LOCK_PAUSE_NS   1000000

/* What the workers of a host count together: RUN_DIR/fe-tries, under its lock.
 * Its key is of chance, so that nobody can choose who shares a place. */
struct counted {
    uint64_t layout;
    unsigned char key[32];
    struct tries tries;
};
#define LAYOUT (sizeof(struct counted) << 8 | 1)

static struct counted own; /* of a process without the file */
static struct counted *counted = &own;
static int counted_fd = -1;

static pthread_mutex_t threads = PTHREAD_MUTEX_INITIALIZER;

bool
doris_fe_seal(const unsigned char key[32], const char *const *texts,
              unsigned char out[SEAL_BYTES])
{
    struct buf b = BUF_INIT(TEXT_BYTES);
    bool ok;

    for (; *texts != NULL; texts++)
        buf_put(&b, *texts, strlen(*texts) + 1);
    ok = buf_err(&b) == ERR_OK && crypt_hmac(key, 32, b.p, b.n, out) == ERR_OK;
    buf_wipe(&b);
    return ok;
}

/* Under the file's lock, or before threads. */
static bool
begin_counting(struct counted *c)
{
    if (c->layout == LAYOUT)
        return true;
    *c = (struct counted){ .layout = 0 };
    if (crypt_random(c->key, sizeof(c->key)) != ERR_OK)
        return false;
    c->layout = LAYOUT;
    return true;
}

void
triers_open(void)
{
    char path[PLACE_BYTES];
    struct counted *shared = NULL;

    if (place_path(path, sizeof(path), "fe-tries") == ERR_OK)
        shared = file_map(path, sizeof(*shared), &counted_fd);
    if (shared != NULL && begin_counting(shared)) {
        counted = shared;
        (void)flock(counted_fd, LOCK_UN);
        return;
    }
    log_warn("doris.fe_tries path=%s errno=%d", path, errno);
    if (counted_fd >= 0)
        (void)close(counted_fd);
    counted_fd = -1;
    if (!begin_counting(&own))
        log_error("doris.fe_tries why=\"no random bytes\"");
}

/* Between threads, and between processes: whoever ends leaves the file's lock.
 * One that is stopped meanwhile would hold up all, so none waits for long. */
static bool
lock_counted(void)
{
    const struct timespec pause = { .tv_nsec = LOCK_PAUSE_NS };

    (void)pthread_mutex_lock(&threads);
    for (int i = 0; counted_fd >= 0; i++) {
        if (flock(counted_fd, LOCK_EX | LOCK_NB) == 0)
            break;
        if (i == LOCK_TRIES) {
            (void)pthread_mutex_unlock(&threads);
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

static void
unlock_counted(void)
{
    if (counted_fd >= 0)
        (void)flock(counted_fd, LOCK_UN);
    (void)pthread_mutex_unlock(&threads);
}

/* All addresses of an IPv6 host's network are one. */
static void
fill_host(const char *text, char out[64])
{
    struct in6_addr a;

    (void)snprintf(out, 64, "%s", text != NULL ? text : "");
    if (inet_pton(AF_INET6, out, &a) != 1 || IN6_IS_ADDR_V4MAPPED(&a))
        return;
    memset(a.s6_addr + 8, 0, 8);
    (void)inet_ntop(AF_INET6, &a, out, 64);
}

bool
trier_of(const char *address, const char *user, struct trier *out)
{
    unsigned char of[SEAL_BYTES];
    char host[64];

    fill_host(address, host);
    if (!doris_fe_seal(counted->key, (const char *[]){ "host", host, NULL },
                       of))
        return false;
    memcpy(&out->host, of, sizeof(out->host));
    if (!doris_fe_seal(counted->key,
                       (const char *[]){ "user", host, user, NULL }, of))
        return false;
    memcpy(&out->user, of, sizeof(out->user));
    return true;
}

int64_t
trier_take(const struct trier *t)
{
    int most = (int)doris_settings()->fe_tries;
    int64_t now = clock_mono_ms(), wait_ms;

    if (most == 0)
        return 0;
    if (!lock_counted())
        return 1;
    wait_ms = tries_take(&counted->tries, t->host, most * TRIES_OF_A_HOST, now);
    if (wait_ms == 0) {
        wait_ms = tries_take(&counted->tries, t->user, most, now);
        if (wait_ms != 0) /* others from there may go on */
            tries_give_back(&counted->tries, t->host);
    }
    unlock_counted();
    return wait_ms;
}

void
trier_give_back(const struct trier *t)
{
    if (!lock_counted())
        return; /* it stays counted */
    tries_give_back(&counted->tries, t->host);
    tries_give_back(&counted->tries, t->user);
    unlock_counted();
}
