/* A changefeed into file:// or s3://, as files.h and blob.h take it. */
#ifndef TICDC_FILES_SETTLE_H
#define TICDC_FILES_SETTLE_H

#include "ticdc/files/files.h"
#include "ticdc/rules/sink.h"

/* What is not the client's to say. */
struct files_context {
    const struct sink_rules *rules;
    const struct my_server *source; /* NULL: it is not asked */
    size_t bytes;                   /* of rows that wait */
    bool (*go_on)(void *ctx);       /* asked now and then; may be NULL */
    void *ctx;
};

/* In the arena. s is what sink_settle has made. BAD_PARAM with *why; NOMEM. */
enum err
files_settle(struct arena *a, const struct sink *s,
             const struct ticdc_config *config,
             const struct files_context *context, struct files_config *out,
             struct sink_fault *why) MUST_USE;

#endif
