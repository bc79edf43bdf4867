/* Templates of data directories. */
#ifndef MG_INSTANCE_TEMPLATE_H
#define MG_INSTANCE_TEMPLATE_H

#include "instance.h"

/* A server's program, as its --version tells of it. */
struct template_program {
    const char *name;    /* of its binaries */
    const char *product; /* as people call it */
    const char *group;   /* of `make deps` that installs it */
    const char *before;  /* what it prints before its version */
};

/* "10.11.19" into out; else NOT_FOUND or STATE, and what to do in why. */
enum err
template_version(const struct template_program *p, const char *const *argv,
                 char *out, size_t size, char why[WHY_BYTES]) MUST_USE;

/* The template of the driver's present programs, made when there is none:
 * *path in the arena. */
enum err template_ensure(struct arena *a, const struct instance_driver *d,
                         const char **path, char why[WHY_BYTES]) MUST_USE;

#endif
