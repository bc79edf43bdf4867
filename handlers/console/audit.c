/* The audit trail: pages, one row, and pages as lines of JSON to keep. */
#include "audit.h"

#include <string.h>

#include "console.h"
#include "listener.h"

#define EXPORT_BYTES ((size_t)16 << 20)

TABLE(console_audit_asked, CONSOLE_AUDIT_ASKED);
NO_CHECKS(console_audit_asked);
TABLE(console_audit_row, CONSOLE_AUDIT_ROW);
TABLE(console_audit, CONSOLE_AUDIT);
TABLE(console_audit_ref, CONSOLE_AUDIT_REF);
NO_CHECKS(console_audit_ref);

/* Whose listener has that first part; NULL: nobody's by now. */
static const struct dialect *
dialect_of(const char *listener)
{
    for (size_t i = 0; dialects[i] != NULL; i++) {
        const struct listener *l = dialects[i]->listeners;

        for (; l != NULL && l->name != NULL; l++)
            if (listener_is(listener, l->name))
                return dialects[i];
    }
    return NULL;
}

/* The dialect's listeners, "a,b"; one without any has a name that no row has.
 */
static enum err
listeners_of(struct req *r, const char *name, const char **out)
{
    struct buf b = BUF_INIT(4096);
    const struct dialect *d = NULL;

    *out = "";
    if (str_empty(name))
        return ERR_OK;
    for (size_t i = 0; dialects[i] != NULL && d == NULL; i++)
        if (strcmp(dialects[i]->name, name) == 0)
            d = dialects[i];
    if (d == NULL)
        return req_fail(r, CONSOLE_DIALECT_UNKNOWN, ARGS());
    buf_putc(&b, ',');
    for (const struct listener *l = d->listeners; l != NULL && l->name != NULL;
         l++) {
        buf_puts(&b, l->name);
        buf_putc(&b, ',');
    }
    return buf_settle(&b, r->arena, out);
}

/* A page of rows, each with its dialect, and the cursor behind it, "" at the
 * end. */
static enum err
page(struct req *r, const struct console_audit_asked *in, bool whole,
     struct list_of_console_audit_row *out, const char **next)
{
    size_t limit = CONSOLE_LIMIT_OF(in, console_audit_asked);
    struct console_key key;
    const char *listeners;
    uint64_t before = 0;
    enum err e = console_key_read(r, in->cursor, &key);

    *next = "";
    if (e == ERR_OK && !str_empty(key.part[0]) &&
        json_to_u64(key.part[0], false, &before) != ERR_OK)
        return req_fail(r, CONSOLE_CURSOR, ARGS());
    if (e == ERR_OK)
        e = listeners_of(r, in->dialect, &listeners);
    if (e == ERR_OK)
        e = console_store_audit(r->db, r->arena, in, listeners, before,
                                limit + 1, whole, out);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; i < out->n; i++) {
        const struct dialect *d = dialect_of(out->v[i].listener);

        if (d != NULL)
            PUT(&out->v[i], console_audit_row, dialect, d->name);
    }
    if (out->n <= limit)
        return ERR_OK;
    out->n = limit;
    key = (struct console_key){ { console_key_u64(r->arena,
                                                  out->v[limit - 1].id) } };
    *next = console_key_write(r->arena, &key);
    return *next == NULL ? ERR_NOMEM : ERR_OK;
}

enum err
console_audit_get(struct req *r, const struct console_audit_asked *in)
{
    struct console_audit *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_console_audit_row all = { 0 };
    const char *next;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = page(r, in, false, &all, &next);
    PUT_LIST(out, console_audit, items, all.n, all.v);
    if (e == ERR_OK && !str_empty(next))
        PUT(out, console_audit, next, next);
    return req_send_or_fail(r, e, &console_audit_rec, out);
}

enum err
console_audit_row_get(struct req *r, const struct console_audit_ref *in)
{
    struct console_audit_row *out = arena_alloc(r->arena, sizeof(*out));
    const struct dialect *d;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    e = console_store_audit_row(r->db, r->arena, in->id, out);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, CONSOLE_AUDIT_UNKNOWN, ARGS());
    d = e == ERR_OK ? dialect_of(out->listener) : NULL;
    if (d != NULL)
        PUT(out, console_audit_row, dialect, d->name);
    return req_send_or_fail(r, e, &console_audit_row_rec, out);
}

/* So many rows at a time: each may have three documents. */
#define EXPORT_ROWS 20

static enum err
put_lines(struct req *r, const struct list_of_console_audit_row *all,
          struct buf *b)
{
    struct json_writer w;
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && i < all->n; i++) {
        jw_init(&w, b, &json_compact);
        e = record_render(&w, &console_audit_row_rec, &all->v[i], SECRETS_STARS,
                          false, r->arena);
        buf_putc(b, '\n');
    }
    return e;
}

static enum err
collect(struct req *r, const struct console_audit_asked *in, struct buf *b,
        const char **next)
{
    struct console_audit_asked some = *in;
    size_t left = CONSOLE_LIMIT_OF(in, console_audit_asked);
    enum err e = ERR_OK;

    *next = in->cursor;
    while (e == ERR_OK && left > 0 && b->n < EXPORT_BYTES / 2) {
        struct list_of_console_audit_row all = { 0 };
        int32_t n = left < EXPORT_ROWS ? (int32_t)left : EXPORT_ROWS;

        PUT(&some, console_audit_asked, limit, n);
        PUT(&some, console_audit_asked, cursor, *next);
        e = page(r, &some, true, &all, next);
        if (e == ERR_OK)
            e = put_lines(r, &all, b);
        left -= all.n;
        if (e != ERR_OK || str_empty(*next))
            break;
    }
    return e;
}

static int64_t
read_lines(void *ctx, int64_t at, char *p, size_t n)
{
    memcpy(p, (const char *)ctx + at, n);
    return (int64_t)n;
}

/* A page as lines, which ends before its limit when it grows large; the cursor
 * behind it is a header. */
enum err
console_audit_export(struct req *r, const struct console_audit_asked *in)
{
    struct req_source *s = arena_alloc(r->arena, sizeof(*s));
    struct buf b = BUF_INIT(EXPORT_BYTES);
    const char *next, *text;
    size_t n;
    enum err e = collect(r, in, &b, &next);

    n = b.n;
    if (e != ERR_OK || s == NULL) {
        buf_free(&b);
        return e == ERR_OK ? ERR_NOMEM : e;
    }
    e = buf_settle(&b, r->arena, &text);
    if (e != ERR_OK)
        return e;
    if (!str_empty(next))
        req_header_add(r, "X-Metagate-Next", next);
    *s = (struct req_source){ .type = "application/x-ndjson",
                              .tag = r->trace.request,
                              .bytes = (int64_t)n,
                              .read = read_lines };
    memcpy(&s->ctx, &text, sizeof(s->ctx));
    return req_send_source(r, s);
}
