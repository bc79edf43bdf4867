/* Positions in a server's binlogs, and what is taken from there on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/press.h"
#include "binlog/gtid.h"
#include "folder.h"
#include "groups.h"
#include "instance/copy.h"
#include "journal.h"

#define READ_BYTES ((size_t)256 << 10)
#define LEVEL      1

static bool
same(struct instance_gtid a, struct instance_gtid b)
{
    return a.seq == b.seq && (a.seq == 0 || a.server == b.server);
}

static struct instance_gtid
gtid_of(const struct group *g)
{
    return (struct instance_gtid){ .server = g->server, .seq = g->seq };
}

/* ---- a file that is gone through ---- */

/* Gives a file to `groups` from `at` on (0: behind the head), until its end or
 * until that breaks off. OK also then. */
static enum err
go_through(const struct folder *f, size_t i, int64_t at, struct groups *groups,
           char why[WHY_BYTES])
{
    char head[GROUPS_HEAD_MAX], *piece;
    size_t head_n;
    ssize_t got = 1;
    enum err e;
    int fd = folder_file(f, i, head, &head_n, &e, why);

    if (fd < 0)
        return e;
    piece = malloc(READ_BYTES);
    if (piece == NULL)
        e = why_fail(why, ERR_NOMEM, "out of memory");
    at = at > (int64_t)head_n ? at : (int64_t)head_n;
    if (e == ERR_OK && groups_write(groups, head, head_n)) {
        groups_jump(groups, at);
        while ((got = pread(fd, piece, READ_BYTES, at)) > 0 &&
               groups_write(groups, piece, (size_t)got))
            at += got;
        if (got < 0)
            e = copy_failed(ERR_STATE, f->name[i], why);
    }
    free(piece);
    (void)close(fd);
    if (e == ERR_OK && groups_wrong(groups) != NULL)
        e = why_fail(why, ERR_BAD_PARAM, "%s: %.400s", f->name[i],
                     groups_wrong(groups));
    return e;
}

/* ---- a position that is looked for ---- */

struct seek {
    uint32_t domain;
    struct instance_gtid after;
    bool list_seen, found, beyond;
    struct instance_gtid before; /* the file */
    int64_t at;
};

static bool
see_list(void *ctx, const struct binlog_gtids *list)
{
    struct seek *k = ctx;
    const struct binlog_gtid *g = gtids_domain(list, k->domain);

    k->list_seen = true;
    if (g != NULL)
        k->before = (struct instance_gtid){ g->server, g->seq };
    k->found = same(k->before, k->after);
    k->beyond = !k->found && k->before.seq >= k->after.seq;
    return !k->found && !k->beyond;
}

/* A file without a list is the first one there ever was. */
static bool
see_begin(void *ctx, const struct group *g, bool *wanted)
{
    struct seek *k = ctx;

    (void)wanted;
    if (g->domain != k->domain)
        return true;
    if (!k->list_seen && k->after.seq == 0)
        k->found = true;
    else if (g->seq > k->after.seq)
        k->beyond = true;
    return !k->found && !k->beyond;
}

static bool
see_end(void *ctx, const struct group *g)
{
    struct seek *k = ctx;

    k->found = g->domain == k->domain && same(gtid_of(g), k->after);
    k->at = g->end;
    return !k->found;
}

static enum err
seek_in(const struct folder *f, size_t i, struct seek *k, char why[WHY_BYTES])
{
    const struct group_taker t = {
        .before = see_list, .begins = see_begin, .ended = see_end, .ctx = k
    };
    struct groups *g = groups_new(&t);
    enum err e;

    if (g == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    e = go_through(f, i, 0, g, why);
    groups_free(g);
    return e;
}

/* From the newest file back to that which begins at or before the position. */
static enum err
seek(const struct folder *f, int64_t domain, struct instance_gtid after,
     struct journal_position *out, char why[WHY_BYTES])
{
    const struct binlog_gtid g = { .domain = (uint32_t)domain,
                                   .server = after.server,
                                   .seq = after.seq };
    char text[BINLOG_GTID_MAX];

    binlog_gtid_text(&g, text);
    for (size_t i = f->n; i-- > 0;) {
        struct seek k = { .domain = (uint32_t)domain, .after = after };
        enum err e = seek_in(f, i, &k, why);

        if (e != ERR_OK)
            return e;
        if (k.found) {
            (void)snprintf(out->file, sizeof(out->file), "%s", f->name[i]);
            out->at = k.at;
            out->after = after;
            return ERR_OK;
        }
        if (k.before.seq < after.seq)
            return why_fail(why, ERR_NOT_FOUND,
                            "its binlogs have no transaction %s", text);
    }
    return why_fail(why, ERR_STATE, "its binlogs begin behind transaction %s",
                    text);
}

enum err
journal_seek(const struct instance_spec *s, struct instance_gtid after,
             struct journal_position *out, char why[WHY_BYTES])
{
    struct folder f;
    enum err e = folder_open(s, &f, why);

    *out = (struct journal_position){ 0 };
    if (e == ERR_OK)
        e = seek(&f, s->domain_id, after, out, why);
    folder_close(&f);
    return e;
}

/* ---- the next piece ---- */

/* It ends behind a transaction of the shard's domain: only there a position can
 * be found again. */
struct piece {
    uint32_t domain;
    int64_t most;
    uint64_t last; /* no transaction of the domain behind that one ... */
    bool held;     /* ... and there is one */
    struct journal_piece *out;
    uint64_t groups;
    bool begun;
    bool follows; /* the file, upon what came before: its list says so */
};

static bool
piece_before(void *ctx, const struct binlog_gtids *list)
{
    struct piece *p = ctx;
    const struct binlog_gtid *g = gtids_domain(list, p->domain);

    p->follows = same(g != NULL ? (struct instance_gtid){ g->server, g->seq }
                                : (struct instance_gtid){ 0 },
                      p->out->after);
    return p->follows;
}

static bool
piece_begin(void *ctx, const struct group *g, bool *wanted)
{
    struct piece *p = ctx;

    (void)wanted;
    p->held = g->domain == p->domain && g->seq > p->last;
    if (p->held)
        return false;
    if (!p->begun)
        p->out->from = g->begin;
    p->begun = true;
    return p->follows;
}

static bool
piece_end(void *ctx, const struct group *g)
{
    struct piece *p = ctx;

    p->groups++;
    if (g->domain != p->domain)
        return true;
    p->out->to = g->end;
    p->out->upto = gtid_of(g);
    p->out->groups = p->groups;
    return g->end - p->out->from < p->most;
}

static enum err
piece_in(const struct folder *f, size_t i, const struct journal_position *at,
         struct piece *p, char why[WHY_BYTES])
{
    const struct group_taker t = { .before = piece_before,
                                   .begins = piece_begin,
                                   .ended = piece_end,
                                   .ctx = p };
    struct groups *g = groups_new(&t);
    enum err e;

    if (g == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    p->follows = at->at > 0 || at->after.seq == 0;
    e = go_through(f, i, at->at, g, why);
    groups_free(g);
    if (e == ERR_OK && !p->follows)
        e = why_fail(why, ERR_STATE, "%s does not follow the one before",
                     f->name[i]);
    /* a crash leaves what is none at the end of a file: the next one says
     * whether anything was behind it */
    return e == ERR_BAD_PARAM && (p->out->groups > 0 || i + 1 < f->n) ? ERR_OK
                                                                      : e;
}

/* Whether what a position has said of a file still is so: one that has crashed
 * may have lost its end. */
static enum err
check_position(const struct folder *f, size_t i,
               const struct journal_position *at, char why[WHY_BYTES])
{
    char head[GROUPS_HEAD_MAX];
    size_t head_n;
    struct stat st;
    enum err e;
    int fd;

    if (i == f->n)
        return why_fail(why, ERR_STATE, "%s is gone", at->file);
    fd = folder_file(f, i, head, &head_n, &e, why);
    if (fd < 0)
        return e;
    if (fstat(fd, &st) != 0 || st.st_size < at->at)
        e = why_fail(why, ERR_STATE, "%s is shorter than it was", at->file);
    (void)close(fd);
    return e;
}

static enum err
next(const struct folder *f, int64_t domain, struct journal_position *at,
     int64_t most, uint64_t last, struct journal_piece *out,
     char why[WHY_BYTES])
{
    size_t i = folder_find(f, at->file);
    enum err e = check_position(f, i, at, why);

    while (e == ERR_OK) {
        struct piece p = {
            .domain = (uint32_t)domain, .most = most, .last = last, .out = out
        };

        *out = (struct journal_piece){ .after = at->after };
        e = piece_in(f, i, at, &p, why);
        if (e == ERR_OK && out->groups == 0 && p.held)
            return ERR_NOT_FOUND;
        if (e == ERR_OK && out->groups > 0) {
            memcpy(out->file, at->file, sizeof(out->file));
            at->at = out->to;
            at->after = out->upto;
            return ERR_OK;
        }
        if (e == ERR_OK && ++i == f->n)
            return ERR_NOT_FOUND;
        if (e == ERR_OK) {
            (void)snprintf(at->file, sizeof(at->file), "%s", f->name[i]);
            at->at = 0;
        }
    }
    return e;
}

enum err
journal_next(const struct instance_spec *s, struct journal_position *at,
             int64_t most, uint64_t last, struct journal_piece *out,
             char why[WHY_BYTES])
{
    struct folder f;
    enum err e = folder_open(s, &f, why);

    if (e == ERR_OK)
        e = next(&f, s->domain_id, at, most, last, out, why);
    folder_close(&f);
    return e;
}

/* ---- a piece that is stored ---- */

struct stored {
    int fd;
    char head[GROUPS_HEAD_MAX];
    size_t head_n, given; /* of the head */
    int64_t at, to;
};

static int64_t
read_stored(void *ctx, char *p, size_t n)
{
    struct stored *s = ctx;
    ssize_t got;

    if (s->given < s->head_n) {
        n = n < s->head_n - s->given ? n : s->head_n - s->given;
        memcpy(p, s->head + s->given, n);
        s->given += n;
        return (int64_t)n;
    }
    if ((int64_t)n > s->to - s->at)
        n = (size_t)(s->to - s->at);
    if (n == 0)
        return 0;
    got = pread(s->fd, p, n, s->at);
    if (got <= 0)
        return -1; /* it has been there */
    s->at += got;
    return got;
}

/* The mark of a file that is being written is taken out. */
static bool
keep_head(void *ctx, const char *p, size_t n)
{
    struct stored *s = ctx;

    if (s->given + n > sizeof(s->head))
        return false;
    memcpy(s->head + s->given, p, n);
    s->given += n;
    return true;
}

static enum err
clean_head(struct stored *s, char why[WHY_BYTES])
{
    const struct group_taker t = { .bytes = keep_head, .ctx = s };
    struct groups *g = groups_new(&t);
    char head[GROUPS_HEAD_MAX];
    bool ok;

    if (g == NULL)
        return why_fail(why, ERR_NOMEM, "out of memory");
    memcpy(head, s->head, s->head_n);
    ok = groups_write(g, head, s->head_n) && s->given == s->head_n;
    groups_free(g);
    s->given = 0;
    return ok ? ERR_OK : why_fail(why, ERR_BAD_PARAM, "a head is damaged");
}

enum err
journal_put(const struct instance_spec *s, const struct journal_piece *p,
            struct blob_store *to, const char *key, struct blob_sum *sum,
            char why[WHY_BYTES])
{
    struct stored st = { .fd = -1, .at = p->from, .to = p->to };
    struct press *press = NULL;
    struct folder f;
    enum err e = folder_open(s, &f, why);
    size_t i = e == ERR_OK ? folder_find(&f, p->file) : 0;

    if (e == ERR_OK && i == f.n)
        e = why_fail(why, ERR_STATE, "%s is gone", p->file);
    if (e == ERR_OK)
        st.fd = folder_file(&f, i, st.head, &st.head_n, &e, why);
    if (e == ERR_OK)
        e = clean_head(&st, why);
    if (e == ERR_OK) {
        press = press_new(PRESS_GZIP, LEVEL, read_stored, &st);
        e = press != NULL ? blob_put(to, key, press_read, press, sum, why)
                          : why_fail(why, ERR_NOMEM, "out of memory");
    }
    press_free(press);
    if (st.fd >= 0)
        (void)close(st.fd);
    folder_close(&f);
    return e;
}
