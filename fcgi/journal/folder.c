/* The binlogs of a server as files: their names are in its index. */
#include "folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "binlog/event.h"
#include "groups.h"
#include "instance/copy.h"
#include "instance/paths.h"

#define INDEX     BINLOG_DIR "/bin.index"
#define INDEX_MAX (16 << 20)
#define NAME_MAX_ 63

/* "/some/where/bin.000001": what is behind the last slash. */
static bool
is_name(const char *name)
{
    size_t n = strlen(name);

    return n > 4 && n <= NAME_MAX_ && strncmp(name, "bin.", 4) == 0 &&
           strspn(name + 4, "0123456789") == n - 4;
}

static enum err
take_names(struct folder *f, char *text)
{
    char *rest = text, *line;
    size_t most = 1;

    for (const char *p = text; *p != '\0'; p++)
        most += *p == '\n';
    f->name =
        most <= BINLOGS_MAX ? arena_array(f->a, most, sizeof(*f->name)) : NULL;
    if (f->name == NULL)
        return ERR_LIMIT;
    while ((line = strsep(&rest, "\n")) != NULL) {
        const char *slash = strrchr(line, '/');

        line = slash != NULL ? line + (slash - line) + 1 : line;
        if (is_name(line))
            f->name[f->n++] = line;
    }
    return ERR_OK;
}

static enum err
read_index(struct folder *f, char why[WHY_BYTES])
{
    int fd = open_beneath(f->fd, INDEX, O_RDONLY, 0);
    struct stat st;
    char *text = NULL;
    ssize_t got = -1;

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size < INDEX_MAX)
        text = arena_alloc(f->a, (size_t)st.st_size + 1);
    if (text != NULL)
        got = pread(fd, text, (size_t)st.st_size, 0);
    if (fd >= 0)
        (void)close(fd);
    if (got < 0)
        return copy_failed(ERR_STATE, INDEX, why);
    text[got] = '\0';
    return take_names(f, text) == ERR_OK
               ? ERR_OK
               : why_fail(why, ERR_LIMIT, "it has too many binlogs");
}

enum err
folder_open(const struct instance_spec *s, struct folder *f,
            char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];
    struct home_error error;
    enum err e;

    *f = (struct folder){ .fd = -1, .a = arena_new((size_t)2 * INDEX_MAX) };
    if (s->kind != INSTANCE_STORAGE)
        return why_fail(why, ERR_BAD_PARAM, "it is no storage instance");
    if (f->a == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    (void)instance_homes(s, home);
    e = home_open(&home[1], &f->fd, &error);
    if (e != ERR_OK) {
        f->fd = -1;
        return why_fail(why, e, "%s", error.text);
    }
    return read_index(f, why);
}

void
folder_close(struct folder *f)
{
    if (f->fd >= 0)
        (void)close(f->fd);
    arena_free(f->a);
    *f = (struct folder){ .fd = -1 };
}

size_t
folder_find(const struct folder *f, const char *name)
{
    size_t i = 0;

    while (i < f->n && strcmp(f->name[i], name) != 0)
        i++;
    return i;
}

static bool
read_head(int fd, char *head, size_t *head_n)
{
    ssize_t got = pread(fd, head, GROUPS_MAGIC + EVENT_HEADER_BYTES, 0);

    *head_n =
        got == GROUPS_MAGIC + EVENT_HEADER_BYTES ? groups_head_bytes(head) : 0;
    return *head_n > 0 && pread(fd, head, *head_n, 0) == (ssize_t)*head_n;
}

int
folder_file(const struct folder *f, size_t i, char *head, size_t *head_n,
            enum err *e, char why[WHY_BYTES])
{
    char path[sizeof(BINLOG_DIR) + NAME_MAX_ + 2];
    int fd;

    (void)snprintf(path, sizeof(path), BINLOG_DIR "/%s", f->name[i]);
    fd = open_beneath(f->fd, path, O_RDONLY, 0);
    if (fd < 0) {
        *e = copy_failed(ERR_STATE, f->name[i], why);
    } else if (!read_head(fd, head, head_n)) {
        *e = why_fail(why, ERR_BAD_PARAM, "%s has no head", f->name[i]);
        (void)close(fd);
        fd = -1;
    } else {
        *e = ERR_OK;
    }
    return fd;
}
