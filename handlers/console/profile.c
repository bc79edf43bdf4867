/* Profiles of one process among several, chosen by the path. */
#include "console.h"

#include <string.h>

#include "log.h"

TABLE(console_process, CONSOLE_PROCESS);
NO_CHECKS(console_process);
TABLE(console_profile, CONSOLE_PROFILE);
NO_CHECKS(console_profile);

/* A front end that leads the path elsewhere, or the path of a process that
 * does not exist: nobody is to take our profile for another's. */
static enum err
check(struct req *r, const char *process)
{
    static const char worker[] = "/worker/", serve[] = "serve-";
    const char *own = log_process();

    if (strncmp(r->path, worker, sizeof(worker) - 1) == 0) {
        if (strncmp(own, serve, sizeof(serve) - 1) != 0)
            own = "";
        else
            own += sizeof(serve) - 1;
    }
    return strcmp(own, process) == 0
               ? ERR_OK
               : req_fail(r, CONSOLE_PROCESS_UNKNOWN, ARGS());
}

/* What the runtime answers, once it is asked for the right process. */
#define PPROF(handler, record, pprof, ...)                   \
    enum err handler(struct req *r, const struct record *in) \
    {                                                        \
        enum err e = check(r, in->process);                  \
                                                             \
        return e == ERR_OK ? pprof(r, __VA_ARGS__) : e;      \
    }
#define WAIT \
    (&(const struct pprof_wait){ .seconds = in->seconds, .format = in->format })

PPROF(console_profile_cpu, console_profile, pprof_profile, WAIT)
PPROF(console_profile_heap, console_profile, pprof_heap, WAIT)
PPROF(console_profile_growth, console_profile, pprof_growth, WAIT)
PPROF(console_symbol_count, console_process, pprof_symbol_count, NULL)
PPROF(console_symbol_names, console_process, pprof_symbol_names, NULL)
PPROF(console_cmdline, console_process, pprof_cmdline, NULL)
