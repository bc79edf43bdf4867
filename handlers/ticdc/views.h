/* What the dialect holds, for operators: the rows of struct dialect. */
#ifndef TICDC_VIEWS_H
#define TICDC_VIEWS_H

#include "view.h"

extern const struct view ticdc_views[];

#endif
