/* The command line's words: rows of struct dialect. */
#ifndef TICDC_VERBS_H
#define TICDC_VERBS_H

#include "verb.h"

extern const struct verb ticdc_verbs[];

#endif
