/* What the dialect holds, for operators: the rows of struct dialect. */
#ifndef PEGASUS_VIEWS_H
#define PEGASUS_VIEWS_H

#include "view.h"

extern const struct view pegasus_views[];

#endif
