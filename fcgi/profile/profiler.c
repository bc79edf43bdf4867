/* The pprof endpoints. One collection at a time per process; its slot is free
 * again before the reply leaves, and whoever goes away leaves nothing
 * running. */
#include "profiler.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef METAGATE_ASAN
#include <gperftools/heap-profiler.h>
#include <gperftools/profiler.h>

#include "profiler_heap.h"
#endif

#include "clock.h"
#include "file.h"
#include "request/failure.h"
#include "request/form_text.h"
#include "log.h"
#include "number.h"
#include "request/req_io.h"
#include "symbols.h"

#define PROFILE_MAX ((size_t)256 << 20)
#define POLL_MS     100

TABLE(pprof_wait, PPROF_WAIT);
NO_CHECKS(pprof_wait);

/* What these handlers refuse, whatever dialect they are mounted in. */
#define ROW(name, class, status, sentence)                    \
    static const struct error_text name = { .id = #name,      \
                                            .err = class,     \
                                            .http = status,   \
                                            .code = "-",      \
                                            .text = sentence, \
                                            .form = &form_text }
ROW(bad_seconds, ERR_BAD_PARAM, 400, "seconds must be a number from 0 to 300");
ROW(bad_format, ERR_BAD_PARAM, 400, "format must be absent or collapsed");
ROW(running, ERR_BUSY, 500,
    "node is already executing pprof action, please wait and retry");
ROW(no_sampling, ERR_STATE, 500,
    "heap sampling is off: set [serve] heap_sample_bytes (the environment "
    "variable TCMALLOC_SAMPLE_PARAMETER) to a positive value, such as 524288, "
    "before running");
ROW(left, ERR_STATE, 499, "the client went away"); /* nginx's number for it */
ROW(ending, ERR_STATE, 503, "this process is being stopped");
ROW(failed, ERR_INTERNAL, 500, "the profile could not be collected: {why}");
#undef ROW

static atomic_flag busy = ATOMIC_FLAG_INIT;

static enum err
refuse(struct req *r, const struct error_text *row, const char *why)
{
    /* without this header Go's client does not show the text */
    req_header_add(r, "X-Go-Pprof", "1");
    if (row == &running || row == &ending)
        req_header_add(r, "Retry-After", "1");
    return failure_set(r, row, ARGS(arg("why", why)));
}

static bool
seconds_of(const struct pprof_wait *in, int *out)
{
    int64_t v = PPROF_SECONDS_DEFAULT;
    bool ok =
        in->seconds == NULL || number_read(in->seconds, PPROF_SECONDS_MAX, &v);

    *out = (int)v;
    return ok;
}

static enum err
check(struct req *r, const struct pprof_wait *in, int *seconds)
{
    if (!seconds_of(in, seconds))
        return refuse(r, &bad_seconds, NULL);
    if (in->format != NULL && strcmp(in->format, "collapsed") != 0)
        return refuse(r, &bad_format, NULL);
    return ERR_OK;
}

static bool
gone(struct req *r)
{
    return r->io->client_gone != NULL && r->io->client_gone(r->io);
}

static bool
stopping(struct req *r)
{
    return r->io->stopping != NULL && r->io->stopping(r->io);
}

static void
nap(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += POLL_MS * 1000000L;
    if (t.tv_nsec >= 1000000000L) {
        t.tv_nsec -= 1000000000L;
        t.tv_sec++;
    }
    /* until a point in time: SIGPROF may cut it short */
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
        continue;
}

/* False when the client went away, or the process is to stop. */
static bool
wait_for(struct req *r, int seconds)
{
    int64_t end = clock_mono_ms() + (int64_t)seconds * 1000;

    while (clock_mono_ms() < end) {
        if (gone(r) || stopping(r))
            return false;
        nap();
    }
    return true;
}

/* Sends n malloc'ed bytes, or their folded form; frees them. */
static enum err
send_profile(struct req *r, const struct pprof_wait *in, const char *type,
             char *p, size_t n)
{
    struct buf folded = BUF_INIT(PROFILE_MAX);
    enum err e;

    if (p == NULL)
        return ERR_NOMEM;
    e = arena_defer(r->arena, free, p);
    if (e != ERR_OK || in->format == NULL)
        return e != ERR_OK ? e : req_send_text(r, type, p, n);
    e = profile_fold(p, n, &folded);
    if (e == ERR_OK)
        e = buf_err(&folded);
    if (e != ERR_OK || folded.n == 0) {
        buf_free(&folded);
        return e != ERR_OK ? refuse(r, &failed, "it cannot be read")
                           : req_send_text(r, "text/plain", "", 0);
    }
    e = arena_defer(r->arena, free, folded.p);
    return e != ERR_OK ? e : req_send_text(r, "text/plain", folded.p, folded.n);
}

#ifndef METAGATE_ASAN

/* The whole file, malloc'ed. */
static char *
read_all(int fd, size_t *n)
{
    struct stat st;
    char *p = NULL;
    size_t got = 0;
    ssize_t part = 1;

    if (fstat(fd, &st) == 0 && (size_t)st.st_size <= PROFILE_MAX)
        p = malloc((size_t)st.st_size + 1);
    while (p != NULL && part > 0) {
        part = pread(fd, p + got, (size_t)st.st_size - got, (off_t)got);
        got += part > 0 ? (size_t)part : 0;
    }
    *n = got;
    return p;
}

/* gperftools tells standard error that it begins, and how much it has got. */
static void
start_heap(void)
{
    log_hush();
    HeapProfilerStart("heap-profile");
    log_unhush();
}

static void
stop_quietly(void (*stop)(void))
{
    log_hush();
    stop();
    log_unhush();
}

/* A profile goes to a file by name; this one is memory only. */
static char *
cpu_profile(struct req *r, int seconds, size_t *n, const char **why)
{
    char path[32];
    char *p = NULL;
    int fd = memfd_create("cpu-profile", MFD_CLOEXEC);

    *why = "no memory file";
    if (fd < 0)
        return NULL;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    *why = "the profiler does not start";
    if (ProfilerStart(path) != 0) {
        bool whole = wait_for(r, seconds);

        stop_quietly(ProfilerStop);
        *why = "the profile cannot be read";
        if (whole)
            p = read_all(fd, n);
    }
    (void)close(fd);
    return p;
}

/* Everything that is allocated from now on, and still in use at the end. */
static char *
heap_interval(struct req *r, int seconds, size_t *n, const char **why)
{
    char *p = NULL;

    *why = "no memory";
    start_heap();
    if (wait_for(r, seconds))
        p = GetHeapProfile();
    stop_quietly(HeapProfilerStop);
    *n = p == NULL ? 0 : strlen(p);
    return p;
}

static char *
heap_sample(struct req *r, int seconds, size_t *n, const char **why)
{
    (void)r;
    (void)seconds;
    *why = "no memory";
    return profiler_heap_sample(n);
}

static char *
heap_growth(struct req *r, int seconds, size_t *n, const char **why)
{
    (void)r;
    (void)seconds;
    *why = "no memory";
    return profiler_heap_growth(n);
}

/* Why there is no profile: nobody waits for it, or it failed. */
static enum err
refuse_none(struct req *r, const char *why)
{
    return refuse(r, stopping(r) ? &ending : gone(r) ? &left : &failed, why);
}

/* Takes a profile in the process's one slot; malloc'ed, NULL with why. */
typedef char *take_fn(struct req *r, int seconds, size_t *n, const char **why);

static enum err
collect(struct req *r, const struct pprof_wait *in, const char *type,
        take_fn *take)
{
    const char *why = "";
    size_t n = 0;
    char *p;
    int seconds;
    enum err e = check(r, in, &seconds);

    if (e != ERR_OK)
        return e;
    if (atomic_flag_test_and_set(&busy))
        return refuse(r, &running, NULL);
    p = take(r, seconds, &n, &why);
    atomic_flag_clear(&busy);
    return p == NULL ? refuse_none(r, why) : send_profile(r, in, type, p, n);
}

enum err
pprof_profile(struct req *r, const struct pprof_wait *in)
{
    return collect(r, in, "application/octet-stream", cpu_profile);
}

static bool
sampling_is_on(void)
{
    const char *s = getenv("TCMALLOC_SAMPLE_PARAMETER");

    return s != NULL && strtoll(s, NULL, 10) > 0;
}

enum err
pprof_heap(struct req *r, const struct pprof_wait *in)
{
    if (in->seconds != NULL)
        return collect(r, in, "text/plain", heap_interval);
    if (!sampling_is_on())
        return refuse(r, &no_sampling, NULL);
    return collect(r, in, "text/plain", heap_sample);
}

enum err
pprof_growth(struct req *r, const struct pprof_wait *in)
{
    return collect(r, in, "text/plain", heap_growth);
}

static char *
demangle(const char *name)
{
    return profiler_demangle(name);
}

#else /* the sanitizers bring an allocator of their own */

static const char no_gperftools[] =
    "this is the sanitizer build, which has no gperftools; use the release "
    "build";

static enum err
not_here(struct req *r, const struct pprof_wait *in)
{
    int seconds;
    enum err e = check(r, in, &seconds);

    (void)running;
    (void)left;
    (void)ending;
    (void)no_sampling;
    (void)busy;
    (void)wait_for;
    (void)send_profile;
    return e != ERR_OK ? e : refuse(r, &failed, no_gperftools);
}

enum err
pprof_profile(struct req *r, const struct pprof_wait *in)
{
    return not_here(r, in);
}

enum err
pprof_heap(struct req *r, const struct pprof_wait *in)
{
    return not_here(r, in);
}

enum err
pprof_growth(struct req *r, const struct pprof_wait *in)
{
    return not_here(r, in);
}

static char *
demangle(const char *name)
{
    (void)name;
    return NULL;
}

#endif

enum err
pprof_symbol_count(struct req *r, const struct none *in)
{
    size_t n = symbols_lock();
    const char *text;

    (void)in;
    symbols_unlock();
    text = arena_printf(r->arena, "num_symbols: %zu\n", n);
    return text == NULL ? ERR_NOMEM
                        : req_send_text(r, "text/plain", text, strlen(text));
}

void
profiler_put_name(struct buf *b, const char *name)
{
    char *source = demangle(name);

    if (source != NULL && strcspn(source, "(<") > 0)
        name = source;
    buf_put(b, name, strcspn(name, "(<"));
    free(source);
}

static void
put_symbol(struct buf *b, uint64_t address)
{
    const char *name = symbols_find(address);
    const char *file = name == NULL ? symbols_file(address) : NULL;

    buf_printf(b, "0x%08llx\t", (unsigned long long)address);
    if (name != NULL) {
        profiler_put_name(b, name);
    } else if (file !=
               NULL) { /* a library without names, as in folded stacks */
        buf_putc(b, '[');
        profiler_put_name(b, file);
        buf_putc(b, ']');
    } else
        buf_printf(b, "0x%08llx", (unsigned long long)address);
    buf_putc(b, '\n');
}

/* The body is raw: '+' separates, it is not a blank. */
enum err
pprof_symbol_names(struct req *r, const struct none *in)
{
    struct buf b = BUF_INIT((size_t)64 << 20);
    const char *p = r->body;
    enum err e;

    (void)in;
    if (*p == '\'' || *p == '"')
        p++;
    (void)symbols_lock();
    while (*p != '\0') {
        size_t n = strcspn(p, "+");

        if (n > 0)
            put_symbol(&b, strtoull(p, NULL, 16));
        p += n + (p[n] == '+');
    }
    symbols_unlock();
    e = buf_err(&b);
    if (e == ERR_OK && b.p != NULL)
        e = arena_defer(r->arena, free, b.p);
    else
        buf_free(&b);
    return e == ERR_OK ? req_send_text(r, "text/plain", buf_text(&b), b.n) : e;
}

enum err
pprof_cmdline(struct req *r, const struct none *in)
{
    size_t max = 64 * 1024, n = 0;
    char *text = arena_alloc(r->arena, max);

    (void)in;
    if (text != NULL)
        n = file_start("/proc/self/cmdline", text, max);
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\0')
            text[i] = '\n';
    return text == NULL ? ERR_NOMEM : req_send_text(r, "text/plain", text, n);
}

void
profiler_environment(char **argv, int64_t sample_bytes)
{
    char text[32];

    if (getenv("TCMALLOC_STACKTRACE_METHOD") != NULL)
        return;
    snprintf(text, sizeof(text), "%lld", (long long)sample_bytes);
    /* The default unwinder, libunwind, takes the loader's lock inside a signal
     * handler; frame pointers end at Debian's libraries, which have none.
     * libgcc's unwinder finds its tables without a lock (glibc 2.35,
     * _dl_find_object) and walks through both. */
    if (setenv("TCMALLOC_STACKTRACE_METHOD", "libgcc", 1) != 0 ||
        setenv("TCMALLOC_SAMPLE_PARAMETER", text, 0) != 0 ||
        setenv("HEAP_PROFILE_ALLOCATION_INTERVAL", "0", 1) != 0 ||
        setenv("HEAP_PROFILE_INUSE_INTERVAL", "0", 1) != 0)
        return;
    (void)execv("/proc/self/exe", argv);
    log_warn("profiler.no_environment errno=%d", errno);
}
