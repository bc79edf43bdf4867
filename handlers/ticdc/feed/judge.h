/* What a changefeed is to be, judged in the order of TiCDC's refusals. Each
 * answers OK, or what it has said to the client. */
#ifndef TICDC_JUDGE_H
#define TICDC_JUDGE_H

#include "feed_source.h"
#include "ticdc/ticdc.h"

struct judged {
    struct sink sink;
    const struct ticdc_config *config; /* of judge_sink */
    const struct filter *filter;
    struct feed_source source;
    bool is_open; /* the source was asked already */
    /* Every refusal in one code ("CDC:ErrChangefeedUpdateRefused"); NULL: each
     * in its own. */
    const char *code;
};

/* The source, once. gtids as for feed_source_open. */
enum err
judge_source(struct req *r, struct judged *j, const char *gtids) MUST_USE;
/* URI and sink_config, without a connection. */
enum err judge_sink(struct req *r, struct judged *j, const char *uri,
                    const struct ticdc_config *c) MUST_USE;
enum err judge_filter(struct req *r, struct judged *j,
                      const struct ticdc_config *c) MUST_USE;
/* Tables without a key, unless they are forced or ignored. */
enum err judge_tables(struct req *r, struct judged *j,
                      const struct ticdc_config *c) MUST_USE;
enum err judge_zone(struct req *r, struct judged *j, const char *zone) MUST_USE;
/* The sink itself; last, since it takes longest. */
enum err judge_target(struct req *r, struct judged *j) MUST_USE;

/* Says a fault in the code of its own, or in j's. */
enum err judge_refuse(struct req *r, const struct judged *j, enum err e,
                      const struct sink_fault *why) MUST_USE;

#endif
