/* The command line's words: rows of struct dialect. */
#ifndef DORIS_VERBS_H
#define DORIS_VERBS_H

#include "verb.h"

extern const struct verb doris_verbs[];

#endif
