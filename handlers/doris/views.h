/* What the dialect holds, for operators: the rows of struct dialect. */
#ifndef DORIS_VIEWS_H
#define DORIS_VIEWS_H

#include "view.h"

extern const struct view doris_views[];

#endif
