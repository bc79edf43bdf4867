/* Room: base/ */
/* Which metagate this is; made by the Makefile. */
#ifndef MG_BUILD_INFO_H
#define MG_BUILD_INFO_H

#include <string.h>

extern const char build_version[]; /* "0.1.0" */
extern const char build_commit[];  /* 40 hex digits; zeros without git */

/* The same for people. */
static inline const char *
build_revision(void)
{
    return build_commit[strspn(build_commit, "0")] != '\0' ? build_commit
                                                           : "unknown";
}

#endif
