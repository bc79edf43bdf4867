/* What clusters and machines hold, for operators: the rows of struct dialect.
 */
#ifndef KUNLUN_VIEWS_H
#define KUNLUN_VIEWS_H

#include "view.h"

extern const struct view kunlun_views[];

#endif
