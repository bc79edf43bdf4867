/* What a machine adds to the archives of the shards whose primary it has. */
#include "archive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "clock.h"
#include "keeper.h"
#include "kunlun/shard/shard.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "lease.h"
#include "log.h"

#define EVERY_MS   1000
#define LEASE_MS   15000
#define RENEW_MS   3000
#define LATER_MS   5000 /* what has failed is left alone so long */
#define ANSWER_MS  2000
#define PIECE_MAX  ((int64_t)16 << 20)
#define AT_ONCE    32 /* pieces of one call */
#define REMEMBERED 256
#define GONE_MAX   5 /* a file may go while it is looked for */
#define EXPIRE_MS  1800000

/* ---- from call to call ---- */

/* Where an archive is in the binlogs of its primary: without that the newest
 * is read from its beginning. */
struct known {
    int64_t id; /* 0: nobody's */
    struct journal_position position;
    bool placed;
    unsigned gone;    /* how often its binlogs began behind it, in a row */
    int64_t until_ms; /* left alone until then */
    char said[160];   /* why: once for each reason */
};

struct memory {
    size_t next;
    int64_t expire_ms; /* when what is old is looked for again */
    struct known v[REMEMBERED];
};

static struct known *
known_of(struct memory *m, int64_t id)
{
    struct known *k = NULL;

    for (size_t i = 0; i < REMEMBERED; i++)
        if (m->v[i].id == id)
            return &m->v[i];
    k = &m->v[m->next++ % REMEMBERED];
    *k = (struct known){ .id = id };
    return k;
}

/* ---- one archive in one call ---- */

struct adding {
    struct upkeep_run *run;
    struct archive at;
    struct known *known;
    struct instance_spec spec;
    struct kunlun_shard *sh; /* n 0: the instance is a shard by itself */
    struct lease lease;
    int64_t renewed_ms; /* monotonic */
    char *why;
};

static bool
go_on(void *ctx)
{
    struct adding *x = ctx;
    int64_t now = clock_mono_ms();

    if (now - x->renewed_ms < RENEW_MS)
        return true;
    x->renewed_ms = now;
    return lease_renew(x->run->db, &x->lease) == ERR_OK;
}

/* Whether it is the one whom clients of its shard write to, as the store has
 * it. */
static enum err
is_primary(struct adding *x, bool *out)
{
    unsigned i;
    enum err e = kunlun_store_shard_of(x->run->db, x->run->arena, x->spec.uuid,
                                       x->sh, &i);

    *out = e == ERR_OK && x->sh->s.primary == (int)i;
    if (e != ERR_NOT_FOUND)
        return e;
    x->sh->s.n = 0;
    return archive_is_alone(x->run->db, &x->spec, out);
}

/* Inside a transaction: it is still ours to add. */
static enum err
hold(struct adding *x)
{
    bool ours = false;
    enum err e = lease_hold(x->run->db, &x->lease);

    if (e == ERR_OK)
        e = is_primary(x, &ours);
    return e == ERR_OK && !ours ? ERR_STATE : e;
}

/* The last transaction that a replica has, or a shard of one server; and
 * whether all that was acknowledged before is among them: by who is a replica
 * now, or before that (`base`, core/failover.h). A primary that is not writable
 * has not yet applied what it is going to begin with. */
static enum err
what_is_safe(struct adding *x, struct instance_gtid *last, bool *all)
{
    const struct kunlun_shard *sh = x->sh;
    struct instance_position p;
    struct instance_gtid g;
    char ignored[WHY_BYTES];
    enum err e =
        instance_position(x->run->arena, &x->spec, ANSWER_MS, &p, x->why);

    *last = (struct instance_gtid){ 0 };
    *all = true;
    if (e == ERR_OK && p.read_only)
        e = why_fail(x->why, ERR_PEER, "it is not writable yet");
    if (e != ERR_OK)
        return e;
    if (sh->s.n <= 1) {
        (void)instance_gtid_of(p.gtid_binlog, x->at.domain, last);
        return ERR_OK;
    }
    for (unsigned i = 0; i < sh->s.n; i++) {
        const struct fo_member *m = &sh->s.member[i];
        const char *lists[2];

        if (m->role != FO_IN || m->broken ||
            instance_position(x->run->arena, &sh->spec[i], ANSWER_MS, &p,
                              ignored) != ERR_OK)
            continue;
        lists[0] = p.gtid_io;
        lists[1] = p.gtid_slave;
        for (size_t k = 0; k < COUNT(lists); k++)
            if (instance_gtid_of(lists[k], x->at.domain, &g) &&
                g.seq > last->seq)
                *last = g;
    }
    *all = last->seq >= sh->s.base.seq && last->seq >= x->at.after_seq;
    return ERR_OK;
}

/* ---- positions ---- */

static enum err
end_archive(struct adding *x, const char *sentence)
{
    struct db *db = x->run->db;
    enum err e = db_begin(db);

    if (e == ERR_OK)
        e = hold(x);
    if (e == ERR_OK)
        e = archive_close(db, x->at.cluster, x->at.shard, 0, sentence);
    e = db_end(db, e);
    if (e == ERR_OK)
        log_warn("archive.ended cluster=%s shard=%s why=\"%s\"", x->at.cluster,
                 x->at.shard, sentence);
    return e;
}

/* What was kept is not in this primary's history: as much of it is taken back,
 * piece by piece. None of it can have been acknowledged. */
static enum err
take_back(struct adding *x)
{
    const struct target_user u = { x->run->db, x->run->arena, x->run->machine,
                                   go_on, x };
    char ignored[WHY_BYTES], sentence[WHY_BYTES];
    struct archive_piece gone;
    struct blob_store *from;
    struct db *db = x->run->db;
    enum err e = db_begin(db);

    if (e != ERR_OK)
        return e;
    e = hold(x);
    if (e == ERR_OK)
        e = archive_rewind(db, x->run->arena, &x->at, &gone);
    e = db_end(db, e);
    if (e == ERR_NOT_FOUND) {
        (void)snprintf(sentence, sizeof(sentence), "%.400s", x->why);
        return end_archive(x, sentence);
    }
    if (e != ERR_OK)
        return e;
    log_warn("archive.back cluster=%s shard=%s piece=%s why=\"%s\"",
             x->at.cluster, x->at.shard, gone.path, x->why);
    if (target_again(&u, gone.target, &from, ignored) == ERR_OK)
        (void)!blob_drop(from, gone.path, ignored);
    return ERR_OK;
}

/* OK and not placed: it has ended, or is to be tried again. */
static enum err
find_place(struct adding *x)
{
    const struct instance_gtid after = { (uint32_t)x->at.after_server,
                                         x->at.after_seq };
    struct known *k = x->known;
    enum err e;

    if (k->placed && k->position.after.seq == after.seq &&
        k->position.after.server == after.server)
        return ERR_OK;
    k->placed = false;
    e = journal_seek(&x->spec, after, &k->position, x->why);
    k->gone = e == ERR_STATE ? k->gone + 1 : 0;
    if (e == ERR_NOT_FOUND)
        return take_back(x);
    if (e == ERR_STATE && k->gone > GONE_MAX)
        return end_archive(x, x->why);
    k->placed = e == ERR_OK;
    return e;
}

/* ---- pieces ---- */

static enum err
store_piece(struct adding *x, const struct journal_piece *p,
            struct archive_piece *row)
{
    struct db *db = x->run->db;
    enum err e = db_begin(db);

    row->after_server = p->after.server;
    row->after_seq = p->after.seq;
    row->upto_server = p->upto.server;
    row->upto_seq = p->upto.seq;
    row->after_ms = x->at.covered_ms;
    if (e == ERR_OK)
        e = hold(x);
    if (e == ERR_OK)
        e = archive_add(db, &x->at, row);
    return db_end(db, e);
}

/* NOT_FOUND: there is none now. The name is of this holder of the lease alone:
 * one before it may still be writing. */
static enum err
add_piece(struct adding *x, uint64_t last)
{
    const struct target_user u = { x->run->db, x->run->arena, x->run->machine,
                                   go_on, x };
    struct archive_piece row = { .n = x->at.pieces };
    struct journal_piece p;
    struct blob_store *to;
    struct blob_sum sum;
    enum err e = journal_next(&x->spec, &x->known->position, PIECE_MAX, last,
                              &p, x->why);

    if (e != ERR_OK)
        return e;
    row.read_ms = clock_unix_ms();
    row.machine = x->run->machine;
    row.path = arena_printf(
        x->run->arena,
        "journal/%s/%s/%" PRId64 "/%010" PRIu64 "-%" PRIu64 ".gz",
        x->at.cluster, x->at.shard, x->at.id, row.n, x->lease.epoch);
    if (row.path == NULL || !blob_is_key(row.path))
        return why_fail(x->why, ERR_BAD_PARAM,
                        "cluster or shard can be no part of a path");
    e = target_open(&u, NULL, &to, &row.target, x->why);
    if (e == ERR_OK)
        e = journal_put(&x->spec, &p, to, row.path, &sum, x->why);
    if (e != ERR_OK)
        return e;
    row.bytes = sum.bytes;
    row.sha256 = sum.sha256;
    return store_piece(x, &p, &row);
}

static enum err
store_covered(struct adding *x, int64_t covered_ms)
{
    struct db *db = x->run->db;
    enum err e = db_begin(db);

    if (e == ERR_OK)
        e = hold(x);
    if (e == ERR_OK)
        e = archive_covers(db, &x->at, covered_ms);
    return db_end(db, e);
}

/* What had been acknowledged when it began is in it when it has ended. */
static enum err
add(struct adding *x, bool *more)
{
    int64_t begun_ms = clock_unix_ms();
    struct instance_gtid last;
    bool all;
    enum err e = what_is_safe(x, &last, &all);

    if (e == ERR_OK)
        e = find_place(x);
    if (e != ERR_OK || !x->known->placed)
        return e;
    for (int i = 0; e == ERR_OK && i < AT_ONCE && x->at.after_seq < last.seq;
         i++)
        e = add_piece(x, last.seq);
    if (e != ERR_OK) {
        x->known->placed = false;
        return e == ERR_NOT_FOUND
                   ? why_fail(x->why, ERR_PEER,
                              "its binlogs do not have all that it tells")
                   : e;
    }
    *more = x->at.after_seq < last.seq;
    return all && !*more ? store_covered(x, begun_ms) : ERR_OK;
}

static enum err
add_under_lease(struct adding *x, bool *more)
{
    char owner[LEASE_OWNER_BYTES], name[64], who[128];
    bool ours;
    enum err e = is_primary(x, &ours), end;

    if (e != ERR_OK || !ours)
        return e;
    (void)snprintf(name, sizeof(name), ARCHIVE_LEASE "%" PRId64, x->at.id);
    (void)snprintf(who, sizeof(who), "archive-%.64s", x->run->machine);
    lease_owner(who, owner);
    x->lease =
        (struct lease){ .name = name, .owner = owner, .ttl_ms = LEASE_MS };
    e = lease_retake(x->run->db, &x->lease);
    if (e != ERR_OK)
        return e == ERR_BUSY ? ERR_OK : e;
    x->renewed_ms = clock_mono_ms();
    e = add(x, more);
    end = lease_release(x->run->db, &x->lease);
    return e != ERR_OK ? e : end == ERR_STATE ? ERR_OK : end;
}

static enum err
step_one(struct upkeep_run *run, const struct archive *at, struct known *known,
         bool *more)
{
    char why[WHY_BYTES] = "";
    struct adding x = { .run = run, .at = *at, .known = known, .why = why };
    enum err e =
        keeper_spec(run->keeper, run->arena, (unsigned)at->port, &x.spec);

    if (e == ERR_NOT_FOUND || (e == ERR_OK && (!HAS(at, archive, uuid) ||
                                               strcmp(x.spec.uuid, at->uuid))))
        return ERR_OK; /* it comes, or goes */
    x.sh = arena_alloc(run->arena, sizeof(*x.sh));
    if (e == ERR_OK)
        e = x.sh != NULL ? add_under_lease(&x, more) : ERR_NOMEM;
    if (e == ERR_OK)
        known->said[0] = '\0';
    if (e == ERR_OK || e == ERR_STORE)
        return e;
    if (str_empty(why))
        why_say(why, "%s", err_name(e));
    if (strncmp(known->said, why, sizeof(known->said) - 1) != 0)
        log_warn("archive.waits cluster=%s shard=%s port=%d err=%s why=\"%s\"",
                 at->cluster, at->shard, (int)at->port, err_name(e), why);
    (void)snprintf(known->said, sizeof(known->said), "%.159s", why);
    known->until_ms = clock_mono_ms() + LATER_MS;
    return ERR_OK;
}

/* ---- all of them ---- */

int64_t
archive_every_ms(void)
{
    return EVERY_MS;
}

enum turn
archive_step(struct upkeep_run *run)
{
    const int64_t every_ms = (int64_t)node_mgr_settings()->archive_s * 1000;
    struct memory *m = run->memory;
    struct list_of_archive due;
    bool more = false;
    enum err e;

    if (m == NULL)
        m = run->memory = calloc(1, sizeof(*m));
    if (m == NULL)
        return TURN_FAILED;
    e = archive_due(run->db, run->arena, run->machine,
                    clock_unix_ms() - every_ms, &due);
    for (size_t i = 0; e == ERR_OK && i < due.n; i++) {
        struct known *k = known_of(m, due.v[i].id);

        if (clock_mono_ms() >= k->until_ms)
            e = step_one(run, &due.v[i], k, &more);
    }
    if (e == ERR_OK && clock_mono_ms() >= m->expire_ms) {
        m->expire_ms = clock_mono_ms() + EXPIRE_MS;
        e = archive_expire(run->db, run->arena, run->machine);
    }
    if (e != ERR_OK)
        return TURN_FAILED;
    return more ? TURN_MORE : TURN_IDLE;
}

void
archive_forget(void *memory)
{
    free(memory);
}
