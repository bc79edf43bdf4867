/* Definitions as files: which columns a table has, of what type, and the
 * statement that has made it so. Readers of files need one in front of the
 * rows, since CSV has neither names nor types. */
#ifndef TICDC_FILES_SHAPE_H
#define TICDC_FILES_SHAPE_H

#include "buf.h"
#include "ticdc/encode/encode.h"

struct shape_column {
    const char *name, *type; /* "decimal(10,4) unsigned" */
    const char *otherwise;   /* the default; NULL: none */
    bool is_nullable, is_key;
};
struct shape {
    const char *schema, *table; /* table "": of a schema */
    size_t n;
    struct shape_column *column;
    uint32_t sum;   /* tells definitions apart, whoever has made them so */
    uint32_t names; /* the same by names of columns alone */
    bool is_whole;  /* types are as declared: the source has said them */
};

/* Of a table whose rows are written, or of what the source says; in the arena.
 * NOMEM. */
enum err shape_of_table(struct arena *a, const struct encode_table *t,
                        struct shape *out) MUST_USE;
enum err
shape_of_schema(struct arena *a, const char *schema, const char *table,
                const struct encode_schema *s, struct shape *out) MUST_USE;

/* The file, behind what b holds. action: TiDB's number (encode/action.h); with
 * sql "" it is a definition that was there. */
void shape_write(struct buf *b, const struct shape *s, uint64_t version,
                 const char *sql, unsigned action);

#endif
