/* What a machine has room for: asked by cluster_mgr before it puts servers
 * there. */
#include "kunlun/survey.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "kunlun/node_mgr/jobs.h"
#include "kunlun/node_mgr/node_mgr.h"
#include "port_idle.h"
#include "root.h"

#define MIB          ((int64_t)1 << 20)
#define SURVEY_BYTES ((size_t)1 << 20)
#define DIRS_MAX     64
#define PORTS_MAX    4096
#define SENTENCE     "survey error"

TABLE(survey_asked, SURVEY_ASKED);
TABLE(survey_space, SURVEY_SPACE);
TABLE(survey, SURVEY);

struct looking {
    struct arena *a;
    struct survey out;
};

/* ---- directories ---- */

static void
look_at(struct looking *l, const char *path, const char *class)
{
    struct survey_space *s = &l->out.spaces.v[l->out.spaces.n];
    char real[PATH_MAX], why[WHY_BYTES];
    struct root_space space;
    const char *dir;
    int64_t used = -1;

    if (root_check(path, real, why) == ERR_OK &&
        root_space(real, &space) == ERR_OK &&
        (dir = arena_printf(l->a, "%s/instance_data/%s", real, class)) != NULL)
        used = root_used(dir);
    if (used < 0) {
        l->out.wrong.v[l->out.wrong.n++] = (struct STR){ .v = path };
        return;
    }
    *s = (struct survey_space){ 0 };
    PUT(s, survey_space, class, class);
    PUT(s, survey_space, path, path);
    PUT(s, survey_space, used, (used + MIB - 1) / MIB);
    PUT(s, survey_space, free, space.free / MIB);
    l->out.spaces.n++;
}

static enum err
look_at_all(struct looking *l, const char *list, const char *class)
{
    char *rest = arena_strdup(l->a, list != NULL ? list : ""), *path;

    if (rest == NULL)
        return ERR_NOMEM;
    while ((path = strsep(&rest, ";")) != NULL) {
        if (path[0] == '\0')
            continue;
        if (l->out.spaces.n + l->out.wrong.n == DIRS_MAX)
            return ERR_LIMIT;
        look_at(l, path, class);
    }
    return ERR_OK;
}

/* ---- ports ---- */

/* Directories are named by ports: one that is there belongs to a server that
 * does not run now, or is the rest of one. */
static bool
has_directory(const struct looking *l, bool computer, int32_t port)
{
    for (size_t i = 0; i < l->out.spaces.n; i++) {
        const struct survey_space *s = &l->out.spaces.v[i];
        const char *path;
        struct stat st;

        if ((strcmp(s->class, "comp_datadir") == 0) != computer)
            continue;
        path = arena_printf(l->a, "%s/instance_data/%s/%d", s->path, s->class,
                            (int)port);
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
    enum err e = ERR_OK;

    l->out.spaces.v = arena_array(l->a, DIRS_MAX, sizeof(*l->out.spaces.v));
    l->out.wrong.v = arena_array(l->a, DIRS_MAX, sizeof(*l->out.wrong.v));
    l->out.busy.v = arena_array(
        l->a, (size_t)in->storage_ports + (size_t)in->computer_ports + 1,
        sizeof(*l->out.busy.v));
    if (l->out.spaces.v == NULL || l->out.wrong.v == NULL ||
        l->out.busy.v == NULL)
        return ERR_NOMEM;
    e = look_at_all(l, in->datadir, "data_dir_path");
    if (e == ERR_OK)
        e = look_at_all(l, in->logdir, "log_dir_path");
    if (e == ERR_OK)
        e = look_at_all(l, in->wal_log_dir, "innodb_log_dir_path");
    if (e == ERR_OK)
        e = look_at_all(l, in->comp_datadir, "comp_datadir");
    if (e != ERR_OK)
        return e;
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

const struct job_kind kunlun_survey_kind = {
    .name = "node_mgr.survey",
    .queue = MACHINE_QUEUE,
    .steps = steps,
    .n = COUNT(steps),
};
