/* Calls that fail with a sentence: `why`, and a test that ends with it. */
#ifndef MG_TEST_OK_H
#define MG_TEST_OK_H

#include "base.h"

static char why[WHY_BYTES];

#define OK(call)                                   \
    do {                                           \
        why[0] = '\0';                             \
        enum err e_ = (call);                      \
        if (e_ != ERR_OK)                          \
            fail_msg("%s: %s", err_name(e_), why); \
    } while (0)

#endif
