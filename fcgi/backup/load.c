/* A restore: prepared beside the data that are there, put in their place, and
 * either kept or taken back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "archive.h"
#include "backup_tool.h"
#include "config.h"
#include "instance/copy.h"
#include "log.h"
#include "instance/mariadb_int.h"
#include "instance/paths.h"

#define END_MS (10 * 60 * 1000)
#define MIB    ((uint64_t)1 << 20)

/* ---- its homes, open ---- */

struct homes {
    struct home home[HOMES_MAX];
    int fd[HOMES_MAX];
    size_t n;
};

static void
close_homes(struct homes *h)
{
    while (h->n > 0)
        (void)close(h->fd[--h->n]);
}

static enum err
open_homes(const struct instance_spec *s, struct homes *h, char why[WHY_BYTES])
{
    struct home_error error;
    size_t n = instance_homes(s, h->home);
    enum err e = ERR_OK;

    h->n = 0;
    if (s->kind != INSTANCE_STORAGE)
        return why_fail(why, ERR_BAD_PARAM, "it is no storage instance");
    while (e == ERR_OK && h->n < n) {
        e = home_open(&h->home[h->n], &h->fd[h->n], &error);
        h->n += e == ERR_OK;
    }
    if (e == ERR_OK)
        return e;
    close_homes(h);
    return why_fail(why, e, "%s", error.text);
}

static bool
is_there(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static enum err
clear(int dir, const char *name, char why[WHY_BYTES])
{
    struct home_error error;
    enum err e = home_clear(dir, name, &error);

    return e == ERR_OK ? e : why_fail(why, e, "%s", error.text);
}

static enum err
move(int dir, const char *name, const char *to, char why[WHY_BYTES])
{
    return home_move(dir, name, to) == ERR_OK
               ? ERR_OK
               : copy_failed(ERR_STATE, name, why);
}

/* ---- fetched and checked ---- */

struct loading {
    struct tool *tool;
    const struct instance_watch *w;
    struct backup_stream stream;
    int64_t bytes;
    const char *wrong;
};

static bool
write_payload(void *ctx, const char *p, size_t n)
{
    struct loading *l = ctx;

    if (!backup_look_mariadb(&l->stream, p, n)) {
        l->wrong = "the archive names files that are no part of a backup";
        return false;
    }
    l->bytes += (int64_t)n;
    if (l->w != NULL && l->w->progress != NULL)
        l->w->progress(l->w->ctx, l->bytes);
    return tool_write(l->tool, l->w, p, n);
}

static enum err
check_manifest(const struct instance_spec *s, const struct instance_backup *b,
               char why[WHY_BYTES])
{
    const struct instance_driver *d = instance_driver_find(s->driver);
    char version[64];
    enum err e;

    if (strcmp(b->engine, s->driver) != 0)
        return why_fail(why, ERR_BAD_PARAM, "the archive is of %.40s",
                        b->engine);
    e = d->version(version, sizeof(version), why);
    if (e == ERR_OK && !backup_same_series(b->version, version))
        e = why_fail(why, ERR_BAD_PARAM,
                     "the archive is of version %.40s, the server of %.40s",
                     b->version, version);
    return e;
}

/* mbstream does not say why it cannot write; what it has written is there. */
static bool
is_full(const char *dir)
{
    struct statvfs v;

    return statvfs(dir, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize < MIB;
}

static enum err
unpacking_failed(const struct tool *t, const char *into, char why[WHY_BYTES])
{
    char line[512];

    tool_last_line(t, line, sizeof(line));
    if (is_full(into))
        return why_fail(why, ERR_LIMIT,
                        "the archive cannot be unpacked: No space left on "
                        "device: %s",
                        line);
    return why_fail(why, ERR_BAD_PARAM, "the archive cannot be unpacked: %s",
                    line);
}

static enum err
fetch(struct arena *a, const struct instance_spec *s, struct blob_store *from,
      const char *key, const char *into, const struct instance_watch *w,
      struct instance_backup *out, char why[WHY_BYTES])
{
    struct tool tool;
    struct loading l = { .tool = &tool, .w = w };
    struct argv argv = ARGV_INIT;
    struct unpack *u = unpack_new(write_payload, &l);
    char text[WHY_BYTES] = "";
    enum err e = ERR_NOMEM, got;

    l.stream.xbstream = (struct xbstream)XBSTREAM_INIT;
    argv_add(&argv, "%s", config()->instance_mbstream);
    argv_add(&argv, "-x");
    argv_add(&argv, "-C");
    argv_add(&argv, "%s", into);
    if (u != NULL && argv_done(&argv) == ERR_OK)
        e = tool_start(&tool, &argv, NULL, false, why);
    if (e == ERR_OK) {
        got = blob_get(from, key, 0, unpack_write, u, text);
        e = unpack_end(u, a, out, why);
        if (l.wrong != NULL)
            e = why_fail(why, ERR_BAD_PARAM, "%s", l.wrong);
        else if (got != ERR_OK && got != ERR_STATE)
            e = why_fail(why, got, "%.500s", text);
        if (tool_wait(&tool, END_MS) != ERR_OK && e == ERR_OK)
            e = ERR_STATE;
        /* it ends early when it cannot go on */
        if (e == ERR_STATE && tool.status != 0 && !tool.stopped)
            e = unpacking_failed(&tool, into, why);
        if (e == ERR_OK && !xbstream_may_end(&l.stream.xbstream))
            e = why_fail(why, ERR_BAD_PARAM, "the archive is cut off");
        tool_close(&tool);
    }
    unpack_free(u);
    argv_free(&argv);
    return e == ERR_OK ? check_manifest(s, out, why) : e;
}

/* Applies what was written while the backup ran. */
static enum err
prepare(const char *dir, const struct instance_watch *w, char why[WHY_BYTES])
{
    struct argv argv = ARGV_INIT;
    struct tool tool;
    char piece[4096], line[512];
    int64_t n = 1;
    enum err e;

    argv_add(&argv, "%s", config()->instance_mariadb_backup);
    argv_add(&argv, "--no-defaults");
    argv_add(&argv, "--prepare");
    argv_add(&argv, "--target-dir=%s", dir);
    argv_add(&argv, "--tmpdir=%s", dir); /* no other, that may be full */
    /* as all our servers: its memory is locked, and counted per user */
    argv_add(&argv, "--innodb-use-native-aio=0");
    e = argv_done(&argv);
    if (e == ERR_OK)
        e = tool_start(&tool, &argv, mariadb_driver.env, true, why);
    if (e != ERR_OK) {
        argv_free(&argv);
        return e;
    }
    while (n > 0)
        n = tool_read(&tool, w, piece, sizeof(piece));
    if (n < 0)
        e = why_fail(why, ERR_STATE, "broken off");
    else if (tool_wait(&tool, END_MS) != ERR_OK)
        e = ERR_STATE;
    tool_last_line(&tool, line, sizeof(line));
    if (n == 0 &&
        (e != ERR_OK || strstr(line, MARIADB_BACKUP_COMPLETED) == NULL)) {
        char tail[4000];

        tool_log_tail(&tool, tail, sizeof(tail));
        log_warn("instance.prepare dir=%s tool=\"%s\"", dir, tail);
        e = why_fail(why, ERR_BAD_PARAM, "the backup cannot be prepared: %s",
                     line);
    }
    tool_close(&tool);
    argv_free(&argv);
    return e;
}

enum err
instance_load(struct arena *a, const struct instance_spec *s,
              struct blob_store *from, const char *key,
              const struct instance_watch *w, struct instance_backup *out,
              char why[WHY_BYTES])
{
    struct homes h;
    const char *into, *init;
    char ignored[WHY_BYTES];
    enum err e = open_homes(s, &h, why);

    if (e != ERR_OK)
        return e;
    into = instance_file(a, &h.home[0], LOAD_DIR);
    init = instance_file(a, &h.home[0], LOAD_INIT);
    if (into == NULL || init == NULL)
        e = why_fail(why, ERR_LIMIT, "a path is too long");
    else if (is_there(h.fd[0], OLD_DIR))
        e = why_fail(why, ERR_STATE,
                     "another restore of it is not finished: its old data are "
                     "still aside");
    if (e == ERR_OK)
        e = clear(h.fd[0], RELAY_DIR, why);
    if (e == ERR_OK)
        e = clear(h.fd[0], LOAD_DIR, why);
    if (e == ERR_OK && mkdirat(h.fd[0], LOAD_DIR, 0700) != 0)
        e = copy_failed(ERR_STATE, LOAD_DIR, why);
    if (e == ERR_OK)
        e = fetch(a, s, from, key, into, w, out, why);
    if (e == ERR_OK)
        e = prepare(into, w, why);
    if (e == ERR_OK)
        e = mariadb_init_file(a, s, init, out->gtid != NULL ? out->gtid : "",
                              why);
    if (e == ERR_OK && syncfs(h.fd[0]) != 0)
        e = copy_failed(ERR_STATE, LOAD_DIR, why);
    if (e != ERR_OK && !is_there(h.fd[0], OLD_DIR)) {
        (void)!clear(h.fd[0], LOAD_INIT, ignored);
        (void)!clear(h.fd[0], LOAD_DIR, ignored);
    }
    close_homes(&h);
    return e;
}

/* ---- put in, kept, taken back ---- */

/* What a restore puts aside: in which home, under which name. */
static const struct {
    size_t home;
    const char *name, *old;
} moved[] = {
    { 1, BINLOG_DIR, BINLOG_DIR ".old" },
    { 2, REDO_DIR, REDO_DIR ".old" },
    { 0, DATA_DIR, OLD_DIR }, /* the last: it says that all are */
};

/* An empty directory in place of the one that goes aside. */
static enum err
replace(int dir, const char *name, const char *old, char why[WHY_BYTES])
{
    enum err e = ERR_OK;

    if (!is_there(dir, old) && is_there(dir, name))
        e = move(dir, name, old, why);
    if (e == ERR_OK && mkdirat(dir, name, 0700) != 0 && errno != EEXIST)
        e = copy_failed(ERR_STATE, name, why);
    return e;
}

enum err
instance_load_place(struct arena *a, const struct instance_spec *s,
                    char why[WHY_BYTES])
{
    struct homes h;
    const char *redo, *to;
    enum err e = open_homes(s, &h, why);

    if (e != ERR_OK)
        return e;
    if (!is_there(h.fd[0], LOAD_DIR)) { /* it is placed */
        if (!is_there(h.fd[0], OLD_DIR))
            e = why_fail(why, ERR_STATE, "nothing has been loaded");
        close_homes(&h);
        return e;
    }
    for (size_t i = 0; e == ERR_OK && i + 1 < COUNT(moved); i++)
        e = replace(h.fd[moved[i].home], moved[i].name, moved[i].old, why);
    redo = instance_file(a, &h.home[0], LOAD_DIR "/" REDO_FILE);
    to = instance_file(a, &h.home[2], REDO_DIR "/" REDO_FILE);
    if (e == ERR_OK && (redo == NULL || to == NULL))
        e = why_fail(why, ERR_LIMIT, "a path is too long");
    if (e == ERR_OK && access(redo, F_OK) == 0 && copy_move(redo, to) != ERR_OK)
        e = copy_failed(ERR_STATE, to, why);
    if (e == ERR_OK && !is_there(h.fd[0], OLD_DIR))
        e = move(h.fd[0], DATA_DIR, OLD_DIR, why);
    /* after it: the old data are never started with it */
    if (e == ERR_OK && is_there(h.fd[0], LOAD_INIT))
        e = move(h.fd[0], LOAD_INIT, INIT_FILE, why);
    if (e == ERR_OK)
        e = move(h.fd[0], LOAD_DIR, DATA_DIR, why);
    close_homes(&h);
    return e;
}

static enum err
keep(const struct homes *h, char why[WHY_BYTES])
{
    enum err e = clear(h->fd[0], INIT_FILE, why); /* it has secrets */

    for (size_t i = 0; e == ERR_OK && i < COUNT(moved); i++)
        e = clear(h->fd[moved[i].home], moved[i].old, why);
    return e;
}

static enum err
take_back(const struct homes *h, char why[WHY_BYTES])
{
    enum err e = ERR_OK;

    if (is_there(h->fd[0], OLD_DIR))
        e = clear(h->fd[0], INIT_FILE, why);
    for (size_t i = 0; e == ERR_OK && i < COUNT(moved); i++) {
        int dir = h->fd[moved[i].home];

        if (!is_there(dir, moved[i].old))
            continue;
        e = clear(dir, moved[i].name, why);
        if (e == ERR_OK)
            e = move(dir, moved[i].old, moved[i].name, why);
    }
    if (e == ERR_OK)
        e = clear(h->fd[0], LOAD_INIT, why);
    if (e == ERR_OK)
        e = clear(h->fd[0], RELAY_DIR, why);
    if (e == ERR_OK)
        e = clear(h->fd[0], LOAD_DIR, why);
    return e;
}

static enum err
in_homes(const struct instance_spec *s,
         enum err (*what)(const struct homes *h, char why[WHY_BYTES]),
         char why[WHY_BYTES])
{
    struct homes h;
    enum err e = open_homes(s, &h, why);

    if (e != ERR_OK)
        return e;
    e = what(&h, why);
    close_homes(&h);
    return e;
}

enum err
instance_load_keep(struct arena *a, const struct instance_spec *s,
                   char why[WHY_BYTES])
{
    (void)a;
    return in_homes(s, keep, why);
}

enum err
instance_load_back(struct arena *a, const struct instance_spec *s,
                   char why[WHY_BYTES])
{
    (void)a;
    return in_homes(s, take_back, why);
}
