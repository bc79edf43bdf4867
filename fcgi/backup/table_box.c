/* A table on its way: the directory that holds its files at either end, and
 * the one stream of bytes that it is in between. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beneath.h"
#include "crypt/digest.h"
#include "file.h"
#include "instance/copy.h"
#include "instance/paths.h"
#include "table_int.h"

/* ---- the directory ---- */

static enum err
open_home(const struct instance_spec *s, int *fd, char why[WHY_BYTES])
{
    struct home home[HOMES_MAX];
    struct home_error error;
    enum err e;

    (void)instance_homes(s, home);
    e = home_open(&home[0], fd, &error);
    return e == ERR_OK ? e : why_fail(why, e, "%s", error.text);
}

static enum err
clear(int home, const char *name, char why[WHY_BYTES])
{
    struct home_error error;
    enum err e = home_clear(home, name, &error);

    return e == ERR_OK ? e : why_fail(why, e, "%s", error.text);
}

enum err
instance_box_open(const struct instance_spec *s, const char *name, bool empty,
                  int *fd, char why[WHY_BYTES])
{
    int home;
    enum err e = open_home(s, &home, why);

    *fd = -1;
    if (e != ERR_OK)
        return e;
    if (empty)
        e = clear(home, name, why);
    if (e == ERR_OK && mkdirat(home, name, 0700) != 0 && errno != EEXIST)
        e = copy_failed(ERR_STATE, name, why);
    if (e == ERR_OK) {
        *fd = open_beneath(home, name, O_RDONLY | O_DIRECTORY, 0);
        if (*fd < 0)
            e = copy_failed(ERR_STATE, name, why);
    }
    (void)close(home);
    return e;
}

enum err
instance_box_clear(const struct instance_spec *s, const char *name,
                   char why[WHY_BYTES])
{
    int home;
    enum err e = open_home(s, &home, why);

    if (e == ERR_NOT_FOUND)
        return ERR_OK; /* the instance is gone, and all that was its own */
    if (e != ERR_OK)
        return e;
    e = clear(home, name, why);
    (void)close(home);
    return e;
}

/* ---- what is in it ---- */

/* The names are ours: what arrives cannot name a file anywhere else. */
static bool
is_named_so(const struct instance_table_file *f, size_t i)
{
    char name[40];

    (void)snprintf(name, sizeof(name), "%zu.%s", i / 2,
                   i % 2 == 0 ? "ibd" : "cfg");
    return f->name != NULL && strcmp(f->name, name) == 0;
}

static bool
is_whole(const struct instance_table *t)
{
    int64_t left = INT64_MAX - (int64_t)LIST_BYTES - 1;

    if (t->version == NULL || t->definition == NULL || t->checksum == NULL ||
        t->files.n == 0 || t->files.n % 2 != 0 ||
        t->files.n > 2 * PARTITIONS_MAX)
        return false;
    for (size_t i = 0; i < t->files.n; i++) {
        const struct instance_table_file *f = &t->files.v[i];

        if (!is_named_so(f, i) || f->bytes < 0 || f->bytes > left ||
            f->sha256 == NULL || strlen(f->sha256) != 64)
            return false;
        left -= f->bytes;
    }
    return true;
}

enum err
table_list_read(struct arena *a, const char *text, size_t n,
                struct instance_table *out, char why[WHY_BYTES])
{
    enum err e = record_read(a, &instance_table_rec, text, n, 0, out);

    if (e == ERR_OK && is_whole(out))
        return ERR_OK;
    return why_fail(why, e == ERR_NOMEM ? e : ERR_BAD_PARAM,
                    "what was sent is no table");
}

enum err
table_list_write(int box, const char *text, size_t n, char why[WHY_BYTES])
{
    return file_write_beneath(box, LIST_FILE, text, n) == ERR_OK
               ? ERR_OK
               : copy_failed(ERR_STATE, LIST_FILE, why);
}

enum err
instance_box_seal(struct arena *a, int box, const struct instance_table *t,
                  char why[WHY_BYTES])
{
    const char *text;
    enum err e = record_text(a, &json_compact, &instance_table_rec, t,
                             SECRETS_FULL, LIST_BYTES, &text);

    return e == ERR_OK ? table_list_write(box, text, strlen(text), why)
                       : why_fail(why, e, "the table has too many parts");
}

enum err
table_list_text(struct arena *a, int box, char **text, size_t *n,
                char why[WHY_BYTES])
{
    int fd = open_beneath(box, LIST_FILE, O_RDONLY, 0);
    struct stat st;
    enum err e = ERR_OK;

    if (fd < 0)
        return copy_failed(errno == ENOENT ? ERR_NOT_FOUND : ERR_STATE,
                           LIST_FILE, why);
    if (fstat(fd, &st) != 0 || st.st_size > (off_t)LIST_BYTES)
        e = why_fail(why, ERR_STATE, LIST_FILE " is too long");
    *text = e == ERR_OK ? arena_alloc(a, (size_t)st.st_size + 2) : NULL;
    if (e == ERR_OK && *text == NULL)
        e = why_fail(why, ERR_NOMEM, "out of memory");
    if (e == ERR_OK && file_read_fd(fd, *text, (size_t)st.st_size, n) != ERR_OK)
        e = copy_failed(ERR_STATE, LIST_FILE, why);
    (void)close(fd);
    return e;
}

enum err
instance_box_read(struct arena *a, int box, struct instance_table *out,
                  char why[WHY_BYTES])
{
    char *text;
    size_t n;
    enum err e = table_list_text(a, box, &text, &n, why);

    return e == ERR_OK ? table_list_read(a, text, n, out, why) : e;
}

/* ---- one stream: the list, a line feed, the files in its order ---- */

struct instance_stream {
    int box, file;
    size_t at; /* which file is open */
    const char *list;
    size_t list_bytes;
    struct instance_table table;
    int64_t bytes;
    char tag[65];
};

static void
close_stream(void *ctx)
{
    struct instance_stream *s = ctx;

    if (s->file >= 0)
        (void)close(s->file);
    (void)close(s->box);
}

int64_t
table_stream_bytes(const struct instance_table *t, size_t list_bytes)
{
    int64_t n = (int64_t)list_bytes;

    for (size_t i = 0; i < t->files.n; i++)
        n += t->files.v[i].bytes;
    return n;
}

enum err
table_list_tag(const char *text, size_t n, char out[65])
{
    struct digest *d = digest_new();
    enum err e =
        d != NULL && digest_add(d, text, n) ? digest_hex(d, out) : ERR_NOMEM;

    digest_free(d);
    return e;
}

enum err
instance_stream_open(struct arena *a, const char *path,
                     struct instance_stream **out, char why[WHY_BYTES])
{
    struct instance_stream *s = arena_alloc(a, sizeof(*s));
    char *text;
    enum err e;

    if (s == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    *s = (struct instance_stream){ .file = -1 };
    s->box = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (s->box < 0)
        return copy_failed(ERR_NOT_FOUND, "the table's files", why);
    e = arena_defer(a, close_stream, s);
    if (e == ERR_OK)
        e = table_list_text(a, s->box, &text, &s->list_bytes, why);
    if (e == ERR_OK)
        e = table_list_read(a, text, s->list_bytes, &s->table, why);
    if (e == ERR_OK)
        e = table_list_tag(text, s->list_bytes, s->tag);
    if (e != ERR_OK)
        return e;
    text[s->list_bytes++] = '\n';
    s->list = text;
    s->bytes = table_stream_bytes(&s->table, s->list_bytes);
    *out = s;
    return ERR_OK;
}

int64_t
instance_stream_bytes(const struct instance_stream *s)
{
    return s->bytes;
}

const char *
instance_stream_tag(const struct instance_stream *s)
{
    return s->tag;
}

static int
open_file(struct instance_stream *s, size_t i)
{
    if (s->file >= 0 && s->at == i)
        return s->file;
    if (s->file >= 0)
        (void)close(s->file);
    s->at = i;
    s->file = open_beneath(s->box, s->table.files.v[i].name, O_RDONLY, 0);
    return s->file;
}

int64_t
instance_stream_read(struct instance_stream *s, int64_t at, char *p, size_t n)
{
    int64_t left = at - (int64_t)s->list_bytes;
    size_t i = 0;
    ssize_t got;

    if (at < 0 || at >= s->bytes)
        return 0;
    if (left < 0) {
        n = n < (size_t)-left ? n : (size_t)-left;
        memcpy(p, s->list + at, n);
        return (int64_t)n;
    }
    for (; left >= s->table.files.v[i].bytes; i++)
        left -= s->table.files.v[i].bytes;
    if ((int64_t)n > s->table.files.v[i].bytes - left)
        n = (size_t)(s->table.files.v[i].bytes - left);
    if (open_file(s, i) < 0)
        return -1;
    got = pread(s->file, p, n, left);
    return got > 0 ? got : -1; /* one that is shorter than it was */
}
