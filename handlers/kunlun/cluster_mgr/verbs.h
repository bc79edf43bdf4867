/* The command line's words: rows of struct dialect. */
#ifndef KUNLUN_VERBS_H
#define KUNLUN_VERBS_H

#include "verb.h"

extern const struct verb kunlun_verbs[];

#endif
