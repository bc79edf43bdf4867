/* The wall clock runs CLOCK_AHEAD_S seconds ahead; the other clocks do not. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int
clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*next)(clockid_t, struct timespec *);
    static long ahead_s;
    int result;

    if (next == NULL) {
        const char *ahead = getenv("CLOCK_AHEAD_S");

        ahead_s = ahead != NULL ? atol(ahead) : 0;
        next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT,
                                                            "clock_gettime");
    }
    result = next(id, t);
    if (result == 0 && id == CLOCK_REALTIME)
        t->tv_sec += ahead_s;
    return result;
}
