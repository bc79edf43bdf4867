/* Users of the front end's listener. A password is hashed slowly, so that a
 * stolen file is of little use; who was right is known for a while by an HMAC,
 * so that not each request is slow. */
#include "users.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "crypt.h"
#include "doris/settings.h"
#include "fe.h"
#include "file.h"
#include "hex.h"
#include "log.h"
#include "place.h"
#include "trier.h"

#define USERS_BYTES   65536
#define USER_MAX      127
#define PASSWORD_MAX  256
#define REMEMBERED_MS 30000

/* A line of the file: name, "scrypt", salt, hash. Older ones are name, salt,
 * SHA-256 of salt and password. */
struct user {
    char name[USER_MAX + 1], salt[65], hash[65];
    bool slow;
};

/* What this process knows of passwords; the seal is of user, password and
 * line, so a line that is changed is asked again at once. */
static struct {
    pthread_mutex_t lock;
    bool has_key;
    unsigned char key[32];
    struct right {
        unsigned char seal[SEAL_BYTES];
        int64_t until_ms;
    } right[64];
} known = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* One slow hash at a time: each takes 32 MiB. Threads that wait for it serve
 * nobody else. */
#define SLOW_WAIT 2
static struct {
    pthread_mutex_t lock;
    _Atomic int n; /* hashing and waiting */
} slow = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- the file ---- */

static bool
parse_line(const char *line, struct user *out)
{
    int end = 0;

    *out = (struct user){ .slow = true };
    if (sscanf(line, "%127s scrypt %64s %64s %n", out->name, out->salt,
               out->hash, &end) != 3) {
        out->slow = false;
        if (sscanf(line, "%127s %64s %64s %n", out->name, out->salt, out->hash,
                   &end) != 3)
            return false;
    }
    return line[0] != '#' && line[end] == '\0' && strlen(out->hash) == 64;
}

static enum err
read_users(struct req *r, char **out)
{
    char path[PLACE_BYTES];
    const char *file = doris_settings()->fe_users;
    size_t n;
    enum err e;

    if (str_empty(file)) {
        e = place_path(path, sizeof(path), "fe-users");
        if (e != ERR_OK)
            return e;
        file = path;
    }
    e = file_read(r->arena, file, USERS_BYTES, out, &n);
    if (e != ERR_OK)
        log_error("doris.fe_users path=%s err=%s", file, err_name(e));
    return e;
}

/* The next line that is this user's; NULL after the last. */
static const char *
next_line(char **rest, const char *name, struct user *out)
{
    char *line;

    while ((line = strsep(rest, "\n")) != NULL)
        if (parse_line(line, out) && strcmp(out->name, name) == 0)
            return line;
    return NULL;
}

static bool
fits(const struct user *u, const char *password)
{
    char salted[65 + PASSWORD_MAX + 1], hash[65];
    int n;

    if (u->slow)
        return crypt_scrypt_hex(password, u->salt, hash) == ERR_OK &&
               crypt_equal(hash, u->hash, 64);
    n = snprintf(salted, sizeof(salted), "%s%s", u->salt, password);
    crypt_sha256_hex(salted, (size_t)n, hash);
    crypt_wipe(salted, sizeof(salted));
    return crypt_equal(hash, u->hash, 64);
}

/* ---- what is known ---- */

/* Under the key of this process, which no other knows. */
static bool
seal(const char *const *texts, unsigned char out[SEAL_BYTES])
{
    bool ok = true;

    (void)pthread_mutex_lock(&known.lock);
    if (!known.has_key)
        ok = crypt_random(known.key, sizeof(known.key)) == ERR_OK;
    known.has_key = ok;
    (void)pthread_mutex_unlock(&known.lock);
    return ok && doris_fe_seal(known.key, texts, out);
}

static bool
is_right(const unsigned char of[SEAL_BYTES])
{
    int64_t now = clock_mono_ms();
    bool found = false;

    (void)pthread_mutex_lock(&known.lock);
    for (size_t i = 0; i < COUNT(known.right); i++)
        found |= known.right[i].until_ms > now &&
                 crypt_equal(known.right[i].seal, of, SEAL_BYTES);
    (void)pthread_mutex_unlock(&known.lock);
    return found;
}

static void
remember(const unsigned char of[SEAL_BYTES])
{
    struct right *oldest = known.right;

    (void)pthread_mutex_lock(&known.lock);
    for (size_t i = 1; i < COUNT(known.right); i++)
        if (known.right[i].until_ms < oldest->until_ms)
            oldest = &known.right[i];
    memcpy(oldest->seal, of, SEAL_BYTES);
    oldest->until_ms = clock_mono_ms() + REMEMBERED_MS;
    (void)pthread_mutex_unlock(&known.lock);
}

/* ---- refusals ---- */

static enum err
refuse_try(struct req *r, int64_t wait_ms)
{
    char *s = arena_printf(r->arena, "%lld", (long long)(wait_ms + 999) / 1000);

    if (s == NULL)
        return ERR_NOMEM;
    req_header_add(r, "Retry-After", s);
    return req_fail(r, DORIS_FE_TRIES, ARGS(arg("seconds", s)));
}

static enum err
refuse_busy(struct req *r)
{
    req_header_add(r, "Retry-After", "1");
    return req_fail(r, DORIS_FE_BUSY, ARGS());
}

/* ---- the question ---- */

/* Whether it is right, by what is remembered, or slowly. */
static bool
is_user(struct req *r, const char *lines, const char *user,
        const char *password, bool slowly)
{
    char *rest = arena_strdup(r->arena, lines);
    unsigned char of[SEAL_BYTES];
    struct user u;
    const char *line;
    bool any = false;

    while ((line = next_line(&rest, user, &u)) != NULL) {
        any = true;
        if (!seal((const char *[]){ "right", user, password, line, NULL }, of))
            continue;
        if (is_right(of))
            return true;
        if (slowly && fits(&u, password)) {
            remember(of);
            return true;
        }
    }
    if (slowly && !any) /* who is no user learns it no sooner */
        (void)fits(&(struct user){ .salt = "-", .slow = true }, password);
    return false;
}

static enum err
let_in(struct req *r, const char *user)
{
    r->rights = SCOPE_READ;
    r->see_secrets = false;
    r->token_name = arena_strdup(r->arena, user);
    return r->token_name == NULL ? ERR_NOMEM : ERR_OK;
}

static enum err
ask_slowly(struct req *r, const char *lines, const char *user,
           const char *password)
{
    struct trier t;
    int64_t wait_ms;
    bool right;

    if (!trier_of(req_header(r, "REMOTE_ADDR"), user, &t))
        return ERR_INTERNAL;
    wait_ms = trier_take(&t); /* before: many at once are not one try */
    if (wait_ms != 0)
        return refuse_try(r, wait_ms);
    (void)pthread_mutex_lock(&slow.lock);
    right = is_user(r, lines, user, password, true);
    (void)pthread_mutex_unlock(&slow.lock);
    if (!right)
        return req_fail(r, DORIS_FE_WRONG, ARGS());
    trier_give_back(&t);
    return let_in(r, user);
}

enum err
doris_fe_users_check(struct req *r, const char *user, const char *password)
{
    char *lines;
    enum err e;

    if (user == NULL || password == NULL)
        return ERR_NOMEM;
    if (read_users(r, &lines) != ERR_OK)
        return ERR_INTERNAL;
    if (strlen(user) > USER_MAX || strlen(password) > PASSWORD_MAX)
        return req_fail(r, DORIS_FE_WRONG, ARGS());
    if (is_user(r, lines, user, password, false))
        return let_in(r, user);
    if (atomic_fetch_add(&slow.n, 1) <= SLOW_WAIT)
        e = ask_slowly(r, lines, user, password);
    else
        e = refuse_busy(r);
    atomic_fetch_sub(&slow.n, 1);
    return e;
}

/* ---- the first user ---- */

static bool
exists(const char *name)
{
    char path[PLACE_BYTES];

    return place_path(path, sizeof(path), name) == ERR_OK &&
           access(path, F_OK) == 0;
}

static enum err
write_private(const char *name, const char *line)
{
    char path[PLACE_BYTES];
    enum err e = place_path(path, sizeof(path), name);

    return e == ERR_OK ? file_write(path, 0600, line, strlen(line)) : e;
}

/* A line of the user file for a password. */
static enum err
make_line(const char *name, const char *password, char *out, size_t size)
{
    char salt[33], hash[65];
    enum err e = hex_random(salt, 16);

    if (e == ERR_OK)
        e = crypt_scrypt_hex(password, salt, hash);
    if (e != ERR_OK)
        return e;
    (void)snprintf(out, size, "%s scrypt %s %s\n", name, salt, hash);
    return ERR_OK;
}

/* fe-user is for people, who may remove it; fe-users is what is asked. */
enum err
doris_fe_users_make(void)
{
    char password[49], line[256];
    enum err e;

    if (exists("fe-users") || !str_empty(doris_settings()->fe_users))
        return ERR_OK;
    e = hex_random(password, 24);
    (void)snprintf(line, sizeof(line), "root:%s\n", password);
    if (e == ERR_OK) /* first: without it nobody knows the password */
        e = write_private("fe-user", line);
    if (e == ERR_OK)
        e = make_line("root", password, line, sizeof(line));
    if (e == ERR_OK)
        e = write_private("fe-users", line);
    crypt_wipe(password, sizeof(password));
    crypt_wipe(line, sizeof(line));
    return e;
}
