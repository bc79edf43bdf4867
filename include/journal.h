/* Room: journal/ */
/* The binlog of a shard, kept where its backups go, and played again behind a
 * restored backup up to a moment. Only MariaDB's, with GTIDs of one domain.
 *
 * The words. A *position* is between two transactions of a server's binlogs. A
 * *piece* are those from a position on, at most some MiB of them, and never of
 * two files: it is stored as a binlog of its own, compressed by gzip
 * (`zcat | mariadb-binlog -`). A *timeline* are pieces one behind the other,
 * each beginning where the one before ends, whichever member of the shard they
 * are from: the same transactions have the same GTIDs everywhere. Who keeps
 * the list of them, and says who of a shard may add to it, is the caller.
 *
 * `why` is a sentence for people. */
#ifndef MG_JOURNAL_H
#define MG_JOURNAL_H

#include "arena.h"
#include "backup.h"
#include "base.h"
#include "blob.h"
#include "instance.h"

/* ---- of a server that runs, on this machine ---- */

struct journal_position {
    char file[64];
    int64_t at;                 /* 0: behind the file's head */
    struct instance_gtid after; /* the last transaction before it */
};

/* The position behind that transaction. NOT_FOUND: its binlogs have another
 * history, or less; STATE: they begin later, older ones are gone. */
enum err
journal_seek(const struct instance_spec *s, struct instance_gtid after,
             struct journal_position *out, char why[WHY_BYTES]) MUST_USE;

struct journal_piece {
    char file[64];
    int64_t from, to;                 /* bytes of it */
    struct instance_gtid after, upto; /* after < its transactions <= upto */
    uint64_t groups;
};

/* The transactions from there on that are whole: up to `most` bytes, or one,
 * and none of the shard's behind number `last` (UINT64_MAX: all): what no
 * replica has may yet be taken out of a binlog, and another come in its place.
 * *at is moved behind them. NOT_FOUND: there are none now. BAD_PARAM: the
 * binlog is damaged; STATE: the position is not there any more. */
enum err journal_next(const struct instance_spec *s,
                      struct journal_position *at, int64_t most, uint64_t last,
                      struct journal_piece *out, char why[WHY_BYTES]) MUST_USE;

/* Puts it to a key of the target. */
enum err
journal_put(const struct instance_spec *s, const struct journal_piece *p,
            struct blob_store *to, const char *key, struct blob_sum *sum,
            char why[WHY_BYTES]) MUST_USE;

/* ---- played again ---- */

/* A piece as it was stored. Every transaction of it was committed after
 * after_ms and not after read_ms (Unix). */
struct journal_stored {
    struct blob_store *from;
    const char *key, *sha256;
    struct instance_gtid after, upto;
    int64_t after_ms, read_ms;
};

struct journal_played {
    struct instance_gtid upto; /* the last transaction; seq 0: none */
    uint64_t groups;
    int64_t bytes;
};

/* Between instance_load and instance_load_place: a server on the data that
 * were loaded, which nobody else reaches, takes the transactions of the pieces
 * (a timeline without a gap) that come after the backup's position and were
 * committed before until_ms. Of a transaction it is known when the statement
 * that committed it began, to the second, and between which two readings of
 * the binlog it was there: it counts as committed at the first of these,
 * within the second. BAD_PARAM: a piece is damaged, or not what was expected;
 * nothing of it has been kept, and the load is to be taken back. */
enum err journal_play(struct arena *a, const struct instance_spec *s,
                      const struct instance_backup *loaded,
                      const struct journal_stored *piece, size_t n,
                      int64_t until_ms, const struct instance_watch *w,
                      struct journal_played *out, char why[WHY_BYTES]) MUST_USE;

#endif
