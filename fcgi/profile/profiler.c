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
#include <gperftools/malloc_extension_c.h>
#include <gperftools/profiler.h>

#include "profiler_heap.h"
#endif

#include "clock.h"
#include "file.h"
#include "request/failure.h"
#include "request/form_text.h"
#include "log.h"
#include "number.h"
#include "pool.h"
#include "profile_read.h"
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
ROW(other, ERR_BUSY, 500, "worker {worker}: {why}");
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

/* What is taken, for how long, and of which other workers too. */
struct taking {
    struct req *r;
    int seconds;
    struct pool *pool; /* NULL: of this process alone */
};

/* A worker of the pool has none for us. */
static enum err
refuse_other(struct req *r, const struct pool *pool)
{
    req_header_add(r, "X-Go-Pprof", "1");
    req_header_add(r, "Retry-After", "1");
    return failure_set(
        r, &other, ARGS(arg("worker", pool->refused), arg("why", pool->why)));
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

/* False when the client went away, the process is to stop, or another worker
 * of the pool does not take part. */
static bool
wait_for(const struct taking *t)
{
    int64_t end = clock_mono_ms() + (int64_t)t->seconds * 1000;

    while (clock_mono_ms() < end) {
        if (gone(t->r) || stopping(t->r) ||
            (t->pool != NULL && !pool_look(t->pool, 0)))
            return false;
        nap();
    }
    return true;
}

/* A kind of profile; malloc'ed by take, NULL with why. */
typedef char *take_fn(const struct taking *t, size_t *n, const char **why);
struct kind {
    const char *name; /* below pprof/ */
    const char *type;
    bool waits; /* for the seconds that are asked for */
    take_fn *take;
    const char *cure; /* why there may be no samples, and what helps */
};

/* A profile without a sample is one for the clients, which show nothing then:
 * who looks at it by hand is told in a header, and where stacks would be. */
static enum err
tell_none(struct req *r, const struct kind *kind, const char **note)
{
    *note = arena_printf(r->arena, "no samples: %s", kind->cure);
    if (*note != NULL)
        req_header_add(r, "X-Metagate-Note", *note);
    return *note != NULL ? ERR_OK : ERR_NOMEM;
}

/* Sends n malloc'ed bytes, or their folded form; frees them. */
static enum err
send_profile(struct req *r, const struct pprof_wait *in,
             const struct kind *kind, char *p, size_t n)
{
    struct buf folded = BUF_INIT(PROFILE_MAX);
    const char *maps, *note = NULL;
    size_t stacks;
    enum err e;

    if (p == NULL)
        return ERR_NOMEM;
    e = arena_defer(r->arena, free, p);
    if (e == ERR_OK && profile_maps(p, n, &maps, &stacks) != ERR_OK)
        return refuse(r, &failed, "it cannot be read");
    if (e == ERR_OK && stacks == 0)
        e = tell_none(r, kind, &note);
    if (e != ERR_OK || in->format == NULL)
        return e != ERR_OK ? e : req_send_text(r, kind->type, p, n);
    e = profile_fold(p, n, &folded);
    if (e == ERR_OK && note != NULL)
        buf_printf(&folded, "# %s\n", note);
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

void
profiler_give_back(void)
{
    MallocExtension_ReleaseFreeMemory();
}

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
cpu_profile(const struct taking *t, size_t *n, const char **why)
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
        bool whole = wait_for(t);

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
heap_interval(const struct taking *t, size_t *n, const char **why)
{
    char *p = NULL;

    *why = "no memory";
    start_heap();
    if (wait_for(t))
        p = GetHeapProfile();
    stop_quietly(HeapProfilerStop);
    *n = p == NULL ? 0 : strlen(p);
    return p;
}

static char *
heap_sample(const struct taking *t, size_t *n, const char **why)
{
    (void)t;
    *why = "no memory";
    return profiler_heap_sample(n);
}

static char *
heap_growth(const struct taking *t, size_t *n, const char **why)
{
    (void)t;
    *why = "no memory";
    return profiler_heap_growth(n);
}

/* Why there is no profile: nobody waits for it, or it failed. */
static enum err
refuse_none(struct req *r, const char *why)
{
    return refuse(r, stopping(r) ? &ending : gone(r) ? &left : &failed, why);
}

/* The others' profiles are added to ours. Frees ours. */
static char *
with_others(const struct taking *t, char *own, size_t *n, const char **why)
{
    struct buf sum = BUF_INIT(PROFILE_MAX);
    enum err e = pool_sum(t->pool, own, *n, &sum);

    free(own);
    if (e == ERR_OK && sum.p != NULL) {
        *n = sum.n;
        return sum.p;
    }
    *why = "the workers' profiles cannot be added";
    buf_free(&sum);
    return NULL;
}

/* Takes a profile in the process's one slot; malloc'ed, NULL with why. */
static char *
take(const struct kind *kind, const struct taking *t, size_t *n,
     const char **why)
{
    char *p;

    if (atomic_flag_test_and_set(&busy))
        return NULL;
    p = kind->take(t, n, why);
    atomic_flag_clear(&busy);
    if (p == NULL || t->pool == NULL)
        return p;
    if (pool_look(t->pool, POOL_REST_MS))
        return with_others(t, p, n, why);
    free(p);
    return NULL;
}

static enum err
collect(struct req *r, const struct pprof_wait *in, const struct kind *kind,
        struct pool *pool)
{
    struct taking t = { .r = r, .pool = pool };
    const char *why = NULL;
    size_t n = 0;
    char *p;
    enum err e = check(r, in, &t.seconds);

    if (e == ERR_OK && pool != NULL)
        e = pool_ask(pool, r, kind->name, kind->waits ? t.seconds : -1);
    if (e != ERR_OK)
        return e;
    p = take(kind, &t, &n, &why);
    if (p != NULL)
        return send_profile(r, in, kind, p, n);
    if (pool != NULL && pool->refused != NULL)
        return refuse_other(r, pool);
    return why == NULL ? refuse(r, &running, NULL) : refuse_none(r, why);
}

static const struct kind cpu = {
    "profile", "application/octet-stream", true, cpu_profile,
    "it did next to nothing; send it requests while it is looked at, or look "
    "for longer"
};
static const struct kind kept = {
    "heap", "text/plain", true, heap_interval,
    "nothing that was allocated is still in use"
};
static const struct kind sample = {
    "heap", "text/plain", false, heap_sample,
    "what is in use is small beside [serve] heap_sample_bytes; set it lower, "
    "65536 say, and restart, or ask with seconds="
};
static const struct kind growth = { "growth", "text/plain", false, heap_growth,
                                    "the heap has not grown" };

static bool
sampling_is_on(void)
{
    const char *s = getenv("TCMALLOC_SAMPLE_PARAMETER");

    return s != NULL && strtoll(s, NULL, 10) > 0;
}

static enum err
collect_heap(struct req *r, const struct pprof_wait *in, struct pool *pool)
{
    if (in->seconds != NULL)
        return collect(r, in, &kept, pool);
    if (!sampling_is_on())
        return refuse(r, &no_sampling, NULL);
    return collect(r, in, &sample, pool);
}

enum err
pprof_profile(struct req *r, const struct pprof_wait *in)
{
    return collect(r, in, &cpu, NULL);
}

enum err
pprof_heap(struct req *r, const struct pprof_wait *in)
{
    return collect_heap(r, in, NULL);
}

enum err
pprof_growth(struct req *r, const struct pprof_wait *in)
{
    return collect(r, in, &growth, NULL);
}

/* The same of all workers. */
#define POOLED(handler, ...)                                     \
    enum err handler(struct req *r, const struct pprof_wait *in) \
    {                                                            \
        struct pool *pool = pool_new(r->arena);                  \
                                                                 \
        return pool == NULL ? ERR_NOMEM : __VA_ARGS__;           \
    }
POOLED(pprof_pool_profile, collect(r, in, &cpu, pool))
POOLED(pprof_pool_heap, collect_heap(r, in, pool))
POOLED(pprof_pool_growth, collect(r, in, &growth, pool))
#undef POOLED

static char *
demangle(const char *name)
{
    return profiler_demangle(name);
}

#else /* the sanitizers bring an allocator of their own */

static const char no_gperftools[] =
    "this is the sanitizer build, which has no gperftools; use the release "
    "build";

void
profiler_give_back(void)
{
}

static enum err
not_here(struct req *r, const struct pprof_wait *in)
{
    int seconds;
    enum err e = check(r, in, &seconds);

    (void)running;
    (void)left;
    (void)ending;
    (void)refuse_other;
    (void)no_sampling;
    (void)busy;
    (void)wait_for;
    (void)send_profile;
    return e != ERR_OK ? e : refuse(r, &failed, no_gperftools);
}

#define NOT_HERE(name)                                        \
    enum err name(struct req *r, const struct pprof_wait *in) \
    {                                                         \
        return not_here(r, in);                               \
    }

NOT_HERE(pprof_profile)
NOT_HERE(pprof_heap)
NOT_HERE(pprof_growth)
NOT_HERE(pprof_pool_profile)
NOT_HERE(pprof_pool_heap)
NOT_HERE(pprof_pool_growth)

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
