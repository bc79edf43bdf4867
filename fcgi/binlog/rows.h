/* The rows of an event, and what takes them apart. */
#ifndef MG_BINLOG_ROWS_H
#define MG_BINLOG_ROWS_H

#include "charset.h"
#include "unpack.h"

struct binlog_decoder {
    size_t max;                 /* bytes of text of a row */
    struct binlog_table *table; /* of the rows at hand; not held */
    enum binlog_kind kind;
    struct cursor in;
    size_t n_values; /* that there is room for, of each image */
    struct binlog_value *before, *after;
    size_t text_cap;
    char *text, *text_at; /* decimals and times */
    struct buf long_text; /* documents, and what was compressed: values in it
                           * are offsets until the row is done */
    struct unpacker unpacker;
    struct converters converters;
    struct binlog_failure failure;
};

/* What a rows event says of itself. */
struct rows_head {
    uint64_t table_id;
    bool ends; /* the statement */
};
/* The rest of c is then what struct binlog_rows has. */
enum err rows_head(struct cursor *c, bool v2, struct rows_head *out,
                   struct binlog_failure *why) MUST_USE;
/* The images, behind what says which columns they have: all of the table's, or
 * it is a fault. */
enum err rows_open(const struct binlog_rows *rows, struct cursor *out,
                   struct binlog_failure *why) MUST_USE;
/* How many bytes of c stand in front of the rows themselves, which may be
 * compressed; 0: it is cut. */
size_t rows_prefix(struct cursor c, bool is_update);

#endif
