/* Which transactions of stored pieces are to be applied, and their bytes. */
#include "relay.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/beneath.h"
#include "blob/press.h"
#include "buf.h"
#include "crypt/digest.h"
#include "file.h"
#include "groups.h"
#include "instance/copy.h"

#define FILE_NAME "relay.%06u"
#define INDEX_MAX ((size_t)1 << 20)

/* One piece on its way. */
struct fetch {
    struct relay *r;
    const struct journal_stored *from;
    struct unpress *unpress;
    struct groups *groups;
    struct digest *digest;
    int fd;        /* of the relay log */
    int64_t bytes; /* in it */
    bool any;      /* transactions in it */
    const char *wrong;
    enum err e; /* of writing */
    char *why;
};

/* ---- which transactions ---- */

static bool
same(struct instance_gtid a, struct instance_gtid b)
{
    return a.seq == b.seq && (a.seq == 0 || a.server == b.server);
}

/* Whether it was committed at or behind the moment, as far as that is known
 * (journal.h). */
static bool
is_late(const struct fetch *f, const struct group *g)
{
    int64_t at_ms = (int64_t)g->at_s * 1000;

    if (f->from->read_ms <= f->r->until_ms)
        return false;
    if (at_ms < f->from->after_ms)
        at_ms = f->from->after_ms;
    return at_ms >= f->r->until_ms;
}

static bool
refuse(struct fetch *f, const char *wrong)
{
    f->wrong = wrong;
    return false;
}

/* Of another domain is what stands between. */
static bool
take_group(void *ctx, const struct group *g, bool *wanted)
{
    struct fetch *f = ctx;
    struct relay *r = f->r;
    struct instance_gtid at = { g->server, g->seq };
    bool ours = (int64_t)g->domain == r->domain;

    if (g->server == RELAY_SERVER_ID)
        return refuse(f, "has a transaction of a server that cannot be");
    if (ours && g->seq <= r->seen.seq)
        return refuse(f, "has transactions out of their order");
    if (ours && g->seq == r->base.seq && !same(at, r->base))
        return refuse(f, "has another history than the backup");
    if (ours)
        r->seen = at;
    if (r->seen.seq <= r->base.seq || (!ours && r->seen.seq == 0))
        return true;
    r->reached = r->reached || is_late(f, g);
    *wanted = !r->reached;
    if (!*wanted)
        return true;
    f->any = true;
    r->played.groups++;
    if (ours)
        r->played.upto = at;
    return true;
}

static bool
take_bytes(void *ctx, const char *p, size_t n)
{
    struct fetch *f = ctx;

    f->bytes += (int64_t)n;
    if (!file_write_fd(f->fd, p, n, -1))
        f->e = copy_failed(ERR_STATE, "a relay log", f->why);
    return f->e == ERR_OK;
}

/* ---- a piece ---- */

static bool
take_stored(void *ctx, const char *p, size_t n)
{
    struct fetch *f = ctx;
    const struct instance_watch *w = f->r->w;

    if (w != NULL && w->go_on != NULL && !w->go_on(w->ctx)) {
        f->e = why_fail(f->why, ERR_STATE, "broken off");
        return false;
    }
    return digest_add(f->digest, p, n) && unpress_write(f->unpress, p, n);
}

static enum err
damaged(struct fetch *f, const char *what)
{
    return why_fail(f->why, ERR_BAD_PARAM, "%.200s %.200s", f->from->key, what);
}

/* What was read is what was written. */
static enum err
check(struct fetch *f, enum err got)
{
    char sha256[65], text[WHY_BYTES];

    if (f->e != ERR_OK)
        return f->e;
    if (f->wrong != NULL)
        return damaged(f, f->wrong);
    if (groups_wrong(f->groups) != NULL) {
        (void)snprintf(text, sizeof(text), "is damaged: %.300s",
                       groups_wrong(f->groups));
        return damaged(f, text);
    }
    if (unpress_is_damaged(f->unpress))
        return damaged(f, "is damaged");
    if (got != ERR_OK)
        return got; /* the store has said why */
    if (!unpress_may_end(f->unpress) || !groups_may_end(f->groups))
        return damaged(f, "is cut off");
    if (digest_hex(f->digest, sha256) != ERR_OK)
        return why_fail(f->why, ERR_INTERNAL, "no sum");
    if (strcmp(sha256, f->from->sha256) != 0)
        return damaged(f, "is not what was stored: its sum is another");
    if (!same(f->r->seen, f->from->upto))
        return damaged(f, "does not end where it should");
    return ERR_OK;
}

static enum err
fetch(struct fetch *f)
{
    const struct group_taker t = { .begins = take_group,
                                   .bytes = take_bytes,
                                   .ctx = f };
    enum err e = ERR_NOMEM;

    f->groups = groups_new(&t);
    f->unpress =
        f->groups != NULL ? unpress_new(groups_write, f->groups) : NULL;
    f->digest = digest_new();
    if (f->unpress != NULL && f->digest != NULL)
        e = check(f, blob_get(f->from->from, f->from->key, 0, take_stored, f,
                              f->why));
    unpress_free(f->unpress);
    groups_free(f->groups);
    digest_free(f->digest);
    return e == ERR_NOMEM ? why_fail(f->why, e, "out of memory") : e;
}

/* ---- a round ---- */

static enum err
write_index(const struct relay *r, int dir, const char *path,
            char why[WHY_BYTES])
{
    struct buf b = BUF_INIT(INDEX_MAX);
    int fd =
        open_beneath(dir, "relay.index", O_WRONLY | O_CREAT | O_EXCL, 0600);
    enum err e = ERR_OK;

    for (unsigned i = 1; i <= r->files; i++)
        buf_printf(&b, "%s/" FILE_NAME "\n", path, i);
    if (b.failed)
        e = why_fail(why, ERR_LIMIT, "too many relay logs");
    else if (fd < 0 || !file_write_fd(fd, b.p, b.n, -1))
        e = copy_failed(ERR_STATE, "relay.index", why);
    if (fd >= 0)
        (void)close(fd);
    buf_free(&b);
    return e;
}

/* The next piece as a relay log, if anything of it is wanted. */
static enum err
fill_one(struct relay *r, int dir, int64_t *bytes, char why[WHY_BYTES])
{
    struct fetch f = { .r = r, .from = &r->piece[r->next], .why = why };
    char name[32];
    enum err e;

    if (r->next > 0 ? !same(f.from->after, r->piece[r->next - 1].upto)
                    : f.from->after.seq > r->base.seq)
        return damaged(&f, "does not follow what was before it");
    r->seen = f.from->after;
    (void)snprintf(name, sizeof(name), FILE_NAME, r->files + 1);
    f.fd = open_beneath(dir, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (f.fd < 0)
        return copy_failed(ERR_STATE, name, why);
    e = fetch(&f);
    (void)close(f.fd);
    r->next++;
    r->files += f.any;
    *bytes += f.bytes;
    r->played.bytes += f.any ? f.bytes : 0;
    if (e == ERR_OK && !f.any && unlinkat(dir, name, 0) != 0)
        e = copy_failed(ERR_STATE, name, why);
    return e;
}

enum err
relay_fill(struct relay *r, int dir, const char *path, char why[WHY_BYTES])
{
    int64_t bytes = 0;
    enum err e = ERR_OK;

    r->files = 0;
    while (e == ERR_OK && r->next < r->n && !r->reached &&
           bytes < r->round_bytes)
        e = fill_one(r, dir, &bytes, why);
    return e == ERR_OK && r->files > 0 ? write_index(r, dir, path, why) : e;
}
