/* The n-th allocation fails. MALLOC_FAIL_FILE is mapped: the test writes n
 * into it and reads how many were made and whether one has failed. Left out:
 * what libfcgi allocates, which ends the process when it gets nothing, and
 * what the C library does for others; and libmariadb while it connects,
 * which dereferences whatever it gets. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct control {
    int64_t armed; /* fail the armed-th from now; 0 = none */
    int64_t count, failed;
    int64_t connects; /* libmariadb is left out too */
    char where[128]; /* whose allocation it was */
};

static struct control nothing;
static struct control *control = &nothing;
static void *(*next_malloc)(size_t);
static void *(*next_calloc)(size_t, size_t);
static void *(*next_realloc)(void *, size_t);

/* Who dies of it says where, on standard error. */
static void
show_stack(int sig)
{
    void *stack[64];
    int n = backtrace(stack, 64);

    backtrace_symbols_fd(stack, n, STDERR_FILENO);
    signal(sig, SIG_DFL);
    raise(sig);
}

__attribute__((constructor)) static void
map_control(void)
{
    const char *path = getenv("MALLOC_FAIL_FILE");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *p = MAP_FAILED;

    if (fd >= 0)
        p = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED,
                 fd, 0);
    if (p != MAP_FAILED)
        control = p;
    if (fd >= 0)
        close(fd);
    next_malloc = dlsym(RTLD_NEXT, "malloc");
    next_calloc = dlsym(RTLD_NEXT, "calloc");
    next_realloc = dlsym(RTLD_NEXT, "realloc");
    backtrace((void *[2]){ NULL }, 2); /* loads what it needs */
    signal(SIGSEGV, show_stack);
}

static const char *
library_of(void *caller)
{
    Dl_info info;

    return dladdr(caller, &info) != 0 && info.dli_fname != NULL
               ? info.dli_fname
               : "";
}

static int
is_exempt(void *caller)
{
    const char *library = library_of(caller);

    return strstr(library, "libfcgi") != NULL ||
           strstr(library, "libc.so") != NULL ||
           (control->connects != 0 && strstr(library, "libmariadb") != NULL);
}

static int
fails(void *caller)
{
    if (__atomic_load_n(&control->armed, __ATOMIC_RELAXED) == 0 ||
        is_exempt(caller) ||
        __atomic_add_fetch(&control->count, 1, __ATOMIC_SEQ_CST) !=
            control->armed)
        return 0;
    strncpy(control->where, library_of(caller), sizeof(control->where) - 1);
    __atomic_store_n(&control->failed, 1, __ATOMIC_SEQ_CST);
    errno = ENOMEM;
    return 1;
}

#define NEXT(name)                             \
    (next_##name != NULL                       \
         ? next_##name                         \
         : (__typeof__(next_##name))dlsym(RTLD_NEXT, #name))

void *
malloc(size_t n)
{
    return fails(__builtin_return_address(0)) ? NULL : NEXT(malloc)(n);
}

void *
calloc(size_t n, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : NEXT(calloc)(n, size);
}

void *
realloc(void *p, size_t n)
{
    return fails(__builtin_return_address(0)) ? NULL : NEXT(realloc)(p, n);
}
