/* The dialects that are served: the one place where they meet. What each
 * brings, dialect.h tells. */
#include "dialect.h"

extern const struct dialect cluster_mgr_dialect;
extern const struct dialect console_dialect;
extern const struct dialect doris_dialect;
extern const struct dialect doris_fe_dialect;
extern const struct dialect node_mgr_dialect;
extern const struct dialect pegasus_dialect;
extern const struct dialect ticdc_dialect;

/* weak: a unit test may bring dialects of its own */
__attribute__((weak)) const struct dialect *const dialects[] = {
    &console_dialect,     &doris_dialect,
    &doris_fe_dialect,    &pegasus_dialect,
    &cluster_mgr_dialect, &node_mgr_dialect,
    &ticdc_dialect,       NULL,
};
