/* A table on its way: fetched by the end that it arrives at, piece by piece,
 * so that whatever breaks off goes on where it was. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/beneath.h"
#include "clock.h"
#include "file.h"
#include "http.h"
#include "instance/copy.h"
#include "scope.h"
#include "table_int.h"

#define PIECE_MAX  ((int64_t)8 << 20)
#define PIECE_MIN  ((int64_t)64 << 10)
#define FIRST      ((int64_t)256 << 10) /* of the list, at a time */
#define CALL_MS    120000
#define STALL_S    20
#define ROOM_TIMES 3 /* what is fetched, what is imported, its rows */
#define ROOM_BYTES ((int64_t)16 << 20)

struct fetching {
    struct arena *a;
    const struct instance_source *from;
    const struct instance_watch *w;
    int inbox;
    char *why;

    struct instance_table *table;
    char tag[65];
    int64_t list_bytes; /* with its line feed */
    int64_t bytes;      /* all of the stream */
    int64_t done;       /* of it, here */
    int64_t had;        /* ... from earlier calls */
    int64_t began_ms;
};

/* Where the bytes of one call go: a file, or the list. */
struct sink {
    struct fetching *f;
    const struct http_call *call;
    int fd; /* -1: text */
    char *text;
    size_t n, max;
    enum err e; /* why it takes no more */
};

static bool
goes_on(void *ctx)
{
    struct fetching *f = ctx;

    return f->w == NULL || f->w->go_on == NULL || f->w->go_on(f->w->ctx);
}

/* Nothing is taken but the range that was asked for, of the copy that was
 * begun with. */
static bool
take(void *ctx, const char *p, size_t n)
{
    struct sink *s = ctx;
    struct fetching *f = s->f;

    if (s->call->status != 206 || n > s->max - s->n)
        s->e = why_fail(f->why, ERR_PEER, "the other end sends no ranges");
    else if (!str_empty(f->tag) && strstr(s->call->etag, f->tag) == NULL)
        s->e = why_fail(f->why, ERR_EXISTS, "another copy of it is sent now");
    else if (s->fd < 0)
        memcpy(s->text + s->n, p, n);
    else if (!file_write_fd(s->fd, p, n, -1))
        s->e = copy_failed(ERR_STATE, "write", f->why);
    s->n += s->e == ERR_OK ? n : 0;
    return s->e == ERR_OK;
}

/* What the other end's answer means; the words of a body are not read. */
static enum err
judge(const struct fetching *f, const struct http_call *c)
{
    if (c->status == 206 || c->status == 416)
        return ERR_OK;
    if (c->status == 404)
        return why_fail(f->why, ERR_NOT_FOUND, "it is not sent any more");
    if (c->status == 401 || c->status == 403)
        return why_fail(f->why, ERR_DENIED, "the other end lets nobody in");
    return why_fail(f->why, ERR_PEER, "the other end answers %d", c->status);
}

/* n bytes from `at` on of the stream into the sink. What has come is kept,
 * also when it breaks off. */
static enum err
call(struct fetching *f, int64_t at, int64_t n, struct sink *s)
{
    char token[256], range[80];
    struct http_call c = { .method = "GET",
                           .url = f->from->url,
                           .header = { range },
                           .write = take,
                           .write_ctx = s,
                           .chosen_here = true,
                           .from = f->from->address,
                           .deadline_ms = clock_mono_ms() + CALL_MS,
                           .stall_s = STALL_S,
                           .go_on = goes_on,
                           .go_on_ctx = f };
    enum err e;

    (void)snprintf(range, sizeof(range), "Range: bytes=%lld-%lld",
                   (long long)at, (long long)(at + n - 1));
    if (!str_empty(f->from->token)) {
        (void)snprintf(token, sizeof(token), TOKEN_HEADER ": %s",
                       f->from->token);
        c.header[1] = token;
    }
    s->f = f;
    s->call = &c;
    e = http_call(&c);
    s->call = NULL;
    explicit_bzero(token, sizeof(token));
    if (s->e != ERR_OK)
        return s->e;
    return e == ERR_OK ? judge(f, &c) : why_fail(f->why, e, "%s", c.why);
}

/* ---- the list ---- */

static enum err
take_list(struct fetching *f, const char *text, size_t n)
{
    enum err e = table_list_read(f->a, text, n, f->table, f->why);

    if (e == ERR_OK)
        e = table_list_tag(text, n, f->tag);
    f->list_bytes = (int64_t)n + 1;
    f->bytes = table_stream_bytes(f->table, n + 1);
    return e;
}

static enum err
check_room(const struct fetching *f)
{
    int64_t need = f->bytes > (INT64_MAX - ROOM_BYTES) / ROOM_TIMES
                       ? INT64_MAX
                       : ROOM_TIMES * f->bytes + ROOM_BYTES;
    struct statvfs v;

    if (fstatvfs(f->inbox, &v) != 0)
        return copy_failed(ERR_STATE, "the disk", f->why);
    if ((int64_t)(v.f_bavail * v.f_frsize) >= need)
        return ERR_OK;
    return why_fail(
        f->why, ERR_LIMIT, "it needs %lld MiB of disk, and %lld are free",
        (long long)(need >> 20), (long long)((v.f_bavail * v.f_frsize) >> 20));
}

/* As far as the line feed. */
static enum err
fetch_list(struct fetching *f)
{
    struct sink s = { .fd = -1, .max = FIRST };
    char *text = NULL, *end = NULL, *more;
    enum err e = ERR_OK;

    while (e == ERR_OK && end == NULL) {
        size_t had = s.n;

        more = s.n < LIST_BYTES ? realloc(text, s.n + FIRST) : NULL;
        if (more == NULL) {
            e = why_fail(f->why, ERR_LIMIT, "its list is too long");
            break;
        }
        s.text = text = more;
        s.max = s.n + FIRST;
        e = call(f, (int64_t)s.n, FIRST, &s);
        end = e == ERR_OK ? memchr(text + had, '\n', s.n - had) : NULL;
        if (e == ERR_OK && end == NULL && s.n == had)
            e = why_fail(f->why, ERR_PEER, "its list has no end");
    }
    if (e == ERR_OK)
        e = take_list(f, text, (size_t)(end - text));
    if (e == ERR_OK)
        e = check_room(f);
    if (e == ERR_OK)
        e = table_list_write(f->inbox, text, (size_t)(end - text), f->why);
    free(text);
    return e;
}

/* What an earlier call has fetched; NOT_FOUND. */
static enum err
find_list(struct fetching *f)
{
    char *text;
    size_t n;
    enum err e = table_list_text(f->a, f->inbox, &text, &n, f->why);

    return e == ERR_OK ? take_list(f, text, n) : e;
}

/* ---- the files ---- */

static int64_t
piece_of(const struct fetching *f, int64_t left)
{
    int64_t most = f->from->bytes_per_s;

    most = most == 0 || most / 4 > PIECE_MAX ? PIECE_MAX
           : most / 4 < PIECE_MIN            ? PIECE_MIN
                                             : most / 4;
    return left < most ? left : most;
}

/* Not faster than allowed, as an average since the call began. */
static bool
hold_back(struct fetching *f)
{
    const struct timespec nap = { 0, 50000000L };
    int64_t per_s = f->from->bytes_per_s;

    while (per_s > 0 &&
           (f->done - f->had) * 1000 / per_s > clock_mono_ms() - f->began_ms) {
        if (!goes_on(f))
            return false;
        (void)nanosleep(&nap, NULL);
    }
    return goes_on(f);
}

static void
tell(const struct fetching *f)
{
    if (f->w != NULL && f->w->progress != NULL)
        f->w->progress(f->w->ctx, f->done);
}

/* From where it ends; `at`: where its bytes begin in the stream. */
static enum err
fetch_rest(struct fetching *f, int fd, const struct instance_table_file *file,
           int64_t had, int64_t at)
{
    enum err e = ERR_OK;

    while (e == ERR_OK && had < file->bytes) {
        struct sink s = { .fd = fd };

        s.max = (size_t)piece_of(f, file->bytes - had);
        e = hold_back(f) ? call(f, at + had, (int64_t)s.max, &s)
                         : why_fail(f->why, ERR_STATE, "broken off");
        if (e == ERR_OK && s.n < s.max)
            e = why_fail(f->why, ERR_PEER, "%zu of %zu bytes have come", s.n,
                         s.max);
        had += (int64_t)s.n;
        f->done += (int64_t)s.n;
        tell(f);
    }
    if (e == ERR_OK && fsync(fd) != 0)
        e = copy_failed(ERR_STATE, file->name, f->why);
    return e;
}

static enum err
fetch_file(struct fetching *f, const struct instance_table_file *file,
           int64_t at)
{
    int fd =
        open_beneath(f->inbox, file->name, O_WRONLY | O_CREAT | O_APPEND, 0600);
    struct stat st;
    enum err e;

    if (fd < 0 || fstat(fd, &st) != 0)
        e = copy_failed(ERR_STATE, file->name, f->why);
    else if (st.st_size > file->bytes)
        e = why_fail(f->why, ERR_BAD_PARAM, "%.40s is damaged", file->name);
    else {
        f->done += st.st_size;
        f->had += st.st_size;
        e = fetch_rest(f, fd, file, st.st_size, at);
    }
    if (fd >= 0)
        (void)close(fd);
    return e;
}

enum err
instance_table_fetch(struct arena *a, const struct instance_source *from,
                     int inbox, const struct instance_watch *w,
                     struct instance_table *out, char why[WHY_BYTES])
{
    struct fetching f = { .a = a,
                          .from = from,
                          .w = w,
                          .inbox = inbox,
                          .why = why,
                          .table = out,
                          .began_ms = clock_mono_ms() };
    int64_t at;
    enum err e = find_list(&f);

    if (e == ERR_NOT_FOUND)
        e = fetch_list(&f);
    at = f.list_bytes;
    for (size_t i = 0; e == ERR_OK && i < out->files.n; i++) {
        e = fetch_file(&f, &out->files.v[i], at);
        at += out->files.v[i].bytes;
    }
    return e;
}
