/* A change that is told and taken back. */
#include "dry_run.h"

#include <string.h>

#include "request/failure.h"
#include "request/req_audit.h"
#include "request/req_io.h"
#include "store/audit.h"

#define HEADER       "X-Metagate-Dry-Run"
#define ANSWER_BYTES ((size_t)4 * AUDIT_JSON_BYTES)

static enum err
refuse(struct req *r, const char *reason)
{
    return failure_event(r, EVENT_FIELD,
                         ARGS(arg("field", HEADER), arg("reason", reason)));
}

/* Of rows without TX, those that need no more than this change nothing. */
static bool
only_reads(const struct row *row)
{
    return (row->flags & DRY) != 0 || row->scope == SCOPE_NONE ||
           row->scope == SCOPE_READ || row->scope == SCOPE_READ_MACHINE ||
           row->scope == SCOPE_PROFILE;
}

enum err
dry_run_ask(struct req *r)
{
    const char *said = req_header(r, "HTTP_X_METAGATE_DRY_RUN");

    r->io->dry_run = false;
    if (said == NULL || str_empty(said) || strcmp(said, "0") == 0)
        return ERR_OK;
    if (strcmp(said, "1") != 0)
        return refuse(r, "must be 1 or 0");
    r->io->dry_run = (r->endpoint->flags & TX) != 0;
    if (!r->io->dry_run && !only_reads(r->endpoint))
        return refuse(r, "this changes things at once, and cannot be tried");
    return ERR_OK;
}

/* As the row would have it: what is too long for that is a note. */
static void
put_document(struct json_writer *w, const char *key, const char *json)
{
    jw_key(w, key);
    if (json == NULL)
        jw_null(w);
    else if (strlen(json) > AUDIT_JSON_BYTES)
        jw_raw(w, AUDIT_TOO_LONG, strlen(AUDIT_TOO_LONG));
    else
        jw_raw(w, json, strlen(json));
}

static void
put(struct json_writer *w, const struct audit *a)
{
    jw_object(w);
    jw_key(w, "dry_run");
    jw_bool(w, true);
    jw_key_str(w, "operation", a->operation);
    jw_key(w, "target");
    if (a->target == NULL)
        jw_null(w);
    else
        jw_str(w, a->target);
    put_document(w, "before", a->before);
    put_document(w, "after", a->after);
    jw_object_end(w);
}

enum err
dry_run_answer(struct req *r)
{
    struct buf b = BUF_INIT(ANSWER_BYTES);
    struct req_io *io = r->io;
    struct json_writer w;
    const char *text = NULL;
    struct audit a;
    size_t n = 0;
    enum err e;

    if (io->job_id != NULL)
        io->target = "job"; /* its number is nobody's */
    e = req_audit_row(r, &a);
    if (e == ERR_OK) {
        jw_init(&w, &b, &json_compact);
        put(&w, &a);
        n = b.n;
        e = buf_settle(&b, r->arena, &text);
    } else {
        buf_free(&b);
    }
    if (e != ERR_OK)
        return e;
    io->n_headers = 0;
    io->out_rec = NULL;
    io->source = NULL;
    io->job_id = NULL;
    io->wake = false;
    io->then = NULL;
    io->status = 200;
    req_header_add(r, HEADER, "1");
    return req_send_text(r, "application/json; charset=utf-8", text, n);
}
