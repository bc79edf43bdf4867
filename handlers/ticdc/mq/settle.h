/* A changefeed into kafka://, as mq.h and librdkafka take it. */
#ifndef TICDC_MQ_SETTLE_H
#define TICDC_MQ_SETTLE_H

#include "ticdc/mq/mq.h"
#include "ticdc/rules/sink.h"

/* What is not the client's to say. Texts live as long as the arena. */
struct mq_context {
    const struct sink_rules *rules;
    const char *address;            /* of the capture; of the client id */
    const char *namespace, *id;     /* of the changefeed */
    const struct my_server *source; /* NULL: it is not asked */
    size_t queue_bytes;             /* of messages not acknowledged */
    int64_t answer_ms;              /* of a broker; 0: as the client says */
    bool (*go_on)(void *ctx);       /* may be NULL */
    void *ctx;
};

/* In the arena. s is what sink_settle has made. BAD_PARAM with *why; NOMEM. */
enum err
mq_settle(struct arena *a, const struct sink *s,
          const struct ticdc_config *config, const struct mq_context *context,
          struct mq_config *out, struct sink_fault *why) MUST_USE;

#endif
