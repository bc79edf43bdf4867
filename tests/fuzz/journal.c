/* A binlog cut between its transactions. The first byte says in how large
 * pieces it comes: that changes nothing. What is kept of it is a binlog with
 * the same transactions. */
#include "journal/groups.h"

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#define GROUPS_MAX 64

struct seen {
    size_t n, ended, lists;
    struct group v[GROUPS_MAX];
    char *out; /* NULL: nothing is kept */
    size_t bytes, room;
};

static bool
before(void *ctx, const struct binlog_gtids *list)
{
    struct seen *s = ctx;

    HOLDS(list != NULL);
    s->lists++;
    return true;
}

static bool
begins(void *ctx, const struct group *g, bool *wanted)
{
    struct seen *s = ctx;

    HOLDS(g->seq > 0 && !*wanted && s->ended == s->n);
    *wanted = true;
    s->v[s->n++ % GROUPS_MAX] = *g;
    return true;
}

static bool
bytes(void *ctx, const char *p, size_t n)
{
    struct seen *s = ctx;

    HOLDS(p != NULL && n > 0);
    if (s->out != NULL) {
        HOLDS(s->bytes + n <= s->room);
        memcpy(s->out + s->bytes, p, n);
    }
    s->bytes += n;
    return true;
}

static bool
ended(void *ctx, const struct group *g)
{
    struct seen *s = ctx;

    HOLDS(g->end > g->begin && g->begin >= GROUPS_MAGIC);
    s->v[s->ended++ % GROUPS_MAX] = *g;
    HOLDS(s->ended == s->n);
    return true;
}

/* 0: refused; 1: cut off; 2: whole. */
static int
go_through(const char *p, size_t n, size_t piece, struct seen *s)
{
    const struct group_taker t = { before, begins, bytes, ended, s };
    struct groups *g = groups_new(&t);
    bool ok = true;
    int how;

    HOLDS(g != NULL);
    for (size_t at = 0; ok && at < n; at += piece)
        ok = groups_write(g, p + at, n - at < piece ? n - at : piece);
    HOLDS(ok == (groups_wrong(g) == NULL));
    HOLDS(ok || !groups_write(g, p, 1));
    how = !ok ? 0 : 1 + groups_may_end(g);
    groups_free(g);
    return how;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct seen whole = { 0 }, cut = { 0 }, again = { 0 };
    int how;

    if (n < 1)
        return 0;
    whole.room = n;
    whole.out = malloc(n);
    HOLDS(whole.out != NULL);
    how = go_through((const char *)data + 1, n - 1, n, &whole);
    HOLDS(go_through((const char *)data + 1, n - 1, 1 + data[0] % 64, &cut) ==
          how);
    HOLDS(cut.n == whole.n && cut.ended == whole.ended &&
          cut.lists == whole.lists && cut.bytes >= whole.bytes);
    HOLDS(memcmp(cut.v, whole.v, sizeof(cut.v)) == 0);
    if (how == 2) {
        HOLDS(go_through(whole.out, whole.bytes, 4096, &again) == 2);
        HOLDS(again.n == whole.n && again.bytes == whole.bytes);
        for (size_t i = 0; i < whole.n && i < GROUPS_MAX; i++)
            HOLDS(again.v[i].seq == whole.v[i].seq &&
                  again.v[i].server == whole.v[i].server);
    }
    free(whole.out);
    return 0;
}
