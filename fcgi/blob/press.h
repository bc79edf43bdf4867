/* A stream of bytes made small, and read again. What is compressed is cut into
 * blocks, each a member of gzip (RFC 1952) or a frame of zstd (RFC 8878) of its
 * own: any gunzip or unzstd reads them one behind the other, and threads
 * compress several at once. */
#ifndef MG_BLOB_PRESS_H
#define MG_BLOB_PRESS_H

#include "blob.h"

/* ---- compressed ---- */

struct press;

enum press_form {
    PRESS_NONE, /* the bytes as they are, in gzip's frame: the level is none */
    PRESS_GZIP, /* 1 to 3, by ISA-L, whose deflate takes a fifth of zlib's time
                 * at its level 1, and about the same room */
    PRESS_ZSTD, /* 1 to 9 */
};

/* A level (1: least time) beyond those of the form is the nearest of them. read
 * is called by the thread that calls press_read alone, for PRESS_BLOCK bytes,
 * or for what is left of them when it has answered with less. NULL without
 * memory or threads. */
#define PRESS_LEVEL_MAX 9
#define PRESS_BLOCK     ((size_t)4 << 20)
struct press *
press_new(enum press_form form, int level, blob_read_fn *read, void *ctx);
void press_free(struct press *g);
/* A blob_read_fn; ctx is the struct press. -1 when read has answered that. */
int64_t press_read(void *ctx, char *p, size_t n);

/* ---- read ---- */

struct unpress;

/* Which form it is the first bytes tell. What they hold goes to write, which is
 * not called with none; NULL without memory. */
struct unpress *unpress_new(blob_write_fn *write, void *ctx);
void unpress_free(struct unpress *g);
/* A blob_write_fn; ctx is the struct unpress. False: write has broken it off,
 * or it is damaged, or of no form that is known. */
bool unpress_write(void *ctx, const char *p, size_t n);
bool unpress_is_damaged(const struct unpress *g);
/* Whether it may end here: a member has, and no other has begun. */
bool unpress_may_end(const struct unpress *g);

#endif
