/* Opening what lies below a directory, and nothing else. */
#ifndef MG_BENEATH_H
#define MG_BENEATH_H

#include <sys/types.h>

/* As openat, but through no link and never out of dir (openat2,
 * RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS); close-on-exec. -1 and errno. */
int open_beneath(int dir, const char *path, int flags, mode_t mode);

#endif
