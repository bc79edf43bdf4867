/* xbstream, the form in which mariadb-backup streams files: looked at as it
 * passes, so that nothing leaves the directory that it is unpacked in
 * (mbstream before 10.11.17 lets it: CVE-2026-44171).
 *
 * Each chunk: "XBSTCK01", flags, kind, a length and a name; then by kind
 *   P  length, offset (8 bytes each), checksum (4), the bytes
 *   E  nothing: the file's end      D  nothing: it is removed
 *   S  an offset (8)                R  the new name, as the first
 * (extra/mariabackup/xbstream_write.cc of MariaDB 10.11.) */
#ifndef MG_BACKUP_XBSTREAM_H
#define MG_BACKUP_XBSTREAM_H

#include "base.h"

struct xbstream {
    int state;
    unsigned char field[1024];
    size_t field_n, field_want;
    uint64_t skip; /* of a payload */
    char kind;
};

#define XBSTREAM_INIT    \
    {                    \
        .field_want = 14 \
    }

/* The next bytes; false when they are not of that form, or name something
 * outside. */
bool xbstream_look(struct xbstream *x, const char *p, size_t n);
/* Whether it may end here. */
bool xbstream_may_end(const struct xbstream *x);

#endif
