/* What runs in the background: the one place where dialects put it. */
#include "duty.h"

#include "audit_duty.h"

const struct duty duties[] = {
    { .lease = "cluster.audit", .every_ms = 600000, .step = audit_duty },
    { .lease = NULL },
};

const struct upkeep upkeeps[] = {
    { .name = NULL },
};
