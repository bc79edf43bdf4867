/* Where a row goes: its topic, and its partition of that. spec/ticdc sections
 * 4.4 and 5. */
#ifndef TICDC_ROUTE_H
#define TICDC_ROUTE_H

#include "encode.h"

#define ROUTE_TOPIC_MAX 250 /* 249 characters, with the NUL */

/* A topic expression for a table: {schema} and {table} are replaced, what a
 * topic cannot have becomes '_', the rest beyond 249 is cut. */
void route_topic(const char *expression, const char *schema, const char *table,
                 char out[ROUTE_TOPIC_MAX]);

enum route_by {
    ROUTE_TABLE, /* also `default` */
    ROUTE_TS,
    ROUTE_INDEX, /* rowid, index-value: a named index, or the handle */
    ROUTE_COLUMNS,
};
/* Of a dispatcher's word, in any letter case; what is none is ROUTE_TABLE and
 * *known false. */
enum route_by route_by_word(const char *word, bool *known);

struct route {
    enum route_by by;
    const char *index; /* of INDEX; NULL: the handle */
    size_t n_columns;  /* of COLUMNS */
    const char *const *column;
};
/* Whether a table has what the dispatcher asks for; BAD_PARAM with why. */
enum err route_check(const struct route *r, const struct encode_table *t,
                     char why[WHY_BYTES]) MUST_USE;

/* TiCDC's hash of a row, before the modulo: of an UPDATE, DELETE or INSERT by
 * that image. ts is not a hash: it is the commit_ts. */
uint64_t route_hash(const struct route *r, const struct encode_event *e,
                    const struct binlog_value *image);
/* The partition of the row: by its new image, of a DELETE by the old one. */
uint32_t route_partition(const struct route *r, const struct encode_event *e,
                         uint32_t partitions);
/* An UPDATE whose images belong to different partitions, or that changes the
 * handle, has to become a DELETE and an INSERT. */
bool route_splits(const struct route *r, const struct encode_event *e,
                  uint32_t partitions);

#endif
