/* Rows as lines of CSV, as TiCDC writes them: what was done (I, U, D), table,
 * schema, what else was asked for, then the columns. Numbers are bare, all
 * else is quoted; ENUM and SET are names, bytes base64 or hex, NULL is a word
 * without quotes. Without a quote what would end a field is escaped by
 * backslashes. */
#ifndef TICDC_FILES_CSV_H
#define TICDC_FILES_CSV_H

#include "buf.h"
#include "ticdc/encode/encode.h"

struct csv_config {
    const char *delimiter, *quote, *null, *terminator; /* quote "": none */
    bool commit_ts, hex; /* hex: of bytes, in place of base64 */
    bool old_value;      /* an UPDATE is a line of before and one of behind */
    bool handle_key, header;
};

/* The names of the columns as a line. */
void csv_header(struct buf *b, const struct csv_config *c,
                const struct encode_table *t);
/* An event, behind what b holds. */
void csv_row(struct buf *b, const struct csv_config *c,
             const struct encode_event *ev);

#endif
