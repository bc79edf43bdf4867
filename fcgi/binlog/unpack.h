/* MariaDB's compressed events and columns. */
#ifndef MG_BINLOG_UNPACK_H
#define MG_BINLOG_UNPACK_H

#include <zlib.h>

#include "binlog_int.h"

/* Kept for the next time; zeroed at first. */
struct unpacker {
    z_stream z;
    bool ready;
};
void unpacker_close(struct unpacker *u);

/* The rest of a compressed event, behind what `out` has. BAD_PARAM: it is
 * none; LIMIT: more than `out` takes; NOMEM. */
enum err
unpack_event(struct unpacker *u, struct cursor c, struct buf *out) MUST_USE;
/* A value of a COMPRESSED column, as stored; the same. */
enum err
unpack_column(struct unpacker *u, struct cursor c, struct buf *out) MUST_USE;

#endif
