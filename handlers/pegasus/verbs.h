/* The command line's words: rows of struct dialect. */
#ifndef PEGASUS_VERBS_H
#define PEGASUS_VERBS_H

#include "verb.h"

extern const struct verb pegasus_verbs[];

#endif
