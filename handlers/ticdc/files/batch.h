/* What waits of the tables that a sink writes to files: a batch for each name,
 * which becomes a file of rows in the folder of the version in force. */
#ifndef TICDC_FILES_BATCH_H
#define TICDC_FILES_BATCH_H

#include "buf.h"
#include "ticdc/files/files.h"
#include "ticdc/files/shape.h"

/* A table, with what waits of it. */
struct batch {
    struct batch *next;
    struct encode_table *table;
    uint32_t sum, names; /* of its shape */
    bool is_whole;
    bool is_versioned; /* `version` was looked up since the last flush */
    uint64_t version;
    char date[KEYS_DATE_MAX];
    struct buf rows;
    char folder[KEYS_MAX]; /* where `number` was the last; "": not known */
    uint64_t number;
};

struct files {
    struct outlet s; /* first */
    const struct files_config *c;
    struct encoder *encoder;
    struct encode_values *values;
    struct describer *describer;
    struct arena *a; /* of a look at the store */
    struct batch *batches;
    size_t n_batches, waiting; /* bytes */
    uint64_t ts;               /* of the transaction under way */
    uint64_t told_ts;          /* in the file `metadata` */
    int64_t told_ms;
};

/* What the sink answers without memory. */
enum err files_no_memory(struct files *f) MUST_USE;

/* Its batch. One per name, whatever its definition: so rows keep their order.
 * What was asked for last is the first. */
enum err batch_of(struct files *f, struct binlog_table *def,
                  struct batch **out) MUST_USE;
/* Of a name that has one, as the rows were that came last; or NULL. */
const struct encode_table *
batch_known(const struct files *f, const char *schema, const char *table);
/* Makes sure that its version is that in force. Statements are barriers, in
 * front of which all is flushed: so it is enough to look at the beginning of a
 * batch which version is in force, whoever has performed the statement. */
enum err batch_version(struct files *f, struct batch *b) MUST_USE;
/* What waits of a table becomes a file. */
enum err batch_publish(struct files *f, struct batch *b) MUST_USE;
enum err batch_publish_all(struct files *f) MUST_USE;
/* With all that waits of them. */
void batch_forget_all(struct files *f);

/* The schema file, and then the one that says that it is in force. */
enum err batch_shape(struct files *f, const struct shape *s, uint64_t version,
                     const char *sql, unsigned action) MUST_USE;

#endif
