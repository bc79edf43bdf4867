/* delete_storage, delete_computer: an instance is stopped, its own directories
 * are removed, the keeper forgets it, and its row goes last: as long as there
 * is something of it, the same job finds it, whatever has failed before. One of
 * which there is nothing is deleted already. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "job.h"
#include "jobs.h"
#include "kunlun/machine/dirs.h"
#include "node_mgr.h"
#include "port_idle.h"
#include "root.h"
#include "store.h"

TABLE(node_at, NODE_AT);

/* ---- one that the keeper has ---- */

static enum step_answer
another_kind(struct job_run *run)
{
    job_fails(run, "%s: another kind of instance listens there",
              node_own(run)->error);
    return STEP_FAILED;
}

/* BUSY: it is being installed. NOT_FOUND: there is no row, or it is that of
 * another than was asked for. */
static enum err
read_site(struct job_run *run, const struct node_at *in, struct node_site *out)
{
    const struct machine *m = run->ctx;
    struct job j;
    enum err e =
        node_store_site(run->db, run->arena, m->address, in->port, out);

    if (e == ERR_OK && HAS(in, node_at, uuid) &&
        strcmp(in->uuid, out->uuid) != 0) {
        *out = (struct node_site){ 0 };
        e = ERR_NOT_FOUND;
    }
    if (e != ERR_OK || out->job_id == 0)
        return e;
    e = job_get(run->db, run->arena, out->job_id, &j);
    if (e == ERR_OK && j.state < JOB_DONE)
        return ERR_BUSY;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Nothing lies where its data was, so nothing can be started there. */
static bool
is_bare(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;

    if (d == NULL)
        return errno == ENOENT;
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n <= 2;
}

static bool
has_no_home(struct job_run *run, const struct instance_spec *spec)
{
    const char *home;

    return instance_home(run->arena, spec, &home) == ERR_OK && is_bare(home);
}

static enum step_answer
check_rest(struct job_run *run, const struct node_at *in)
{
    struct node_site site;
    enum err e = read_site(run, in, &site);

    return e == ERR_OK || e == ERR_NOT_FOUND
               ? STEP_DONE
               : node_failed(run, e, node_own(run)->error, NULL);
}

static enum step_answer
check(struct job_run *run)
{
    static const char *const at[] = { "ip", "port", NULL };
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    struct node_at in;
    enum err e;

    if (run->memo != NULL)
        return STEP_DONE;
    if (!node_args(run, &node_at_rec, &in) ||
        !node_wants(run, &node_at_rec, &in, at) || !node_is_ours(run, in.ip))
        return STEP_FAILED;
    e = keeper_spec(m->keeper, run->arena, (unsigned)in.port, &spec);
    if (e == ERR_NOT_FOUND || e == ERR_STATE)
        return check_rest(run, &in);
    if (e == ERR_OK && HAS(&in, node_at, uuid) &&
        strcmp(in.uuid, spec.uuid) != 0)
        return STEP_DONE;
    if (e == ERR_OK && spec.kind != (int)node_own(run)->kind)
        return another_kind(run);
    if (e == ERR_OK)
        e = keeper_hold(m->keeper, (unsigned)in.port, run->job->id);
    if (e == ERR_DENIED && has_no_home(run, &spec))
        return STEP_DONE;
    if (e == ERR_OK)
        e = node_keep_spec(run, &spec);
    return e == ERR_OK ? STEP_DONE
                       : node_not_kept(run, e, node_own(run)->error);
}

/* NOT_FOUND: the keeper has let go of it already. */
static enum step_answer
stop(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    enum err e = node_kept_spec(run, &spec);

    if (e == ERR_NOT_FOUND)
        return STEP_DONE;
    if (e == ERR_OK)
        e = keeper_hold(m->keeper, (unsigned)spec.port, run->job->id);
    if (e == ERR_OK)
        e = keeper_tell(m->keeper, (unsigned)spec.port, ORDER_STOP,
                        run->job->id);
    if (e == ERR_NOT_FOUND)
        return STEP_DONE;
    if (e != ERR_OK)
        return node_not_kept(run, e, node_own(run)->error);
    return node_await(run, (unsigned)spec.port, KEPT_STOPPED,
                      node_own(run)->error);
}

static enum err
drop_row(struct job_run *run, const char *uuid)
{
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = node_store_drop(run->db, uuid);
    return db_end(run->db, e);
}

/* What the keeper has of that instance; NULL in *out: nothing. */
static enum err
find_kept(struct job_run *run, int32_t port, const char *uuid,
          const struct kept **out)
{
    const struct machine *m = run->ctx;
    struct list_of_kept all;
    enum err e = keeper_list(m->keeper, run->arena, &all);

    *out = NULL;
    for (size_t i = 0; e == ERR_OK && i < all.n; i++)
        if (all.v[i].port == port &&
            (uuid == NULL || strcmp(all.v[i].uuid, uuid) == 0))
            *out = all.v + i; /* in the arena */
    return e;
}

/* Not one that was installed on that port meanwhile. */
static enum err
forget(struct job_run *run, int32_t port, const char *uuid)
{
    const struct machine *m = run->ctx;
    const struct kept *kept;
    enum err e = find_kept(run, port, uuid, &kept);

    return e == ERR_OK && kept != NULL
               ? keeper_drop(m->keeper, (unsigned)port, run->job->id)
               : e;
}

/* It is so since the step before, which another run may have made. */
static enum err
hold_again(struct job_run *run, const struct instance_spec *spec,
           char why[WHY_BYTES])
{
    const struct machine *m = run->ctx;
    const struct kept *kept;
    enum err e = find_kept(run, spec->port, spec->uuid, &kept);

    if (e != ERR_OK || kept == NULL || kept->state == KEPT_LOST)
        return e;
    if (kept->pid != 0)
        return why_fail(why, ERR_STATE, "a server runs there");
    return keeper_hold(m->keeper, (unsigned)spec->port, run->job->id);
}

/* It is held while its directories are removed. Without a row it is removed
 * already, by a run that was killed, and the port may be another's. */
static enum err
clear_kept(struct job_run *run, const struct instance_spec *spec,
           char why[WHY_BYTES])
{
    const struct machine *m = run->ctx;
    struct node_site site;
    enum err e =
        node_store_site(run->db, run->arena, m->address, spec->port, &site);
    bool recorded = e == ERR_OK && strcmp(site.uuid, spec->uuid) == 0;

    if (e == ERR_OK || e == ERR_NOT_FOUND)
        e = hold_again(run, spec, why);
    if (e == ERR_OK)
        e = recorded ? instance_remove(spec, why) : instance_unmake(spec, why);
    if (e == ERR_OK)
        e = forget(run, spec->port, spec->uuid);
    return e == ERR_OK ? drop_row(run, spec->uuid) : e;
}

/* ---- what is left of one that it has not, or has lost ---- */

struct rest {
    struct job_run *run;
    int32_t port;
    const char *uuid; /* NULL: neither request, row nor keeper tell one */
    struct node_site site;
    struct node_roots roots;
    char *why;
};

static bool
is_recorded(const struct rest *r)
{
    return HAS(&r->site, node_site, uuid) && strcmp(r->site.uuid, r->uuid) == 0;
}

/* The root that a home of that class lies below; NULL: in no such place. */
static const char *
root_of(struct arena *a, const char *home, const char *class, int32_t port)
{
    const char *tail = root_home(a, "", class, (unsigned)port);
    size_t n = strlen(home), m = tail != NULL ? strlen(tail) : n;

    return n > m && strcmp(home + n - m, tail) == 0
               ? arena_strndup(a, home, n - m)
               : NULL;
}

/* That home is the row's: another's marker in it is an error. */
static enum err
clear_recorded(const struct rest *r, struct instance_spec *spec)
{
    const char *class =
        placement_class_names[spec->kind == INSTANCE_COMPUTER ? PLACEMENT_COMP
                                                              : PLACEMENT_DATA];
    const char *root = root_of(r->run->arena, r->site.path, class, r->port);

    if (root == NULL)
        return why_fail(r->why, ERR_INTERNAL, "%s is no home", r->site.path);
    if (access(root, F_OK) != 0) /* its disk may come back */
        return why_fail(r->why, ERR_DENIED, "%s is not there", root);
    spec->data_root = spec->log_root = spec->wal_root = root;
    return instance_remove(spec, r->why);
}

/* Calls one for each registered directory until one fails. */
static enum err
each_root(const struct rest *r, struct instance_spec *spec,
          enum err (*one)(const struct rest *r, struct instance_spec *spec))
{
    const char *const lists[] = { r->roots.data, r->roots.log, r->roots.wal,
                                  r->roots.comp };
    enum err e = ERR_OK;
    struct span s;

    for (size_t i = 0; i < COUNT(lists); i++)
        for (const char *rest = or_empty(lists[i]);
             e == ERR_OK && machine_dirs_next(&rest, &s);) {
            const char *root = arena_strndup(r->run->arena, s.p, s.n);

            spec->data_root = spec->log_root = spec->wal_root = root;
            e = root != NULL ? one(r, spec) : ERR_NOMEM;
        }
    return e;
}

static enum err
unmake(const struct rest *r, struct instance_spec *spec)
{
    return instance_unmake(spec, r->why);
}

static enum err
is_clear(const struct rest *r, struct instance_spec *spec)
{
    for (size_t i = 0; i < PLACEMENT_CLASS__MAX; i++) {
        const char *home =
            root_home(r->run->arena, spec->data_root, placement_class_names[i],
                      (unsigned)r->port);

        if (home == NULL)
            return ERR_NOMEM;
        if (!is_bare(home))
            return why_fail(r->why, ERR_STATE,
                            "%s is there, and no instance is known", home);
    }
    return ERR_OK;
}

/* The keeper does not start it, nor has it a server there. */
static enum err
check_down(const struct rest *r)
{
    const struct machine *m = r->run->ctx;
    const struct kept *kept;
    enum err e = find_kept(r->run, r->port, r->uuid, &kept);

    if (e != ERR_OK)
        return e;
    if ((kept != NULL && kept->pid != 0) ||
        (is_recorded(r) && !port_is_idle(m->address, (unsigned)r->port)))
        return why_fail(r->why, ERR_STATE, "a server runs there");
    if (kept != NULL && kept->state != KEPT_LOST &&
        !(is_recorded(r) && is_bare(r->site.path)))
        return why_fail(r->why, ERR_STATE,
                        "it was installed while it was deleted");
    return ERR_OK;
}

/* The keeper forgets it first here: a home that comes back is not started. */
static enum err
clear_rest(const struct rest *r)
{
    struct instance_spec spec = { .kind = (int)node_own(r->run)->kind,
                                  .port = r->port,
                                  .uuid = r->uuid };
    enum err e;

    if (r->port < 1 || r->port > UINT16_MAX)
        return r->uuid != NULL ? drop_row(r->run, r->uuid) : ERR_OK;
    if (r->uuid == NULL)
        return each_root(r, &spec, is_clear);
    e = check_down(r);
    if (e == ERR_OK)
        e = forget(r->run, r->port, r->uuid);
    if (e == ERR_OK && is_recorded(r))
        e = clear_recorded(r, &spec);
    if (e == ERR_OK)
        e = each_root(r, &spec, unmake);
    return e == ERR_OK ? drop_row(r->run, r->uuid) : e;
}

static enum step_answer
end_rest(struct job_run *run, char why[WHY_BYTES])
{
    const struct machine *m = run->ctx;
    struct rest r = { .run = run, .why = why };
    const struct kept *kept = NULL;
    struct node_at in;
    enum err e;

    if (!node_args(run, &node_at_rec, &in))
        return STEP_FAILED;
    r.port = in.port;
    e = read_site(run, &in, &r.site);
    if (e == ERR_OK)
        r.uuid = r.site.uuid;
    if (HAS(&in, node_at, uuid))
        r.uuid = in.uuid;
    if (e == ERR_NOT_FOUND && r.uuid == NULL)
        e = find_kept(run, in.port, NULL, &kept);
    if (kept != NULL)
        r.uuid = kept->uuid;
    if (e == ERR_OK || e == ERR_NOT_FOUND)
        e = node_store_roots(run->db, run->arena, m->address, &r.roots);
    if (r.uuid != NULL && is_recorded(&r) &&
        strcmp(r.site.kind,
               enum_text(instance_kind_names, (int)node_own(run)->kind)) != 0)
        return another_kind(run);
    if (e == ERR_OK || e == ERR_NOT_FOUND)
        e = clear_rest(&r);
    return e == ERR_OK ? STEP_DONE
                       : node_failed(run, e, node_own(run)->error, why);
}

static enum step_answer
clear(struct job_run *run)
{
    const struct machine *m = run->ctx;
    struct instance_spec spec;
    char why[WHY_BYTES] = "";
    enum step_answer answer = STEP_DONE;
    enum err e = node_kept_spec(run, &spec);

    if (e == ERR_NOT_FOUND) {
        answer = end_rest(run, why);
    } else {
        e = e == ERR_OK ? clear_kept(run, &spec, why) : e;
        if (e != ERR_OK)
            answer = node_failed(run, e, node_own(run)->error, why);
        if (answer == STEP_FAILED) /* or the keeper does, a little later */
            (void)!keeper_release(m->keeper, (unsigned)spec.port, run->job->id);
    }
    return answer == STEP_DONE ? node_done(run, node_own(run)->succeed)
                               : answer;
}

static const struct job_step storage_steps[] = {
    { "delete storage start", check, NULL },
    { "delete storage stopping", stop, NULL },
    { "delete storage working", clear, NULL },
};
NODE_JOB(node_delete_storage_kind, delete_storage, storage_steps,
         .forward_only = true,
         .of = &(const struct node_own){ INSTANCE_STORAGE,
                                         "delete storage error",
                                         "delete storage succeed" });

static const struct job_step computer_steps[] = {
    { "delete computer start", check, NULL },
    { "delete computer stopping", stop, NULL },
    { "delete computer working", clear, NULL },
};
NODE_JOB(node_delete_computer_kind, delete_computer, computer_steps,
         .forward_only = true,
         .of = &(const struct node_own){ INSTANCE_COMPUTER,
                                         "delete computer error",
                                         "delete computer succeed" });
