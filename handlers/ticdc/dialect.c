/* TiCDC as a dialect: its forms, what it brings, and paths that are none. */
#include <string.h>

#include "secrets.h"
#include "settings.h"
#include "ticdc.h"
#include "ticdc/capture/capture.h"
#include "ticdc/feed/change.h"
#include "ticdc/verbs.h"
#include "ticdc/views.h"

static enum err
reply(struct req *r, struct json_writer *w, const struct record *rec,
      const void *out)
{
    if (rec == NULL)
        return ERR_OK; /* an empty body */
    return record_render(w, rec, out, SECRETS_STARS, false, r->arena);
}

static void
failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    const char *text = !str_empty(f->code)
                           ? arena_printf(r->arena, "[%s]%s", f->code, f->text)
                           : f->text;

    jw_object(w);
    jw_key_str(w, "error_msg", text != NULL ? text : "");
    jw_key_str(w, "error_code", f->code);
    jw_object_end(w);
}

static void
plain_failure(struct req *r, struct json_writer *w, const struct failure *f)
{
    (void)r;
    buf_puts(w->out, f->text);
}

#define GO_JSON "application/json; charset=utf-8"

const struct form ticdc_form = {
    .name = "ticdc",
    .lenient = JSON_TAIL,
    .bind = BIND_NULL_UNSET | BIND_ANY_CASE,
    .secrets = SECRETS_STARS,
    .style = { .indent = 4, .html_escape = true },
    .reply_type = GO_JSON,
    .error_type = GO_JSON,
    .reply = reply,
    .failure = failure,
};

const struct form ticdc_plain_form = {
    .name = "ticdc plain",
    .secrets = SECRETS_STARS,
    .style = { .indent = 4 },
    .reply_type = "text/plain",
    .error_type = "text/plain",
    .reply = reply,
    .failure = plain_failure,
};

/* A slash too many: Gin leads to the path without it. */
enum err
ticdc_other_path(struct req *r, const struct none *in)
{
    size_t n = strlen(r->path);
    char *without;

    (void)in;
    if (n < 2 || r->path[n - 1] != '/' || r->path[n - 2] == '/' ||
        strncmp(r->path, "//", 2) == 0)
        return req_fail(r, TICDC_NO_PAGE, ARGS());
    without = arena_strndup(r->arena, r->path, n - 1);
    if (without == NULL)
        return ERR_NOMEM;
    r->path = without;
    return req_redirect(
        r, strcmp(r->method, "GET") == 0 ? TICDC_MOVED_GET : TICDC_MOVED, "");
}

static const struct listener listeners[] = {
    { "ticdc", "c1", 1, 8300, "ticdc" },
    { "ticdc", "c2", 1, 8301, "ticdc" },
    { .name = NULL },
};

static const struct first_request first_requests[] = {
    { "api/v1/changefeeds",
      "{\"changefeed_id\":\"first\",\"sink_uri\":\"blackhole://\"}" },
    { "api/v1/changefeeds/first", NULL },
    { .path = NULL },
};

static const struct secret_column secrets[] = {
    SECRET_OF_ONE(ticdc_changefeed, sink_uri, feed),
    SECRET_OF_ONE(ticdc_changefeed, config, feed, .wide = true),
    { .table = NULL },
};

#include "endpoint_tables.h"

#define SETTINGS      ticdc_settings
#define SETTINGS_FILE "ticdc/settings.def"
#include "settings_table.h"

extern const struct dialect ticdc_dialect;
const struct dialect ticdc_dialect = {
    .name = "ticdc",
    DIALECT_TABLES,
    .views = ticdc_views,
    .verbs = ticdc_verbs,
    .admit = ticdc_admit,
    .listeners = listeners,
    .first_requests = first_requests,
    .settings = ticdc_settings_rows,
    .capture = ticdc_capture_run,
    .captures = "ticdc",
    .secrets = secrets,
};
