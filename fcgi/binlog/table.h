/* Tables as TABLE_MAP events announce them, kept by their number. */
#ifndef MG_BINLOG_TABLE_H
#define MG_BINLOG_TABLE_H

#include <stdatomic.h>

#include "charset.h"

struct table {
    struct binlog_table t; /* the first: what others hold is this */
    atomic_uint holds;
    struct arena *a; /* where all of it lies */
};

/* What a TABLE_MAP begins with: enough to know whether the rest is wanted. */
struct table_head {
    uint64_t id;
    const char *schema, *name; /* NUL-terminated, in the event */
    struct cursor rest;
};
enum err table_head(struct cursor body, struct table_head *out,
                    struct binlog_failure *why) MUST_USE;

/* The table, held once. old_times: whether the old forms of TIME, DATETIME and
 * TIMESTAMP can be read; of MariaDB they may have fractions that nobody
 * announces. */
enum err table_parse(const struct table_head *h, const struct collations *cs,
                     bool old_times, struct binlog_table **out,
                     struct binlog_failure *why) MUST_USE;

/* ---- those that are known ---- */

struct table_entry {
    struct table_entry *next; /* of its bucket */
    uint64_t id;
    uint64_t scope; /* of the statement that has it */
    uint64_t used;
    struct binlog_table *table; /* NULL: its rows are not wanted */
    size_t n;
    uint8_t map[]; /* the event's body: what is the same need not be parsed */
};

#define TABLE_BUCKETS 1024
struct table_cache {
    struct table_entry *bucket[TABLE_BUCKETS];
    size_t n, max;
    uint64_t scope, tick;
};
/* The entry of that number when it was made of the same bytes; it is in the
 * scope of the present statement then. */
struct table_entry *
table_again(struct table_cache *c, uint64_t id, struct cursor map);
/* A new one, after table_again has found none; takes the hold. NOMEM, LIMIT:
 * the hold is let go. */
enum err table_keep(struct table_cache *c, uint64_t id, struct cursor map,
                    struct binlog_table *t) MUST_USE;
/* The one of the present statement; NULL = none. */
struct table_entry *table_find(const struct table_cache *c, uint64_t id);
/* The statement has ended: its numbers mean nothing any more. */
void table_scope_end(struct table_cache *c);
void table_forget_all(struct table_cache *c);

#endif
