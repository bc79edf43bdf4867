/* What the table of verbs tells of itself: help, completion, manual pages. */
#ifndef MG_CLI_TELL_H
#define MG_CLI_TELL_H

#include "buf.h"
#include "verb.h"

/* Of one verb; of NULL, the verbs of all nouns that begin with that word. */
void tell_help(const struct verb *v, const char *first);

/* A line for each noun, for the help of the whole program. */
void tell_nouns(void);

#endif
