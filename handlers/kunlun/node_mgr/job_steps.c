/* What the steps of node_mgr's jobs have in common. */
#include <string.h>

#include "jobs.h"
#include "node_mgr.h"

#define AWAIT_MS 1500
#define RETRY_MS 500

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
    if (e == ERR_STORE || e == ERR_BUSY || e == ERR_NOMEM) {
        job_waits(run, RETRY_MS, "%s",
                  e == ERR_BUSY ? "another job has the instance" : err_name(e));
        return STEP_AGAIN;
    }
    if (why != NULL && why[0] != '\0')
        job_fails(run, "%s: %s", sentence, why);
    else
        job_fails(run, "%s: %s", sentence, err_name(e));
    return STEP_FAILED;
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
