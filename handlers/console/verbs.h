/* The command line's words: rows of struct dialect. */
#ifndef CONSOLE_VERBS_H
#define CONSOLE_VERBS_H

#include "verb.h"

extern const struct verb console_verbs[];

#endif
