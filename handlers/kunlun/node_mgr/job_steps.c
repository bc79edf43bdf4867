/* What the steps of node_mgr's jobs have in common. */
#include <errno.h>
#include <string.h>

#include "address.h"
#include "backup.h"
#include "clock.h"
#include "jobs.h"
#include "log.h"
#include "my.h"
#include "node_mgr.h"

#define AWAIT_MS 1500
#define RETRY_MS 500
#define LOGIN_MS 5000
#define LEFT_MAX 10

/* "nodes[0].port" and the like are told as they are. */
bool
node_args(struct job_run *run, const struct record *rec, void *out)
{
    const struct json *tree;
    struct json_error syntax;
    struct bind_error why;
    enum err e;

    e = json_parse(run->arena, run->args, strlen(run->args), JSON_OWN, &tree,
                   &syntax);
    if (e == ERR_OK)
        e = record_bind(run->arena, rec, tree, node_mgr_form.bind, out, &why);
    if (e == ERR_OK)
        return true;
    if (e == ERR_BAD_PARAM)
        job_fails(run, "get %s error", why.field);
    else
        job_fails(run, "arguments error: %s", err_name(e));
    return false;
}

bool
node_wants(struct job_run *run, const struct record *rec, const void *in,
           const char *const *members)
{
    struct field_path path;

    for (; *members != NULL; members++) {
        if (field_path_find(rec, *members, &path) == ERR_OK &&
            field_path_given(&path, in))
            continue;
        job_fails(run, "get %s error", *members);
        return false;
    }
    return true;
}

bool
node_is_ours(struct job_run *run, const char *ip)
{
    const struct machine *m = run->ctx;

    if (strcmp(ip, m->address) == 0)
        return true;
    job_fails(run, "%s is no local_ip", ip);
    return false;
}

enum step_answer
node_failed(struct job_run *run, enum err e, const char *sentence,
            const char *why)
{
    if (job_store_failed(e, why)) {
        job_waits(run, RETRY_MS, "%s",
                  e == ERR_BUSY ? "another job has the instance" : err_name(e));
        return STEP_AGAIN;
    }
    if (!str_empty(why))
        job_fails(run, "%s: %s", sentence, why);
    else
        job_fails(run, "%s: %s", sentence, err_name(e));
    return STEP_FAILED;
}

enum step_answer
node_not_kept(struct job_run *run, enum err e, const char *sentence)
{
    return node_failed(run, e, sentence,
                       e == ERR_LIMIT ? strerror(ENOSPC)
                       : e == ERR_DENIED
                           ? "the instance's directory cannot be written, or "
                             "is not marked as its own"
                           : NULL);
}

enum step_answer
node_done(struct job_run *run, const char *info)
{
    struct kunlun_result out = { 0 };
    const char *text;

    PUT(&out, kunlun_result, result, "succeed");
    PUT(&out, kunlun_result, info, info);
    if (record_text(run->arena, &node_mgr_form.style, &kunlun_result_rec, &out,
                    SECRETS_FULL, 8192, &text) == ERR_OK)
        job_result(run, text);
    return STEP_DONE;
}

enum step_answer
node_await(struct job_run *run, unsigned port, enum kept_state up,
           const char *sentence)
{
    const struct machine *m = run->ctx;
    char why[WHY_BYTES] = "";
    enum err e = keeper_await(m->keeper, port, up, AWAIT_MS, why);

    if (e == ERR_OK)
        return STEP_DONE;
    if (e != ERR_TIMEOUT)
        return node_failed(run, e, sentence, why);
    job_waits(run, RETRY_MS, "%s", why);
    return STEP_AGAIN;
}

enum err
node_keep_spec(struct job_run *run, const struct instance_spec *spec)
{
    const char *text;
    enum err e = instance_spec_text(run->arena, spec, &text);

    return e == ERR_OK ? job_remember(run, text) : e;
}

enum err
node_kept_spec(struct job_run *run, struct instance_spec *out)
{
    if (run->memo == NULL)
        return ERR_NOT_FOUND;
    return instance_spec_read(run->arena, run->memo, out);
}

bool
node_memo(struct job_run *run, const struct record *rec, void *out)
{
    if (job_recall_record(run, rec, out) == ERR_OK)
        return true;
    job_fails(run, "memo error");
    return false;
}

enum step_answer
node_left(struct job_run *run, enum err e, const char *what, const char *why)
{
    if (e == ERR_OK)
        return STEP_DONE;
    if (run->job->tries < LEFT_MAX) {
        job_waits(run, RETRY_MS, "to remove %s: %s", what, why);
        return STEP_AGAIN;
    }
    log_warn("node_mgr.left job=%llu what=%s why=\"%s\"",
             (unsigned long long)run->job->id, what, why);
    return STEP_DONE;
}

/* ---- the older jobs ---- */

void
node_no_connection(struct job_run *run, const char *ip, int32_t port)
{
    char at[ADDRESS_BYTES];

    job_fails(run, "connect %s error", address_print(ip, port, at, sizeof(at)));
}

bool
node_instance(struct job_run *run, const char *ip, int32_t port,
              enum instance_kind kind, struct instance_spec *out)
{
    const struct machine *m = run->ctx;

    if (port > 0 && port <= 65535 &&
        keeper_spec(m->keeper, run->arena, (unsigned)port, out) == ERR_OK &&
        out->kind == (int)kind)
        return true;
    node_no_connection(run, ip, port);
    return false;
}

bool
node_source_read(struct job_run *run, struct node_source *in,
                 struct instance_spec *spec,
                 bool (*rest)(struct job_run *run,
                              const struct node_source *in))
{
    static const char *const at[] = { "s_ip", "s_port", NULL };
    static const char *const login[] = { "s_user", "s_pwd", NULL };

    return node_args(run, &node_source_rec, in) &&
           node_wants(run, &node_source_rec, in, at) &&
           node_is_ours(run, in->s_ip) &&
           node_wants(run, &node_source_rec, in, login) &&
           (rest == NULL || rest(run, in)) &&
           node_instance(run, in->s_ip, in->s_port, INSTANCE_STORAGE, spec);
}

static void
close_my(void *my)
{
    my_close(my);
}

struct my *
node_login_at(struct job_run *run, const struct node_login *at,
              unsigned reply_s)
{
    const struct machine *m = run->ctx;
    struct my_server server = {
        .user = at->user,
        .password = at->password,
        .bind = m->address,
        .connect_timeout_s = LOGIN_MS / 1000,
        .read_timeout_s = reply_s,
    };
    struct my *my = my_open();

    if (my != NULL && arena_defer(run->arena, close_my, my) != ERR_OK)
        my = NULL; /* closed already */
    if (my != NULL && my_address_of(at->ip, at->port, &server.at) == ERR_OK &&
        my_connect(my, &server, clock_mono_ms() + LOGIN_MS) == ERR_OK)
        return my;
    node_no_connection(run, at->ip, at->port);
    return NULL;
}

struct my *
node_login(struct job_run *run, const struct node_source *in)
{
    const struct node_login at = { in->s_ip, in->s_port, in->s_user,
                                   in->s_pwd };

    return node_login_at(run, &at, NODE_SHORT_S);
}

/* ---- what takes long ---- */

static bool
go_on(void *ctx)
{
    return job_go_on(ctx);
}

static void
tell(void *ctx, int64_t bytes)
{
    job_progress(ctx, "%lld MiB", (long long)(bytes >> 20));
}

struct instance_watch
node_watch(struct job_run *run)
{
    return (struct instance_watch){ go_on, tell, run };
}

enum step_answer
node_broken_off(struct job_run *run, enum err e, const char *sentence,
                const char *why)
{
    if (e == ERR_OK)
        return STEP_DONE;
    if (e != ERR_STATE || job_go_on(run))
        return node_failed(run, e, sentence, why);
    job_waits(run, RETRY_MS, "to be called again");
    return STEP_AGAIN;
}
