/* What handlers tell the audit row of their mutation: which thing was changed,
 * and how it stood before and after. */
#include <string.h>

#include "audit.h"
#include "req_io.h"

/* Our documents are indented by LF and blanks, and no JSON string holds an
 * LF: without the indentation the row takes half the room. */
static const char *
fold(struct arena *a, const char *doc)
{
    char *out = arena_strdup(a, doc), *to = out;

    if (out == NULL)
        return AUDIT_TOO_LONG;
    for (const char *p = out; *p != '\0';) {
        if (*p == '\n')
            p += 1 + strspn(p + 1, " ");
        else
            *to++ = *p++;
    }
    *to = '\0';
    return out;
}

void
req_audit(struct req *r, const char *target, const char *before,
          const char *after)
{
    if (target != NULL)
        r->io->target = target;
    if (before != NULL)
        r->io->before = fold(r->arena, before);
    if (after != NULL)
        r->io->after = fold(r->arena, after);
}

/* Half a document would not be JSON: what is too long is a note. */
static const char *
print(struct req *r, const struct record *rec, const void *in)
{
    static const struct json_style compact = { .i64_as_string = true };
    struct buf b = BUF_INIT(AUDIT_JSON_BYTES);
    struct json_writer w;
    const char *s = NULL;

    jw_init(&w, &b, &compact);
    if (record_render(&w, rec, in, SECRETS_STARS, false, r->arena) == ERR_OK &&
        buf_err(&b) == ERR_OK)
        s = arena_strndup(r->arena, buf_text(&b), b.n);
    buf_free(&b);
    return s == NULL ? AUDIT_TOO_LONG : s;
}

void
req_audit_before(struct req *r, const struct record *rec, const void *in)
{
    r->io->before = print(r, rec, in);
}

void
req_audit_after(struct req *r, const struct record *rec, const void *in)
{
    r->io->after = print(r, rec, in);
}
