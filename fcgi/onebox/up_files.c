/* What a deployment has before its first child: folders, configuration,
 * tokens, keys. Made once; the secret between nginx and workers anew at each
 * start. */
#include "up.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "config/deployment.h"
#include "config_live.h"
#include "own_store.h"
#include "crypt.h"
#include "dialect.h"
#include "file.h"
#include "front/nginx.h"

/* Longest folder of sockets; the longest name in it has 16 bytes, and a
 * socket's path at most 107. */
#define SOCKET_DIR_MAX 90

enum err
up_write_file(const char *name, const char *text, unsigned mode)
{
    char path[PLACE_BYTES];

    if (place_path(path, sizeof(path), name) != ERR_OK)
        return ERR_LIMIT;
    return file_write(path, mode, text, strlen(text));
}

static enum err
make_dir(const char *name, mode_t mode)
{
    char path[PLACE_BYTES];

    if (place_path(path, sizeof(path), name) != ERR_OK)
        return ERR_LIMIT;
    return file_mkdir(path, mode);
}

static bool
exists(const char *name)
{
    char path[PLACE_BYTES];
    struct stat st;

    return place_path(path, sizeof(path), name) == ERR_OK &&
           lstat(path, &st) == 0;
}

/* ---- the folder of sockets ---- */

/* A folder of ours that nobody else can put things into: /tmp is shared. */
static bool
is_private_dir(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
           st.st_uid == geteuid() && (st.st_mode & 077) == 0;
}

/* RUN_DIR/s becomes a link to a short folder in /tmp, which an up that was
 * killed may have left. */
static enum err
link_sockets(struct up *up, const char *link)
{
    char dir[PLACE_BYTES] = "", new[] = "/tmp/metagate.XXXXXX";

    if (place_socket_dir(dir, sizeof(dir)) != ERR_OK || str_empty(dir) ||
        strcmp(dir, link) == 0 || !is_private_dir(dir)) {
        (void)unlink(link);
        (void)rmdir(link);
        if (mkdtemp(new) == NULL || symlink(new, link) != 0)
            return ERR_STATE;
        (void)snprintf(dir, sizeof(dir), "%s", new);
    }
    up_say(up, "  sockets lie in %s: %s is too long for them\n", dir, link);
    return ERR_OK;
}

static enum err
make_socket_dir(struct up *up)
{
    char link[PLACE_BYTES];
    struct stat st;

    if (place_path(link, sizeof(link), "s") != ERR_OK)
        return ERR_LIMIT;
    if (strlen(link) > SOCKET_DIR_MAX)
        return link_sockets(up, link);
    /* the deployment may have been moved to a shorter place */
    if (lstat(link, &st) == 0 && S_ISLNK(st.st_mode))
        (void)unlink(link);
    return make_dir("s", 0750);
}

void
up_drop_sockets(void)
{
    static const char *const names[] = { "control.sock", "mysql.sock", "wake" };
    char path[PLACE_BYTES], dir[PLACE_BYTES], link[PLACE_BYTES];

    for (int64_t i = 0; i < config()->serve_workers; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "serve-%d.sock", (int)i);
        if (place_socket(path, sizeof(path), name) == ERR_OK)
            (void)unlink(path);
    }
    for (int64_t i = 0; i < (int64_t)COUNT(names); i++) {
        if (place_socket(path, sizeof(path), names[i]) == ERR_OK)
            (void)unlink(path);
    }
    if (place_path(link, sizeof(link), "s") == ERR_OK &&
        place_socket_dir(dir, sizeof(dir)) == ERR_OK &&
        strcmp(link, dir) != 0 && rmdir(dir) == 0)
        (void)unlink(link);
}

/* ---- files ---- */

static enum err
make_config(void)
{
    char path[PLACE_BYTES];
    enum err e;

    if (place_path(path, sizeof(path), "metagate.ini") != ERR_OK)
        return ERR_LIMIT;
    e = config_write_template(path);
    return e == ERR_EXISTS ? ERR_OK : e;
}

/* The key is made before the deployment's id: this is no first start, and the
 * key was lost. One that is kept elsewhere is not looked for. */
static bool
key_is_gone(void)
{
    return str_empty(config()->crypt_key_file) && !exists("key") &&
           exists(DEPLOYMENT_ID_FILE);
}

static enum err
make_key(void)
{
    char path[PLACE_BYTES];
    enum err e;

    if (!str_empty(config()->crypt_key_file))
        return ERR_OK; /* kept elsewhere: a new key would hide its loss */
    if (place_path(path, sizeof(path), "key") != ERR_OK)
        return ERR_LIMIT;
    if (exists("key"))
        return ERR_OK; /* a full disk takes no second one, nor needs to */
    if (key_is_gone())
        return ERR_STATE;
    e = crypt_create(path);
    return e == ERR_EXISTS ? ERR_OK : e;
}

/* Random hex in a file of its own. */
static enum err
make_random(const char *name, size_t bytes, mode_t mode)
{
    char hex[2 * 64 + 1];
    enum err e = place_hex_make(name, bytes, mode, hex);

    crypt_wipe(hex, sizeof(hex));
    return e;
}

static enum err
make_deployment_id(void)
{
    char id[DEPLOYMENT_ID_BYTES];

    return deployment_id(id);
}

static enum err
make_repl_password(void)
{
    return exists("repl.password") ? ERR_OK
                                   : make_random("repl.password", 24, 0600);
}

/* For a MariaDB of our own alone: store.c takes it for one. */
static enum err
make_store_password(void)
{
    return mariadb_count() == 0 || exists(OWN_STORE_PASSWORD)
               ? ERR_OK
               : make_random(OWN_STORE_PASSWORD, 24, 0600);
}

static enum err
make_secret(struct up *up)
{
    return place_hex_make(PLACE_SECRET, 32, 0600, up->secret);
}

static enum err
make_tokens(void)
{
    return token_own();
}

/* The steps, and what to call each when it fails. */
static enum err
run_steps(const char **step)
{
    static const struct {
        const char *name;
        enum err (*make)(void);
    } steps[] = {
        { "metagate.ini", make_config },
        { "the encryption key", make_key },
        { DEPLOYMENT_ID_FILE, make_deployment_id },
        { "repl.password", make_repl_password },
        { "its tokens", make_tokens },
        { "started", config_mark_start },
    };
    enum err e = ERR_OK;

    for (size_t i = 0; i < COUNT(steps) && e == ERR_OK; i++) {
        *step = steps[i].name;
        e = steps[i].make();
    }
    for (size_t i = 0; dialects[i] != NULL; i++) {
        const struct first_start *f = dialects[i]->first_start;

        for (; f != NULL && f->what != NULL && e == ERR_OK; f++) {
            *step = f->what;
            e = f->make();
        }
    }
    return e;
}

static enum err
make_all(struct up *up, const char **step)
{
    enum err e = run_steps(step);

    if (e == ERR_OK) {
        *step = OWN_STORE_PASSWORD;
        e = make_store_password();
    }
    if (e == ERR_OK) {
        *step = PLACE_SECRET;
        e = make_secret(up);
    }
    if (e == ERR_OK) {
        *step = "the folder of sockets";
        e = make_socket_dir(up);
    }
    return e;
}

static void
say_step(const char *step, enum err e, char why[WHY_BYTES])
{
    if (e == ERR_STATE && key_is_gone())
        why_say(why,
                "%s/key is gone: put it back; what the store has sealed cannot "
                "be opened without it",
                config_run_dir());
    else
        why_say(why, "%s: cannot make %s: %s (%s)", config_run_dir(), step,
                err_name(e), strerror(errno));
}

enum err
up_make_files(struct up *up, char why[WHY_BYTES])
{
    const char *step = "its folders";
    enum err e = make_dir("log", 0750);

    if (e == ERR_OK)
        e = make_dir("tmp", 0700);
    if (e == ERR_OK)
        e = make_all(up, &step);
    if (e == ERR_OK) {
        step = PLACE_NET_UP;
        e = up_write_file(PLACE_NET_UP, config_net(), 0640);
    }
    if (e != ERR_OK)
        say_step(step, e, why);
    return e;
}

/* An installed system's workers outlive one another: its secret is kept. */
enum err
up_make_installation(char why[WHY_BYTES])
{
    const char *step = "its folders";
    enum err e = make_dir("log", 0750);

    if (e == ERR_OK)
        e = run_steps(&step);
    if (e == ERR_OK && !exists(PLACE_SECRET)) {
        step = PLACE_SECRET;
        e = make_random(PLACE_SECRET, 32, 0600);
    }
    if (e == ERR_OK) {
        step = PLACE_NET_INIT;
        e = up_write_file(PLACE_NET_INIT, config_net(), 0640);
    }
    if (e != ERR_OK)
        say_step(step, e, why);
    return e;
}
