/* The SQL of backups and of the binlogs behind them. */
#include "store.h"

TABLE(archive, ARCHIVE);
TABLE(archive_piece, ARCHIVE_PIECE);
TABLE(archive_backup, ARCHIVE_BACKUP);

#define ROWS_MAX 10000

#define COLUMNS                                                   \
    "a.id, a.cluster, a.shard, a.open, a.domain, a.after_server," \
    " a.after_seq, a.pieces, a.covered_ms, a.why"
#define PIECE                                                              \
    "p.archive_id, p.n, p.machine, p.target, p.path, p.sha256, p.bytes,"   \
    " p.after_server, p.after_seq, p.upto_server, p.upto_seq, p.after_ms," \
    " p.read_ms"
#define BACKUP                                                         \
    "b.id, b.job_id, b.kind, b.cluster, b.shard, b.machine, b.target," \
    " b.path, b.archive_id, b.gtid, b.domain, b.seq, b.begun_ms,"      \
    " b.ended_ms, b.bytes, b.sha256"

enum {
    OTHERS,
    DUE,
    GET,
    OPEN_OF,
    BEGIN,
    CLOSE,
    REOPEN,
    WANT,
    COVERS,
    ADVANCE,
    ADD,
    NEWEST,
    TAKE,
    BACK,
    PIECES,
    BACKUP_ADD,
    BACKUP_OF,
    BACKUP_FIND,
    BACKUP_AT,
    OLD_BACKUPS,
    OLD_PIECES,
    BACKUP_DROP,
    BACKUP_FORGET,
    PIECE_DROP,
    CLOSE_GONE,
    DROP_EMPTY,
    DROP_LEASES,
    DROP_COPIES,
    DROP_LOG,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [OTHERS] = "SELECT COUNT(*) FROM kunlun_instance WHERE kind = 'storage'"
               " AND cluster = ? AND shard = ? AND uuid <> ?",
    [DUE] = "SELECT " COLUMNS ", i.port, i.uuid FROM kunlun_archive a"
            " JOIN kunlun_instance i ON i.cluster = a.cluster"
            " AND i.shard = a.shard AND i.kind = 'storage'"
            " WHERE a.open = 1 AND i.machine = ?"
            " AND (a.covered_ms < ? OR a.wanted_ms > a.covered_ms)"
            " ORDER BY a.id, i.port",
    [GET] = "SELECT " COLUMNS ", (SELECT COUNT(*) FROM kunlun_instance i"
            " WHERE i.cluster = a.cluster AND i.shard = a.shard) AS members"
            " FROM kunlun_archive a WHERE a.id = ?",
    [OPEN_OF] = "SELECT " COLUMNS " FROM kunlun_archive a"
                " WHERE a.cluster = ? AND a.shard = ? AND a.open = 1",
    [BEGIN] =
        "INSERT INTO kunlun_archive (cluster, shard, open, domain,"
        " after_server, after_seq, pieces, covered_ms, wanted_ms,"
        " begun_ms, why) VALUES (?, ?, 1, ?, ?, ?, 0, 0, 0, " DB_NOW_MS ", '')",
    [CLOSE] = "UPDATE kunlun_archive SET open = NULL, closed_ms = " DB_NOW_MS
              ", closed_job = ?, why = ?"
              " WHERE cluster = ? AND shard = ? AND open = 1",
    [REOPEN] = "UPDATE kunlun_archive a LEFT JOIN kunlun_archive o"
               " ON o.cluster = a.cluster AND o.shard = a.shard"
               " AND o.open = 1 SET a.open = 1, a.closed_ms = NULL,"
               " a.closed_job = NULL, a.why = ''"
               " WHERE a.closed_job = ? AND o.id IS NULL",
    [WANT] = "UPDATE kunlun_archive SET wanted_ms = GREATEST(wanted_ms, ?)"
             " WHERE id = ?",
    [COVERS] = "UPDATE kunlun_archive"
               " SET covered_ms = GREATEST(covered_ms, ?) WHERE id = ?"
               " AND open = 1 AND pieces = ? AND after_server = ?"
               " AND after_seq = ?",
    [ADVANCE] = "UPDATE kunlun_archive SET pieces = ?, after_server = ?,"
                " after_seq = ? WHERE id = ? AND open = 1 AND pieces = ?"
                " AND after_server = ? AND after_seq = ?",
    [ADD] = "INSERT INTO kunlun_piece (archive_id, n, machine, target, path,"
            " sha256, bytes, after_server, after_seq, upto_server, upto_seq,"
            " after_ms, read_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [NEWEST] = "SELECT " PIECE " FROM kunlun_piece p WHERE p.archive_id = ?"
               " ORDER BY p.n DESC LIMIT 1",
    [TAKE] = "DELETE FROM kunlun_piece WHERE archive_id = ? AND n = ?",
    [BACK] = "UPDATE kunlun_archive SET after_server = ?, after_seq = ?,"
             " covered_ms = LEAST(covered_ms, ?) WHERE id = ? AND open = 1"
             " AND pieces = ? AND after_server = ? AND after_seq = ?",
    [PIECES] = "SELECT " PIECE " FROM kunlun_piece p WHERE p.archive_id = ?"
               " AND p.upto_seq > ? ORDER BY p.n",
    [BACKUP_ADD] = "INSERT INTO kunlun_backup (job_id, kind, cluster, shard,"
                   " machine, target, path, archive_id, gtid, domain, seq,"
                   " begun_ms, ended_ms, bytes, sha256)"
                   " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                   " ON DUPLICATE KEY UPDATE job_id = job_id",
    [BACKUP_OF] = "SELECT " BACKUP " FROM kunlun_backup b WHERE b.job_id = ?",
    [BACKUP_FIND] = "SELECT " BACKUP " FROM kunlun_backup b"
                    " WHERE b.cluster = ? AND (? IS NULL OR b.shard = ?)"
                    " AND b.kind = ?"
                    " AND b.ended_ms <= ? AND (? IS NULL OR b.target = ?)"
                    " ORDER BY b.ended_ms DESC, b.id DESC LIMIT 1",
    [BACKUP_AT] = "SELECT " BACKUP " FROM kunlun_backup b"
                  " WHERE b.target = ? AND b.path = ?"
                  " ORDER BY b.id DESC LIMIT 1",
    /* the newest before that moment is needed for what is behind it */
    [OLD_BACKUPS] =
        "SELECT " BACKUP " FROM kunlun_backup b WHERE b.machine = ?"
        " AND b.ended_ms < ? AND (EXISTS (SELECT 1 FROM kunlun_backup n"
        " WHERE n.cluster = b.cluster AND n.shard = b.shard"
        " AND n.kind = b.kind AND n.ended_ms > b.ended_ms"
        " AND n.ended_ms < ?)"
        " OR NOT EXISTS (SELECT 1 FROM kunlun_instance i"
        " WHERE i.cluster = b.cluster)) ORDER BY b.ended_ms LIMIT ?",
    [OLD_PIECES] =
        "SELECT " PIECE " FROM kunlun_piece p JOIN kunlun_archive a"
        " ON a.id = p.archive_id WHERE p.machine = ? AND p.read_ms < ?"
        " AND p.upto_seq <= COALESCE((SELECT MIN(b.seq) FROM kunlun_backup b"
        " WHERE b.archive_id = a.id), IF(a.open = 1, a.after_seq,"
        " p.upto_seq)) ORDER BY p.archive_id, p.n LIMIT ?",
    [BACKUP_DROP] = "DELETE FROM kunlun_backup WHERE id = ?",
    [BACKUP_FORGET] = "DELETE FROM kunlun_backup WHERE job_id = ?",
    [PIECE_DROP] = "DELETE FROM kunlun_piece WHERE archive_id = ? AND n = ?",
    [CLOSE_GONE] = "UPDATE kunlun_archive a SET a.open = NULL,"
                   " a.closed_ms = " DB_NOW_MS ", a.why = 'its shard is gone'"
                   " WHERE a.open = 1 AND a.begun_ms < ?"
                   " AND NOT EXISTS (SELECT 1 FROM kunlun_instance i"
                   " WHERE i.cluster = a.cluster AND i.shard = a.shard)",
    [DROP_EMPTY] = "DELETE a FROM kunlun_archive a WHERE a.open IS NULL"
                   " AND NOT EXISTS (SELECT 1 FROM kunlun_piece p"
                   " WHERE p.archive_id = a.id)"
                   " AND NOT EXISTS (SELECT 1 FROM kunlun_backup b"
                   " WHERE b.archive_id = a.id)",
    /* ids of archives do not come again: no epoch of another begins anew */
    [DROP_LEASES] = "DELETE l FROM lease l WHERE l.name LIKE"
                    " '" ARCHIVE_LEASE "%' AND l.expires_ms < " DB_NOW_MS
                    " AND NOT EXISTS (SELECT 1 FROM kunlun_archive a"
                    " WHERE l.name = CONCAT('" ARCHIVE_LEASE "', a.id))",
    /* with the row that others read, but none that was not ours */
    [DROP_COPIES] =
        "DELETE c, r FROM kunlun_copy c"
        " LEFT JOIN Kunlun_Metadata_DB.cluster_backups r ON r.memo = c.doc"
        " AND r.end_ts = FROM_UNIXTIME(c.ended_ms / 1000)"
        " WHERE NOT EXISTS (SELECT 1 FROM kunlun_backup b"
        " WHERE b.cluster = c.cluster AND b.ended_ms <= c.ended_ms)",
    [DROP_LOG] =
        "DELETE FROM Kunlun_Metadata_DB.cluster_shard_backup_restore_log"
        " WHERE status IN ('done', 'failed')"
        " AND when_ended < FROM_UNIXTIME(? / 1000)",
};

/* ---- histories ---- */

enum err
archive_due(struct db *db, struct arena *a, const char *machine,
            int64_t older_ms, struct list_of_archive *out)
{
    return db_list(db, a, sql[DUE], DB_ARGS(db_str(machine), db_i64(older_ms)),
                   &archive_rec, ROWS_MAX, out);
}

enum err
archive_get(struct db *db, struct arena *a, int64_t id, struct archive *out)
{
    return db_one(db, a, sql[GET], DB_ARGS(db_i64(id)), &archive_rec, out);
}

enum err
archive_open_of(struct db *db, struct arena *a, const char *cluster,
                const char *shard, struct archive *out)
{
    return db_one(db, a, sql[OPEN_OF], DB_ARGS(db_str(cluster), db_str(shard)),
                  &archive_rec, out);
}

enum err
archive_is_alone(struct db *db, const struct instance_spec *s, bool *out)
{
    int64_t others = 0;
    enum err e = ERR_OK;

    if (s->lone)
        e = db_one_i64(
            db, sql[OTHERS],
            DB_ARGS(db_str(s->cluster), db_str(s->shard), db_str(s->uuid)),
            &others);
    *out = s->lone && others == 0;
    return e;
}

enum err
archive_begin(struct db *db, struct arena *a, const char *cluster,
              const char *shard, int64_t domain, struct instance_gtid after,
              int64_t *id)
{
    struct archive there;
    enum err e = archive_open_of(db, a, cluster, shard, &there);

    if (e == ERR_OK)
        *id = there.id;
    if (e != ERR_NOT_FOUND)
        return e;
    e = db_exec(db, sql[BEGIN],
                DB_ARGS(db_str(cluster), db_str(shard), db_i64(domain),
                        db_u64(after.server), db_u64(after.seq)));
    if (e == ERR_OK)
        *id = (int64_t)db_insert_id(db);
    return e;
}

enum err
archive_close(struct db *db, const char *cluster, const char *shard,
              uint64_t job, const char *why)
{
    return db_exec(
        db, sql[CLOSE],
        DB_ARGS(db_u64(job), db_str(why), db_str(cluster), db_str(shard)));
}

enum err
archive_reopen(struct db *db, uint64_t job)
{
    return db_exec(db, sql[REOPEN], DB_ARGS(db_u64(job)));
}

enum err
archive_want(struct db *db, int64_t id, int64_t until_ms)
{
    return db_exec(db, sql[WANT], DB_ARGS(db_i64(until_ms), db_i64(id)));
}

static enum err
as_it_was(enum err e)
{
    return e == ERR_NOT_FOUND ? ERR_STATE : e;
}

enum err
archive_covers(struct db *db, const struct archive *was, int64_t covered_ms)
{
    return as_it_was(db_exec_one(
        db, sql[COVERS],
        DB_ARGS(db_i64(covered_ms), db_i64(was->id), db_u64(was->pieces),
                db_u64(was->after_server), db_u64(was->after_seq))));
}

/* ---- pieces ---- */

enum err
archive_add(struct db *db, struct archive *was, const struct archive_piece *p)
{
    enum err e = as_it_was(db_exec_one(
        db, sql[ADVANCE],
        DB_ARGS(db_u64(p->n + 1), db_u64(p->upto_server), db_u64(p->upto_seq),
                db_i64(was->id), db_u64(was->pieces), db_u64(was->after_server),
                db_u64(was->after_seq))));

    if (e == ERR_OK)
        e = db_exec(db, sql[ADD],
                    DB_ARGS(db_i64(was->id), db_u64(p->n), db_str(p->machine),
                            db_str(p->target), db_str(p->path),
                            db_str(p->sha256), db_i64(p->bytes),
                            db_u64(p->after_server), db_u64(p->after_seq),
                            db_u64(p->upto_server), db_u64(p->upto_seq),
                            db_i64(p->after_ms), db_i64(p->read_ms)));
    if (e == ERR_OK) {
        was->pieces = p->n + 1;
        was->after_server = p->upto_server;
        was->after_seq = p->upto_seq;
    }
    return e;
}

enum err
archive_rewind(struct db *db, struct arena *a, struct archive *was,
               struct archive_piece *gone)
{
    enum err e = db_one(db, a, sql[NEWEST], DB_ARGS(db_i64(was->id)),
                        &archive_piece_rec, gone);

    if (e != ERR_OK)
        return e;
    e = as_it_was(db_exec_one(
        db, sql[BACK],
        DB_ARGS(db_u64(gone->after_server), db_u64(gone->after_seq),
                db_i64(gone->after_ms), db_i64(was->id), db_u64(was->pieces),
                db_u64(was->after_server), db_u64(was->after_seq))));
    if (e == ERR_OK)
        e = db_exec(db, sql[TAKE], DB_ARGS(db_i64(was->id), db_u64(gone->n)));
    if (e == ERR_OK) {
        was->after_server = gone->after_server;
        was->after_seq = gone->after_seq;
        if (was->covered_ms > gone->after_ms)
            was->covered_ms = gone->after_ms;
    }
    return e;
}

enum err
archive_pieces(struct db *db, struct arena *a, int64_t id, uint64_t behind_seq,
               struct list_of_archive_piece *out)
{
    return db_list(db, a, sql[PIECES], DB_ARGS(db_i64(id), db_u64(behind_seq)),
                   &archive_piece_rec, ARCHIVE_PIECES, out);
}

/* ---- backups ---- */

enum err
archive_backup_add(struct db *db, const struct archive_backup *b)
{
    return db_exec(
        db, sql[BACKUP_ADD],
        DB_ARGS(db_u64(b->job_id), db_str(b->kind), db_str(b->cluster),
                db_str(b->shard), db_str(b->machine), db_str(b->target),
                db_str(b->path),
                HAS(b, archive_backup, archive_id) ? db_i64(b->archive_id)
                                                   : db_null(),
                db_str(b->gtid), db_i64(b->domain), db_u64(b->seq),
                db_i64(b->begun_ms), db_i64(b->ended_ms), db_i64(b->bytes),
                db_str(b->sha256)));
}

enum err
archive_backup_of(struct db *db, struct arena *a, uint64_t job,
                  struct archive_backup *out)
{
    return db_one(db, a, sql[BACKUP_OF], DB_ARGS(db_u64(job)),
                  &archive_backup_rec, out);
}

enum err
archive_backup_find(struct db *db, struct arena *a, enum instance_kind kind,
                    const char *cluster, const char *shard, const char *target,
                    int64_t until_ms, struct archive_backup *out)
{
    return db_one(db, a, sql[BACKUP_FIND],
                  DB_ARGS(db_str(cluster), db_str(shard), db_str(shard),
                          db_str(enum_text(instance_kind_names, (int)kind)),
                          db_i64(until_ms), db_str(target), db_str(target)),
                  &archive_backup_rec, out);
}

enum err
archive_backup_at(struct db *db, struct arena *a, const char *target,
                  const char *path, struct archive_backup *out)
{
    return db_one(db, a, sql[BACKUP_AT], DB_ARGS(db_str(target), db_str(path)),
                  &archive_backup_rec, out);
}

/* ---- what nobody needs any more ---- */

enum err
archive_old_backups(struct db *db, struct arena *a, const char *machine,
                    int64_t before_ms, size_t most,
                    struct list_of_archive_backup *out)
{
    return db_list(db, a, sql[OLD_BACKUPS],
                   DB_ARGS(db_str(machine), db_i64(before_ms),
                           db_i64(before_ms), db_u64(most)),
                   &archive_backup_rec, most, out);
}

enum err
archive_old_pieces(struct db *db, struct arena *a, const char *machine,
                   int64_t before_ms, size_t most,
                   struct list_of_archive_piece *out)
{
    return db_list(db, a, sql[OLD_PIECES],
                   DB_ARGS(db_str(machine), db_i64(before_ms), db_u64(most)),
                   &archive_piece_rec, most, out);
}

enum err
archive_backup_drop(struct db *db, int64_t id)
{
    return db_exec(db, sql[BACKUP_DROP], DB_ARGS(db_i64(id)));
}

enum err
archive_backup_forget(struct db *db, uint64_t job)
{
    return db_exec(db, sql[BACKUP_FORGET], DB_ARGS(db_u64(job)));
}

enum err
archive_piece_drop(struct db *db, int64_t archive, uint64_t n)
{
    return db_exec(db, sql[PIECE_DROP], DB_ARGS(db_i64(archive), db_u64(n)));
}

enum err
archive_drop_empty(struct db *db, int64_t before_ms)
{
    enum err e = db_exec(db, sql[CLOSE_GONE], DB_ARGS(db_i64(before_ms)));

    if (e == ERR_OK)
        e = db_exec(db, sql[DROP_EMPTY], DB_NO_ARGS);
    if (e == ERR_OK)
        e = db_exec(db, sql[DROP_LEASES], DB_NO_ARGS);
    if (e == ERR_OK)
        e = db_exec(db, sql[DROP_COPIES], DB_NO_ARGS);
    return e == ERR_OK ? db_exec(db, sql[DROP_LOG], DB_ARGS(db_i64(before_ms)))
                       : e;
}
