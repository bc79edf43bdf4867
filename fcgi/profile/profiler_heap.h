/* The two gperftools calls that exist in C++ only, and names of C++. */
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

/* A function's name as its source has it, malloc'ed; NULL when it is none of
 * C++. */
char *profiler_demangle(const char *name);

#ifdef __cplusplus
}
#endif

#endif
