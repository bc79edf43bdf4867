/* The dialects that are served: the one place where they meet. */
#include "dialect.h"

extern const struct dialect console_dialect;

const struct dialect *const dialects[] = {
    &console_dialect,
    NULL,
};
