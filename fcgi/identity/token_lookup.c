/* tokens.map in memory: hashes of the tokens and what each may do. */
#include "token_lookup.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "crypt.h"
#include "file.h"
#include "log.h"

#define FILE_MAX_BYTES ((off_t)16 << 20)
#define LOOK_EVERY_MS  1000

struct entry {
    char hash[65];
    struct token_grant grant;
};

struct table {
    struct entry *v;
    size_t n, cap;
};

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
/* Under the lock: */
static struct table known;
static char *known_path;
static struct stat known_file;

static _Atomic int64_t looked_ms;

/* Of the token in lower case; false for what cannot be one. */
static bool
hash_token(const char *token, size_t n, char out[65])
{
    char lower[TOKEN_MAX_BYTES];

    if (n == 0 || n > sizeof(lower))
        return false;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)token[i]);
    crypt_sha256_hex(lower, n, out);
    crypt_wipe(lower, sizeof(lower));
    return true;
}

static struct entry *
table_add(struct table *t)
{
    size_t cap = t->cap == 0 ? 16 : t->cap * 2;
    struct entry *v;

    if (t->n == t->cap) {
        v = realloc(t->v, cap * sizeof(*v));
        if (v == NULL)
            return NULL;
        t->v = v;
        t->cap = cap;
    }
    return memset(&t->v[t->n++], 0, sizeof(*t->v));
}

static enum err
parse_file(const char *text, const char *path, struct table *out)
{
    struct token_line l;
    struct entry *e;

    for (int number = 1; token_map_next(&text, &l); number++) {
        if (l.broken) { /* the line itself holds a token */
            log_error("tokens.line path=%s line=%d", path, number);
            return ERR_STATE;
        }
        if (l.token.n == 0)
            continue;
        e = table_add(out);
        if (e == NULL || !hash_token(l.token.p, l.token.n, e->hash))
            return ERR_NOMEM;
        memcpy(e->grant.name, l.name, sizeof(e->grant.name));
        e->grant.rights = l.rights;
        e->grant.secrets = l.secrets;
        memcpy(e->grant.id, l.id, sizeof(e->grant.id));
        e->grant.expires_s = l.expires_s;
    }
    return ERR_OK;
}

/* The whole file; NULL when it cannot be read or is no file for secrets. */
static char *
read_file(const char *path, struct stat *st)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    size_t size = 0, n;
    enum err e;

    if (fd < 0)
        return NULL;
    if (fstat(fd, st) == 0 && (st->st_mode & S_IRWXO) == 0 &&
        st->st_size <= FILE_MAX_BYTES) {
        size = (size_t)st->st_size;
        text = calloc(1, size + 1);
    }
    if (text != NULL) {
        e = file_read_fd(fd, text, size, &n);
        /* what has grown meanwhile is another file at the next look */
        text[size] = '\0';
        if (e == ERR_STATE || n < size) {
            free(text);
            text = NULL;
        }
    }
    (void)close(fd);
    return text;
}

static void
publish(struct table *t, const char *path, const struct stat *st)
{
    struct entry *old;

    pthread_rwlock_wrlock(&lock);
    old = known.v;
    known = *t;
    known_file = *st;
    if (known_path == NULL || strcmp(known_path, path) != 0) {
        free(known_path);
        known_path = strdup(path);
    }
    pthread_rwlock_unlock(&lock);
    free(old);
}

enum err
token_lookup_load(const char *path)
{
    struct table t = { 0 };
    struct stat st = { 0 };
    char *text = read_file(path, &st);
    enum err e;

    if (text == NULL) {
        log_error("tokens.read path=%s mode=%o errno=%d", path,
                  (unsigned)st.st_mode & 07777, errno);
        return ERR_STATE;
    }
    e = parse_file(text, path, &t);
    crypt_wipe(text, (size_t)st.st_size);
    free(text);
    if (e != ERR_OK) {
        free(t.v);
        return e;
    }
    publish(&t, path, &st);
    log_info("tokens.load path=%s tokens=%zu", path, t.n);
    return ERR_OK;
}

/* The path when the file is another than the one that was read. */
static char *
changed_path(void)
{
    struct stat st;
    char *path = NULL;

    pthread_rwlock_rdlock(&lock);
    if (known_path != NULL && stat(known_path, &st) == 0 &&
        (st.st_ino != known_file.st_ino || st.st_size != known_file.st_size ||
         st.st_mtim.tv_sec != known_file.st_mtim.tv_sec ||
         st.st_mtim.tv_nsec != known_file.st_mtim.tv_nsec))
        path = strdup(known_path);
    pthread_rwlock_unlock(&lock);
    return path;
}

void
token_lookup_refresh(void)
{
    int64_t now = clock_mono_ms(), last = atomic_load(&looked_ms);
    char *path;

    if (now - last < LOOK_EVERY_MS ||
        !atomic_compare_exchange_strong(&looked_ms, &last, now))
        return;
    path = changed_path();
    if (path != NULL)
        (void)!token_lookup_load(path);
    free(path);
}

bool
token_lookup(const char *token, struct token_grant *out)
{
    const struct entry *found = NULL;
    char hash[65];

    if (!hash_token(token, strlen(token), hash))
        return false;
    pthread_rwlock_rdlock(&lock);
    for (size_t i = 0; i < known.n; i++) /* all of them, whatever is found */
        if (crypt_equal(known.v[i].hash, hash, sizeof(hash) - 1))
            found = &known.v[i];
    if (found != NULL)
        *out = found->grant;
    pthread_rwlock_unlock(&lock);
    return found != NULL && !token_expired(out->expires_s);
}

void
token_lookup_unload(void)
{
    pthread_rwlock_wrlock(&lock);
    free(known.v);
    free(known_path);
    known = (struct table){ 0 };
    known_path = NULL;
    pthread_rwlock_unlock(&lock);
}
