/* The key file: reading it, making it, adding to it. A file is only ever
 * replaced whole, so that a reader never sees half a key. */
#include "crypt_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt.h"
#include "log.h"

#define KEYS_MAX    256
#define FILE_MAX    32768
#define LINE_FORMAT "%u %s\n"

struct key_set {
    struct crypt_key key[KEYS_MAX];
    size_t n; /* the last one encrypts */
};

static struct key_set keys;
static pthread_rwlock_t keys_lock = PTHREAD_RWLOCK_INITIALIZER;

static bool
copy_key(const struct crypt_key *from, struct crypt_key *out)
{
    if (from != NULL)
        *out = *from;
    return from != NULL;
}

static const struct crypt_key *
find(const struct key_set *set, unsigned id)
{
    size_t i;

    for (i = 0; i < set->n; i++)
        if (set->key[i].id == id)
            return &set->key[i];
    return NULL;
}

bool
crypt_key_newest(struct crypt_key *out)
{
    bool found;

    pthread_rwlock_rdlock(&keys_lock);
    found = copy_key(keys.n > 0 ? &keys.key[keys.n - 1] : NULL, out);
    pthread_rwlock_unlock(&keys_lock);
    return found;
}

bool
crypt_key_find(unsigned id, struct crypt_key *out)
{
    bool found;

    pthread_rwlock_rdlock(&keys_lock);
    found = copy_key(find(&keys, id), out);
    pthread_rwlock_unlock(&keys_lock);
    return found;
}

unsigned
crypt_key_id(void)
{
    unsigned id;

    pthread_rwlock_rdlock(&keys_lock);
    id = keys.n > 0 ? keys.key[keys.n - 1].id : 0;
    pthread_rwlock_unlock(&keys_lock);
    return id;
}

/* ---- reading ---- */

static bool
unhex(const char *p, unsigned char *out, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const char *hi, *lo;
    size_t i;

    for (i = 0; i < n; i++) {
        hi = p[2 * i] != '\0' ? strchr(digits, p[2 * i] | 0x20) : NULL;
        lo = hi != NULL && p[2 * i + 1] != '\0'
                 ? strchr(digits, p[2 * i + 1] | 0x20)
                 : NULL;
        if (lo == NULL)
            return false;
        out[i] = (unsigned char)((hi - digits) << 4 | (lo - digits));
    }
    return true;
}

/* One line without its end; why it is refused, or NULL. */
static const char *
parse_line(struct key_set *set, const char *line)
{
    struct crypt_key *key = &set->key[set->n];
    unsigned long id;
    char *end;

    line += strspn(line, " \t");
    if (*line == '\0' || *line == '#')
        return NULL;
    if (set->n == KEYS_MAX)
        return "too many keys";
    id = *line >= '0' && *line <= '9' ? strtoul(line, &end, 10) : 0;
    if (id == 0 || id > CRYPT_KEY_ID_MAX || *end != ' ')
        return "a line is: <key id> <64 hex digits>";
    if (find(set, (unsigned)id) != NULL)
        return "key id given twice";
    end += strspn(end, " ");
    if (!unhex(end, key->bytes, CRYPT_KEY_BYTES))
        return "a key is 64 hex digits";
    end += 2 * (size_t)CRYPT_KEY_BYTES;
    if (end[strspn(end, " \t\r")] != '\0')
        return "text behind the key";
    key->id = (unsigned)id;
    set->n++;
    return NULL;
}

static const char *
parse(struct key_set *set, char *text, unsigned *line)
{
    const char *why;
    char *p = text, *end;

    set->n = 0;
    for (*line = 1; p != NULL; (*line)++) {
        end = strchr(p, '\n');
        if (end != NULL)
            *end++ = '\0';
        why = parse_line(set, p);
        if (why != NULL)
            return why;
        p = end;
    }
    *line = 0;
    return set->n > 0 ? NULL : "no key in it";
}

static const char *
read_all(int fd, char *text)
{
    struct stat st;
    ssize_t got;
    size_t n = 0;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return "not a plain file";
    if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        return "others can read it or the group can write it: chmod 600";
    while (n < FILE_MAX) {
        got = read(fd, text + n, FILE_MAX - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return strerror(errno);
        if (got == 0)
            break;
        n += (size_t)got;
    }
    text[n] = '\0';
    if (strlen(text) != n)
        return "not a text";
    return n < FILE_MAX ? NULL : "too large";
}

/* Fills *set from the open file; a refusal is logged. */
static enum err
read_set(int fd, const char *path, struct key_set *set)
{
    char *text = malloc(FILE_MAX + 1);
    unsigned line = 0;
    const char *why;

    if (text == NULL)
        return ERR_NOMEM;
    why = read_all(fd, text);
    if (why == NULL)
        why = parse(set, text, &line);
    crypt_wipe(text, FILE_MAX + 1);
    free(text);
    if (why == NULL)
        return ERR_OK;
    log_error("crypt.key_file path=%s line=%u reason=\"%s\"", path, line, why);
    return ERR_BAD_PARAM;
}

static enum err
open_keys(const char *path, int *out)
{
    *out = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (*out >= 0)
        return ERR_OK;
    log_error("crypt.key_file path=%s reason=\"%s\"", path, strerror(errno));
    return errno == ENOENT ? ERR_NOT_FOUND : ERR_DENIED;
}

enum err
crypt_load(const char *path)
{
    struct key_set *set;
    enum err e;
    int fd;

    e = open_keys(path, &fd);
    if (e != ERR_OK)
        return e;
    set = calloc(1, sizeof(*set));
    e = set != NULL ? read_set(fd, path, set) : ERR_NOMEM;
    (void)close(fd);
    if (e == ERR_OK) {
        pthread_rwlock_wrlock(&keys_lock);
        keys = *set;
        pthread_rwlock_unlock(&keys_lock);
    }
    if (set != NULL)
        crypt_wipe(set, sizeof(*set));
    free(set);
    return e;
}

/* ---- writing ---- */

static bool
write_all(int fd, const char *p, size_t n)
{
    ssize_t put;

    while (n > 0) {
        put = write(fd, p, n);
        if (put < 0 && errno != EINTR)
            return false;
        if (put > 0) {
            p += put;
            n -= (size_t)put;
        }
    }
    return true;
}

static bool
write_keys(int fd, const struct key_set *set)
{
    char digits[2 * CRYPT_KEY_BYTES + 1], line[128];
    bool ok = true;
    size_t i, j;
    int n;

    for (i = 0; i < set->n && ok; i++) {
        for (j = 0; j < CRYPT_KEY_BYTES; j++)
            (void)snprintf(digits + 2 * j, 3, "%02x", set->key[i].bytes[j]);
        n = snprintf(line, sizeof(line), LINE_FORMAT, set->key[i].id, digits);
        ok = write_all(fd, line, (size_t)n);
    }
    crypt_wipe(digits, sizeof(digits));
    crypt_wipe(line, sizeof(line));
    return ok;
}

/* After a rename the name itself must reach the disk too. */
static void
sync_folder(const char *path)
{
    char folder[4096];
    char *slash;
    int fd;

    (void)snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[slash == folder ? 1 : 0] = '\0';
    fd = open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

/* Writes the set beside path; temp is the name it got. */
static enum err
write_beside(const char *path, const struct key_set *set, char *temp,
             size_t temp_size)
{
    bool ok;
    int fd;

    if ((size_t)snprintf(temp, temp_size, "%s.XXXXXX", path) >= temp_size)
        return ERR_BAD_PARAM;
    fd = mkostemp(temp, O_CLOEXEC); /* mode 0600 */
    if (fd < 0) {
        log_error("crypt.key_file path=%s reason=\"%s\"", temp,
                  strerror(errno));
        return ERR_DENIED;
    }
    ok = write_keys(fd, set) && fsync(fd) == 0;
    if (!ok)
        log_error("crypt.key_file path=%s reason=\"%s\"", temp,
                  strerror(errno));
    if (close(fd) != 0 || !ok) {
        (void)unlink(temp);
        return ERR_INTERNAL;
    }
    return ERR_OK;
}

static enum err
add_random(struct key_set *set)
{
    struct crypt_key *key = &set->key[set->n];
    unsigned newest = 0;
    size_t i;

    for (i = 0; i < set->n; i++)
        newest = set->key[i].id > newest ? set->key[i].id : newest;
    if (set->n == KEYS_MAX || newest == CRYPT_KEY_ID_MAX)
        return ERR_LIMIT;
    key->id = newest + 1;
    set->n++;
    return crypt_random(key->bytes, CRYPT_KEY_BYTES);
}

enum err
crypt_create(const char *path)
{
    struct key_set *set = calloc(1, sizeof(*set));
    char temp[4096];
    enum err e;

    if (set == NULL)
        return ERR_NOMEM;
    e = add_random(set);
    if (e == ERR_OK)
        e = write_beside(path, set, temp, sizeof(temp));
    if (e == ERR_OK) {
        /* link, not rename: it must not replace a key that is there */
        if (link(temp, path) != 0)
            e = errno == EEXIST ? ERR_EXISTS : ERR_INTERNAL;
        (void)unlink(temp);
        sync_folder(path);
    }
    crypt_wipe(set, sizeof(*set));
    free(set);
    return e;
}

/* The file at path, locked; another that replaces it in between is noticed. */
static enum err
open_locked(const char *path, int *out)
{
    struct stat held, named;
    enum err e;

    for (;;) {
        e = open_keys(path, out);
        if (e != ERR_OK)
            return e;
        if (flock(*out, LOCK_EX) == 0 && fstat(*out, &held) == 0 &&
            stat(path, &named) == 0 && held.st_ino == named.st_ino &&
            held.st_dev == named.st_dev)
            return ERR_OK;
        (void)close(*out);
    }
}

static enum err
replace(int fd, const char *path, struct key_set *set)
{
    char temp[4096];
    enum err e;

    e = read_set(fd, path, set);
    if (e == ERR_OK)
        e = add_random(set);
    if (e == ERR_OK)
        e = write_beside(path, set, temp, sizeof(temp));
    if (e == ERR_OK && rename(temp, path) != 0) {
        (void)unlink(temp);
        e = ERR_INTERNAL;
    }
    sync_folder(path);
    return e;
}

enum err
crypt_add_key(const char *path)
{
    struct key_set *set = calloc(1, sizeof(*set));
    enum err e;
    int fd;

    if (set == NULL)
        return ERR_NOMEM;
    e = open_locked(path, &fd);
    if (e == ERR_OK) {
        e = replace(fd, path, set);
        (void)close(fd);
    }
    crypt_wipe(set, sizeof(*set));
    free(set);
    return e;
}
