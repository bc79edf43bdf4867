/* Which directories of a machine are none for databases: what cluster_mgr asks
 * before it registers one. */
#include "dirs.h"
#include "kunlun/node_mgr/jobs.h"
#include "kunlun/node_mgr/node_mgr.h"

#define PATHS_MAX 1024
#define BAD_BYTES 4000

TABLE(node_roots_asked, NODE_ROOTS_ASKED);

/* Each that is none once, as they were given. */
static enum step_answer
look(struct job_run *run)
{
    struct node_roots_asked in;
    struct machine_dirs dirs;
    const char *bad = "";
    enum err e;

    if (!node_args(run, &node_roots_asked_rec, &in))
        return STEP_FAILED;
    e = machine_dirs_look(run->arena, PATHS_MAX,
                          (const char *const[]){
                              [PLACEMENT_DATA] = in.datadir,
                              [PLACEMENT_LOG] = in.logdir,
                              [PLACEMENT_WAL] = in.wal_log_dir,
                              [PLACEMENT_COMP] = in.comp_datadir,
                          },
                          &dirs);
    if (e == ERR_OK)
        e = machine_dirs_wrong(&dirs, BAD_BYTES, &bad);
    return e == ERR_OK ? node_done(run, bad)
                       : node_failed(run, e, "check paths error", NULL);
}

static const struct job_step steps[] = { { "check paths", look, NULL } };

NODE_JOB(node_paths_kind, check_paths, steps, .of = NULL);
