/* The two gperftools calls that exist in C++ only. */
#ifndef MG_PROFILER_HEAP_H
#define MG_PROFILER_HEAP_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The text of a heap sample or of the growth stacks, malloc'ed; NULL without
 * memory. *n gets its bytes. */
char *profiler_heap_sample(size_t *n);
char *profiler_heap_growth(size_t *n);

#ifdef __cplusplus
}
#endif

#endif
