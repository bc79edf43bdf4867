/* JSON and single texts into records. What is wrong about a value by itself
 * is refused here: type, range, size, shape. What has to be there, and in
 * which order things are refused, is the dialect's list of checks. */
#include "record.h"

#include "record_int.h"

#include "json_scan.h"
#include "utf8.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct bind {
    struct arena *a;
    unsigned style;
    struct bind_error *why;
};

/* Where we are, for messages; only read when something is refused. */
struct at {
    const struct at *up;
    const char *name; /* NULL: element number index */
    size_t index;
};

/* A scalar on its way into a field. */
struct value {
    enum json_type type;
    const char *text;
    struct span json; /* as sent */
};

static enum err
bind_node(struct bind *b, const struct at *at, const struct field *f,
          const struct json *j, void *out);
static enum err
bind_record(struct bind *b, const struct at *at, const struct record *rec,
            const struct json *j, void *out);
static enum err
bind_members(struct bind *b, const struct at *at, const struct record *rec,
             const struct json *obj, const char *nested, void *out);

/* ---- refusals ---- */

static void
put_path(struct buf *path, const struct at *at)
{
    char shown[49];

    if (at == NULL)
        return;
    put_path(path, at->up);
    if (at->name == NULL) {
        buf_printf(path, "[%zu]", at->index);
    } else if (at->name[0] != '\0') {
        json_name_for_message(shown, at->name, strlen(at->name));
        buf_printf(path, "%s%s", path->n > 0 ? "." : "", shown);
    }
}

static enum err
refuse(struct bind *b, const struct at *at, const char *reason)
{
    struct buf path = BUF_INIT(4096);

    put_path(&path, at);
    (void)snprintf(b->why->field, sizeof(b->why->field), "%.63s",
                   buf_text(&path));
    buf_free(&path);
    (void)snprintf(b->why->reason, sizeof(b->why->reason), "%s", reason);
    return ERR_BAD_PARAM;
}

static const char *const wanted[] = {
    [F_STR] = "must be a string",
    [F_I32] = "must be an integer",
    [F_I64] = "must be an integer",
    [F_U64] = "must be an integer that is not negative",
    [F_F64] = "must be a number",
    [F_BOOL] = "must be true or false",
    [F_ENUM] = "must be one of the documented names",
    [F_FLAG] = "must be true or false",
    [F_BYTES] = "must be base64",
    [F_OBJ] = "must be an object",
    [F_LIST] = "must be a list",
    [F_MAP] = "must be an object",
    [F_JSON] = "must be JSON",
    [F_ROWS] = "cannot be given",
};

static enum err
refuse_type(struct bind *b, const struct at *at, const struct field *f)
{
    return refuse(b, at, wanted[f->type]);
}

static enum err
refuse_range(struct bind *b, const struct at *at, const struct field *f)
{
    char reason[96];

    if (f->max <= f->min)
        return refuse(b, at, "is out of range");
    (void)snprintf(reason, sizeof(reason), "must be between %lld and %lld",
                   (long long)f->min, (long long)f->max);
    return refuse(b, at, reason);
}

/* ---- scalars ---- */

static bool
takes_text(const struct bind *b, const struct field *f, unsigned style)
{
    return (b->style & style) || (f->flags & NUM_OR_STR);
}

/* Whether v may be read as digits. */
static bool
is_digits(const struct bind *b, const struct field *f, const struct value *v)
{
    return v->type == JSON_NUMBER ||
           (v->type == JSON_STRING && takes_text(b, f, BIND_INT_FROM_STR));
}

static enum err
bind_str(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    bool number = v->type == JSON_NUMBER && takes_text(b, f, BIND_STR_FROM_NUM);

    if (v->type != JSON_STRING && !number)
        return refuse_type(b, at, f);
    if (f->max > 0 && strlen(v->text) > (size_t)f->max)
        return refuse(b, at, "is too long");
    memcpy(member_of(f, out), &v->text, sizeof(v->text));
    set_bit(f, out);
    return ERR_OK;
}

static enum err
read_i64(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, int64_t *out)
{
    enum err e;

    if (!is_digits(b, f, v))
        return refuse_type(b, at, f);
    e = json_to_i64(v->text, b->style & BIND_INTEGRAL, out);
    if (e == ERR_BAD_PARAM)
        return refuse_type(b, at, f);
    if (e != ERR_OK || (f->max > f->min && (*out < f->min || *out > f->max)))
        return refuse_range(b, at, f);
    return ERR_OK;
}

static enum err
bind_i32(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    int64_t wide;
    int32_t n;
    enum err e = read_i64(b, at, f, v, &wide);

    if (e != ERR_OK)
        return e;
    if (wide < INT32_MIN || wide > INT32_MAX)
        return refuse_range(b, at, f);
    n = (int32_t)wide;
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

static enum err
bind_i64(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    int64_t n;
    enum err e = read_i64(b, at, f, v, &n);

    if (e != ERR_OK)
        return e;
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

static bool
u64_in_range(const struct field *f, uint64_t n)
{
    if (f->max <= f->min)
        return true;
    return (f->min <= 0 || n >= (uint64_t)f->min) && f->max >= 0 &&
           n <= (uint64_t)f->max;
}

static enum err
bind_u64(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    uint64_t n;
    enum err e;

    if (!is_digits(b, f, v))
        return refuse_type(b, at, f);
    e = json_to_u64(v->text, b->style & BIND_INTEGRAL, &n);
    if (e == ERR_BAD_PARAM)
        return refuse_type(b, at, f);
    if (e != ERR_OK || !u64_in_range(f, n))
        return refuse_range(b, at, f);
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

static enum err
bind_f64(struct bind *b, const struct at *at, const struct field *f,
         const struct value *v, void *out)
{
    char *end;
    double n;

    if (!is_digits(b, f, v))
        return refuse_type(b, at, f);
    /* strtod alone would take blanks, hex digits and "inf" */
    if (v->text[0] == '\0' ||
        v->text[strspn(v->text, "+-.0123456789eE")] != '\0')
        return refuse_type(b, at, f);
    n = strtod(v->text, &end);
    if (*end != '\0')
        return refuse_type(b, at, f);
    if (!isfinite(n))
        return refuse_range(b, at, f);
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

static enum err
bind_bool(struct bind *b, const struct at *at, const struct field *f,
          const struct value *v, void *out)
{
    bool yes, known;

    if (v->type != JSON_BOOL && !takes_text(b, f, BIND_INT_FROM_STR))
        return refuse_type(b, at, f);
    yes = strcmp(v->text, "true") == 0 || strcmp(v->text, "1") == 0;
    known = yes || strcmp(v->text, "false") == 0 || strcmp(v->text, "0") == 0;
    if (!known)
        return refuse_type(b, at, f);
    memcpy(member_of(f, out), &yes, sizeof(yes));
    set_bit(f, out);
    return ERR_OK;
}

/* In a body a flag is a bool; that it is there counts in a query only. */
static enum err
bind_flag(struct bind *b, const struct at *at, const struct field *f,
          const struct value *v, void *out)
{
    const bool yes = true;

    if (v->type == JSON_BOOL && v->text[0] == 'f')
        return ERR_OK;
    if (v->type != JSON_BOOL)
        return refuse_type(b, at, f);
    memcpy(member_of(f, out), &yes, sizeof(yes));
    set_bit(f, out);
    return ERR_OK;
}

static bool
find_enum(const struct field *f, const struct value *v, bool integral, int *out)
{
    int64_t n;

    for (const struct enum_name *name = f->names; name->name != NULL; name++) {
        if (v->type == JSON_STRING && strcmp(name->name, v->text) == 0) {
            *out = name->value;
            return true;
        }
    }
    if (json_to_i64(v->text, integral, &n) != ERR_OK || n < INT32_MIN ||
        n > INT32_MAX || enum_text(f->names, (int)n)[0] == '\0')
        return false;
    *out = (int)n;
    return true;
}

/* Whether the value is a name or number at all, if one that we do not know. */
static bool
may_be_enum(const struct value *v, bool integral)
{
    int64_t n;

    return v->type == JSON_STRING ||
           json_to_i64(v->text, integral, &n) == ERR_OK;
}

static enum err
bind_enum(struct bind *b, const struct at *at, const struct field *f,
          const struct value *v, void *out)
{
    int n;

    if (v->type != JSON_STRING && v->type != JSON_NUMBER)
        return refuse_type(b, at, f);
    if (!find_enum(f, v, b->style & BIND_INTEGRAL, &n))
        return b->style & BIND_UNKNOWN_ENUM_UNSET &&
                       may_be_enum(v, b->style & BIND_INTEGRAL)
                   ? ERR_OK
                   : refuse_type(b, at, f);
    memcpy(member_of(f, out), &n, sizeof(n));
    set_bit(f, out);
    return ERR_OK;
}

/* A digit of base64 in the usual or the URL alphabet; -1 for other bytes. */
static int
base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

/* Decodes n digits at text; false for other bytes or a length that no bytes
 * give. out has room for n / 4 * 3 + 2 bytes. */
static bool
decode_base64(const char *text, size_t n, unsigned char *out, size_t *bytes)
{
    uint32_t bits = 0;

    *bytes = 0;
    for (size_t i = 0; i < n; i++) {
        int d = base64_digit(text[i]);

        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 > 0)
            out[(*bytes)++] = (unsigned char)(bits >> (6 - i % 4 * 2));
    }
    return n % 4 != 1;
}

static enum err
bind_bytes(struct bind *b, const struct at *at, const struct field *f,
           const struct value *v, void *out)
{
    size_t n = strlen(v->text);
    struct span span = { NULL, 0 };
    unsigned char *bytes;

    if (v->type != JSON_STRING)
        return refuse_type(b, at, f);
    if (n % 4 == 0) /* padding is optional, but whole when there */
        for (int pad = 0; pad < 2 && n > 0 && v->text[n - 1] == '='; pad++)
            n--;
    bytes = arena_alloc(b->a, n / 4 * 3 + 3);
    if (bytes == NULL)
        return ERR_NOMEM;
    if (!decode_base64(v->text, n, bytes, &span.n))
        return refuse_type(b, at, f);
    if (f->max > 0 && span.n > (size_t)f->max)
        return refuse(b, at, "is too long");
    span.p = (const char *)bytes;
    memcpy(member_of(f, out), &span, sizeof(span));
    set_bit(f, out);
    return ERR_OK;
}

static enum err
bind_json(struct bind *b, const struct at *at, const struct field *f,
          const struct value *v, void *out)
{
    (void)at;
    (void)b;
    memcpy(member_of(f, out), &v->json, sizeof(v->json));
    set_bit(f, out);
    return ERR_OK;
}

typedef enum err
scalar_fn(struct bind *b, const struct at *at, const struct field *f,
          const struct value *v, void *out);

static scalar_fn *const scalars[] = {
    [F_STR] = bind_str,   [F_I32] = bind_i32,   [F_I64] = bind_i64,
    [F_U64] = bind_u64,   [F_F64] = bind_f64,   [F_BOOL] = bind_bool,
    [F_ENUM] = bind_enum, [F_FLAG] = bind_flag, [F_BYTES] = bind_bytes,
    [F_JSON] = bind_json, [F_ROWS] = NULL,
};

/* ---- containers ---- */

static size_t
count_children(const struct json *j)
{
    size_t n = 0;

    for (const struct json *c = json_first(j); c != NULL; c = json_next(c))
        n++;
    return n;
}

/* Set also when an element was refused: a message may print what was bound
 * before, so n counts whole elements only. */
static void
set_list(const struct field *f, struct any_list list, void *out)
{
    memcpy(member_of(f, out), &list, sizeof(list));
    set_bit(f, out);
}

/* Room for n elements of size bytes each, if so many are allowed. */
static enum err
new_elements(struct bind *b, const struct at *at, const struct field *f,
             size_t n, size_t size, void **out)
{
    if (f->max > 0 && n > (size_t)f->max)
        return refuse(b, at, "has too many elements");
    *out = arena_array(b->a, n, size);
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err
bind_object(struct bind *b, const struct at *at, const struct field *f,
            const struct json *j, void *out)
{
    void *obj;
    enum err e;

    if (json_type(j) != JSON_OBJECT)
        return refuse_type(b, at, f);
    obj = arena_alloc(b->a, f->more->size);
    if (obj == NULL)
        return ERR_NOMEM;
    e = bind_record(b, at, f->more, j, obj);
    memcpy(member_of(f, out), &obj, sizeof(obj));
    set_bit(f, out);
    return e;
}

/* A null in a list stands for nothing: it would reach a handler as NULL. */
static enum err
bind_element(struct bind *b, const struct at *at, const struct field *f,
             const struct json *j, void *element)
{
    if (json_type(j) == JSON_NULL)
        return refuse(b, at, "must not be null");
    return bind_record(b, at, f->more, j, element);
}

/* {"a": {...}, "b": {...}}: the name is a member of the element. */
static enum err
bind_key_member(struct bind *b, const struct at *at, const struct field *f,
                const char *name, void *element)
{
    for (size_t i = 0; i < f->more->n; i++) {
        const struct field *k = &f->more->fields[i];

        if (strcmp(k->key, f->keyed_by) == 0 && !has_bit(k, element) &&
            scalars[k->type] != NULL) {
            const struct value v = { JSON_STRING, name, { NULL, 0 } };
            struct bind as_text = *b;

            as_text.style |= BIND_INT_FROM_STR;
            return scalars[k->type](&as_text, at, k, &v, element);
        }
    }
    return ERR_OK;
}

static enum err
bind_list(struct bind *b, const struct at *at, const struct field *f,
          const struct json *j, void *out)
{
    bool keyed = f->keyed_by != NULL;
    struct any_list list = { 0, NULL };
    char *element;
    enum err e;

    if (json_type(j) != (keyed ? JSON_OBJECT : JSON_ARRAY))
        return refuse(b, at, wanted[keyed ? F_OBJ : F_LIST]);
    e = new_elements(b, at, f, count_children(j), f->more->size, &list.v);
    element = list.v;
    for (j = json_first(j); j != NULL && e == ERR_OK; j = json_next(j)) {
        const struct at here = { at, keyed ? json_key(j) : NULL, list.n };

        e = bind_element(b, &here, f, j, element);
        if (e == ERR_OK && keyed)
            e = bind_key_member(b, &here, f, json_key(j), element);
        element += f->more->size;
        list.n += e == ERR_OK;
    }
    set_list(f, list, out);
    return e;
}

static enum err
bind_map(struct bind *b, const struct at *at, const struct field *f,
         const struct json *j, void *out)
{
    struct any_list map = { 0, NULL };
    char *entry;
    enum err e;

    if (json_type(j) != JSON_OBJECT)
        return refuse_type(b, at, f);
    e = new_elements(b, at, f, count_children(j), MAP_VALUE_OFF + f->more->size,
                     &map.v);
    entry = map.v;
    for (j = json_first(j); j != NULL && e == ERR_OK; j = json_next(j)) {
        const char *key = json_key(j);
        const struct at here = { at, key, 0 };

        memcpy(entry, &key, sizeof(key));
        e = bind_element(b, &here, f, j, entry + MAP_VALUE_OFF);
        entry += MAP_VALUE_OFF + f->more->size;
        map.n += e == ERR_OK;
    }
    set_list(f, map, out);
    return e;
}

/* The number behind the prefix in "cluster0"; false when it is none. */
static bool
numbered_index(const char *name, const char *prefix, size_t *out)
{
    size_t n = strlen(prefix);
    uint64_t v;

    if (strncmp(name, prefix, n) != 0)
        return false;
    name += n;
    if (!isdigit((unsigned char)name[0]) || strspn(name, "0123456789") > 9 ||
        (name[0] == '0' && name[1] != '\0') ||
        json_to_u64(name, false, &v) != ERR_OK)
        return false;
    *out = (size_t)v;
    return true;
}

/* How many of the elements stand in a row from number 0: what lies behind a
 * gap does not count. */
static size_t
contiguous(const struct json *const *nodes, size_t n)
{
    size_t i = 0;

    while (i < n && nodes[i] != NULL)
        i++;
    return i;
}

static enum err
bind_numbered_nodes(struct bind *b, const struct at *at, const struct field *f,
                    const struct json *const *nodes, size_t n, void *out)
{
    struct any_list list = { 0, NULL };
    enum err e = new_elements(b, at, f, n, f->more->size, &list.v);

    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        const struct at here = { at, json_key(nodes[i]), 0 };

        e = bind_element(b, &here, f, nodes[i],
                         (char *)list.v + i * f->more->size);
        list.n += e == ERR_OK;
    }
    set_list(f, list, out);
    return e;
}

/* Gathers "cluster0", "cluster1" ... of obj in one pass. */
static enum err
bind_numbered(struct bind *b, const struct at *at, const struct field *f,
              const struct json *obj, void *out)
{
    size_t n = 0, i;
    const struct json **nodes;
    const struct json *j;

    for (j = json_first(obj); j != NULL; j = json_next(j))
        n += numbered_index(json_key(j), f->numbered, &i);
    if (n == 0)
        return ERR_OK;
    nodes = arena_array(b->a, n, sizeof(*nodes));
    if (nodes == NULL)
        return ERR_NOMEM;
    for (j = json_first(obj); j != NULL; j = json_next(j)) {
        if (numbered_index(json_key(j), f->numbered, &i) && i < n)
            nodes[i] = j;
    }
    return bind_numbered_nodes(b, at, f, nodes, contiguous(nodes, n), out);
}

/* ---- objects ---- */

static enum err
bind_node(struct bind *b, const struct at *at, const struct field *f,
          const struct json *j, void *out)
{
    const struct value v = { json_type(j), json_text(j), json_span(j) };

    if (v.type == JSON_NULL && f->type != F_JSON)
        return b->style & BIND_NULL_UNSET ? ERR_OK : refuse_type(b, at, f);
    if (v.type == JSON_NULL && (b->style & BIND_NULL_UNSET))
        return ERR_OK;
    switch (f->type) {
    case F_OBJ:
        return bind_object(b, at, f, j, out);
    case F_LIST:
        return bind_list(b, at, f, j, out);
    case F_MAP:
        return bind_map(b, at, f, j, out);
    case F_ROWS:
        return refuse_type(b, at, f);
    default:
        return scalars[f->type](b, at, f, &v, out);
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
        if (f->numbered != NULL && numbered_index(name, f->numbered, &index))
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
            return refuse(b, &here, "is not known");
        return ERR_OK;
    }
    if (has_bit(f, out)) /* by its other name */
        return refuse(b, &here, "is given twice");
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
    return bind_object(&lax, at, f, obj, out);
}

static enum err
bind_self(struct bind *b, const struct at *at, const struct field *f,
          const struct json *obj, void *out)
{
    const struct value v = { JSON_OBJECT, "", json_span(obj) };

    if (f->numbered != NULL)
        return bind_numbered(b, at, f, obj, out);
    if (f->key_bytes > 0)
        return ERR_OK;
    if (f->type == F_JSON)
        return bind_json(b, at, f, &v, out);
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
        return refuse(b, &here, wanted[F_OBJ]);
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

static enum err
bind_record(struct bind *b, const struct at *at, const struct record *rec,
            const struct json *j, void *out)
{
    const struct field *bare = bare_field(rec);
    enum err e;

    if (bare != NULL)
        return bind_node(b, at, bare, j, out);
    if (json_type(j) != JSON_OBJECT)
        return refuse(b, at, wanted[F_OBJ]);
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
    return body != NULL ? bind_record(&b, NULL, rec, body, out) : ERR_OK;
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
        return refuse(b, at, wanted[F_JSON]);
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
        return refuse(&b, &at, "must be UTF-8");
    switch (f->type) {
    case F_OBJ:
    case F_LIST:
    case F_MAP:
    case F_JSON:
        return bind_json_text(&b, &at, f, text, out);
    case F_ROWS:
        return refuse_type(&b, &at, f);
    case F_FLAG: /* that it is there counts, whatever its value */
        memcpy(member_of(f, out), &yes, sizeof(yes));
        set_bit(f, out);
        return ERR_OK;
    default:
        return scalars[f->type](&b, &at, f, &v, out);
    }
}
