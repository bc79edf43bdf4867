/* Making a key file and adding keys to it. A file is only ever replaced whole,
 * so that a reader never sees half a key. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt.h"
#include "crypt_keys.h"
#include "file.h"
#include "hex.h"
#include "log.h"

static bool
write_keys(int fd, const struct crypt_key_set *set)
{
    char digits[2 * CRYPT_KEY_BYTES + 1], line[128];
    bool ok = true;
    int n;

    for (size_t i = 0; i < set->n && ok; i++) {
        hex_write(set->key[i].bytes, CRYPT_KEY_BYTES, digits);
        n = snprintf(line, sizeof(line), "%u %s\n", set->key[i].id, digits);
        ok = file_write_fd(fd, line, (size_t)n, -1);
    }
    crypt_wipe(digits, sizeof(digits));
    crypt_wipe(line, sizeof(line));
    return ok;
}

/* Writes the set beside path; temp is the name it got. */
static enum err
write_beside(const char *path, const struct crypt_key_set *set, char *temp,
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
add_random(struct crypt_key_set *set)
{
    struct crypt_key *key = &set->key[set->n];
    unsigned newest = 0;

    for (size_t i = 0; i < set->n; i++)
        newest = set->key[i].id > newest ? set->key[i].id : newest;
    if (set->n == CRYPT_KEYS_MAX || newest == CRYPT_KEY_ID_MAX)
        return ERR_LIMIT;
    key->id = newest + 1;
    set->n++;
    return crypt_random(key->bytes, CRYPT_KEY_BYTES);
}

enum err
crypt_create(const char *path)
{
    struct crypt_key_set *set = calloc(1, sizeof(*set));
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
        file_sync_folder(path);
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
        e = crypt_keys_open(path, out);
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
replace(int fd, const char *path, struct crypt_key_set *set)
{
    char temp[4096];
    enum err e;

    e = crypt_keys_read(fd, path, set);
    if (e == ERR_OK)
        e = add_random(set);
    if (e == ERR_OK)
        e = write_beside(path, set, temp, sizeof(temp));
    if (e == ERR_OK && rename(temp, path) != 0) {
        (void)unlink(temp);
        e = ERR_INTERNAL;
    }
    file_sync_folder(path);
    return e;
}

enum err
crypt_add_key(const char *path)
{
    struct crypt_key_set *set = calloc(1, sizeof(*set));
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
