/* Templates: a data directory of each driver and version, that new instances
 * are copied from. Made once by the driver's own tool, below a folder of the
 * configuration, under another name, and renamed when it is whole. */
#include "template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "copy.h"
#include "file.h"
#include "home.h"
#include "host/account.h"
#include "log.h"
#include "paths.h"
#include "place.h"
#include "host/proc.h"

#define MAKE_MS    120000
#define VERSION_MS 10000

static enum err
open_folder(struct arena *a, const char **path, int *fd, char why[WHY_BYTES])
{
    char own[PLACE_BYTES];

    *path = config()->instance_templates;
    if (str_empty(*path)) {
        if (place_path(own, sizeof(own), "templates") != ERR_OK)
            return why_fail(why, ERR_LIMIT, "RUN_DIR is too long a path");
        *path = arena_strdup(a, own);
        if (*path == NULL)
            return ERR_NOMEM;
    }
    if (file_mkdir(*path, 0700) != ERR_OK)
        return copy_failed(ERR_STATE, *path, why);
    *fd = open(*path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *fd >= 0 ? ERR_OK : copy_failed(ERR_STATE, *path, why);
}

/* One at a time makes a template; the lock goes with its holder. */
static int
lock(int folder, const char *name, char why[WHY_BYTES])
{
    char file[256];
    int fd;

    (void)snprintf(file, sizeof(file), "%s.lock", name);
    fd = openat(folder, file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    while (fd >= 0 && flock(fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        (void)close(fd);
        fd = -1;
    }
    if (fd < 0)
        (void)copy_failed(ERR_STATE, file, why);
    return fd;
}

/* The sentence of a tool that has failed: its first line that is marked as an
 * error, else its last one. */
static void
find_sentence(const char *output, char *out, size_t size)
{
    static const char *const marks[] = { "[ERROR] ", "error: " };
    const char *line = NULL, *end;

    for (size_t i = 0; line == NULL && i < COUNT(marks); i++)
        line = strstr(output, marks[i]);
    for (const char *p = output; line == NULL && *p != '\0';) {
        end = strchr(p, '\n');
        if (end == NULL || end[1] == '\0')
            line = p;
        p = end != NULL ? end + 1 : p + strlen(p);
    }
    line = line != NULL ? line : "";
    (void)snprintf(out, size, "%.*s", (int)strcspn(line, "\n"), line);
}

static bool
disk_is_full(const char *output)
{
    return strstr(output, "No space left on device") != NULL ||
           strstr(output, "error 28") != NULL; /* InnoDB's words for it */
}

static enum err
run_tool(const struct instance_driver *d, const struct instance *i,
         const char *into, char why[WHY_BYTES])
{
    struct argv argv = ARGV_INIT;
    struct proc_result result;
    char line[512];
    enum err e;

    d->template(i, into, &argv);
    e = argv_done(&argv);
    if (e == ERR_OK) {
        struct proc_spec spec = PROC_SPEC(argv.v);

        spec.env = d->env;
        e = proc_run_spec(&spec, MAKE_MS, &result);
        if (e != ERR_OK) {
            log_error("instance.template driver=%s status=%d output=\"%s\"",
                      d->name, result.status, result.output);
            find_sentence(result.output, line, sizeof(line));
            if (e != ERR_NOT_FOUND)
                e = disk_is_full(result.output) ? ERR_LIMIT : ERR_STATE;
            why_say(why, "%s failed with status %d: %s", argv.v[0],
                    result.status, line);
        }
    }
    argv_free(&argv);
    return e;
}

static enum err
make(struct arena *a, const struct instance_driver *d, const char *folder_path,
     int folder, const char *name, char why[WHY_BYTES])
{
    char account[256], new[256];
    const char *into;
    struct home_error error;
    struct instance i = { .account = account, .tmpdir = folder_path };
    enum err e = account_name(account, sizeof(account));

    if (e != ERR_OK)
        return why_fail(why, e, "this account has no name");
    (void)snprintf(new, sizeof(new), "%s.new", name);
    into = arena_printf(a, "%s/%s", folder_path, new);
    if (into == NULL)
        return ERR_NOMEM;
    /* one that was broken off */
    e = home_clear(folder, new, &error);
    if (e != ERR_OK)
        return why_fail(why, e, "%s", error.text);
    e = run_tool(d, &i, into, why);
    if (e == ERR_OK &&
        (syncfs(folder) != 0 || renameat(folder, new, folder, name) != 0 ||
         fsync(folder) != 0))
        e = copy_failed(ERR_STATE, name, why);
    if (e != ERR_OK)
        (void)!home_clear(folder, new, &error);
    return e;
}

enum err
template_version(const struct template_program *p, const char *const *argv,
                 char *out, size_t size, char why[WHY_BYTES])
{
    struct proc_result r;
    enum err e = proc_run(argv, VERSION_MS, &r);
    const char *text = strstr(r.output, p->before);
    size_t n = 0;

    if (text != NULL) {
        text += strlen(p->before);
        n = strspn(text, "0123456789.");
    }
    if (e == ERR_NOT_FOUND)
        return why_fail(why, e,
                        "%s binaries not found (%.300s); as root: make deps "
                        "GROUPS=%s",
                        p->name, argv[0], p->group);
    if (e != ERR_OK || n == 0)
        return why_fail(why, ERR_STATE, "%.300s is no %s server", argv[0],
                        p->product);
    (void)snprintf(out, size, "%.*s", (int)n, text);
    return ERR_OK;
}

enum err
template_ensure(struct arena *a, const struct instance_driver *d,
                const char **path, char why[WHY_BYTES])
{
    char version[64], name[200];
    const char *folder_path;
    struct stat st;
    int folder = -1, held;
    enum err e = d->version(version, sizeof(version), why);

    if (e == ERR_OK)
        e = open_folder(a, &folder_path, &folder, why);
    if (e != ERR_OK)
        return e;
    (void)snprintf(name, sizeof(name), "%s-%s", d->name, version);
    *path = arena_printf(a, "%s/%s", folder_path, name);
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        held = lock(folder, name, why);
        e = held < 0 ? ERR_STATE : ERR_OK;
        /* another may have made it meanwhile */
        if (e == ERR_OK && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            e = make(a, d, folder_path, folder, name, why);
        if (held >= 0)
            (void)close(held);
    }
    (void)close(folder);
    return e == ERR_OK && *path == NULL ? ERR_NOMEM : e;
}
