/* Room: profile/ */
/* The room is profiles of the process that is asked: its CPU time and its heap
 * are *collected* by gperftools (here; what that has in C++ alone:
 * profile/profiler_heap.h), addresses get the names of functions
 * (profile/symbols.h), and equal stacks are summed to lines, *folded*, for
 * tools that draw flame graphs (profile_fold, below).
 *
 * This header: what google-pprof and `go tool pprof` ask for over HTTP. A
 * dialect mounts these handlers by rows of its endpoints.def (SLOW for the
 * three that collect, BODY_RAW for the POST of symbol); the protocol is
 * written down in the wire tests, and fits both clients. */
#ifndef MG_PROFILER_H
#define MG_PROFILER_H

#include "req.h"

/* Longest profile, seconds; nginx waits a little longer in its location. */
#define PPROF_SECONDS_MAX     300
#define PPROF_SECONDS_DEFAULT 30

#define PPROF_WAIT(X, s)                         \
    X(s, STR, seconds, "seconds", IN | QUERY, -, \
      .doc = "how long, 0 to 300; default 30")   \
    X(s, STR, format, "format", IN | QUERY, -,   \
      .doc = "\"collapsed\": folded stacks instead of a profile")
STRUCT(pprof_wait, PPROF_WAIT);

/* The CPU profile of this process; one collection at a time per process. */
enum err pprof_profile(struct req *r, const struct pprof_wait *in);
/* The sampled heap; with seconds, what was allocated meanwhile and is still
 * in use. */
enum err pprof_heap(struct req *r, const struct pprof_wait *in);
/* Where the heap has grown. */
enum err pprof_growth(struct req *r, const struct pprof_wait *in);
/* The same of all workers of this host at once, as one profile whose symbols
 * are those of the worker that is asked (profile/profile_sum.h). A worker that
 * does not take part is named in the refusal. */
enum err pprof_pool_profile(struct req *r, const struct pprof_wait *in);
enum err pprof_pool_heap(struct req *r, const struct pprof_wait *in);
enum err pprof_pool_growth(struct req *r, const struct pprof_wait *in);
enum err pprof_symbol_count(struct req *r, const struct none *in);
enum err pprof_symbol_names(struct req *r, const struct none *in);
enum err pprof_cmdline(struct req *r, const struct none *in);
extern const struct checks pprof_wait_checks;

/* Runs the program again with the environment that gperftools reads only at
 * load time (heap sampling, frame-pointer unwinding), unless it is set; first
 * call of a daemon's main. sample_bytes 0 = no heap sampling. Returns when
 * there is nothing to do or it cannot be done. */
void profiler_environment(char **argv, int64_t sample_bytes);

/* Gives what was freed back to the system; gperftools by itself does so only as
 * fast as more is freed, and a daemon that has once held much may free nothing
 * for days. */
void profiler_give_back(void);

/* A function's name as its source has it, up to its arguments or template
 * parameters: what the clients of the original see. */
void profiler_put_name(struct buf *b, const char *name);

/* Folded stacks ("root;caller;callee count" lines) of a CPU profile or of a
 * heap profile's text, equal stacks summed; BAD_PARAM when the bytes are
 * neither. */
enum err profile_fold(const void *profile, size_t n, struct buf *out) MUST_USE;

#endif
