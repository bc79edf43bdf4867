/* Binding: where the members of an input record come from. */
#include "bind.h"

#include <string.h>

#include "request/failure.h"
#include "request/req_io.h"

static bool
from_body(const struct field *f)
{
    return (f->flags & IN) != 0 &&
           ((f->flags & (PATH | QUERY)) == 0 || (f->flags & BODY) != 0);
}

bool
bind_takes_body(const struct record *rec)
{
    for (size_t i = 0; i < rec->n; i++)
        if (from_body(&rec->fields[i]))
            return true;
    return false;
}

/* A record without a QUERY field cannot be given in another way. */
bool
bind_needs_body(const struct record *rec)
{
    for (size_t i = 0; i < rec->n; i++)
        if ((rec->fields[i].flags & QUERY) != 0)
            return false;
    return bind_takes_body(rec);
}

static enum err
refuse_body(struct req *r, const char *reason)
{
    return failure_event(r, EVENT_BODY, ARGS(arg("reason", reason)));
}

enum err
bind_parse_body(struct req *r)
{
    static const char mark[] = "\xef\xbb\xbf"; /* UTF-8's byte order mark */
    size_t skip = strncmp(r->body, mark, 3) == 0 ? 3 : 0;
    struct json_error why;
    enum err e;

    if (r->io->body_too_large)
        return failure_event(r, EVENT_TOO_LARGE, ARGS());
    if (r->body_bytes == skip)
        return refuse_body(r, "the body is empty, a JSON object is expected");
    e = json_parse(r->arena, r->body + skip, r->body_bytes - skip,
                   r->form->lenient, &r->json, &why);
    if (e == ERR_NOMEM)
        return e;
    if (e != ERR_OK)
        return refuse_body(r, arena_printf(r->arena, "%s at byte %zu",
                                           why.reason, why.offset));
    if (json_type(r->json) != JSON_OBJECT)
        return refuse_body(r, "a JSON object is expected");
    return ERR_OK;
}

static const struct field *
field_by_key(const struct record *rec, const char *key, size_t n, unsigned flag)
{
    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if ((f->flags & flag) != 0 && strlen(f->key) == n &&
            memcmp(f->key, key, n) == 0)
            return f;
    }
    return NULL;
}

enum err
bind_strict_query(struct req *r, const struct record *rec)
{
    for (size_t i = 0; i < r->n_query; i++) {
        const char *key = r->query[i].key;
        bool bad = field_by_key(rec, key, strlen(key), QUERY) == NULL;

        for (size_t k = 0; k < i && !bad; k++)
            bad = strcmp(r->query[k].key, key) == 0;
        if (bad)
            return failure_event(r, EVENT_QUERY, ARGS(arg("parameter", key)));
    }
    return ERR_OK;
}

static enum err
refuse_field(struct req *r, const struct bind_error *why)
{
    return failure_event(
        r, EVENT_FIELD,
        ARGS(arg("field", arena_strdup(r->arena, why->field)),
             arg("reason", arena_strdup(r->arena, why->reason))));
}

static enum err
bind_text(struct req *r, const struct field *f, const char *text, void *in)
{
    struct bind_error why;
    enum err e;

    e = record_bind_text(r->arena, f, text, r->form->bind | BIND_INT_FROM_STR,
                         in, &why);
    return e == ERR_BAD_PARAM ? refuse_field(r, &why) : e;
}

/* The first value of a repeated parameter counts. */
static enum err
bind_query(struct req *r, const struct record *rec, void *in)
{
    for (size_t i = r->n_query; i > 0; i--) {
        const struct param *p = &r->query[i - 1];
        const struct field *f =
            field_by_key(rec, p->key, strlen(p->key), QUERY);
        enum err e = f == NULL ? ERR_OK : bind_text(r, f, p->value, in);

        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

static enum err
bind_path(struct req *r, const struct record *rec, const struct route_match *m,
          void *in)
{
    for (size_t i = 0; i < m->n_captures; i++) {
        const struct field *f =
            field_by_key(rec, m->name[i].p, m->name[i].n, PATH);
        const char *text =
            arena_strndup(r->arena, m->capture[i].p, m->capture[i].n);
        enum err e = text == NULL ? ERR_NOMEM : ERR_OK;

        if (e == ERR_OK && f != NULL)
            e = bind_text(r, f, text, in);
        if (e != ERR_OK)
            return e;
    }
    return ERR_OK;
}

/* ... of what a body could say as well: what only a query can say stands
 * beside the body, not in its place. */
static bool
query_gives_any(const struct req *r, const struct record *rec)
{
    for (size_t i = 0; i < r->n_query; i++) {
        const char *key = r->query[i].key;
        const struct field *f = field_by_key(rec, key, strlen(key), QUERY);

        if (f != NULL && (f->flags & BODY) != 0)
            return true;
    }
    return false;
}

/* A body that the record can do without is not even read when the query
 * gives the input: clients send rubbish there. */
static enum err
bind_body(struct req *r, const struct record *rec, void *in)
{
    struct bind_error why;
    enum err e = ERR_OK;

    if (!bind_takes_body(rec))
        return ERR_OK;
    if (!bind_needs_body(rec) &&
        (r->body_bytes == 0 || query_gives_any(r, rec)))
        return ERR_OK;
    if (r->json == NULL)
        e = bind_parse_body(r);
    if (e == ERR_OK)
        e = record_bind(r->arena, rec, r->json, r->form->bind, in, &why);
    return e == ERR_BAD_PARAM && !req_failed(r) ? refuse_field(r, &why) : e;
}

enum err
bind_input(struct req *r, const struct record *rec, const struct route_match *m,
           void *in)
{
    enum err e;

    memset(in, 0, rec->size);
    e = (r->endpoint->flags & BODY_RAW) != 0 ? ERR_OK : bind_body(r, rec, in);
    if (e == ERR_OK)
        e = bind_query(r, rec, in);
    if (e == ERR_OK)
        e = bind_path(r, rec, m, in);
    return e;
}
