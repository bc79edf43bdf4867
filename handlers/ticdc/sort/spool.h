/* The rows of one transaction, from the announcement to the sink, in their
 * order: in memory up to a bound, then in a file without a name. They can be
 * read as often as wanted. */
#ifndef TICDC_SPOOL_H
#define TICDC_SPOOL_H

#include "base.h"
#include "binlog.h"

struct spool;

/* folder: where files go. NULL without memory. */
struct spool *spool_new(const char *folder, size_t memory_max);
void spool_free(struct spool *s);

/* A copy of the rows, the table held. STATE with the reason in errno when the
 * file cannot be written. */
enum err spool_add(struct spool *s, const struct binlog_rows *rows) MUST_USE;

/* How much of it there is; and back to when it was that much. */
uint64_t spool_mark(const struct spool *s);
void spool_cut(struct spool *s, uint64_t mark);
/* All of it goes to the file: it will not be wanted soon. STATE as above. */
enum err spool_settle(struct spool *s) MUST_USE;

/* From the first one on. */
void spool_rewind(struct spool *s);
/* The next; its bytes live until the next call. NOT_FOUND at the end; STATE:
 * the file cannot be read. */
enum err spool_next(struct spool *s, struct binlog_rows *out) MUST_USE;

/* Bytes that it has in memory now, and in its file. */
size_t spool_memory(const struct spool *s);
uint64_t spool_on_disk(const struct spool *s);

#endif
