/* Change data into files: rows of a table by their order in files of about one
 * size, which are put when they are large or old enough; definitions beside
 * them (shape.h), numbered names (keys.h), and a file that says up to which
 * time all of it is there. What a flush has answered OK to is whole in its
 * place, and stays so when the process or its host ends.
 *
 * Words. What waits of a table is its *batch*. A *version* is the commit_ts
 * since when a table has been defined so: its files lie in a folder of that
 * name. Nobody replaces a file of rows: who finds its number taken has to look
 * whether the table is still its own. */
#ifndef TICDC_FILES_H
#define TICDC_FILES_H

#include "blob.h"
#include "my.h"
#include "ticdc/encode/encode.h"
#include "ticdc/files/csv.h"
#include "ticdc/files/keys.h"
#include "ticdc/sink/sink.h"

/* All texts live as long as the sink. */
struct files_config {
    struct blob_store *store;
    bool is_csv; /* else canal-json */
    struct csv_config csv;
    struct encode_config encode; /* of canal-json */
    const char *terminator;      /* of its lines */
    enum keys_date date;
    unsigned digits;   /* of numbers in names */
    size_t file_bytes; /* of a file, about */
    size_t bytes;      /* of all that waits */
    int64_t flush_ms;
    struct zone_choice zone;        /* of dates and TIMESTAMPs */
    const struct my_server *source; /* asked what tables have beside the log;
                                     * NULL: it is not */
};

/* file:// and s3:// as a sink. c has to live as long as it does. NULL without
 * memory; close frees it. */
struct outlet *sink_files(const struct files_config *c);

/* Whether one may write there: a file is put and removed. As blob_put. */
enum err files_probe(struct blob_store *store, char why[WHY_BYTES]) MUST_USE;

#endif
