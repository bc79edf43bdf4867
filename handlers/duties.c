/* What runs in the background: the one place where dialects put it. */
#include "duty.h"

#include "audit_duty.h"
#include "doris/ops/duties.h"
#include "pegasus/leader.h"

const struct duty duties[] = {
    { .lease = "pegasus.leader",
      .first = "m1",
      .sticky = true,
      .every_ms = 1000,
      .step = pegasus_lead,
      .forget = pegasus_lead_end },
    { .lease = "doris.heartbeat",
      .every_ms = 1000,
      .step = doris_heartbeat,
      .forget = doris_heartbeat_end },
    { .lease = "doris.recycler", .every_ms = 1000, .step = doris_recycle },
    { .lease = "cluster.audit", .every_ms = 600000, .step = audit_duty },
    { .lease = NULL },
};

const struct upkeep upkeeps[] = {
    { .name = "pegasus.replica",
      .every_ms = pegasus_keep_every_ms,
      .step = pegasus_keep },
    { .name = NULL },
};
