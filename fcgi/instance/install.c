/* The life of an instance: made, settled, looked at. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "copy.h"
#include "instance.h"
#include "paths.h"
#include "template.h"

static const struct instance_driver *
driver_of(const struct instance_spec *s, char why[WHY_BYTES])
{
    const struct instance_driver *d = instance_driver_find(s->driver);

    if (d == NULL)
        (void)why_fail(why, ERR_BAD_PARAM,
                       "there is no driver for such an instance");
    return d;
}

/* ---- made ---- */

/* All of its homes; fd[0] is the data home. */
static enum err
make_homes(const struct instance_spec *s, int fd[HOMES_MAX], size_t *n,
           char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];
    struct home_error error;
    size_t want = instance_homes(s, home);
    enum err e = ERR_OK;

    for (*n = 0; e == ERR_OK && *n < want; *n += e == ERR_OK)
        e = home_make(&home[*n], &fd[*n], &error);
    return e == ERR_OK ? e : why_fail(why, e, "%s", error.text);
}

static enum err
make_dir(int home, const char *name, char why[WHY_BYTES])
{
    return mkdirat(home, name, 0700) == 0 || errno == EEXIST
               ? ERR_OK
               : copy_failed(ERR_STATE, name, why);
}

static bool
is_there(int dir, const char *name)
{
    struct stat st;

    return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The data directory under its own name is whole. */
static enum err
make_data(struct arena *a, const struct instance_driver *d,
          const struct instance_spec *s, const struct instance *i, int home,
          char why[WHY_BYTES])
{
    struct home_error error;
    struct home own[HOMES_MAX];
    const char *template, *new;
    enum err e = template_ensure(a, d, &template, why);

    if (e != ERR_OK)
        return e;
    if (home_clear(home, NEW_DIR, &error) != ERR_OK)
        return why_fail(why, ERR_STATE, "%s", error.text);
    (void)instance_homes(s, own);
    new = instance_file(a, &own[0], NEW_DIR);
    if (new == NULL)
        return why_fail(why, ERR_LIMIT, "a path is too long");
    e = copy_tree(template, home, NEW_DIR, why);
    if (e == ERR_OK)
        e = d->personalize(a, s, i, new, why);
    if (e == ERR_OK && home_move(home, NEW_DIR, DATA_DIR) != ERR_OK)
        e = copy_failed(ERR_STATE, i->datadir, why);
    if (e != ERR_OK) /* a full disk is not to stay full of it */
        (void)!home_clear(home, NEW_DIR, &error);
    return e;
}

enum err
instance_install(struct arena *a, const struct instance_spec *s,
                 char why[WHY_BYTES])
{
    const struct instance_driver *d = driver_of(s, why);
    struct instance i;
    int fd[HOMES_MAX];
    size_t n = 0;
    enum err e = instance_check(s, why);

    if (e == ERR_OK && geteuid() == 0)
        e = why_fail(why, ERR_DENIED, "database servers are not run by root");
    if (e == ERR_OK)
        e = make_homes(s, fd, &n, why);
    if (e == ERR_OK)
        e = make_dir(fd[0], TMP_DIR, why);
    if (e == ERR_OK && n > 1)
        e = make_dir(fd[1], BINLOG_DIR, why);
    if (e == ERR_OK && n > 1)
        e = make_dir(fd[2], REDO_DIR, why);
    if (e == ERR_OK)
        e = instance_place(a, s, &i, why);
    if (e == ERR_OK && !is_there(fd[0], DATA_DIR))
        e = make_data(a, d, s, &i, fd[0], why);
    if (e == ERR_OK)
        e = d->configure(a, s, &i, why);
    while (n > 0)
        (void)close(fd[--n]);
    return e;
}

/* All of the file system: one call, where a thousand files would be one each.
 */
enum err
instance_sync(const struct instance_spec *s, char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];
    struct home_error error;
    size_t n = instance_homes(s, home);
    enum err e = ERR_OK;
    int fd;

    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        e = home_open(&home[i], &fd, &error);
        if (e != ERR_OK)
            return why_fail(why, e, "%s", error.text);
        if (syncfs(fd) != 0)
            e = copy_failed(ERR_STATE, home[i].root, why);
        (void)close(fd);
    }
    return e;
}

enum err
instance_configure(struct arena *a, const struct instance_spec *s,
                   char why[WHY_BYTES])
{
    const struct instance_driver *d = driver_of(s, why);
    struct instance i;
    enum err e = d != NULL ? instance_place(a, s, &i, why) : ERR_BAD_PARAM;

    return e == ERR_OK ? d->configure(a, s, &i, why) : e;
}

/* ---- one that runs ---- */

enum err
instance_settle(struct arena *a, const struct instance_spec *s, int timeout_ms,
                char why[WHY_BYTES])
{
    const struct instance_driver *d = driver_of(s, why);

    return d != NULL ? d->settle(a, s, timeout_ms, why) : ERR_BAD_PARAM;
}

enum err
instance_probe(const struct instance_spec *s, int timeout_ms,
               char why[WHY_BYTES])
{
    const struct instance_driver *d = driver_of(s, why);

    return d != NULL ? d->probe(s, timeout_ms, why) : ERR_BAD_PARAM;
}

enum err
instance_set_variable(struct arena *a, const struct instance_spec *s,
                      const char *name, const char *value, char why[WHY_BYTES])
{
    const struct instance_driver *d = driver_of(s, why);

    return d != NULL ? d->set_variable(a, s, name, value, why) : ERR_BAD_PARAM;
}
