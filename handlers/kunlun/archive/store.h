/* The SQL of backups and of the binlogs that are kept behind them: sql/0048. */
#ifndef ARCHIVE_STORE_H
#define ARCHIVE_STORE_H

#include "db.h"
#include "instance.h"
#include "journal.h"
#include "record.h"

/* ---- histories ---- */

/* Who adds to the history of that id, behind it: the name of a lease. */
#define ARCHIVE_LEASE "kunlun.archive/"

#define ARCHIVE(X, s)                                               \
    X(s, I64, id, "id", COLUMN_ONLY, -)                             \
    X(s, STR, cluster, "cluster", COLUMN_ONLY, -)                   \
    X(s, STR, shard, "shard", COLUMN_ONLY, -)                       \
    X(s, I64, open, "open", COLUMN_ONLY, -) /* absent: no */        \
    X(s, I64, domain, "domain", COLUMN_ONLY, -)                     \
    X(s, U64, after_server, "after_server", COLUMN_ONLY, -)         \
    X(s, U64, after_seq, "after_seq", COLUMN_ONLY, -)               \
    X(s, U64, pieces, "pieces", COLUMN_ONLY, -)                     \
    X(s, I64, covered_ms, "covered_ms", COLUMN_ONLY, -)             \
    X(s, STR, why, "why", COLUMN_ONLY, -)                           \
    X(s, I64, members, "members", COLUMN_ONLY, -) /* archive_get */ \
    X(s, I32, port, "port", COLUMN_ONLY, -)       /* archive_due */ \
    X(s, STR, uuid, "uuid", COLUMN_ONLY, -)
STRUCT(archive, ARCHIVE);
LIST_OF(archive);

/* Those that go on of shards which that machine has an instance of, and that
 * are older than that or waited for: once for each such instance. */
enum err archive_due(struct db *db, struct arena *a, const char *machine,
                     int64_t older_ms, struct list_of_archive *out) MUST_USE;
enum err archive_get(struct db *db, struct arena *a, int64_t id,
                     struct archive *out) MUST_USE;
/* That which goes on; NOT_FOUND. */
enum err archive_open_of(struct db *db, struct arena *a, const char *cluster,
                         const char *shard, struct archive *out) MUST_USE;

/* All that follows is part of the caller's transaction. */

/* Whether a server of a cluster and shard (both named) is all of that shard: it
 * is one by itself, and no other has these names. Clients may give them to two,
 * and what one has written must not count as kept by the other. */
struct instance_spec;
enum err archive_is_alone(struct db *db, const struct instance_spec *s,
                          bool *out) MUST_USE;

/* The one that goes on, or one that begins behind that transaction. */
enum err archive_begin(struct db *db, struct arena *a, const char *cluster,
                       const char *shard, int64_t domain,
                       struct instance_gtid after, int64_t *id) MUST_USE;
/* Ends the one that goes on, if there is one. Of a job that is undone it goes
 * on again, unless another has begun. */
enum err archive_close(struct db *db, const char *cluster, const char *shard,
                       uint64_t job, const char *why) MUST_USE;
enum err archive_reopen(struct db *db, uint64_t job) MUST_USE;
/* Somebody waits until that is covered. */
enum err archive_want(struct db *db, int64_t id, int64_t until_ms) MUST_USE;

/* As far as what was read of it still is so: STATE otherwise. */
enum err archive_covers(struct db *db, const struct archive *was,
                        int64_t covered_ms) MUST_USE;

/* ---- pieces ---- */

#define ARCHIVE_PIECE(X, s)                                 \
    X(s, I64, archive_id, "archive_id", COLUMN_ONLY, -)     \
    X(s, U64, n, "n", COLUMN_ONLY, -)                       \
    X(s, STR, machine, "machine", COLUMN_ONLY, -)           \
    X(s, STR, target, "target", COLUMN_ONLY, -)             \
    X(s, STR, path, "path", COLUMN_ONLY, -)                 \
    X(s, STR, sha256, "sha256", COLUMN_ONLY, -)             \
    X(s, I64, bytes, "bytes", COLUMN_ONLY, -)               \
    X(s, U64, after_server, "after_server", COLUMN_ONLY, -) \
    X(s, U64, after_seq, "after_seq", COLUMN_ONLY, -)       \
    X(s, U64, upto_server, "upto_server", COLUMN_ONLY, -)   \
    X(s, U64, upto_seq, "upto_seq", COLUMN_ONLY, -)         \
    X(s, I64, after_ms, "after_ms", COLUMN_ONLY, -)         \
    X(s, I64, read_ms, "read_ms", COLUMN_ONLY, -)
STRUCT(archive_piece, ARCHIVE_PIECE);
LIST_OF(archive_piece);

/* The next piece: *was becomes what is stored then. STATE when it is not what
 * was read any more. */
enum err archive_add(struct db *db, struct archive *was,
                     const struct archive_piece *p) MUST_USE;
/* Takes the newest back, as if it had never been; NOT_FOUND: there is none. */
enum err archive_rewind(struct db *db, struct arena *a, struct archive *was,
                        struct archive_piece *gone) MUST_USE;
/* Those that have anything behind that number, in order; LIMIT. */
#define ARCHIVE_PIECES 200000
enum err
archive_pieces(struct db *db, struct arena *a, int64_t id, uint64_t behind_seq,
               struct list_of_archive_piece *out) MUST_USE;

/* ---- backups ---- */

#define ARCHIVE_BACKUP(X, s)                            \
    X(s, I64, id, "id", COLUMN_ONLY, -)                 \
    X(s, U64, job_id, "job_id", COLUMN_ONLY, -)         \
    X(s, STR, kind, "kind", COLUMN_ONLY, -)             \
    X(s, STR, cluster, "cluster", COLUMN_ONLY, -)       \
    X(s, STR, shard, "shard", COLUMN_ONLY, -)           \
    X(s, STR, machine, "machine", COLUMN_ONLY, -)       \
    X(s, STR, target, "target", COLUMN_ONLY, -)         \
    X(s, STR, path, "path", COLUMN_ONLY, -)             \
    X(s, I64, archive_id, "archive_id", COLUMN_ONLY, -) \
    X(s, STR, gtid, "gtid", COLUMN_ONLY, -)             \
    X(s, I64, domain, "domain", COLUMN_ONLY, -)         \
    X(s, U64, seq, "seq", COLUMN_ONLY, -)               \
    X(s, I64, begun_ms, "begun_ms", COLUMN_ONLY, -)     \
    X(s, I64, ended_ms, "ended_ms", COLUMN_ONLY, -)     \
    X(s, I64, bytes, "bytes", COLUMN_ONLY, -)           \
    X(s, STR, sha256, "sha256", COLUMN_ONLY, -)
STRUCT(archive_backup, ARCHIVE_BACKUP);
LIST_OF(archive_backup);

/* Once for each job. */
enum err
archive_backup_add(struct db *db, const struct archive_backup *b) MUST_USE;
enum err archive_backup_of(struct db *db, struct arena *a, uint64_t job,
                           struct archive_backup *out) MUST_USE;
/* The newest that ended not after that; shard NULL: of whichever; target NULL:
 * wherever. NOT_FOUND. */
enum err
archive_backup_find(struct db *db, struct arena *a, enum instance_kind kind,
                    const char *cluster, const char *shard, const char *target,
                    int64_t until_ms, struct archive_backup *out) MUST_USE;
/* By where it lies. */
enum err
archive_backup_at(struct db *db, struct arena *a, const char *target,
                  const char *path, struct archive_backup *out) MUST_USE;

/* ---- what nobody needs any more ---- */

/* Backups that this machine has made, with one of the same shard behind them
 * that has ended before that moment, and pieces that no backup needs. At most
 * `most` of each. Those of clusters that are gone as soon as they are old. */
enum err
archive_old_backups(struct db *db, struct arena *a, const char *machine,
                    int64_t before_ms, size_t most,
                    struct list_of_archive_backup *out) MUST_USE;
enum err archive_old_pieces(struct db *db, struct arena *a, const char *machine,
                            int64_t before_ms, size_t most,
                            struct list_of_archive_piece *out) MUST_USE;
enum err archive_backup_drop(struct db *db, int64_t id) MUST_USE;
/* That of a job that is undone; OK when there is none. */
enum err archive_backup_forget(struct db *db, uint64_t job) MUST_USE;
enum err
archive_piece_drop(struct db *db, int64_t archive, uint64_t n) MUST_USE;
/* Histories that have neither, with their leases, and copies of clusters
 * without a backup, with their rows of cluster_backups; that of a shard that
 * is gone ends when it was begun before that moment, and what the log of
 * backups has from before it goes. */
enum err archive_drop_empty(struct db *db, int64_t before_ms) MUST_USE;

#endif
