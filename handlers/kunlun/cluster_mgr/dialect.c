/* cluster_mgr as a dialect: how it speaks, and what a body asks for. */
#include <string.h>

#include "cluster_mgr.h"
#include "kunlun/answers/upkeep.h"
#include "kunlun/shard/point.h"
#include "kunlun/monitor/monitor.h"
#include "scope.h"
#include "secrets.h"
#include "kunlun/shard/shard.h"
#include "kunlun/shard/watch.h"
#include "verbs.h"
#include "views.h"

#define VERSION "1.0"
#define FAILED  "70001" /* whatever has no code of its own */
#define EMIT    "/HttpService/Emit"

TABLE(cluster_envelope, CLUSTER_ENVELOPE);

/* ---- which dialect of it ---- */

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), k = strlen(end);

    return n >= k && strcmp(s + n - k, end) == 0;
}

bool
cluster_in_paras(const struct req *r)
{
    const struct json *paras =
        r->json != NULL ? json_member(r->json, "paras") : NULL;

    return ends_with(r->path, EMIT) ||
           (paras != NULL && json_type(paras) == JSON_OBJECT);
}

/* The text of a member of the body; "" without one. */
static const char *
said(const struct req *r, const char *member)
{
    const struct json *j =
        r->json != NULL ? json_member(r->json, member) : NULL;

    return j != NULL && json_type(j) == JSON_STRING ? json_text(j) : "";
}

/* ---- answers ---- */

/* Pages of other origins may read them, however they come to us. */
static void
allow_origin(struct req *r)
{
    req_header_add(r, "Access-Control-Allow-Origin",
                   cluster_mgr_settings()->allow_origin);
}

static void
put_outcome(struct json_writer *w, const char *result, const char *info)
{
    jw_object(w);
    jw_key_str(w, "result", result);
    if (info != NULL)
        jw_key_str(w, "info", info);
    jw_object_end(w);
}

/* Up to the attachment, which the caller prints. */
static void
put_envelope(struct req *r, struct json_writer *w, const char *code,
             const char *info, const char *status, const char *job_id)
{
    allow_origin(r);
    jw_object(w);
    jw_key_str(w, "version", VERSION);
    jw_key_str(w, "error_code", code);
    jw_key_str(w, "error_info", info);
    jw_key_str(w, "status", status);
    jw_key_str(w, "job_id", job_id);
    jw_key_str(w, "job_type", said(r, "job_type"));
    jw_key(w, "attachment");
}

static void
end_envelope(struct json_writer *w)
{
    jw_object_end(w);
    buf_putc(w->out, '\n');
}

static void
end_without(struct json_writer *w)
{
    jw_object(w);
    jw_object_end(w);
    end_envelope(w);
}

static enum err
reply_flat(struct req *r, struct json_writer *w, const struct record *rec,
           const void *out)
{
    allow_origin(r);
    if (rec != NULL)
        return record_render(w, rec, out, req_secrets(r), false, r->arena);
    put_outcome(w, "done", "");
    return ERR_OK;
}

static enum err
reply_paras(struct req *r, struct json_writer *w, const struct record *rec,
            const void *out)
{
    enum err e = ERR_OK;

    if (rec == &cluster_envelope_rec) { /* of another job */
        allow_origin(r);
        e = record_render(w, rec, out, req_secrets(r), false, r->arena);
        buf_putc(w->out, '\n');
        return e;
    }
    put_envelope(r, w, "0", "", "done", "");
    if (rec == NULL) {
        end_without(w);
        return ERR_OK;
    }
    e = record_render(w, rec, out, req_secrets(r), false, r->arena);
    end_envelope(w);
    return e;
}

/* What is wrong with a body that is no JSON. */
static const char *
syntax(struct req *r)
{
    const struct json *tree;
    struct json_error why;

    if (json_parse(r->arena, r->body, r->body_bytes, JSON_STRICT, &tree,
                   &why) != ERR_BAD_PARAM)
        return "JSON parse error: an object is expected";
    return arena_printf(r->arena, "JSON parse error: %s at byte %zu",
                        why.reason, why.offset);
}

static bool
has_id(const struct req *r)
{
    const struct json *paras = json_member(r->json, "paras");

    return paras != NULL && json_member(paras, "cluster_id") != NULL;
}

static void
failure_paras(struct req *r, struct json_writer *w, const struct failure *f)
{
    const char *text = f->text, *status = "failed",
               *code = f->own_code != NULL ? f->own_code : FAILED;

    if ((r->json == NULL || json_type(r->json) != JSON_OBJECT) &&
        f->http == 200)
        text = syntax(r);
    if (strcmp(f->code, "-") != 0)
        status = f->code;
    if (strcmp(code, "?") == 0)
        code = cluster_code(said(r, "job_type"), f->text, has_id(r));
    put_envelope(r, w, code, text != NULL ? text : "", status, "");
    end_without(w);
}

/* Also what is refused before the body is read, by its path. */
static void
failure_flat(struct req *r, struct json_writer *w, const struct failure *f)
{
    if (cluster_in_paras(r)) {
        failure_paras(r, w, f);
        return;
    }
    allow_origin(r);
    put_outcome(w, strcmp(f->code, "-") != 0 ? f->code : "failed", f->text);
}

static void
accept_flat(struct req *r, struct json_writer *w, const char *job_id)
{
    (void)job_id;
    allow_origin(r);
    put_outcome(w, "accept", NULL);
}

static void
accept_paras(struct req *r, struct json_writer *w, const char *job_id)
{
    put_envelope(r, w, "0", "", "accept", job_id);
    end_without(w);
}

#define INPUT                                                        \
    .bind = BIND_STR_FROM_NUM | BIND_INT_FROM_STR | BIND_NULL_UNSET, \
    .secrets = SECRETS_STARS, .reply_type = "application/json",      \
    .error_type = "application/json"

const struct form cluster_flat_form = {
    .name = "cluster_mgr",
    INPUT,
    .reply = reply_flat,
    .failure = failure_flat,
    .accept = accept_flat,
};

const struct form cluster_paras_form = {
    .name = "cluster_mgr paras",
    INPUT,
    .envelope = &cluster_envelope_rec,
    .result_key = "attachment",
    .reply = reply_paras,
    .failure = failure_paras,
    .accept = accept_paras,
};

enum { D2, D3 };
static const struct encoding encodings[] = {
    [D2] = { "D2", &cluster_flat_form },
    [D3] = { "D3", &cluster_paras_form },
    { .name = NULL },
};

/* ---- what a body asks for ---- */

/* Of the two shapes of get_meta its clients are told by the name that they
 * give the version. */
static const struct encoding *
encoding_of(const struct req *r)
{
    if (cluster_in_paras(r))
        return &encodings[D3];
    return json_member(r->json, "version") != NULL &&
                   json_member(r->json, "ver") == NULL
               ? &encodings[D2]
               : NULL;
}

/* Beside job_type as well as among paras, where the other members are. What has
 * no plan is refused, and not done either. */
static bool
wants_plan(const struct req *r, const char *verb, bool paras)
{
    return kunlun_changes(r->dialect, verb) &&
           (kunlun_says_dry_run(r->json) ||
            (paras && kunlun_says_dry_run(json_member(r->json, "paras"))));
}

static enum err
classify(struct req *r, const struct json *body)
{
    const struct json *type = json_member(body, "job_type");
    const struct encoding *enc = encoding_of(r);
    const char *verb;

    if (enc != NULL)
        r->form = enc->form; /* of a failure here */
    if (type == NULL && enc == &encodings[D3])
        return req_fail(r, CLUSTER_NO_MEMBER, ARGS(arg("member", "job_type")));
    if (type == NULL || json_type(type) != JSON_STRING ||
        str_empty(json_text(type)))
        return req_fail(r, CLUSTER_NO_JOB_TYPE, ARGS());
    verb = kunlun_verb(r->dialect, json_text(type));
    if (verb == NULL)
        return req_fail(
            r, enc == &encodings[D3] ? CLUSTER_UNKNOWN_JOB : CLUSTER_JOB_TYPE,
            ARGS(arg("value", json_text(type))));
    if (wants_plan(r, verb, enc == &encodings[D3]))
        verb = "dry_run";
    req_select(r, verb, enc);
    return ERR_OK;
}

/* What every request in paras has. */
static enum err
admit(struct req *r, const void *in)
{
    static const char *const members[] = { "version", "job_id", "timestamp",
                                           "user_name", "paras" };

    (void)in;
    if (r->json == NULL || !cluster_in_paras(r))
        return ERR_OK;
    for (size_t i = 0; i < COUNT(members); i++)
        if (json_member(r->json, members[i]) == NULL)
            return req_fail(r, CLUSTER_NO_MEMBER,
                            ARGS(arg("member", members[i])));
    if (json_type(json_member(r->json, "paras")) != JSON_OBJECT)
        return req_fail(r, CLUSTER_GET, ARGS(arg("field", "paras")));
    return ERR_OK;
}

/* ---- pages ---- */

static const struct kunlun_page pages[] = {
    { "/", "<!DOCTYPE html>\n<title>cluster_mgr</title>\n<h1>cluster_mgr</h1>\n"
           "<p>POST a JSON object whose job_type says what is wanted.\n<ul>\n"
           "<li><a href=\"/para\">jobs</a>\n"
           "<li><a href=\"/file\">files</a>\n</ul>\n" },
    { "/para",
      "<!DOCTYPE html>\n<title>cluster_mgr: jobs</title>\n<h1>Jobs</h1>\n"
      "<pre>curl -K RUN_DIR/curlrc http://ADDRESS:57000 -d "
      "'{\"job_type\":\"get_cluster\"}'</pre>\n"
      "<p>A job that takes longer is answered by accept; ask for what became"
      " of it by get_status and its job_id. <code>metagate routes</code> lists"
      " every job_type.\n" },
    { "/file",
      "<!DOCTYPE html>\n<title>cluster_mgr: files</title>\n<h1>Files</h1>\n"
      "<p>Files are sent to a machine's node_mgr.\n" },
};

enum err
cluster_page_get(struct req *r, const struct none *in)
{
    enum err e = kunlun_page_send(r, pages, COUNT(pages));

    (void)in;
    return e == ERR_NOT_FOUND ? req_fail(r, CLUSTER_NO_PATH, ARGS()) : e;
}

/* Our nginx answers these itself; other front ends leave them to us. */
enum err
cluster_preflight(struct req *r, const struct none *in)
{
    static const char methods[] = "POST, GET, OPTIONS";

    (void)in;
    allow_origin(r);
    req_header_add(r, "Allow", methods);
    req_header_add(r, "Access-Control-Allow-Methods", methods);
    req_header_add(r, "Access-Control-Allow-Headers",
                   "Authorization, Content-Type, " TOKEN_HEADER ", *");
    req_header_add(r, "Access-Control-Max-Age", "86400");
    return req_send_text(r, "text/plain", "", 0);
}

/* ---- what it brings ---- */

/* It stands in a header, and in nginx's configuration. */
static const char *
is_origin(const char *value)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    const char *host = strncmp(value, "https://", 8) == 0  ? value + 8
                       : strncmp(value, "http://", 7) == 0 ? value + 7
                                                           : "";

    return strcmp(value, "*") == 0 ||
                   (!str_empty(host) && host[strspn(host, plain)] == '\0')
               ? NULL
               : "must be * or an origin like https://panel.example:8443";
}

static const char *
is_ha_mode(const char *value)
{
    return strcmp(value, "mgr") == 0 || strcmp(value, "rbr") == 0 ||
                   strcmp(value, "no_rep") == 0
               ? NULL
               : "must be mgr, rbr or no_rep";
}

static const struct listener listeners[] = {
    { "cluster_mgr", "", 1, 57000, "cluster_mgr" },
    { .name = NULL },
};

#include "endpoint_tables.h"

#define SETTINGS      cluster_mgr_settings
#define SETTINGS_FILE "kunlun/cluster_mgr/settings.def"
#include "settings_table.h"

static const struct first_request first_requests[] = {
    { "", "{\"job_type\":\"get_meta_mode\"}" },
    { .path = NULL },
};

static const struct secret_column secrets[] = {
    SECRET_OF_ONE(kunlun_member, spec, uuid, .wide = true),
    SECRET_OF_ONE(kunlun_computer, spec, uuid, .wide = true),
    { .table = NULL },
};

/* Clients wait for its end when a control stands still. */
#define FAILOVER_LEASE_MS 2000

static const struct duty duties[] = {
    { .lease = "cluster.failover",
      .lease_ms = FAILOVER_LEASE_MS,
      .every_ms = 1000, /* so often new shards are looked for */
      .step = kunlun_watch_step,
      .forget = kunlun_watch_forget },
    { .lease = "cluster.meta",
      .every_ms = 10000,
      .step = cluster_meta_step,
      .forget = cluster_meta_forget },
    { .lease = "cluster.computers",
      .lease_ms = FAILOVER_LEASE_MS,
      .every_ms = 1000,
      .step = life_point_step,
      .forget = life_point_forget },
    { .lease = NULL },
};

static const struct upkeep upkeeps[] = {
    { .name = "cluster.beat",
      .every_ms = cluster_beat_every_ms,
      .step = cluster_beat },
    { .name = "cluster.watchers",
      .every_ms = watch_over_every_ms,
      .step = watch_over,
      .forget = watch_over_forget },
    { .name = NULL },
};

extern const struct dialect cluster_mgr_dialect;
const struct dialect cluster_mgr_dialect = {
    .name = "cluster_mgr",
    DIALECT_TABLES,
    .views = kunlun_views,
    .verbs = kunlun_verbs,
    .classify = classify,
    .admit = admit,
    .uri = URI_ANY_PATH,
    .encodings = encodings,
    .listeners = listeners,
    .first_requests = first_requests,
    .cors = "cluster_mgr",
    .settings = cluster_mgr_settings_rows,
    .jobs = cluster_job_kinds,
    .may_end = kunlun_may_end,
    .before_end = kunlun_before_end,
    .duties = duties,
    .upkeeps = upkeeps,
    .secrets = secrets,
};
