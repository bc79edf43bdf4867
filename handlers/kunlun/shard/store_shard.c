/* The SQL of shards. */
#include "shard.h"

#include <string.h>

#include "kunlun/spec.h"
#include "clock.h"
#include "json.h"

#define SHARDS_MAX    100000
#define STATE_MAX     65536
#define FAILOVERS_MAX 1000

/* ---- a shard's state as a document ---- */

static const struct enum_name fo_role_names[] = {
    { "out", FO_OUT }, { "in", FO_IN }, { "primary", FO_PRIMARY }, { NULL, 0 }
};

#define STATE_MEMBER(X, s)                               \
    X(s, ENUM, role, "role", IN | OUT, fo_role)          \
    X(s, U64, start, "start", IN | OUT, -)               \
    X(s, U64, ticket, "ticket", IN | OUT, -)             \
    X(s, BOOL, broken, "broken", IN | OUT, -)            \
    X(s, U64, evict, "evict", IN | OUT, -)               \
    X(s, U64, fence, "fence", IN | OUT, -)               \
    X(s, U64, floor_seq, "floor_seq", IN | OUT, -)       \
    X(s, I64, floor_server, "floor_server", IN | OUT, -) \
    X(s, BOOL, leaving, "leaving", IN | OUT, -)
STRUCT(state_member, STATE_MEMBER);
TABLE(state_member, STATE_MEMBER);

#define STATE(X, s)                                            \
    X(s, U64, epoch, "epoch", IN | OUT, -)                     \
    X(s, U64, order, "order", IN | OUT, -)                     \
    X(s, I32, primary, "primary", IN | OUT, -)                 \
    X(s, BOOL, fencing, "fencing", IN | OUT, -)                \
    X(s, I64, fencing_ms, "fencing_ms", IN | OUT, -)           \
    X(s, U64, base_seq, "base_seq", IN | OUT, -)               \
    X(s, I64, base_server, "base_server", IN | OUT, -)         \
    X(s, I64, paused_until_ms, "paused_until_ms", IN | OUT, -) \
    X(s, BOOL, force, "force", IN | OUT, -)                    \
    X(s, I32, switch_to, "switch_to", IN | OUT, -)             \
    X(s, U64, switch_order, "switch_order", IN | OUT, -)       \
    X(s, I64, switch_until_ms, "switch_until_ms", IN | OUT, -) \
    X(s, I64, failed_over_ms, "failed_over_ms", IN | OUT, -)   \
    X(s, I32, failovers, "failovers", IN | OUT, -)             \
    X(s, LIST, members, "members", IN | OUT, state_member)
STRUCT(state, STATE);
TABLE(state, STATE);

static const uint64_t all = ~UINT64_C(0);

static enum err
state_text(struct arena *a, const struct fo_shard *s, const char **out)
{
    struct state_member m[FO_MEMBERS] = { { 0 } };
    struct state d = {
        .has = all,
        .epoch = s->epoch,
        .order = s->order,
        .primary = s->primary,
        .fencing = s->fencing,
        .fencing_ms = s->fencing_ms,
        .base_seq = s->base.seq,
        .base_server = s->base.server,
        .paused_until_ms = s->paused_until_ms,
        .force = s->force,
        .switch_to = s->switch_to,
        .switch_order = s->switch_order,
        .switch_until_ms = s->switch_until_ms,
        .failed_over_ms = s->failed_over_ms,
        .failovers = (int32_t)s->failovers,
    };

    for (unsigned i = 0; i < s->n; i++)
        m[i] = (struct state_member){
            .has = all,
            .role = (int)s->member[i].role,
            .start = s->member[i].start,
            .ticket = s->member[i].ticket,
            .broken = s->member[i].broken,
            .evict = s->member[i].evict,
            .fence = s->member[i].fence,
            .floor_seq = s->member[i].floor.seq,
            .floor_server = s->member[i].floor.server,
            .leaving = s->member[i].leaving,
        };
    d.members.n = s->n;
    d.members.v = m;
    return record_text(a, &json_compact, &state_rec, &d, SECRETS_FULL,
                       STATE_MAX, out);
}

static enum err
state_read(struct arena *a, const char *text, struct fo_shard *s)
{
    struct state d;
    enum err e = record_read(a, &state_rec, text, strlen(text), 0, &d);

    if (e != ERR_OK || d.members.n > FO_MEMBERS)
        return e != ERR_OK ? e : ERR_INTERNAL;
    *s = (struct fo_shard){
        .epoch = d.epoch,
        .order = d.order,
        .n = (unsigned)d.members.n,
        .primary = d.primary,
        .fencing = d.fencing,
        .fencing_ms = d.fencing_ms,
        .base = { d.base_seq, (uint32_t)d.base_server },
        .paused_until_ms = d.paused_until_ms,
        .force = d.force,
        .switch_to = d.switch_to,
        .switch_order = d.switch_order,
        .switch_until_ms = d.switch_until_ms,
        .failed_over_ms = d.failed_over_ms,
        .failovers = (unsigned)d.failovers,
    };
    for (unsigned i = 0; i < s->n; i++) {
        const struct state_member *m = &d.members.v[i];

        s->member[i] = (struct fo_member){
            .role = (enum fo_role)m->role,
            .start = m->start,
            .ticket = m->ticket,
            .broken = m->broken,
            .evict = m->evict,
            .fence = m->fence,
            .floor = { m->floor_seq, (uint32_t)m->floor_server },
            .leaving = m->leaving,
        };
    }
    return ERR_OK;
}

/* ---- rows ---- */

#define ROW(X, s)                                 \
    X(s, I64, id, "id", COLUMN_ONLY, -)           \
    X(s, STR, cluster, "cluster", COLUMN_ONLY, -) \
    X(s, STR, shard, "shard", COLUMN_ONLY, -)     \
    X(s, STR, state, "state", COLUMN_ONLY, -)
STRUCT(row, ROW);
TABLE(row, ROW);

#define ID_ROW(X, s) X(s, I64, id, "id", COLUMN_ONLY, -)
STRUCT(id_row, ID_ROW);
TABLE(id_row, ID_ROW);
LIST_OF(id_row);

#define PLACE_ROW(X, s)                             \
    X(s, I64, shard_id, "shard_id", COLUMN_ONLY, -) \
    X(s, I32, idx, "idx", COLUMN_ONLY, -)
STRUCT(place_row, PLACE_ROW);
TABLE(place_row, PLACE_ROW);

TABLE(kunlun_failover, KUNLUN_FAILOVER);

enum {
    IDS,
    IDS_OF,
    SHARD,
    SHARD_FIND,
    SHARD_OF,
    SHARD_ADD,
    SHARD_SAVE,
    SHARD_DROP,
    MEMBERS,
    MEMBER_ADD,
    MEMBER_DROP,
    MEMBERS_UP,
    VERDICT,
    FAILOVER_ADD,
    FAILOVER_DONE,
    FAILOVER_POINTED,
    FAILOVERS,
    FAILOVERS_OF,
    SQL__MAX
};

#define FAILOVER_COLUMNS                                                \
    "SELECT id, shard_id, cluster, shard, epoch, kind, was, `is`, why," \
    " seen, chosen, undecided, suspected_ms, fenced_ms, decided_ms,"    \
    " writable_ms, pointed_ms FROM kunlun_failover"

static const char *const sql[SQL__MAX] = {
    [IDS] = "SELECT id FROM kunlun_shard ORDER BY id",
    [IDS_OF] = "SELECT id FROM kunlun_shard WHERE cluster = ? ORDER BY id",
    [SHARD] = "SELECT id, cluster, shard, state FROM kunlun_shard WHERE id = ?",
    [SHARD_FIND] = "SELECT id, cluster, shard, state FROM kunlun_shard"
                   " WHERE cluster = ? AND shard = ?",
    [SHARD_OF] = "SELECT shard_id, idx FROM kunlun_member WHERE uuid = ?",
    [SHARD_ADD] = "INSERT INTO kunlun_shard (cluster, shard, orders, state,"
                  " verdict, sentence, since_ms)"
                  " VALUES (?, ?, ?, ?, 'fine', '', " DB_NOW_MS ")",
    [SHARD_SAVE] = "UPDATE kunlun_shard SET orders = ?, state = ?"
                   " WHERE id = ? AND orders = ?",
    [SHARD_DROP] = "DELETE FROM kunlun_shard WHERE id = ?",
    [MEMBERS] = "SELECT uuid AS secret_row, spec FROM kunlun_member"
                " WHERE shard_id = ? ORDER BY idx",
    [MEMBER_ADD] = "INSERT INTO kunlun_member (shard_id, idx, uuid, spec)"
                   " VALUES (?, ?, ?, ?)",
    [MEMBER_DROP] = "DELETE FROM kunlun_member WHERE shard_id = ? AND idx = ?",
    [MEMBERS_UP] = "UPDATE kunlun_member SET idx = idx - 1"
                   " WHERE shard_id = ? AND idx > ? ORDER BY idx",
    [VERDICT] = "UPDATE kunlun_shard SET verdict = ?, sentence = ?,"
                " since_ms = " DB_NOW_MS
                " WHERE id = ? AND (verdict <> ? OR sentence <> ?)",
    [FAILOVER_ADD] =
        "INSERT INTO kunlun_failover (shard_id, cluster, shard, epoch, kind,"
        " was, `is`, why, seen, chosen, undecided, suspected_ms, fenced_ms,"
        " decided_ms) SELECT id, cluster, shard, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " ? FROM kunlun_shard WHERE id = ?",
    [FAILOVER_DONE] = "UPDATE kunlun_failover SET writable_ms = ?"
                      " WHERE shard_id = ? AND epoch = ?"
                      " AND writable_ms IS NULL",
    [FAILOVER_POINTED] =
        "UPDATE kunlun_failover f SET f.pointed_ms = ?"
        " WHERE f.shard_id = ? AND f.epoch = ? AND f.pointed_ms IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM kunlun_computer c"
        " LEFT JOIN kunlun_pointer p ON p.uuid = c.uuid"
        " AND p.shard_id = f.shard_id WHERE c.cluster = f.cluster"
        " AND COALESCE(p.epoch, 0) < f.epoch)",
    [FAILOVERS] =
        FAILOVER_COLUMNS " WHERE shard_id = ? ORDER BY id DESC LIMIT 1000",
    [FAILOVERS_OF] =
        FAILOVER_COLUMNS " WHERE cluster = ? AND (? IS NULL OR shard = ?)"
                         " ORDER BY id DESC LIMIT 100",
};

static enum err
list_ids(struct db *db, struct arena *a, const char *statement,
         struct db_args args, struct kunlun_shard_ids *out)
{
    struct list_of_id_row rows;
    int64_t *v;
    enum err e =
        db_list(db, a, statement, args, &id_row_rec, SHARDS_MAX, &rows);

    if (e != ERR_OK)
        return e;
    v = arena_alloc(a, (rows.n + 1) * sizeof(*v));
    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < rows.n; i++)
        v[i] = rows.v[i].id;
    *out = (struct kunlun_shard_ids){ rows.n, v };
    return ERR_OK;
}

enum err
kunlun_store_shard_ids(struct db *db, struct arena *a,
                       struct kunlun_shard_ids *out)
{
    return list_ids(db, a, sql[IDS], DB_NO_ARGS, out);
}

enum err
kunlun_store_shard_ids_of(struct db *db, struct arena *a, const char *cluster,
                          struct kunlun_shard_ids *out)
{
    return list_ids(db, a, sql[IDS_OF], DB_ARGS(db_str(cluster)), out);
}

static enum err
fill(struct db *db, struct arena *a, const struct row *r,
     struct kunlun_shard *out)
{
    struct list_of_kunlun_spec_row rows = { 0 };
    enum err e;

    *out = (struct kunlun_shard){ .id = r->id,
                                  .cluster = r->cluster,
                                  .name = r->shard };
    e = state_read(a, r->state, &out->s);
    if (e == ERR_OK)
        e = db_list(db, a, sql[MEMBERS], DB_ARGS(db_i64(r->id)),
                    &kunlun_spec_row_rec, FO_MEMBERS, &rows);
    if (e == ERR_OK && rows.n != out->s.n)
        e = ERR_INTERNAL;
    for (size_t i = 0; e == ERR_OK && i < rows.n; i++)
        e = instance_spec_read(a, rows.v[i].spec, &out->spec[i]);
    return e;
}

enum err
kunlun_store_shard(struct db *db, struct arena *a, int64_t id,
                   struct kunlun_shard *out)
{
    struct row r;
    enum err e = db_one(db, a, sql[SHARD], DB_ARGS(db_i64(id)), &row_rec, &r);

    return e == ERR_OK ? fill(db, a, &r, out) : e;
}

enum err
kunlun_store_shard_find(struct db *db, struct arena *a, const char *cluster,
                        const char *name, struct kunlun_shard *out)
{
    struct row r;
    enum err e = db_one(db, a, sql[SHARD_FIND],
                        DB_ARGS(db_str(cluster), db_str(name)), &row_rec, &r);

    return e == ERR_OK ? fill(db, a, &r, out) : e;
}

int
kunlun_shard_member(const struct kunlun_shard *sh, const char *uuid)
{
    for (unsigned i = 0; i < sh->s.n; i++)
        if (strcmp(sh->spec[i].uuid, uuid) == 0)
            return (int)i;
    return FO_NOBODY;
}

enum err
kunlun_store_shard_of(struct db *db, struct arena *a, const char *uuid,
                      struct kunlun_shard *out, unsigned *i)
{
    struct place_row at;
    enum err e = db_one(db, a, sql[SHARD_OF], DB_ARGS(db_str(uuid)),
                        &place_row_rec, &at);

    if (e == ERR_OK)
        e = kunlun_store_shard(db, a, at.shard_id, out);
    /* it may have been removed in between */
    if (e == ERR_OK && ((unsigned)at.idx >= out->s.n ||
                        strcmp(out->spec[at.idx].uuid, uuid) != 0))
        e = ERR_NOT_FOUND;
    *i = e == ERR_OK ? (unsigned)at.idx : 0;
    return e;
}

bool
kunlun_may_end(struct db *db, struct arena *a, const char *uuid)
{
    struct kunlun_shard sh;
    unsigned i;
    enum err e = kunlun_store_shard_of(db, a, uuid, &sh, &i);

    if (e == ERR_NOT_FOUND)
        return true;
    return e == ERR_OK && (sh.s.n == 1 || sh.s.member[i].role == FO_OUT);
}

static enum err
member_insert(struct db *db, struct arena *a, int64_t id, unsigned i,
              const struct instance_spec *spec)
{
    const char *text;
    enum err e = instance_spec_text(a, spec, &text);

    return e == ERR_OK
               ? db_exec(db, sql[MEMBER_ADD],
                         DB_ARGS(db_i64(id), db_i64(i), db_str(spec->uuid),
                                 db_secret("kunlun_member", spec->uuid, "spec",
                                           text)))
               : e;
}

enum err
kunlun_store_shard_add(struct db *db, struct arena *a, struct kunlun_shard *sh)
{
    const char *text;
    enum err e = state_text(a, &sh->s, &text);

    if (e == ERR_OK)
        e = db_exec(db, sql[SHARD_ADD],
                    DB_ARGS(db_str(sh->cluster), db_str(sh->name),
                            db_u64(sh->s.order), db_str(text)));
    if (e == ERR_OK)
        sh->id = (int64_t)db_insert_id(db);
    for (unsigned i = 0; e == ERR_OK && i < sh->s.n; i++)
        e = member_insert(db, a, sh->id, i, &sh->spec[i]);
    return e;
}

enum err
kunlun_store_shard_save(struct db *db, struct arena *a,
                        const struct kunlun_shard *sh, uint64_t was)
{
    const char *text;
    enum err e = state_text(a, &sh->s, &text);

    if (e == ERR_OK)
        e = db_exec_one(db, sql[SHARD_SAVE],
                        DB_ARGS(db_u64(sh->s.order), db_str(text),
                                db_i64(sh->id), db_u64(was)));
    return e == ERR_NOT_FOUND ? ERR_STATE : e;
}

/* sh->s has it already, as its last. */
enum err
kunlun_store_member_add(struct db *db, struct arena *a,
                        const struct kunlun_shard *sh,
                        const struct instance_spec *spec)
{
    return member_insert(db, a, sh->id, sh->s.n - 1, spec);
}

enum err
kunlun_store_member_drop(struct db *db, const struct kunlun_shard *sh,
                         unsigned i)
{
    enum err e =
        db_exec_one(db, sql[MEMBER_DROP], DB_ARGS(db_i64(sh->id), db_i64(i)));

    return e == ERR_OK ? db_exec(db, sql[MEMBERS_UP],
                                 DB_ARGS(db_i64(sh->id), db_i64(i)))
                       : e;
}

enum err
kunlun_store_shard_drop(struct db *db, int64_t id)
{
    return db_exec(db, sql[SHARD_DROP], DB_ARGS(db_i64(id)));
}

/* ---- what is told of them ---- */

enum err
kunlun_store_shard_verdict(struct db *db, int64_t id, enum fo_verdict verdict,
                           const char *sentence)
{
    const char *name = fo_verdict_name(verdict);

    return db_exec(db, sql[VERDICT],
                   DB_ARGS(db_str(name), db_str(sentence), db_i64(id),
                           db_str(name), db_str(sentence)));
}

/* A time that is not known is none. */
static const char *
or_nothing(const char *text)
{
    return text != NULL ? text : "";
}

enum err
kunlun_store_failover_add(struct db *db, int64_t shard_id,
                          const struct kunlun_failover *f)
{
    return db_exec_one(
        db, sql[FAILOVER_ADD],
        DB_ARGS(db_u64(f->epoch), db_str(f->kind), db_str(f->was),
                db_str(f->is), db_str(f->why), db_bytes(f->seen.p, f->seen.n),
                db_str(or_nothing(f->chosen)), db_str(or_nothing(f->undecided)),
                db_i64(f->suspected_ms),
                f->fenced_ms != 0 ? db_i64(f->fenced_ms) : db_null(),
                db_i64(f->decided_ms), db_i64(shard_id)));
}

enum err
kunlun_store_failover_done(struct db *db, int64_t shard_id, uint64_t epoch,
                           int64_t writable_ms)
{
    return db_exec(
        db, sql[FAILOVER_DONE],
        DB_ARGS(db_i64(writable_ms), db_i64(shard_id), db_u64(epoch)));
}

enum err
kunlun_store_failover_pointed(struct db *db, int64_t shard_id, uint64_t epoch,
                              int64_t pointed_ms)
{
    return db_exec(
        db, sql[FAILOVER_POINTED],
        DB_ARGS(db_i64(pointed_ms), db_i64(shard_id), db_u64(epoch)));
}

enum err
kunlun_store_failovers_of(struct db *db, struct arena *a, const char *cluster,
                          const char *shard,
                          struct list_of_kunlun_failover *out)
{
    return db_list(db, a, sql[FAILOVERS_OF],
                   DB_ARGS(db_str(cluster), db_str(shard), db_str(shard)),
                   &kunlun_failover_rec, FAILOVERS_MAX, out);
}

enum err
kunlun_store_failovers(struct db *db, struct arena *a, int64_t shard_id,
                       struct list_of_kunlun_failover *out)
{
    return db_list(db, a, sql[FAILOVERS], DB_ARGS(db_i64(shard_id)),
                   &kunlun_failover_rec, FAILOVERS_MAX, out);
}
