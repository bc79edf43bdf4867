/* Room: instance/ */
/* The directories that a machine keeps databases below: looked at, nothing is
 * made or changed. */
#ifndef MG_ROOT_H
#define MG_ROOT_H

#include "arena.h"
#include "base.h"

/* Whether databases may be put below that directory: absolute, there, ours to
 * make others in, not open to everybody's writing, and none of `[supervise]
 * forbid`, RUN_DIR and /tmp nor below one of them. Its canonical form into real
 * (PATH_MAX bytes). BAD_PARAM, DENIED or NOT_FOUND with a sentence in why. */
enum err root_check(const char *path, char *real, char why[WHY_BYTES]) MUST_USE;

/* Bytes that the files below a directory take on disk: 0 when it is not there;
 * -1 when it cannot be read. */
int64_t root_used(const char *dir);

/* What the file system of that directory has, in bytes. STATE when it cannot
 * be asked. */
struct root_space {
    int64_t used, free; /* free: for us, as df tells */
};
enum err root_space(const char *real, struct root_space *out) MUST_USE;

/* Where the instance of a port lies below a root; port 0: all of the class.
 * In the arena, NULL without memory. */
const char *root_home(struct arena *a, const char *root, const char *class,
                      unsigned port) MUST_USE;

#endif
