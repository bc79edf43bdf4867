/* Replies: head, body, and the change from "kept back" to "streamed". */
#include "reply.h"

#include <string.h>

#include "crypt.h"
#include "log.h"
#include "ranges.h"
#include "req_io.h"

static const struct {
    int status;
    const char *reason;
} reasons[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 409, "Conflict" },
    { 413, "Content Too Large" },
    { 416, "Range Not Satisfiable" },
    { 429, "Too Many Requests" },
    { 500, "Internal Server Error" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
};

static const char *
reason_of(int status)
{
    for (size_t i = 0; i < COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

static bool
is_printed(char c)
{
    return (unsigned char)c >= 0x20 && c != 0x7f;
}

static void
put_header(struct buf *b, const char *name, const char *value)
{
    size_t n;

    buf_puts(b, name);
    buf_puts(b, ": ");
    for (;; value += n + 1) { /* no header is split by a value */
        for (n = 0; is_printed(value[n]); n++)
            ;
        buf_put(b, value, n);
        if (value[n] == '\0')
            break;
    }
    buf_puts(b, "\r\n");
}

static bool
says(const struct req *r, const char *header)
{
    for (size_t i = 0; i < r->io->n_headers; i++)
        if (strcmp(r->io->header[i].name, header) == 0)
            return true;
    return false;
}

static bool
is_location(const struct req *r, size_t i)
{
    return strcmp(r->io->header[i].name, "Location") == 0;
}

/* length < 0: unknown, the reply ends with its stream. */
static enum err
send_head(struct req *r, int status, const char *type, int64_t length)
{
    char room[28 * 1024];        /* less than nginx takes */
    struct buf b = BUF_ON(room); /* what was done is said without memory */
    enum err e;

    /* first: HAProxy takes a Location for a 302, unless a Status follows */
    for (size_t i = 0; i < r->io->n_headers; i++)
        if (is_location(r, i))
            put_header(&b, r->io->header[i].name, r->io->header[i].value);
    buf_puts(&b, "Status: ");
    buf_i64(&b, status);
    buf_putc(&b, ' ');
    buf_puts(&b, reason_of(status));
    buf_puts(&b, "\r\n");
    put_header(&b, "Content-Type", type);
    put_header(&b, "X-Request-Id", r->trace.request);
    for (size_t i = 0; i < r->io->n_headers; i++)
        if (!is_location(r, i))
            put_header(&b, r->io->header[i].name, r->io->header[i].value);
    if ((status == 503 || status == 429) && !says(r, "Retry-After"))
        put_header(&b, "Retry-After", "1");
    if (length >= 0) {
        buf_puts(&b, "Content-Length: ");
        buf_i64(&b, length);
        buf_puts(&b, "\r\n");
    }
    buf_puts(&b, "\r\n");
    e = buf_err(&b);
    if (e == ERR_OK)
        e = r->io->write(r->io, buf_text(&b), b.n);
    return e;
}

/* The body no longer fits: from here on it is streamed. */
static enum err
drain(struct buf *b, void *ctx)
{
    struct reply *rp = ctx;
    enum err e = ERR_OK;

    if (!rp->head_sent)
        e = send_head(rp->r, rp->r->endpoint->status, rp->r->form->reply_type,
                      -1);
    rp->head_sent = true;
    if (e == ERR_OK)
        e = rp->r->io->write(rp->r->io, b->p, b->n);
    return e;
}

void
reply_init(struct reply *rp, struct req *r)
{
    *rp = (struct reply){ .r = r, .body = BUF_INIT(REPLY_BUFFER_BYTES) };
    if (r->endpoint != NULL && (r->endpoint->flags & STREAM) != 0) {
        rp->body.drain = drain;
        rp->body.drain_ctx = rp;
    }
}

void
reply_free(struct reply *rp)
{
    buf_free(&rp->body);
}

enum err
reply_render(struct reply *rp)
{
    struct req *r = rp->r;
    struct json_writer w;
    enum err e = ERR_OK;

    buf_reset(&rp->body);
    jw_init(&w, &rp->body, &r->form->style);
    if (r->io->source != NULL)
        return ERR_OK; /* read while it is sent */
    if (r->io->text != NULL)
        buf_put(&rp->body, r->io->text, r->io->text_bytes);
    else if (r->io->job_id != NULL)
        r->form->accept(r, &w, r->io->job_id);
    else if (r->io->out_rec != NULL && (r->endpoint->flags & NO_ENVELOPE) != 0)
        e = record_render(&w, r->io->out_rec, r->io->out, req_secrets(r), false,
                          r->arena);
    else
        e = r->form->reply(r, &w, r->io->out_rec, r->io->out);
    return e == ERR_OK ? buf_err(&rp->body) : e;
}

static int
status_of(const struct req *r)
{
    return r->io->status != 0 ? r->io->status : r->endpoint->status;
}

#define TAG_TEXT 32 /* digits of the tag, of SHA-256 */

/* Whether If-None-Match has the tag: any is enough, weak ones too, which is
 * what a compressing front end makes of ours (RFC 9110, 13.1.2). */
static bool
client_has(const struct req *r, const char *tag)
{
    const char *have = req_header(r, "HTTP_IF_NONE_MATCH");

    return have != NULL &&
           (strcmp(have, "*") == 0 || strstr(have, tag) != NULL);
}

/* The reply's tag, as a header of it. Whether the client has it already. */
static bool
tag(struct reply *rp)
{
    struct req *r = rp->r;
    char digits[65];
    const char *text;

    if ((r->endpoint->flags & TAGGED) == 0 || rp->head_sent)
        return false;
    crypt_sha256_hex(rp->body.p, rp->body.n, digits);
    text = arena_printf(r->arena, "\"%.*s\"", TAG_TEXT, digits);
    if (text == NULL)
        return false;
    req_header_add(r, "ETag", text);
    req_header_add(r, "Cache-Control", "private, no-cache");
    return client_has(r, text);
}

/* Head, and the bytes as they are read: never a short body that looks whole. */
static void
send_source(struct req *r)
{
    enum err e =
        send_head(r, status_of(r), r->io->source->type, r->io->source_bytes);

    if (e == ERR_OK)
        e = ranges_write(r);
    if (e != ERR_OK)
        r->io->abort(r->io);
}

void
reply_send(struct reply *rp)
{
    struct req *r = rp->r;
    const char *type =
        r->io->text != NULL ? r->io->text_type : r->form->reply_type;
    enum err e = ERR_OK;

    if (r->io->source != NULL) {
        send_source(r);
        return;
    }
    if (tag(rp)) { /* no body, and so no length */
        (void)!send_head(r, 304, type, -1);
        return;
    }
    if (!rp->head_sent)
        e = send_head(r, status_of(r), type, (int64_t)rp->body.n);
    if (e == ERR_OK)
        e = r->io->write(r->io, rp->body.p, rp->body.n);
    if (e == ERR_LIMIT) /* more headers than a front end takes */
        r->io->abort(r->io);
    if (e != ERR_OK)
        log_debug("reply.client_gone operation=%s", r->operation);
}

bool
req_wants_json(const struct req *r)
{
    const char *accept = req_header(r, "HTTP_ACCEPT");

    return accept != NULL && strstr(accept, "application/json") != NULL;
}

/* The form of a failure: its row's own, else the request's. */
static const struct form *
failure_form(const struct req *r)
{
    const struct form *form = r->form;

    if (r->io->failed != NULL && r->io->failed->form != NULL)
        form = r->io->failed->form;
    if (form->if_json != NULL && req_wants_json(r))
        form = form->if_json;
    return form;
}

void
reply_send_failure(struct reply *rp)
{
    struct req *r = rp->r;
    const struct form *form = failure_form(r);
    struct json_writer w;

    if (rp->head_sent) { /* never a short body that looks whole */
        r->io->abort(r->io);
        return;
    }
    rp->body.drain = NULL;
    buf_reset(&rp->body);
    jw_init(&w, &rp->body, &form->style);
    form->failure(r, &w, &r->io->failure);
    if (buf_err(&rp->body) != ERR_OK) { /* no memory for as much as that */
        r->io->abort(r->io);
        return;
    }
    if (send_head(r, r->io->failure.http, form->error_type,
                  (int64_t)rp->body.n) != ERR_OK ||
        r->io->write(r->io, rp->body.p, rp->body.n) != ERR_OK)
        log_debug("reply.client_gone operation=%s", r->operation);
}
