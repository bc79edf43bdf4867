/* What the table of verbs tells of itself: help, completion, manual pages. */
#ifndef MG_CLI_TELL_H
#define MG_CLI_TELL_H

#include "buf.h"
#include "verb.h"

/* Of one verb; of NULL, the verbs of the noun that the words are, or of all
 * that begin with the first of them. */
void tell_help(const struct verb *v, int argc, char **argv);

/* A line for each noun, for the help of the whole program. */
void tell_nouns(void);

#endif
