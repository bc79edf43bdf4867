/* The host's file: words of things, who may keep. */
#include "coherence_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "crypt.h"
#include "log.h"

#define LAYOUT  (sizeof(struct coherence_file) << 8 | 1)
#define PENDING UINT64_C(0xffff)
#define CHANGE  (PENDING + 1)

_Static_assert(COHERENCE_SLOTS <= 65536, "a slot's number has 16 bits");

static struct coherence_file mine; /* of a process without the file */
struct coherence_file *coherence_file = &mine;
bool coherence_may_keep;

int64_t
coherence_clock_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- the file ---- */

static void
read_boot_id(char out[40])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    memset(out, 0, 40);
    if (f != NULL && fgets(out, 40, f) != NULL)
        out[strcspn(out, "\n")] = '\0';
    if (f != NULL)
        (void)fclose(f);
}

/* Under the file's lock. A file of an earlier boot is begun anew: what was
 * being committed then has ended with the machine. One that cannot be told
 * from such a file is not used: others may have it mapped. */
static enum err
begin_file(struct coherence_file *f)
{
    char boot_id[40];

    read_boot_id(boot_id);
    if (boot_id[0] == '\0' && f != &mine)
        return ERR_STATE;
    if (f->layout == LAYOUT && strcmp(f->boot_id, boot_id) == 0)
        return ERR_OK;
    memset(f, 0, sizeof(*f));
    memcpy(f->boot_id, boot_id, sizeof(f->boot_id));
    if (crypt_random_hex(16, f->host) != ERR_OK)
        return ERR_INTERNAL;
    f->layout = LAYOUT;
    return ERR_OK;
}

static struct coherence_file *
map_file(int fd)
{
    void *p = MAP_FAILED;

    if (flock(fd, LOCK_EX) == 0 &&
        ftruncate(fd, (off_t)sizeof(struct coherence_file)) == 0)
        p = mmap(NULL, sizeof(struct coherence_file), PROT_READ | PROT_WRITE,
                 MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return NULL;
    if (begin_file(p) == ERR_OK)
        return p;
    (void)munmap(p, sizeof(struct coherence_file));
    return NULL;
}

void
coherence_open(bool may_keep)
{
    struct coherence_file *f = NULL;
    char path[4096];
    int fd;

    coherence_may_keep = may_keep;
    (void)snprintf(path, sizeof(path), "%s/coherence-%zx", config_run_dir(),
                   LAYOUT);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        f = map_file(fd);
        (void)flock(fd, LOCK_UN); /* the mapping keeps the file open */
        (void)close(fd);
    }
    if (f != NULL) {
        coherence_file = f;
        return;
    }
    log_warn("coherence.open path=%s errno=%d", path, errno);
    coherence_file = &mine;
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
coherence_touch(struct coherence_touched *t, const char *thing)
{
    uint16_t slot = slot_of(thing);

    for (unsigned i = 0; i < t->n && i < COHERENCE_TOUCHED; i++)
        if (t->slot[i] == slot)
            return;
    if (t->n < COHERENCE_TOUCHED)
        t->slot[t->n] = slot;
    if (t->n <= COHERENCE_TOUCHED)
        t->n++;
}

static void
add(const struct coherence_touched *t, uint64_t n)
{
    if (t->n > COHERENCE_TOUCHED) {
        atomic_fetch_add(&coherence_file->all, n);
        return;
    }
    for (unsigned i = 0; i < t->n; i++)
        atomic_fetch_add(&coherence_file->word[t->slot[i]], n);
}

void
coherence_begin(const struct coherence_touched *t)
{
    add(t, 1);
}

void
coherence_end(const struct coherence_touched *t)
{
    add(t, CHANGE - 1);
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

/* First whether the host is alone, then its epoch: the other way round, a
 * mark of an old epoch could be made in a new one. */
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
    return ((out->v[1] | out->v[2] | out->v[3]) & PENDING) == 0;
}

bool
coherence_alone_set(uint64_t seen, int64_t until_ms)
{
    uint64_t until = (uint64_t)(until_ms / ALONE_UNIT_MS) & ALONE_UNTIL_MASK;
    uint64_t step = (seen >> ALONE_UNTIL_BITS) + 1;

    return atomic_compare_exchange_strong(&coherence_file->alone, &seen,
                                          step << ALONE_UNTIL_BITS | until);
}
