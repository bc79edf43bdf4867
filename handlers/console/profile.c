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

static enum err
collect(struct req *r, const struct console_profile *in,
        enum err (*pprof)(struct req *, const struct pprof_wait *))
{
    const struct pprof_wait wait = { .seconds = in->seconds,
                                     .format = in->format };
    enum err e = check(r, in->process);

    return e == ERR_OK ? pprof(r, &wait) : e;
}

static enum err
tell(struct req *r, const struct console_process *in,
     enum err (*pprof)(struct req *, const struct none *))
{
    enum err e = check(r, in->process);

    return e == ERR_OK ? pprof(r, NULL) : e;
}

enum err
console_profile_cpu(struct req *r, const struct console_profile *in)
{
    return collect(r, in, pprof_profile);
}

enum err
console_profile_heap(struct req *r, const struct console_profile *in)
{
    return collect(r, in, pprof_heap);
}

enum err
console_profile_growth(struct req *r, const struct console_profile *in)
{
    return collect(r, in, pprof_growth);
}

enum err
console_symbol_count(struct req *r, const struct console_process *in)
{
    return tell(r, in, pprof_symbol_count);
}

enum err
console_symbol_names(struct req *r, const struct console_process *in)
{
    return tell(r, in, pprof_symbol_names);
}

enum err
console_cmdline(struct req *r, const struct console_process *in)
{
    return tell(r, in, pprof_cmdline);
}
