/* The host's file: words of things, who may keep. */
#include "coherence_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "hex.h"
#include "host/self.h"
#include "file.h"
#include "log.h"
#include "metrics.h"

#define FILE_NAME  "coherence-" /* and the layout in hexadecimal digits */
#define LAYOUT     (sizeof(struct coherence_file) << 8 | 2)
#define EVERYTHING COHERENCE_SLOTS /* the slot of it, in a process's row */
#define CLEAN      (-1)
#define TRIES      10 /* of others that replace a copy at the same time */

_Static_assert(COHERENCE_SLOTS <= 65536, "a slot's number has 16 bits");

static struct coherence_file mine; /* of a process without the file */
struct coherence_file *coherence_file = &mine;
bool coherence_may_keep;
static int file_fd = -1; /* holds the lock of our row */
static unsigned own_row; /* 0: shared with all that found none */

int64_t
coherence_clock_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the file ---- */

/* Under the file's lock. A file of an earlier boot is begun anew: what was
 * being committed then has ended with the machine. One that cannot be told
 * from such a file is not used: others may have it mapped. */
static enum err
begin_file(struct coherence_file *f)
{
    char boot_id[40];

    self_boot_id(boot_id);
    if (str_empty(boot_id) && f != &mine)
        return ERR_STATE;
    if (f->layout == LAYOUT && strcmp(f->boot_id, boot_id) == 0)
        return ERR_OK;
    memset(f, 0, sizeof(*f));
    memcpy(f->boot_id, boot_id, sizeof(f->boot_id));
    if (hex_random(f->host, 16) != ERR_OK)
        return ERR_INTERNAL;
    f->layout = LAYOUT;
    return ERR_OK;
}

static struct coherence_file *
map_file(int fd)
{
    const size_t n = sizeof(struct coherence_file);
    void *p = MAP_FAILED;

    if (file_reserve(fd, n) == ERR_OK)
        p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* A copy of another RUN_DIR's file has that one's host, and would take its
 * row for its own. */
static bool
is_copy(const struct coherence_file *f, const struct stat *st)
{
    return f->layout == LAYOUT &&
           (f->dev != st->st_dev || f->ino != st->st_ino);
}

/* NOT_FOUND: removed, since it is a copy. Never begun anew in place: its words
 * may be in use after all, and who has them mapped is another host then. */
static enum err
use_file(int fd, const char *path, const struct stat *st,
         struct coherence_file **out)
{
    struct coherence_file *f = map_file(fd);
    bool copy = f != NULL && is_copy(f, st);

    if (f != NULL && !copy && begin_file(f) == ERR_OK) {
        f->dev = st->st_dev;
        f->ino = st->st_ino;
        *out = f;
        return ERR_OK;
    }
    if (f != NULL)
        (void)munmap(f, sizeof(*f));
    return copy && unlink(path) == 0 ? ERR_NOT_FOUND : ERR_STATE;
}

/* ---- rows ---- */

/* The row's lock, when nobody has it: its owner has ended, or never was. */
static bool
lock_row(int fd, unsigned row, short type)
{
    struct flock l = {
        .l_type = type, .l_whence = SEEK_SET, .l_start = row, .l_len = 1
    };

    return fcntl(fd, F_OFD_SETLK, &l) == 0;
}

static bool
is_clean(const struct coherence_process *p)
{
    if (atomic_load(&p->dead_ms) == CLEAN)
        return true;
    for (unsigned i = 0; i <= EVERYTHING; i++)
        if (atomic_load_explicit(&p->pending[i], memory_order_relaxed) != 0)
            return false;
    return true;
}

static unsigned
take_row(int fd, struct coherence_file *f)
{
    unsigned used;

    for (unsigned i = 1; i < COHERENCE_PROCESSES; i++) {
        if (!lock_row(fd, i, F_WRLCK))
            continue;
        if (!is_clean(&f->process[i])) {
            (void)lock_row(fd, i, F_UNLCK);
            continue;
        }
        atomic_store(&f->process[i].dead_ms, 0);
        used = atomic_load(&f->used);
        while (used <= i &&
               !atomic_compare_exchange_weak(&f->used, &used, i + 1))
            ;
        return i;
    }
    log_warn("coherence.rows full=%d", COHERENCE_PROCESSES);
    return 0;
}

/* What it was changing was read anew all the time; now it may be kept again,
 * under a new word. */
static unsigned
clear_row(struct coherence_file *f, struct coherence_process *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i <= EVERYTHING; i++) {
        if (atomic_load(&p->pending[i]) == 0)
            continue;
        atomic_fetch_add(i == EVERYTHING ? &f->all : &f->word[i], 1);
        atomic_store(&p->pending[i], 0);
        n++;
    }
    return n;
}

static void
sweep_row(struct coherence_file *f, struct coherence_process *p, int64_t now)
{
    int64_t dead_ms = atomic_load(&p->dead_ms);
    unsigned n;

    if (dead_ms == CLEAN)
        return;
    if (is_clean(p)) {
        atomic_store(&p->dead_ms, CLEAN);
    } else if (dead_ms == 0) {
        atomic_store(&p->dead_ms, now);
    } else if (now - dead_ms >= COHERENCE_DEAD_MS) {
        n = clear_row(f, p);
        atomic_store(&p->dead_ms, CLEAN);
        metrics_add(METRIC_CACHE_ABANDONED, n);
        log_warn("coherence.abandoned things=%u", n);
    }
}

void
coherence_sweep(int64_t now)
{
    struct coherence_file *f = coherence_file;
    unsigned used = atomic_load(&f->used);

    for (unsigned i = 1; file_fd >= 0 && i < used; i++) {
        if (i == own_row || !lock_row(file_fd, i, F_WRLCK))
            continue;
        sweep_row(f, &f->process[i], now);
        (void)lock_row(file_fd, i, F_UNLCK);
    }
}

/* NOT_FOUND: the path names another file by now. */
static enum err
lock_and_use(int fd, const char *path, struct coherence_file **out)
{
    struct stat st, now;

    if (flock(fd, LOCK_EX) != 0 || fstat(fd, &st) != 0)
        return ERR_STATE;
    if (lstat(path, &now) != 0 || now.st_ino != st.st_ino)
        return ERR_NOT_FOUND;
    return use_file(fd, path, &st, out);
}

static enum err
open_file(const char *path, struct coherence_file **out)
{
    enum err e;
    int fd;

    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return ERR_STATE;
    e = lock_and_use(fd, path, out);
    (void)flock(fd, LOCK_UN);
    if (e == ERR_OK) {
        file_fd = fd;
        own_row = take_row(fd, *out);
    } else {
        (void)close(fd);
    }
    return e;
}

void
coherence_map(bool may_keep)
{
    struct coherence_file *f = NULL;
    enum err e = ERR_NOT_FOUND;
    char path[4096];

    coherence_may_keep = may_keep;
    (void)snprintf(path, sizeof(path), "%s/" FILE_NAME "%zx", config_run_dir(),
                   LAYOUT);
    for (int i = 0; i < TRIES && e == ERR_NOT_FOUND; i++)
        e = open_file(path, &f);
    if (e == ERR_OK) {
        coherence_file = f;
        return;
    }
    log_warn("coherence.open path=%s errno=%d", path, errno);
    coherence_file = &mine;
    own_row = 0;
    if (begin_file(&mine) != ERR_OK)
        coherence_may_keep = false;
}

void
coherence_close(void)
{
    if (coherence_file != &mine)
        (void)munmap(coherence_file, sizeof(*coherence_file));
    coherence_file = &mine;
    coherence_may_keep = false;
    if (file_fd >= 0)
        (void)close(file_fd);
    file_fd = -1;
    own_row = 0;
}

/* ---- whose row ---- */

static bool
says_host(int dir, const char *name, const char *host)
{
    char own[sizeof(coherence_file->host)] = "";
    ssize_t n = -1;
    int fd;

    fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0) {
        n = pread(fd, own, sizeof(own) - 1,
                  offsetof(struct coherence_file, host));
        (void)close(fd);
    }
    return n == (ssize_t)sizeof(own) - 1 && strcmp(own, host) == 0;
}

bool
coherence_is_own(const char *host)
{
    DIR *d = opendir(config_run_dir());
    const struct dirent *entry;
    bool own = false;

    while (d != NULL && !own && (entry = readdir(d)) != NULL)
        own = strncmp(entry->d_name, FILE_NAME, strlen(FILE_NAME)) == 0 &&
              says_host(dirfd(d), entry->d_name, host);
    if (d != NULL)
        (void)closedir(d);
    return own;
}

/* ---- things ---- */

static uint16_t
slot_of(const char *thing)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *thing != '\0'; thing++)
        h = (h ^ (unsigned char)*thing) * UINT64_C(1099511628211);
    return (uint16_t)((h ^ h >> 32) & (COHERENCE_SLOTS - 1));
}

void
coherence_touch(struct db_touched *t, const char *thing)
{
    uint16_t slot = slot_of(thing);

    for (unsigned i = 0; i < t->n && i < DB_TOUCHED_MAX; i++)
        if (t->slot[i] == slot)
            return;
    if (t->n < DB_TOUCHED_MAX)
        t->slot[t->n] = slot;
    if (t->n <= DB_TOUCHED_MAX)
        t->n++;
}

/* ±1 in our row. */
static void
count(const struct db_touched *t, int change)
{
    _Atomic uint16_t *pending = coherence_file->process[own_row].pending;

    if (t->n > DB_TOUCHED_MAX) {
        atomic_fetch_add(&pending[EVERYTHING], (uint16_t)change);
        return;
    }
    for (unsigned i = 0; i < t->n; i++)
        atomic_fetch_add(&pending[t->slot[i]], (uint16_t)change);
}

void
coherence_begin(const struct db_touched *t)
{
    count(t, 1);
}

/* First the words, so that nobody finds nothing being committed and the old
 * word. */
void
coherence_end(const struct db_touched *t)
{
    if (t->n > DB_TOUCHED_MAX)
        atomic_fetch_add(&coherence_file->all, 1);
    for (unsigned i = 0; t->n <= DB_TOUCHED_MAX && i < t->n; i++)
        atomic_fetch_add(&coherence_file->word[t->slot[i]], 1);
    count(t, -1);
}

/* ---- readers ---- */

static bool
is_alone(uint64_t word)
{
    int64_t until = (int64_t)(word & ALONE_UNTIL_MASK) * ALONE_UNIT_MS;

    return coherence_clock_ms() < until;
}

/* Each slot's periods begin at another time: not all is read anew at once. */
static uint64_t
period_of(uint16_t slot)
{
    int64_t phase = (int64_t)slot * COHERENCE_KEEP_MS / COHERENCE_SLOTS;

    return (uint64_t)((coherence_clock_ms() + phase) / COHERENCE_KEEP_MS);
}

static bool
is_pending(const struct coherence_file *f, uint16_t a, uint16_t b)
{
    unsigned used = atomic_load(&f->used);

    for (unsigned i = 0; i < (used > 0 ? used : 1); i++) {
        const _Atomic uint16_t *p = f->process[i].pending;

        if (atomic_load(&p[a]) != 0 || atomic_load(&p[b]) != 0 ||
            atomic_load(&p[EVERYTHING]) != 0)
            return true;
    }
    return false;
}

/* The words first, then whether anything is being committed: a change that
 * ends in between has a new word. First whether the host is alone, then its
 * epoch: the other way round, a mark of an old epoch could be made in a new
 * one. */
bool
coherence_now(const char *thing, const char *other, struct coherence_mark *out)
{
    struct coherence_file *f = coherence_file;

    if (!coherence_may_keep || !is_alone(atomic_load(&f->alone)))
        return false;
    out->v[0] = atomic_load(&f->epoch);
    out->v[1] = atomic_load(&f->all);
    out->v[2] = atomic_load(&f->word[slot_of(thing)]);
    out->v[3] = atomic_load(&f->word[slot_of(other)]);
    out->v[4] = period_of(slot_of(thing));
    return !is_pending(f, slot_of(thing), slot_of(other));
}

bool
coherence_alone_set(uint64_t seen, int64_t until_ms)
{
    uint64_t until = (uint64_t)(until_ms / ALONE_UNIT_MS) & ALONE_UNTIL_MASK;
    uint64_t step = (seen >> ALONE_UNTIL_BITS) + 1;

    return atomic_compare_exchange_strong(&coherence_file->alone, &seen,
                                          step << ALONE_UNTIL_BITS | until);
}
