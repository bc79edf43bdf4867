/* Room: host/ */
/* This process, as the kernel tells of it. */
#ifndef MG_PROCESS_H
#define MG_PROCESS_H

#include "base.h"

/* When it was started, since 1970-01-01 UTC: one value, whenever it is asked
 * for. */
int64_t process_start_s(void);

/* Bytes of its address space, and those of it that are in memory; 0 when the
 * kernel does not tell. */
void process_memory(int64_t *all, int64_t *resident);

#endif
