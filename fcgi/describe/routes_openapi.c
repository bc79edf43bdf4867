/* OpenAPI 3.0 from the tables: paths, operations, who may, replies. */
#include "describe.h"

#include <stdio.h>
#include <string.h>

#include "api/route.h"
#include "api/tables.h"
#include "config.h"
#include "json.h"
#include "listener.h"
#include "openapi_schema.h"
#include "scope.h"

static void
put_parameter(struct json_writer *w, struct openapi_todo *todo,
              const struct field *f)
{
    jw_object(w);
    jw_key_str(w, "name", f->key);
    jw_key_str(w, "in", (f->flags & PATH) != 0 ? "path" : "query");
    if ((f->flags & PATH) != 0) {
        jw_key(w, "required");
        jw_bool(w, true);
    }
    jw_key(w, "schema");
    jw_object(w);
    openapi_type(w, todo, f);
    jw_object_end(w);
    jw_object_end(w);
}

/* Of rows with TX: api/dry_run.h. */
static void
put_dry_run(struct json_writer *w)
{
    jw_object(w);
    jw_key_str(w, "name", "X-Metagate-Dry-Run");
    jw_key_str(w, "in", "header");
    jw_key_str(w, "description",
               "1: answers what the audit row would say, and changes nothing");
    jw_key(w, "schema");
    jw_object(w);
    jw_key_str(w, "type", "string");
    jw_key(w, "enum");
    jw_array(w);
    jw_str(w, "0");
    jw_str(w, "1");
    jw_array_end(w);
    jw_object_end(w);
    jw_object_end(w);
}

static void
put_parameters(struct json_writer *w, struct openapi_todo *todo,
               const struct row *row)
{
    const struct record *rec = row->in;

    jw_key(w, "parameters");
    jw_array(w);
    for (size_t i = 0; i < rec->n; i++)
        if ((rec->fields[i].flags & (PATH | QUERY)) != 0)
            put_parameter(w, todo, &rec->fields[i]);
    if ((row->flags & TX) != 0)
        put_dry_run(w);
    jw_array_end(w);
}

/* What an example leaves open, as readers see it: $U, a fresh word in tests,
 * is a 1, and of $R{member=otherwise} the latter. Answers how long it is; 0 at
 * any other text. */
static size_t
put_open(struct buf *b, const char *p)
{
    const char *value, *end;

    if (strncmp(p, "$U", 2) == 0) {
        buf_putc(b, '1');
        return 2;
    }
    if (strncmp(p, "$R{", 3) != 0 || (end = strchr(p, '}')) == NULL ||
        (value = memchr(p, '=', (size_t)(end - p))) == NULL)
        return 0;
    buf_put(b, value + 1, (size_t)(end - value - 1));
    return (size_t)(end + 1 - p);
}

static void
put_example(struct json_writer *w, const char *json)
{
    struct buf b = BUF_INIT(64 * 1024);

    while (*json != '\0') {
        size_t n = put_open(&b, json);

        if (n == 0)
            buf_putc(&b, *json++);
        json += n;
    }
    jw_key(w, "example");
    jw_raw(w, buf_text(&b), b.n);
    buf_free(&b);
}

/* Beside the members of the record, those that every request of the dialect
 * has: the verb, a version, the job's number. */
static void
put_verb_schema(struct json_writer *w, struct openapi_todo *todo,
                const struct record *rec)
{
    jw_object(w);
    jw_key(w, "allOf");
    jw_array(w);
    openapi_element(w, todo, rec);
    jw_object(w);
    jw_key_str(w, "type", "object");
    jw_key(w, "additionalProperties");
    jw_bool(w, true);
    jw_object_end(w);
    jw_array_end(w);
    jw_object_end(w);
}

static void
put_body(struct json_writer *w, struct openapi_todo *todo,
         const struct route_group *g, const struct row *row)
{
    const struct row *example = tables_example(g->dialect, row);

    jw_key(w, "requestBody");
    jw_object(w);
    jw_key(w, "content");
    jw_object(w);
    jw_key(w, "application/json");
    jw_object(w);
    jw_key(w, "schema");
    if (strcmp(row->verb, "-") == 0)
        openapi_element(w, todo, row->in);
    else
        put_verb_schema(w, todo, row->in);
    if (example != NULL && !str_empty(example->json))
        put_example(w, example->json);
    jw_object_end(w);
    jw_object_end(w);
    jw_object_end(w);
}

static bool
takes_body(const struct record *rec)
{
    for (size_t i = 0; i < rec->n; i++)
        if ((rec->fields[i].flags & IN) != 0 &&
            ((rec->fields[i].flags & (PATH | QUERY)) == 0 ||
             (rec->fields[i].flags & BODY) != 0))
            return true;
    return false;
}

static bool
is_raw_json(const struct record *rec)
{
    return openapi_is_scalar(rec) && rec->fields[0].type == F_JSON;
}

/* The shapes a result may have: the row's record, unless that is a document
 * made before, and those of its ALSO_OUT rows. */
static void
put_result(struct json_writer *w, struct openapi_todo *todo,
           const struct dialect *d, const struct row *row)
{
    const struct record *shape[8];
    size_t n = 0;

    if (!is_raw_json(row->out))
        shape[n++] = row->out;
    for (size_t i = 0; i < d->n_rows && n < COUNT(shape); i++)
        if (d->rows[i].kind == ROW_ALSO_OUT &&
            strcmp(d->rows[i].path, row->path) == 0)
            shape[n++] = d->rows[i].out;
    if (n == 1) {
        openapi_element(w, todo, shape[0]);
        return;
    }
    jw_object(w);
    if (n > 1) {
        jw_key(w, "anyOf");
        jw_array(w);
        for (size_t i = 0; i < n; i++)
            openapi_element(w, todo, shape[i]);
        jw_array_end(w);
    } else if (row->out->n > 0) {
        openapi_description(w, &row->out->fields[0]);
    }
    jw_object_end(w);
}

/* What a success looks like: the result, or the form's envelope around it. */
static void
put_reply(struct json_writer *w, struct openapi_todo *todo,
          const struct route_group *g, const struct row *row)
{
    const struct form *form = g->mount->form;
    bool bare = form->envelope == NULL || (row->flags & NO_ENVELOPE) != 0;

    if (bare) {
        put_result(w, todo, g->dialect, row);
        return;
    }
    jw_object(w);
    jw_key_str(w, "type", "object");
    jw_key(w, "properties");
    jw_object(w);
    openapi_members(w, todo, form->envelope);
    if (row->out->n > 0) {
        jw_key(w, form->result_key);
        put_result(w, todo, g->dialect, row);
    }
    jw_object_end(w);
    jw_object_end(w);
}

static void
put_content(struct json_writer *w, const char *media)
{
    char type[64];

    (void)snprintf(type, sizeof(type), "%.*s", (int)strcspn(media, ";"), media);
    jw_key(w, "content");
    jw_object(w);
    jw_key(w, type);
    jw_object(w);
    jw_key(w, "schema");
}

static void
put_content_end(struct json_writer *w)
{
    jw_object_end(w);
    jw_object_end(w);
}

/* Whether the dialect refuses by that status, too. */
static bool
fails_by(const struct dialect *d, int status)
{
    for (size_t i = 0; i < d->n_errors; i++)
        if (d->errors[i].http == status)
            return true;
    return false;
}

static void
put_success(struct json_writer *w, struct openapi_todo *todo,
            const struct route_group *g, const struct row *row)
{
    const struct form *form = g->mount->form;

    if ((row->flags & TEXT) != 0) {
        put_content(w, "*/*"); /* text, YAML, a profile */
        openapi_any(w, "string");
        put_content_end(w);
    } else if (row->out->n > 0 || form->envelope != NULL) {
        bool either = fails_by(g->dialect, row->status);

        put_content(w, form->reply_type);
        if (either) {
            jw_object(w);
            jw_key(w, "anyOf");
            jw_array(w);
        }
        put_reply(w, todo, g, row);
        if (either) {
            openapi_any(w, "object"); /* a refusal */
            jw_array_end(w);
            jw_object_end(w);
        }
        put_content_end(w);
    }
}

/* "4XX" and "5XX": whatever the dialect words. */
static void
put_failure(struct json_writer *w, const struct form *form, const char *status,
            const char *description)
{
    bool json = strncmp(form->error_type, "application/json", 16) == 0;

    jw_key(w, status);
    jw_object(w);
    jw_key_str(w, "description", description);
    put_content(w, form->error_type);
    openapi_any(w, json ? "object" : "string");
    put_content_end(w);
    jw_object_end(w);
}

static void
put_responses(struct json_writer *w, struct openapi_todo *todo,
              const struct route_group *g, const struct row *row)
{
    const struct form *form = g->mount->form;
    char status[8];

    jw_key(w, "responses");
    jw_object(w);
    (void)snprintf(status, sizeof(status), "%d", row->status);
    jw_key(w, status);
    jw_object(w);
    jw_key_str(w, "description", "done");
    put_success(w, todo, g, row);
    jw_object_end(w);
    put_failure(w, form, "4XX", "refused, in the dialect's form");
    put_failure(w, form, "5XX", "failed, in the dialect's form");
    jw_object_end(w);
}

/* ---- operations ---- */

/* An operation, and its words. */
struct operation {
    const struct route_group *g;
    const struct row *row;
    const char *method; /* "get" */
    const char *at;     /* its key in paths */
};

/* "console_get_worker_process_pprof_heap": what is no word is one '_'. */
static void
put_id(struct json_writer *w, const struct operation *o)
{
    struct buf b = BUF_INIT(512);
    bool gap = true;

    buf_printf(&b, "%s_%s", o->g->dialect->name, o->method);
    for (const char *p = o->at; *p != '\0'; p++) {
        bool word = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                    (*p >= '0' && *p <= '9');

        if (word && gap)
            buf_putc(&b, '_');
        if (word)
            buf_putc(&b, *p);
        gap = !word;
    }
    jw_key_str(w, "operationId", buf_text(&b));
    buf_free(&b);
}

/* Every address of that listener, as configured. */
static void
put_servers(struct json_writer *w, const char *name)
{
    bool tls = !str_empty(config()->nginx_tls_certificate);
    struct listening l;

    jw_key(w, "servers");
    jw_array(w);
    for (size_t i = 0;; i++) {
        enum err e = listener_named(name, i, &l);
        char url[ADDRESS_BYTES + 16];

        if (e == ERR_NOT_FOUND)
            break;
        if (e != ERR_OK)
            continue; /* it is off */
        (void)snprintf(url, sizeof(url), "http%s://%s", tls ? "s" : "",
                       l.address);
        jw_object(w);
        jw_key_str(w, "url", url);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static void
put_scheme(struct json_writer *w, const char *name)
{
    jw_object(w);
    jw_key(w, name);
    jw_array(w);
    jw_array_end(w);
    jw_object_end(w);
}

/* Where it differs from what the document says of all: a token, by header,
 * Bearer or as the user of Basic. */
static void
put_security(struct json_writer *w, const struct operation *o)
{
    enum mount_auth auth = o->g->mount->auth;
    bool open = o->row->scope == SCOPE_NONE || auth == AUTH_NONE;

    if (auth == AUTH_TOKEN && !open)
        return;
    jw_key(w, "security");
    jw_array(w);
    if (auth == AUTH_BASIC)
        put_scheme(w, "basic");
    jw_array_end(w);
}

static void
put_operation(struct json_writer *w, struct openapi_todo *todo,
              const struct operation *o)
{
    const struct row *row = o->row;

    todo->now = o->g->mount->form;
    jw_key(w, o->method);
    jw_object(w);
    put_id(w, o);
    jw_key_str(w, "summary", row->doc);
    jw_key(w, "tags");
    jw_array(w);
    jw_str(w, o->g->dialect->name);
    jw_array_end(w);
    jw_key_str(w, "x-listener", o->g->mount->listener);
    jw_key_str(w, "x-scope", scope_name(row->scope));
    if (strcmp(row->verb, "-") != 0)
        jw_key_str(w, "x-verb", row->verb);
    put_servers(w, o->g->mount->listener);
    put_security(w, o);
    put_parameters(w, todo, row);
    if (takes_body(row->in) && strcmp(o->method, "get") != 0)
        put_body(w, todo, o->g, row);
    put_responses(w, todo, o->g, row);
    jw_object_end(w);
}

/* ---- paths ---- */

/* In OpenAPI's order; ANY is shown as GET, PUT and POST, what the dialects'
 * documents use. */
static const struct {
    unsigned bit;
    const char *name;
} methods[] = { { GET, "get" },
                { PUT, "put" },
                { POST, "post" },
                { DELETE, "delete" },
                { OPTIONS, "options" } };

static bool
is_shown(const struct row *row, unsigned method)
{
    return (row->methods & method) != 0 && strcmp(row->path, "*") != 0 &&
           (row->methods != ANY || (method & (GET | PUT | POST)) != 0);
}

/* The rows of g with that verb as one item, when there is any to be shown. */
static void
put_item(struct json_writer *w, struct openapi_todo *todo,
         const struct route_group *g, const char *verb, const char *at)
{
    bool open = false;

    for (size_t m = 0; m < COUNT(methods); m++)
        for (size_t i = 0; i < g->n; i++) {
            struct operation o = { g, g->rows[i], methods[m].name, at };

            if (strcmp(o.row->verb, verb) != 0 ||
                !is_shown(o.row, methods[m].bit))
                continue;
            if (!open) {
                jw_key(w, at);
                jw_object(w);
            }
            open = true;
            put_operation(w, todo, &o);
            break; /* the first row of a method serves it */
        }
    if (open)
        jw_object_end(w);
}

/* Two listeners may serve one path, and a body may select what is done;
 * OpenAPI keys by path alone. The part behind a '#', which no client sends,
 * keeps them apart: "/#<dialect>.get_info". */
static bool
shown_before(const struct route_group *g, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(g[k].path, g[i].path) == 0)
            return true;
    return false;
}

static void
put_group(struct json_writer *w, struct openapi_todo *todo,
          const struct route_group *g, bool again)
{
    const char *listener = g->mount->listener;
    char at[512];

    (void)snprintf(at, sizeof(at), again ? "%s#%s" : "%s", g->path, listener);
    put_item(w, todo, g, "-", at);
    for (size_t i = 0; i < g->n; i++) {
        if (strcmp(g->rows[i]->verb, "-") == 0)
            continue;
        (void)snprintf(at, sizeof(at), "%s#%s.%s", g->path, listener,
                       g->rows[i]->verb);
        put_item(w, todo, g, g->rows[i]->verb, at);
    }
}

static void
put_info(struct json_writer *w)
{
    jw_key_str(w, "openapi", "3.0.3");
    jw_key(w, "info");
    jw_object(w);
    jw_key_str(w, "title", "metagate");
    jw_key_str(w, "version", "1");
    jw_key_str(w, "description",
               "The management APIs of several databases. Each path is served "
               "on the listener named by x-listener, at its servers. Where "
               "that is not enough to tell what is done, a key has a part "
               "behind '#', which is not sent: the listener, and the verb "
               "that the body names (its verb).");
    jw_key(w, "license");
    jw_object(w);
    jw_key_str(w, "name", "Apache License 2.0");
    jw_key_str(w, "url", "https://www.apache.org/licenses/LICENSE-2.0");
    jw_object_end(w);
    jw_object_end(w);
    put_servers(w, "console");
    jw_key(w, "security");
    jw_array(w);
    put_scheme(w, "token");
    put_scheme(w, "bearer");
    put_scheme(w, "basic");
    jw_array_end(w);
}

static void
put_schemes(struct json_writer *w)
{
    jw_key(w, "securitySchemes");
    jw_object(w);
    jw_key(w, "token");
    jw_object(w);
    jw_key_str(w, "type", "apiKey");
    jw_key_str(w, "in", "header");
    jw_key_str(w, "name", TOKEN_HEADER);
    jw_object_end(w);
    jw_key(w, "bearer");
    jw_object(w);
    jw_key_str(w, "type", "http");
    jw_key_str(w, "scheme", "bearer");
    jw_object_end(w);
    jw_key(w, "basic");
    jw_object(w);
    jw_key_str(w, "type", "http");
    jw_key_str(w, "scheme", "basic");
    jw_object_end(w);
    jw_object_end(w);
}

void
routes_openapi(struct buf *b)
{
    struct openapi_todo todo = { .n = 0 };
    struct json_writer w;
    size_t n;
    const struct route_group *g = route_groups(&n);

    jw_init(&w, b, &json_compact);
    jw_object(&w);
    put_info(&w);
    jw_key(&w, "paths");
    jw_object(&w);
    for (size_t i = 0; i < n; i++)
        put_group(&w, &todo, &g[i], shown_before(g, i));
    jw_object_end(&w);
    jw_key(&w, "components");
    jw_object(&w);
    put_schemes(&w);
    jw_key(&w, "schemas");
    jw_object(&w);
    for (size_t i = 0; i < todo.n; i++) { /* grows while it is printed */
        todo.now = todo.form[i];
        openapi_schema(&w, &todo, todo.rec[i]);
    }
    jw_object_end(&w);
    jw_object_end(&w);
    jw_object_end(&w);
    buf_putc(b, '\n');
}
