/* JSON and single texts into records. What is wrong about a value by itself
 * is refused here: type, range, size, shape. What has to be there, and in
 * which order things are refused, is the dialect's list of checks. */
#include "record_bind_int.h"

#include <ctype.h>
#include <strings.h>

#include "utf8.h"

static enum err
bind_node(struct bind *b, const struct at *at, const struct field *f,
          const struct json *j, void *out)
{
    const struct value v = { json_type(j), json_text(j), json_span(j) };

    if (v.type == JSON_NULL && f->type != F_JSON)
        return b->style & BIND_NULL_UNSET ? ERR_OK
                                          : record_refuse_type(b, at, f);
    if (v.type == JSON_NULL && (b->style & BIND_NULL_UNSET))
        return ERR_OK;
    if (v.type == JSON_STRING && str_empty(v.text) && (f->flags & EMPTY_ABSENT))
        return ERR_OK;
    switch (f->type) {
    case F_OBJ:
        return record_bind_object(b, at, f, j, out);
    case F_LIST:
        return record_bind_list(b, at, f, j, out);
    case F_MAP:
        return record_bind_map(b, at, f, j, out);
    case F_ROWS:
        return record_refuse_type(b, at, f);
    default:
        return record_bind_scalar(b, at, f, &v, out);
    }
}

/* fooBar for foo_bar. */
static bool
is_camel_of(const char *name, const char *snake)
{
    for (; *snake != '\0'; snake++, name++) {
        char c = *snake;

        if (c == '_' && snake[1] != '\0')
            c = (char)toupper((unsigned char)*++snake);
        if (*name != c)
            return false;
    }
    return *name == '\0';
}

static bool
is_named(const struct bind *b, const struct field *f, const char *name)
{
    if (f->key_bytes == 0)
        return false;
    if ((b->style & BIND_ANY_CASE) &&
        (strcasecmp(f->key, name) == 0 ||
         (f->also != NULL && strcasecmp(f->also, name) == 0)))
        return true;
    return strcmp(f->key, name) == 0 ||
           (f->also != NULL && strcmp(f->also, name) == 0) ||
           ((b->style & BIND_CAMEL) && is_camel_of(name, f->key));
}

static bool
in_body(const struct field *f)
{
    return (f->flags & IN) &&
           (!(f->flags & (PATH | QUERY)) || (f->flags & BODY));
}

static bool
is_nested_in(const struct field *f, const char *nested)
{
    if (f->nested == NULL || nested == NULL)
        return f->nested == nested;
    return strcmp(f->nested, nested) == 0;
}

static const struct field *
find_field(const struct bind *b, const struct record *rec, const char *nested,
           const char *name)
{
    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if (in_body(f) && f->numbered == NULL && is_named(b, f, name) &&
            is_nested_in(f, nested))
            return f;
    }
    return NULL;
}

/* Whether a member that no field took has a meaning all the same: the object
 * of nested fields, an element of a numbered list, a member of an embedded
 * object. */
static bool
is_known(const struct bind *b, const struct record *rec, const char *nested,
         const char *name)
{
    size_t index;

    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if (nested == NULL && f->nested != NULL && strcmp(f->nested, name) == 0)
            return true;
        if (!in_body(f) || !is_nested_in(f, nested))
            continue;
        if (f->numbered != NULL &&
            record_numbered_index(name, f->numbered, &index))
            return true;
        if (is_self(f) && f->type == F_OBJ &&
            (find_field(b, f->more, NULL, name) != NULL ||
             is_known(b, f->more, NULL, name)))
            return true;
    }
    return false;
}

static enum err
bind_member(struct bind *b, const struct at *at, const struct record *rec,
            const char *nested, const struct json *j, void *out)
{
    const char *name = json_key(j);
    const struct at here = { at, name, 0 };
    const struct field *f = find_field(b, rec, nested, name);

    if (f == NULL) {
        if ((b->style & BIND_UNKNOWN_REFUSED) &&
            !is_known(b, rec, nested, name))
            return record_refuse(b, &here, "is not known");
        return ERR_OK;
    }
    if (has_bit(f, out)) /* by its other name */
        return record_refuse(b, &here, "is given twice");
    return bind_node(b, &here, f, j, out);
}

/* An embedded object's members are members of obj. It refuses nothing as
 * unknown: its neighbours' members are none of its business. */
static enum err
bind_embedded(struct bind *b, const struct at *at, const struct field *f,
              const struct json *obj, void *out)
{
    struct bind lax = *b;

    lax.style &= ~(unsigned)BIND_UNKNOWN_REFUSED;
    return record_bind_object(&lax, at, f, obj, out);
}

static enum err
bind_self(struct bind *b, const struct at *at, const struct field *f,
          const struct json *obj, void *out)
{
    const struct value v = { JSON_OBJECT, "", json_span(obj) };

    if (f->numbered != NULL)
        return record_bind_numbered(b, at, f, obj, out);
    if (f->key_bytes > 0)
        return ERR_OK;
    if (f->type == F_JSON)
        return record_bind_scalar(b, at, f, &v, out);
    return f->type == F_OBJ ? bind_embedded(b, at, f, obj, out) : ERR_OK;
}

static enum err
bind_members(struct bind *b, const struct at *at, const struct record *rec,
             const struct json *obj, const char *nested, void *out)
{
    enum err e = ERR_OK;

    for (const struct json *j = json_first(obj); j != NULL && e == ERR_OK;
         j = json_next(j))
        e = bind_member(b, at, rec, nested, j, out);
    for (size_t i = 0; i < rec->n && e == ERR_OK; i++) {
        const struct field *f = &rec->fields[i];

        if (in_body(f) && is_nested_in(f, nested))
            e = bind_self(b, at, f, obj, out);
    }
    return e;
}

/* The fields of one nested object, which may be absent. */
static enum err
bind_nested(struct bind *b, const struct at *at, const struct record *rec,
            const struct json *obj, const char *nested, void *out)
{
    const struct json *j = json_member(obj, nested);
    const struct at here = { at, nested, 0 };

    if (j == NULL ||
        (json_type(j) == JSON_NULL && (b->style & BIND_NULL_UNSET)))
        return ERR_OK;
    if (json_type(j) != JSON_OBJECT)
        return record_refuse(b, &here, record_wanted[F_OBJ]);
    return bind_members(b, &here, rec, j, nested, out);
}

static bool
first_of_nested(const struct record *rec, size_t i)
{
    const char *nested = rec->fields[i].nested;

    if (nested == NULL)
        return false;
    for (size_t k = 0; k < i; k++) {
        if (is_nested_in(&rec->fields[k], nested))
            return false;
    }
    return true;
}

enum err
record_bind_node(struct bind *b, const struct at *at, const struct record *rec,
                 const struct json *j, void *out)
{
    const struct field *bare = bare_field(rec);
    enum err e;

    if (bare != NULL)
        return bind_node(b, at, bare, j, out);
    if (json_type(j) != JSON_OBJECT)
        return record_refuse(b, at, record_wanted[F_OBJ]);
    e = bind_members(b, at, rec, j, NULL, out);
    for (size_t i = 0; i < rec->n && e == ERR_OK; i++) {
        if (first_of_nested(rec, i))
            e = bind_nested(b, at, rec, j, rec->fields[i].nested, out);
    }
    return e;
}

enum err
record_bind(struct arena *a, const struct record *rec, const struct json *body,
            unsigned style, void *out, struct bind_error *why)
{
    struct bind b = { a, style, why };

    memset(out, 0, rec->size);
    *why = (struct bind_error){ "", "" };
    return body != NULL ? record_bind_node(&b, NULL, rec, body, out) : ERR_OK;
}

/* ---- one text ---- */

static enum err
bind_json_text(struct bind *b, const struct at *at, const struct field *f,
               const char *text, void *out)
{
    const struct json *j;
    struct json_error json_why;
    enum err e =
        json_parse(b->a, text, strlen(text), JSON_STRICT, &j, &json_why);

    if (e == ERR_NOMEM)
        return e;
    if (e != ERR_OK)
        return record_refuse(b, at, record_wanted[F_JSON]);
    return bind_node(b, at, f, j, out);
}

enum err
record_bind_text(struct arena *a, const struct field *f, const char *text,
                 unsigned style, void *out, struct bind_error *why)
{
    struct bind b = { a, style | BIND_INT_FROM_STR, why };
    const struct at at = { NULL, f->key, 0 };
    const struct value v = { JSON_STRING, text, { NULL, 0 } };
    const bool yes = true;

    *why = (struct bind_error){ "", "" };
    if (!utf8_valid(text, strlen(text)))
        return record_refuse(&b, &at, "must be UTF-8");
    switch (f->type) {
    case F_OBJ:
    case F_LIST:
    case F_MAP:
    case F_JSON:
        return bind_json_text(&b, &at, f, text, out);
    case F_ROWS:
        return record_refuse_type(&b, &at, f);
    case F_FLAG: /* that it is there counts, whatever its value */
        memcpy(member_of(f, out), &yes, sizeof(yes));
        set_bit(f, out);
        return ERR_OK;
    default:
        return record_bind_scalar(&b, &at, f, &v, out);
    }
}

enum err
record_read(struct arena *a, const struct record *rec, const char *text,
            size_t n, unsigned style, void *out)
{
    const struct json *tree;
    struct json_error syntax;
    struct bind_error why;
    enum err e = json_parse(a, text, n, JSON_OWN, &tree, &syntax);

    return e == ERR_OK
               ? record_bind(a, rec, tree, style | BIND_ANY_COUNT, out, &why)
               : e;
}
