/* What handlers tell the audit row of their mutation: which thing was changed,
 * and how it stood before and after. */
#include "req_audit.h"

#include <string.h>

#include "json/json_difference.h"
#include "store/audit.h"
#include "req_io.h"

/* Before and after together: up to here both are kept whole, and beyond that
 * much a comparison would cost more memory than a request has. */
#define WHOLE_BYTES    4096
#define COMPARED_BYTES ((size_t)2 << 20)

void
req_audit(struct req *r, const char *target, const char *before,
          const char *after)
{
    if (target != NULL)
        r->io->target = target;
    if (before != NULL)
        r->io->before = before;
    if (after != NULL)
        r->io->after = after;
}

/* Half a document would not be JSON: what is too long is a note. */
static const char *
print(struct req *r, const struct record *rec, const void *in, bool input,
      size_t most)
{
    struct buf b = BUF_INIT(most);
    struct json_writer w;
    const char *s = NULL;
    enum err e;

    jw_init(&w, &b, &json_protobuf);
    e = record_render(&w, rec, in, SECRETS_STARS, input, r->arena);
    if (e == ERR_OK)
        s = arena_strndup(r->arena, buf_text(&b), b.n);
    else if (e == ERR_LIMIT)
        s = AUDIT_TOO_LONG;
    buf_free(&b);
    r->io->audit_lost = r->io->audit_lost || s == NULL;
    return s;
}

void
req_audit_before(struct req *r, const struct record *rec, const void *in)
{
    r->io->before = print(r, rec, in, false, COMPARED_BYTES);
}

void
req_audit_after(struct req *r, const struct record *rec, const void *in)
{
    r->io->after = print(r, rec, in, false, COMPARED_BYTES);
}

/* Documents of a cluster with many nodes differ in a few lines: of long ones
 * only those are kept. What is no such pair stays as it is. Before a text is
 * measured against what a row holds, for a document that is longer may differ
 * by a word. */
static enum err
shorten(struct req *r, struct audit *a)
{
    const char *before, *after;
    size_t n;
    enum err e;

    if (a->before == NULL || a->after == NULL)
        return ERR_OK;
    n = strlen(a->before) + strlen(a->after);
    if (n <= WHOLE_BYTES || n > COMPARED_BYTES)
        return ERR_OK;
    e = json_difference(r->arena, a->before, a->after, &before, &after);
    if (e == ERR_OK && strlen(before) + strlen(after) < n) {
        a->before = before;
        a->after = after;
    }
    return e == ERR_NOMEM ? e : ERR_OK;
}

enum err
req_audit_row(struct req *r, struct audit *out)
{
    const struct req_io *io = r->io;

    *out = (struct audit){
        .request_id = r->trace.request,
        .client_request_id = r->trace.client,
        .trace_id = r->trace.id,
        .token_name = r->token_name,
        .listener = r->listener,
        .operation = r->operation,
        .target = io->target,
        .before = io->before,
        .after = io->after,
        .data = (r->endpoint->flags & DATA) != 0,
    };

    if (io->in != NULL)
        out->request = print(r, io->in_rec, io->in, true, AUDIT_JSON_BYTES);
    return io->audit_lost ? ERR_NOMEM : shorten(r, out);
}

enum err
req_audit_write(struct req *r)
{
    struct audit a;
    enum err e = req_audit_row(r, &a);

    return e == ERR_OK ? audit_write(r->db, &a) : e;
}
