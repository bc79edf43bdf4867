/* Room: base/ */
/* Which metagate this is; made by the Makefile. */
#ifndef MG_BUILD_INFO_H
#define MG_BUILD_INFO_H

extern const char build_version[]; /* "0.1.0" */
extern const char build_commit[];  /* 40 hex digits; zeros without git */

#endif
