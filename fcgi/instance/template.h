/* Templates of data directories. */
#ifndef MG_INSTANCE_TEMPLATE_H
#define MG_INSTANCE_TEMPLATE_H

#include "instance.h"

/* The template of the driver's present programs, made when there is none:
 * *path in the arena. */
enum err template_ensure(struct arena *a, const struct instance_driver *d,
                         const char **path, char why[WHY_BYTES]) MUST_USE;

#endif
