/* kafka:// as a sink. */
#ifndef TICDC_MQ_OUTLET_H
#define TICDC_MQ_OUTLET_H

#include "ticdc/mq/mq.h"
#include "ticdc/sink/sink.h"

/* c has to live as long as it does. NULL without memory; close frees it. */
struct outlet *sink_mq(const struct mq_config *c);

#endif
