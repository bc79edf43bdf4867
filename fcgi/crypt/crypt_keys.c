/* The keys of this process, and the file they are read from. */
#include "crypt_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt.h"
#include "file.h"
#include "hex.h"
#include "log.h"

#define FILE_MAX 32768

static struct crypt_key_set keys;
static pthread_rwlock_t keys_lock = PTHREAD_RWLOCK_INITIALIZER;
/* Where they are from; under the lock too. */
static char keys_path[4096];
static struct stat keys_file;

static bool
copy_key(const struct crypt_key *from, struct crypt_key *out)
{
    if (from != NULL)
        *out = *from;
    return from != NULL;
}

static const struct crypt_key *
find(const struct crypt_key_set *set, unsigned id)
{
    for (size_t i = 0; i < set->n; i++)
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

unsigned
crypt_key_at(size_t i)
{
    unsigned id;

    pthread_rwlock_rdlock(&keys_lock);
    id = i < keys.n ? keys.key[i].id : 0;
    pthread_rwlock_unlock(&keys_lock);
    return id;
}

bool
crypt_fingerprint(unsigned id, char out[CRYPT_FINGERPRINT_BYTES])
{
    char text[64 + CRYPT_KEY_BYTES];
    struct crypt_key key;
    int n;

    if (!crypt_key_find(id, &key))
        return false;
    n = snprintf(text, sizeof(text) - CRYPT_KEY_BYTES,
                 "metagate key fingerprint %u:", id);
    memcpy(text + n, key.bytes, CRYPT_KEY_BYTES);
    crypt_sha256_hex(text, (size_t)n + CRYPT_KEY_BYTES, out);
    crypt_wipe(text, sizeof(text));
    crypt_wipe(&key, sizeof(key));
    return true;
}

/* ---- reading ---- */

/* One line without its end; why it is refused, or NULL. */
static const char *
parse_line(struct crypt_key_set *set, const char *line)
{
    struct crypt_key *key = &set->key[set->n];
    unsigned long id;
    char *end;

    line += strspn(line, " \t");
    if (*line == '\0' || *line == '#')
        return NULL;
    if (set->n == CRYPT_KEYS_MAX)
        return "too many keys";
    id = *line >= '0' && *line <= '9' ? strtoul(line, &end, 10) : 0;
    if (id == 0 || id > CRYPT_KEY_ID_MAX || *end != ' ')
        return "a line is: <key id> <64 hex digits>";
    if (find(set, (unsigned)id) != NULL)
        return "key id given twice";
    end += strspn(end, " ");
    if (!hex_read(end, key->bytes, CRYPT_KEY_BYTES))
        return "a key is 64 hex digits";
    end += 2 * (size_t)CRYPT_KEY_BYTES;
    if (end[strspn(end, " \t\r")] != '\0')
        return "text behind the key";
    key->id = (unsigned)id;
    set->n++;
    return NULL;
}

static const char *
parse(struct crypt_key_set *set, char *text, unsigned *line)
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
    enum err e;
    size_t n;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return "not a plain file";
    if ((st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
        return "others can read it or the group can write it: chmod 600";
    e = file_read_fd(fd, text, FILE_MAX - 1, &n);
    if (e == ERR_STATE)
        return strerror(errno);
    if (memchr(text, '\0', n) != NULL)
        return "not a text";
    return e == ERR_OK ? NULL : "too large";
}

/* Fills *set from the open file; a refusal is logged. */
enum err
crypt_keys_read(int fd, const char *path, struct crypt_key_set *set)
{
    char *text = malloc(FILE_MAX);
    unsigned line = 0;
    const char *why;

    if (text == NULL)
        return ERR_NOMEM;
    why = read_all(fd, text);
    if (why == NULL)
        why = parse(set, text, &line);
    crypt_wipe(text, FILE_MAX);
    free(text);
    if (why == NULL)
        return ERR_OK;
    log_error("crypt.key_file path=%s line=%u reason=\"%s\"", path, line, why);
    return ERR_BAD_PARAM;
}

enum err
crypt_keys_open(const char *path, int *out)
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
    struct crypt_key_set *set;
    struct stat st;
    enum err e;
    int fd;

    e = crypt_keys_open(path, &fd);
    if (e != ERR_OK)
        return e;
    set = calloc(1, sizeof(*set));
    e = set != NULL ? crypt_keys_read(fd, path, set) : ERR_NOMEM;
    if (e == ERR_OK && fstat(fd, &st) != 0)
        e = ERR_DENIED;
    (void)close(fd);
    if (e == ERR_OK) {
        pthread_rwlock_wrlock(&keys_lock);
        keys = *set;
        keys_file = st;
        if (path != keys_path)
            (void)snprintf(keys_path, sizeof(keys_path), "%s", path);
        pthread_rwlock_unlock(&keys_lock);
    }
    if (set != NULL)
        crypt_wipe(set, sizeof(*set));
    free(set);
    return e;
}

void
crypt_keys_refresh(void)
{
    char path[sizeof(keys_path)];
    struct stat st, known;

    pthread_rwlock_rdlock(&keys_lock);
    memcpy(path, keys_path, sizeof(path));
    known = keys_file;
    pthread_rwlock_unlock(&keys_lock);
    if (str_empty(path) || stat(path, &st) != 0 ||
        (st.st_ino == known.st_ino && st.st_dev == known.st_dev &&
         st.st_mtim.tv_sec == known.st_mtim.tv_sec &&
         st.st_mtim.tv_nsec == known.st_mtim.tv_nsec))
        return;
    if (crypt_load(path) == ERR_OK)
        log_info("crypt.keys_read path=%s key=%u", path, crypt_key_id());
}
