/* metagate check: what each worker has given up (serve.c). */
#include "check.h"

#include <string.h>

#include "api/tables.h"
#include "config.h"
#include "host/confine.h"
#include "metrics.h"

/* The names of those that run and say no to that, "" when there are none. */
static void
list_free_workers(enum metric m, char *out, size_t size)
{
    char name[32];
    size_t n = 0;

    out[0] = '\0';
    for (int64_t i = 0; i < config()->serve_workers; i++) {
        (void)snprintf(name, sizeof(name), "serve-%lld", (long long)i);
        if (metrics_of(name, m) == 0 && n < size)
            n += (size_t)snprintf(out + n, size - n, "%s%s", n == 0 ? "" : ", ",
                                  name);
    }
}

static int64_t
count_workers(void)
{
    int64_t n = 0;
    char name[32];

    for (int64_t i = 0; i < config()->serve_workers; i++) {
        (void)snprintf(name, sizeof(name), "serve-%lld", (long long)i);
        n += metrics_of(name, METRIC_PROCESSES) > 0;
    }
    return n;
}

/* What each worker has been given, by itself; the configuration tells what it
 * is to have after its next start. */
void
check_confine(struct look *l)
{
    char exec[512], writes[512];
    struct confine_kernel k;
    struct finding f = { 0 };

    confine_kernel(&k);
    if (metrics_look(tables_sum()) != ERR_OK || count_workers() == 0) {
        FOUND(&f, WARN, "no worker tells whether it is confined");
        CURE(&f, "start workers of this version; log/serve-0.log tells why "
                 "there are no metrics");
        check_report(l, "confine", &f);
        return;
    }
    list_free_workers(METRIC_CONFINED_EXEC, exec, sizeof(exec));
    list_free_workers(METRIC_CONFINED_FILES, writes, sizeof(writes));
    if (str_empty(exec) && str_empty(writes)) {
        FOUND(&f, OK,
              "all %lld workers run no programs and write no files but logs "
              "and marks (seccomp, Landlock)",
              (long long)count_workers());
        check_report(l, "confine", &f);
        return;
    }
    FOUND(&f, WARN, "%s%s%s%s%s", !str_empty(exec) ? "may run programs: " : "",
          exec, !str_empty(exec) && !str_empty(writes) ? "; " : "",
          !str_empty(writes) ? "may write anywhere: " : "", writes);
    if (!config()->serve_confine)
        CURE(&f, "[serve] confine = yes, and a restart");
    else if (k.landlock == 0 || !k.seccomp)
        CURE(&f, "a kernel with seccomp and Landlock (5.13, lsm=landlock)");
    else
        CURE(&f, "start them again: this kernel can hold them");
    check_report(l, "confine", &f);
}
