/* A stream of bytes through gzip, either way (RFC 1952). What is compressed is
 * cut into blocks, each a member of its own: any gunzip reads them one behind
 * the other, and threads compress several at once. */
#ifndef MG_BLOB_GZIP_H
#define MG_BLOB_GZIP_H

#include "blob.h"

/* ---- compressed ---- */

struct gzip;

/* level: 0 leaves the bytes as they are, in gzip's frame; 1 (least time) to
 * GZIP_LEVEL_MAX. read is called by the thread that calls gzip_read alone.
 * NULL without memory or threads. */
#define GZIP_LEVEL_MAX 3
struct gzip *gzip_new(int level, blob_read_fn *read, void *ctx);
void gzip_free(struct gzip *g);
/* A blob_read_fn; ctx is the struct gzip. -1 when read has answered that. */
int64_t gzip_read(void *ctx, char *p, size_t n);

/* ---- read ---- */

struct gunzip;

/* The bytes go to write, which is not called with none; NULL without memory. */
struct gunzip *gunzip_new(blob_write_fn *write, void *ctx);
void gunzip_free(struct gunzip *g);
/* A blob_write_fn; ctx is the struct gunzip. False: write has broken it off, or
 * it is damaged. */
bool gunzip_write(void *ctx, const char *p, size_t n);
bool gunzip_is_damaged(const struct gunzip *g);
/* Whether it may end here: a member has, and no other has begun. */
bool gunzip_may_end(const struct gunzip *g);

#endif
