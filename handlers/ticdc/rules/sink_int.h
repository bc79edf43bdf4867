/* Between the files that judge sinks. */
#ifndef TICDC_SINK_INT_H
#define TICDC_SINK_INT_H

#include "sink.h"

struct ask {
    struct arena *arena;
    const struct sink_uri *uri;
    const struct sink_rules *rules;
    const char *code; /* of what cannot be bound */
    struct sink_fault *why;
};

enum err sink_refuse(struct sink_fault *why, const char *code, const char *fmt,
                     ...) PRINTF_LIKE(3, 4);

/* A parameter of the URI; what stands in its place when there is none. */
const char *
sink_ask_text(struct ask *q, const char *key, const char *otherwise);
/* *out is what it is without the parameter; what is above most becomes most.
 */
enum err sink_ask_int(struct ask *q, const char *key, int64_t least,
                      int64_t most, int64_t *out) MUST_USE;
enum err sink_ask_bool(struct ask *q, const char *key, bool *out) MUST_USE;
enum err sink_ask_time(struct ask *q, const char *key, const char *otherwise,
                       int64_t *ms) MUST_USE;
/* v is one of the words, which NULL ends, or not given. */
enum err sink_ask_word(struct ask *q, const char *key, const char *v,
                       const char *const *words) MUST_USE;

/* A file of the host that may be named: below [ticdc] tls_root. */
enum err
sink_ask_file(struct ask *q, const char *key, const char **out) MUST_USE;

enum err
sink_judge_config(struct ask *q, const struct ticdc_sink_config *config,
                  const struct sink *s) MUST_USE;
enum err sink_judge_kafka(struct ask *q, const struct ticdc_sink_config *config,
                          const struct sink *s) MUST_USE;
enum err
sink_judge_storage(struct ask *q, const struct ticdc_sink_config *config,
                   const struct sink *s) MUST_USE;

#endif
