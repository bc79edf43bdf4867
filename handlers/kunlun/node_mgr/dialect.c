/* node_mgr as a dialect: how it speaks, and what a body asks for. */
#include <string.h>

#include "jobs.h"
#include "kunlun/archive/archive.h"
#include "node_mgr.h"
#include "secrets.h"

static void
put_outcome(struct json_writer *w, const char *result, const char *info)
{
    jw_object(w);
    jw_key(w, "result");
    jw_str(w, result);
    if (info != NULL) {
        jw_key(w, "info");
        jw_str(w, info);
    }
    jw_object_end(w);
}

static enum err
reply(struct req *r, struct json_writer *w, const struct record *rec,
      const void *out)
{
    enum err e = ERR_OK;

    if (rec == NULL)
        put_outcome(w, "succeed", NULL);
    else
        e = record_render(w, rec, out, req_secrets(r), false, r->arena);
    buf_puts(w->out, "\r\n");
    return e;
}

static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    (void)r;
    put_outcome(w, "error", f->text);
    buf_puts(w->out, "\r\n");
}

/* "succeed" of the older jobs means accepted, too. */
static void
accept(struct req *r, struct json_writer *w, const char *job_id)
{
    (void)job_id;
    put_outcome(w, node_job_find(r->operation)->accepted, NULL);
    buf_puts(w->out, "\r\n");
}

const struct form node_mgr_form = {
    .name = "node_mgr",
    .bind = BIND_STR_FROM_NUM | BIND_INT_FROM_STR | BIND_NULL_UNSET,
    .secrets = SECRETS_STARS,
    .reply_type = "application/json",
    .error_type = "application/json",
    .reply = reply,
    .failure = failure,
    .accept = accept,
};

static enum err
classify(struct req *r, const struct json *body)
{
    const struct json *type = json_member(body, "job_type");
    const char *verb = NULL;

    if (type != NULL && json_type(type) == JSON_STRING)
        verb = kunlun_verb(r->dialect, json_text(type));
    if (verb == NULL)
        return req_fail(r, NODE_JOB_TYPE, ARGS());
    if (kunlun_says_dry_run(body) && kunlun_changes(r->dialect, verb))
        return req_fail(r, NODE_NO_PLAN, ARGS(arg("type", verb)));
    req_select(r, verb, NULL);
    return ERR_OK;
}

static const struct listener listeners[] = {
    { "node_mgr", "", EACH_MACHINE, 9998, "node_mgr" },
    { "node_mgr", "", EACH_MACHINE, 57001, "node_mgr" },
    { .name = NULL },
};

#include "endpoint_tables.h"

#define SETTINGS      node_mgr_settings
#define SETTINGS_FILE "kunlun/node_mgr/settings.def"
#include "settings_table.h"

static const char *const schemas[] = { "Kunlun_Metadata_DB", NULL };

static const struct secret_column secrets[] = {
    SECRET_OF_ONE(kunlun_instance, client_secret, uuid),
    { .table = NULL },
};

static const struct upkeep upkeeps[] = {
    { .name = "node_mgr.archive",
      .every_ms = archive_every_ms,
      .step = archive_step,
      .forget = archive_forget },
    { .name = NULL },
};

extern const struct dialect node_mgr_dialect;
const struct dialect node_mgr_dialect = {
    .name = "node_mgr",
    DIALECT_TABLES,
    .classify = classify,
    .raw_verb = node_raw_verb,
    .uri = URI_ANY_PATH,
    .listeners = listeners,
    .settings = node_mgr_settings_rows,
    .jobs = node_job_kinds,
    .upkeeps = upkeeps,
    .secrets = secrets,
    .unlogged = schemas,
};
