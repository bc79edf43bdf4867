/* The form of a backup: a POSIX tar, compressed (blob/press.h), of a stream of
 * unknown length cut into numbered parts, "payload.000000" and so on, and of
 * manifest.json as the last file: an archive without it is none. By hand:
 *     tar xf A.tgz && cat payload.* | mbstream -x
 * A tar entry says its length before its bytes: that is why there are parts.
 *
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html (ustar).
 */
#ifndef MG_BACKUP_ARCHIVE_H
#define MG_BACKUP_ARCHIVE_H

#include "blob.h"
#include "backup.h"

/* ---- made: bytes of the payload in, bytes of the archive out ---- */

struct pack;

struct pack_source {
    /* The payload: as blob_read_fn. */
    blob_read_fn *read;
    /* At its end: the manifest's text, with what has been read; NULL when the
     * payload is not whole, which breaks the archive off. */
    const char *(*manifest)(void *ctx, const struct blob_sum *payload);
    void *ctx;
};

/* NULL without memory. */
struct pack *pack_new(const struct pack_source *source);
void pack_free(struct pack *p);
/* A blob_read_fn; ctx is the struct pack. */
int64_t pack_read(void *ctx, char *p, size_t n);

/* ---- read ---- */

struct unpack;

/* Bytes of the payload go to write; false breaks off. */
struct unpack *unpack_new(blob_write_fn *write, void *ctx);
void unpack_free(struct unpack *u);
/* A blob_write_fn; ctx is the struct unpack. */
bool unpack_write(void *ctx, const char *p, size_t n);

/* After the last byte: whether all of it was there and is as it was written.
 * *manifest: read into the arena. BAD_PARAM with why. Also after unpack_write
 * has answered false, to say why; OK is not answered then. */
enum err
unpack_end(struct unpack *u, struct arena *a, struct instance_backup *manifest,
           char why[WHY_BYTES]) MUST_USE;

#endif
