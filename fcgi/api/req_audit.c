/* What handlers tell the audit row of their mutation: which thing was changed,
 * and how it stood before and after. */
#include "req_audit.h"

#include "store/audit.h"
#include "req_io.h"

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
print(struct req *r, const struct record *rec, const void *in, bool input)
{
    static const struct json_style compact = { .i64_as_string = true };
    struct buf b = BUF_INIT(AUDIT_JSON_BYTES);
    struct json_writer w;
    const char *s = NULL;
    enum err e;

    jw_init(&w, &b, &compact);
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
    r->io->before = print(r, rec, in, false);
}

void
req_audit_after(struct req *r, const struct record *rec, const void *in)
{
    r->io->after = print(r, rec, in, false);
}

enum err
req_audit_write(struct req *r)
{
    const struct req_io *io = r->io;
    struct audit a = {
        .request_id = r->request_id,
        .token_name = r->token_name,
        .listener = r->listener,
        .operation = r->operation,
        .target = io->target,
        .before = io->before,
        .after = io->after,
        .data = (r->endpoint->flags & DATA) != 0,
    };

    if (io->in != NULL)
        a.request = print(r, io->in_rec, io->in, true);
    return io->audit_lost ? ERR_NOMEM : audit_write(r->db, &a);
}
