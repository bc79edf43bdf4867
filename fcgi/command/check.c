/* metagate check: looks at a running deployment and says of each thing
 * whether it is well, and if not, what to do. */
#include "check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "buf.h"
#include "base/commands.h"
#include "config.h"
#include "crypt.h"
#include "dialect.h"
#include "file.h"
#include "hex.h"
#include "host/port.h"
#include "log.h"
#include "front/nginx.h"
#include "identity/token_lookup.h"
#include "listener.h"
#include "place.h"

#define DISK_WARN_BYTES ((uint64_t)2 << 30)
#define DISK_FAIL_BYTES ((uint64_t)256 << 20)
#define CONNECT_MS      2000

static const char *const verdicts[] = { "ok", "warn", "fail" };

void
check_report(struct look *l, const char *what, const struct finding *f)
{
    if ((int)f->verdict > l->worst)
        l->worst = (int)f->verdict;
    if (!l->json) {
        printf("%-4s  %-12s %s%s%s\n", verdicts[f->verdict], what, f->fact,
               str_empty(f->cure) ? "" : "; ", f->cure);
        return;
    }
    jw_object(&l->w);
    jw_key_str(&l->w, "check", what);
    jw_key_str(&l->w, "result", verdicts[f->verdict]);
    jw_key_str(&l->w, "fact", f->fact);
    jw_key_str(&l->w, "cure", f->cure);
    jw_object_end(&l->w);
}

/* ---- files ---- */

static const struct {
    const char *name;
    mode_t most; /* bits beyond these are a failure */
    bool must;
} files[] = {
    { "", 0750, true },
    { "metagate.ini", 0640, true },
    { "token", 0600, true },
    { "tokens.map", 0600, true },
    { "curlrc", 0600, true },
    { "key", 0600, true },
    { "secret", 0600, true },
    { "repl.password", 0600, false },
    { "mysql.password", 0600, false },
    { "mysql", 0700, false },
    { "deployment_id", 0640, true },
    { "s", 0750, true },
};

/* A finding for what is wrong with it; else none. */
static void
check_mode(struct finding *f, const char *path, mode_t most, bool must)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        if (must || errno != ENOENT) {
            FOUND(f, FAIL, "%s: %s", path, strerror(errno));
            CURE(f, "run this as the account of the deployment; `make run` "
                    "or `metagate init` writes what is missing, but for a "
                    "key that the store knows");
        }
        return;
    }
    if ((st.st_mode & 07777 & ~most) != 0) {
        FOUND(f, FAIL, "%s has mode %04o", path,
              (unsigned)(st.st_mode & 07777));
        CURE(f, "chmod %04o %s", (unsigned)most, path);
    }
}

static bool
look_mode(struct look *l, const char *path, mode_t most, bool must)
{
    struct finding f = { 0 };

    check_mode(&f, path, most, must);
    if (f.verdict != OK)
        check_report(l, "files", &f);
    return f.verdict == OK;
}

/* What dialects have made for themselves. */
static bool
look_dialects(struct look *l)
{
    char path[PLACE_BYTES];
    bool well = true;

    for (size_t d = 0; dialects[d] != NULL; d++) {
        const struct first_start *f = dialects[d]->first_start;

        for (; f != NULL && f->what != NULL; f++)
            for (size_t i = 0; i < COUNT(f->files); i++)
                if (f->files[i] != NULL &&
                    place_path(path, sizeof(path), f->files[i]) == ERR_OK)
                    well &= look_mode(l, path, 0600, false);
    }
    return well;
}

/* Who can open a worker's socket is kept out by its secret alone. */
static bool
look_sockets(struct look *l)
{
    char name[32], path[PLACE_BYTES];
    bool well = true;

    for (int64_t i = 0; i < config()->serve_workers; i++) {
        snprintf(name, sizeof(name), "serve-%lld.sock", (long long)i);
        if (place_socket(path, sizeof(path), name) == ERR_OK)
            well &= look_mode(l, path, 0660, false);
    }
    return well;
}

static void
look_files(struct look *l)
{
    struct finding f = { .verdict = OK };
    char path[PLACE_BYTES];
    bool well = true;

    for (size_t i = 0; i < COUNT(files); i++)
        if (place_path(path, sizeof(path), files[i].name) == ERR_OK)
            well &= look_mode(l, path, files[i].most, files[i].must);
    well &= look_dialects(l);
    well &= look_sockets(l);
    if (!well)
        return;
    FOUND(&f, OK, "all have the modes they need");
    check_report(l, "files", &f);
}

static void
look_in_map(struct finding *f, const char *path, const char *token)
{
    struct token_grant grant;
    char map[PLACE_BYTES];

    if (place_path(map, sizeof(map), "tokens.map") != ERR_OK ||
        token_lookup_load(map) != ERR_OK) {
        FOUND(f, FAIL, "%s cannot be read", map);
        CURE(f, "the message above tells why");
    } else if (!token_lookup(token, &grant)) {
        FOUND(f, FAIL, "the token in %s is not in tokens.map, or has expired",
              path);
        CURE(f, "`metagate token add NAME admin` makes a new one");
    } else {
        FOUND(f, OK, "%s holds a token of tokens.map", path);
    }
    token_lookup_unload();
}

static void
look_token(struct look *l)
{
    struct finding f = { 0 };
    char path[PLACE_BYTES], *text = NULL;
    size_t n = 0;

    if (place_path(path, sizeof(path), "token") != ERR_OK ||
        file_read_line(l->arena, path, 4096, &text, &n) != ERR_OK) {
        FOUND(&f, FAIL, "%s cannot be read: %s", path, strerror(errno));
        CURE(&f, "`metagate token add NAME admin` makes a new one");
    } else if (hex_is(text, 64, 64)) {
        look_in_map(&f, path, text);
    } else {
        FOUND(&f, FAIL, "%s is not 64 lower-case hex digits", path);
        CURE(&f, "`metagate token add NAME admin` makes a new one");
    }
    crypt_wipe(text, n);
    check_report(l, "token", &f);
}

static void
look_key(struct look *l)
{
    struct finding f = { 0 };
    char path[PLACE_BYTES];
    const char *named = config()->crypt_key_file;

    if (str_empty(named) && place_path(path, sizeof(path), "key") == ERR_OK)
        named = path;
    if (crypt_load(named) == ERR_OK) {
        FOUND(&f, OK, "%s is read, key %u encrypts", named, crypt_key_id());
    } else {
        FOUND(&f, FAIL, "%s cannot be used", named);
        CURE(&f, "put back the key file of this store: without it no stored "
                 "secret can be read");
    }
    check_report(l, "key", &f);
}

/* What clients that read slowly can have nginx put there. */
static void
look_replies(struct look *l, uint64_t free_bytes)
{
    uint64_t of_one = (uint64_t)config()->nginx_client_connections *
                          (uint64_t)config()->nginx_reply_temp_kib
                      << 10;
    struct finding f = { 0 };

    if (of_one <= free_bytes / 2)
        return;
    FOUND(&f, WARN,
          "slow clients of one address may fill %llu of %llu MiB that are free "
          "below %s",
          (unsigned long long)(of_one >> 20),
          (unsigned long long)(free_bytes >> 20), config_run_dir());
    CURE(&f, "make room, or lower [nginx] reply_temp_kib or "
             "client_connections");
    check_report(l, "disk", &f);
}

static void
look_disk(struct look *l)
{
    struct finding f = { 0 };
    struct statvfs st;
    uint64_t free_bytes;

    if (statvfs(config_run_dir(), &st) != 0) {
        FOUND(&f, FAIL, "%s: %s", config_run_dir(), strerror(errno));
        CURE(&f, "run this as the account of the deployment");
        check_report(l, "disk", &f);
        return;
    }
    free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    FOUND(&f,
          free_bytes < DISK_FAIL_BYTES   ? FAIL
          : free_bytes < DISK_WARN_BYTES ? WARN
                                         : OK,
          "%llu MiB free below %s", (unsigned long long)(free_bytes >> 20),
          config_run_dir());
    if (f.verdict != OK)
        CURE(&f, "make room: a full disk ends MariaDB");
    check_report(l, "disk", &f);
    look_replies(l, free_bytes);
}

/* ---- listeners ---- */

static bool
answers(const struct port_address *a)
{
    int fd = port_connect(a, CONNECT_MS);

    if (fd >= 0)
        (void)close(fd);
    return fd >= 0;
}

static void
look_listener(struct look *l, const struct listening *at, enum err e)
{
    struct finding f = { 0 };
    struct port_address a;

    if (e != ERR_OK || port_address(at->address, &a) != ERR_OK) {
        FOUND(&f, FAIL, "%s has no address", at->id);
        CURE(&f, "see [listen] %s in metagate.ini", at->key);
    } else if (!answers(&a)) {
        FOUND(&f, FAIL, "%s does not answer on %s", at->id, at->address);
        CURE(&f, "`metagate status` tells what runs, RUN_DIR/log why not");
    } else {
        FOUND(&f, OK, "%s answers on %s", at->id, at->address);
    }
    check_report(l, "listener", &f);
}

static void
look_listeners(struct look *l)
{
    struct listening at;
    enum err e;

    for (size_t i = 0; (e = listener_at(i, &at)) != ERR_NOT_FOUND; i++) {
        if (e != ERR_STATE)
            look_listener(l, &at, e);
    }
}

static void
look_nginx(struct look *l)
{
    struct finding f = { 0 };
    char why[WHY_BYTES] = "";

    if (nginx_test(nginx_runs(), why) == ERR_OK) {
        FOUND(&f, OK, "nginx -t takes its configuration");
    } else {
        for (char *p = why; (p = strchr(p, '\n')) != NULL;)
            *p = ' '; /* a finding is one line */
        FOUND(&f, FAIL, "nginx -t: %.400s", why);
        CURE(&f, "mend what it names; `metagate nginx` writes RUN_DIR/nginx "
                 "anew");
    }
    check_report(l, "nginx", &f);
}

/* ---- the whole ---- */

static const struct {
    void (*look)(struct look *);
} looks[] = {
    { look_files },      { look_token },     { look_key },
    { look_disk },       { check_confine },  { check_children },
    { check_instances }, { look_listeners }, { look_nginx },
    { check_store },
};

static int
usage(void)
{
    fputs("usage: metagate check [-o json]\n"
          "Looks at a running deployment (--run-dir, --net): configuration,\n"
          "files, token, keys, disk, confinement, children, instances, "
          "listeners, nginx, "
          "store, its\n"
          "settings, schema and clock. Each line is ok, warn or fail with\n"
          "what to do. Exit status 0, or 1 when something fails.\n",
          stderr);
    return 2;
}

/* Whether there is a deployment whose configuration can be read; nothing
 * else can be said of one without. */
static bool
look_config(struct look *l)
{
    struct finding f = { .verdict = OK };
    char path[PLACE_BYTES] = "", why[WHY_BYTES] = "its path is too long";

    if (access(config_run_dir(), X_OK) != 0) {
        FOUND(&f, FAIL, "%s: %s", config_run_dir(), strerror(errno));
        CURE(&f, errno == EACCES
                     ? "run this as the account of the deployment"
                     : "--run-dir or RUN_DIR says where the deployment lies");
    } else if (place_path(path, sizeof(path), "metagate.ini") != ERR_OK ||
               config_load(path, why) != ERR_OK) {
        FOUND(&f, FAIL, "%s", why);
        CURE(&f, "`metagate config` prints every key; mend it before the "
                 "next start");
    } else {
        FOUND(&f, OK, "%s is understood", path);
    }
    check_report(l, "config", &f);
    return f.verdict == OK;
}

static void
run(struct look *l)
{
    if (!look_config(l))
        return;
    for (size_t i = 0; i < COUNT(looks); i++)
        looks[i].look(l);
}

int
check_main(int argc, char **argv)
{
    struct buf b = BUF_INIT((size_t)1 << 20);
    struct look l = { .worst = OK };

    l.json =
        argc == 3 && strcmp(argv[1], "-o") == 0 && strcmp(argv[2], "json") == 0;
    if (argc != 1 && !l.json)
        return usage();
    log_set_level(LOG_LV_ERROR); /* what is well is told below */
    l.arena = arena_new((size_t)16 << 20);
    if (l.arena == NULL)
        return 1;
    jw_init(&l.w, &b, &json_readable);
    jw_array(&l.w);
    run(&l);
    jw_array_end(&l.w);
    if (l.json)
        printf("%s\n", buf_text(&b));
    buf_free(&b);
    arena_free(l.arena);
    return l.worst == FAIL ? 1 : 0;
}
