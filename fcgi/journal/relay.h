/* Pieces of a journal as the relay log of a server that is to apply them. */
#ifndef MG_JOURNAL_RELAY_H
#define MG_JOURNAL_RELAY_H

#include "journal.h"

/* The server that applies them: events of its own it would pass over. No
 * instance has that server_id. */
#define RELAY_SERVER_ID UINT32_MAX

struct relay {
    /* ---- by the caller ---- */
    int64_t domain;
    struct instance_gtid base; /* it has everything up to that */
    const struct journal_stored *piece;
    size_t n;
    int64_t until_ms;
    const struct instance_watch *w;
    int64_t round_bytes; /* of relay logs that are there at once */

    /* ---- what has come of it ---- */
    size_t next;               /* piece */
    bool reached;              /* the first one that is too late */
    struct instance_gtid seen; /* the last transaction that was read */
    struct journal_played played;
    unsigned files; /* of this round */
};

/* Writes the relay logs of the next round into the empty directory, which is
 * called `path`, with their index: r->files, 0 when there was nothing left.
 * The pieces are checked. */
enum err relay_fill(struct relay *r, int dir, const char *path,
                    char why[WHY_BYTES]) MUST_USE;

#endif
