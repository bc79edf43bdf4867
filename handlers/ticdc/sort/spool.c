#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"

#define WRITE_BYTES ((size_t)256 << 10) /* gathered before they are written */

/* In front of the bytes of each. */
struct head {
    size_t table, n;
    enum binlog_kind kind;
};

struct spool {
    const char *folder;
    size_t memory_max;
    struct buf mem; /* all of it; with a file, what is not written yet */
    int fd;         /* -1: none yet */
    uint64_t written, read_at; /* of the file, or of the memory */
    struct binlog_table **table;
    size_t n_tables, cap_tables;
    char *row; /* read from the file */
    size_t cap_row;
};

struct spool *
spool_new(const char *folder, size_t memory_max)
{
    struct spool *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->folder = folder;
    s->memory_max = memory_max;
    s->mem.max = SIZE_MAX / 4;
    s->fd = -1;
    return s;
}

void
spool_free(struct spool *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n_tables; i++)
        binlog_table_let_go(s->table[i]);
    free(s->table);
    if (s->fd >= 0)
        (void)close(s->fd);
    buf_free(&s->mem);
    free(s->row);
    free(s);
}

size_t
spool_memory(const struct spool *s)
{
    return s->mem.cap + s->cap_row + s->cap_tables * sizeof(*s->table);
}

uint64_t
spool_on_disk(const struct spool *s)
{
    return s->written;
}

/* ---- in ---- */

static enum err
write_all(struct spool *s, const char *p, size_t n)
{
    if (!file_write_fd(s->fd, p, n, (off_t)s->written))
        return ERR_STATE;
    s->written += n;
    return ERR_OK;
}

static enum err
spill(struct spool *s)
{
    enum err e;

    if (s->fd < 0)
        s->fd = open(s->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd < 0)
        return ERR_STATE;
    e = write_all(s, buf_text(&s->mem), s->mem.n);
    buf_free(&s->mem);
    s->mem = (struct buf){ .max = SIZE_MAX / 4 };
    return e;
}

static enum err
table_number(struct spool *s, struct binlog_table *t, size_t *out)
{
    struct binlog_table **more;
    size_t cap = s->cap_tables == 0 ? 4 : 2 * s->cap_tables;

    for (*out = s->n_tables; *out > 0; (*out)--) /* the last is likely */
        if (s->table[*out - 1] == t) {
            (*out)--;
            return ERR_OK;
        }
    *out = s->n_tables;
    if (s->n_tables == s->cap_tables) {
        more = reallocarray(s->table, cap, sizeof(struct binlog_table *));
        if (more == NULL)
            return ERR_NOMEM;
        s->table = more;
        s->cap_tables = cap;
    }
    s->table[s->n_tables++] = binlog_table_hold(t);
    return ERR_OK;
}

enum err
spool_add(struct spool *s, const struct binlog_rows *rows)
{
    struct head h = { .n = rows->n, .kind = rows->kind };
    enum err e = table_number(s, rows->table, &h.table);

    if (e != ERR_OK)
        return e;
    if (s->mem.n + sizeof(h) + rows->n >
        (s->fd >= 0 ? WRITE_BYTES : s->memory_max)) {
        e = spill(s);
        if (e != ERR_OK)
            return e;
    }
    buf_put(&s->mem, (const char *)&h, sizeof(h));
    if (s->fd < 0 || rows->n <= WRITE_BYTES) {
        buf_put(&s->mem, (const char *)rows->p, rows->n);
        return buf_err(&s->mem);
    }
    e = spill(s); /* a large one goes there without a copy */
    return e == ERR_OK ? write_all(s, (const char *)rows->p, rows->n) : e;
}

uint64_t
spool_mark(const struct spool *s)
{
    return s->written + s->mem.n;
}

/* What the file has behind its end is written over. */
void
spool_cut(struct spool *s, uint64_t mark)
{
    if (mark >= s->written) {
        s->mem.n = (size_t)(mark - s->written);
        return;
    }
    s->written = mark;
    s->mem.n = 0;
}

enum err
spool_settle(struct spool *s)
{
    return s->mem.n > 0 ? spill(s) : ERR_OK;
}

/* ---- out ---- */

void
spool_rewind(struct spool *s)
{
    s->read_at = 0;
}

static enum err
read_all(struct spool *s, void *to, size_t n)
{
    char *p = to;

    while (n > 0) {
        ssize_t done = pread(s->fd, p, n, (off_t)s->read_at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return ERR_STATE;
        p += done;
        n -= (size_t)done;
        s->read_at += (uint64_t)done;
    }
    return ERR_OK;
}

static enum err
next_of_file(struct spool *s, struct head *h, const char **p)
{
    enum err e;

    if (s->mem.n > 0) { /* what was added last */
        e = spill(s);
        if (e != ERR_OK)
            return e;
    }
    if (s->read_at == s->written)
        return ERR_NOT_FOUND;
    e = read_all(s, h, sizeof(*h));
    if (e != ERR_OK)
        return e;
    if (h->n > s->cap_row) {
        free(s->row);
        s->row = malloc(h->n);
        s->cap_row = s->row != NULL ? h->n : 0;
        if (s->row == NULL)
            return ERR_NOMEM;
    }
    *p = s->row;
    return read_all(s, s->row, h->n);
}

static enum err
next_of_memory(struct spool *s, struct head *h, const char **p)
{
    if (s->read_at == s->mem.n)
        return ERR_NOT_FOUND;
    memcpy(h, s->mem.p + s->read_at, sizeof(*h));
    *p = s->mem.p + s->read_at + sizeof(*h);
    s->read_at += sizeof(*h) + h->n;
    return ERR_OK;
}

enum err
spool_next(struct spool *s, struct binlog_rows *out)
{
    struct head h;
    const char *p = NULL;
    enum err e =
        s->fd >= 0 ? next_of_file(s, &h, &p) : next_of_memory(s, &h, &p);

    if (e != ERR_OK)
        return e;
    *out = (struct binlog_rows){ .table = s->table[h.table],
                                 .kind = h.kind,
                                 .p = (const unsigned char *)p,
                                 .n = h.n };
    return ERR_OK;
}
