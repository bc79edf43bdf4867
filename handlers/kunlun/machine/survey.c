/* What a machine has room for: asked by cluster_mgr before it puts servers
 * there. */
#include "kunlun/survey.h"

#include <sys/stat.h>

#include "dirs.h"
#include "kunlun/node_mgr/jobs.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "port_idle.h"
#include "root.h"

#define SURVEY_BYTES ((size_t)1 << 20)
#define DIRS_MAX     64
#define PORTS_MAX    4096
#define SENTENCE     "survey error"

TABLE(survey_asked, SURVEY_ASKED);
TABLE(survey_space, SURVEY_SPACE);
TABLE(survey, SURVEY);

struct looking {
    struct arena *a;
    struct machine_dirs dirs;
    struct survey out;
};

/* ---- directories ---- */

static enum err
look_at_dirs(struct looking *l, const struct survey_asked *in)
{
    struct machine_dirs *d = &l->dirs;
    struct survey *out = &l->out;
    enum err e = machine_dirs_look(l->a, DIRS_MAX,
                                   (const char *const[]){
                                       [PLACEMENT_DATA] = in->datadir,
                                       [PLACEMENT_LOG] = in->logdir,
                                       [PLACEMENT_WAL] = in->wal_log_dir,
                                       [PLACEMENT_COMP] = in->comp_datadir,
                                   },
                                   d);

    if (e != ERR_OK)
        return e;
    out->spaces.v = arena_array(l->a, d->n + 1, sizeof(*out->spaces.v));
    if (out->spaces.v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < d->n; i++) {
        struct survey_space *s = &out->spaces.v[i];

        *s = (struct survey_space){ 0 };
        PUT(s, survey_space, class, placement_class_names[d->v[i].class]);
        PUT(s, survey_space, path, d->v[i].path);
        PUT(s, survey_space, used, d->v[i].used);
        PUT(s, survey_space, free, d->v[i].free);
    }
    out->spaces.n = d->n;
    out->wrong.v = d->wrong;
    out->wrong.n = d->n_wrong;
    return ERR_OK;
}

/* ---- ports ---- */

/* Directories are named by ports: one that is there belongs to a server that
 * does not run now, or is the rest of one. */
static bool
has_directory(const struct looking *l, bool computer, int32_t port)
{
    for (size_t i = 0; i < l->dirs.n; i++) {
        const struct machine_dir *d = &l->dirs.v[i];
        const char *path;
        struct stat st;

        if ((d->class == PLACEMENT_COMP) != computer)
            continue;
        path = root_home(l->a, d->real, placement_class_names[d->class],
                         (unsigned)port);
        if (path == NULL || lstat(path, &st) == 0)
            return true;
    }
    return false;
}

static void
look_at_ports(struct looking *l, const char *address, bool computer,
              int32_t from, int32_t n)
{
    for (int32_t p = from; p < from + n && p <= 65535; p++)
        if (!port_is_idle(address, (unsigned)p) ||
            has_directory(l, computer, p))
            l->out.busy.v[l->out.busy.n++] = (struct I32){ .v = p };
}

/* ---- the step ---- */

static bool
is_range(int32_t from, int32_t n)
{
    return from >= 1 && from <= 65535 && n >= 0 && n <= PORTS_MAX;
}

static enum err
look(struct looking *l, const char *address, const struct survey_asked *in)
{
    enum err e = look_at_dirs(l, in);

    if (e != ERR_OK)
        return e;
    l->out.busy.v = arena_array(
        l->a, (size_t)in->storage_ports + (size_t)in->computer_ports + 1,
        sizeof(*l->out.busy.v));
    if (l->out.busy.v == NULL)
        return ERR_NOMEM;
    look_at_ports(l, address, false, in->storage_port, in->storage_ports);
    look_at_ports(l, address, true, in->computer_port, in->computer_ports);
    SET(&l->out, survey, spaces);
    SET(&l->out, survey, wrong);
    SET(&l->out, survey, busy);
    return ERR_OK;
}

static enum step_answer
survey(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct looking l = { .a = run->arena };
    struct survey_asked in;
    const char *text;
    enum err e;

    if (!node_args(run, &survey_asked_rec, &in))
        return STEP_FAILED;
    if (!is_range(in.storage_port, in.storage_ports) ||
        !is_range(in.computer_port, in.computer_ports))
        return node_failed(run, ERR_BAD_PARAM, SENTENCE, "no range of ports");
    e = look(&l, m->address, &in);
    if (e == ERR_OK)
        e = record_text(run->arena, &node_mgr_form.style, &survey_rec, &l.out,
                        SECRETS_FULL, SURVEY_BYTES, &text);
    if (e != ERR_OK)
        return node_failed(run, e, SENTENCE, NULL);
    job_result(run, text);
    return STEP_DONE;
}

static const struct job_step steps[] = { { "survey", survey, NULL } };

NODE_JOB(kunlun_survey_kind, survey, steps, .of = NULL);
