/* Which directories of a machine are none for databases: what cluster_mgr asks
 * before it registers one. */
#include <limits.h>
#include <string.h>

#include "kunlun/node_mgr/jobs.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "root.h"

#define BAD_BYTES 4000

TABLE(node_roots_asked, NODE_ROOTS_ASKED);

static bool
is_listed(const char *list, const char *path)
{
    size_t n = strlen(path);

    for (const char *p = list; (p = strstr(p, path)) != NULL; p++)
        if ((p == list || p[-1] == ';') && (p[n] == ';' || p[n] == '\0'))
            return true;
    return false;
}

/* Each that is none once, as they were given. */
static const char *
find_bad(struct arena *a, const char *list, const char *bad)
{
    char *rest = arena_strdup(a, list), *path, real[PATH_MAX];
    char why[WHY_BYTES];

    while (bad != NULL && rest != NULL && (path = strsep(&rest, ";")) != NULL) {
        if (path[0] == '\0' || root_check(path, real, why) == ERR_OK ||
            is_listed(bad, path) || strlen(bad) + strlen(path) > BAD_BYTES)
            continue;
        bad = bad[0] == '\0' ? path : arena_printf(a, "%s;%s", bad, path);
    }
    return bad;
}

static enum step_answer
look(struct job_run *run)
{
    struct node_roots_asked in;
    const char *bad = "";

    if (!node_args(run, &node_roots_asked_rec, &in))
        return STEP_FAILED;
    bad = find_bad(run->arena, in.datadir, bad);
    bad = find_bad(run->arena, in.logdir, bad);
    bad = find_bad(run->arena, in.wal_log_dir, bad);
    bad = find_bad(run->arena, in.comp_datadir, bad);
    if (bad == NULL)
        return node_failed(run, ERR_NOMEM, "check paths error", NULL);
    return node_done(run, bad);
}

static const struct job_step steps[] = { { "check paths", look, NULL } };

const struct job_kind node_paths_kind = {
    .name = "node_mgr.check_paths",
    .queue = MACHINE_QUEUE,
    .steps = steps,
    .n = COUNT(steps),
};
