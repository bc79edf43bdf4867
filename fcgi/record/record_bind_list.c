/* Objects, lists and maps into fields. */
#include "record_bind_int.h"

#include <ctype.h>

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
    if (f->max > 0 && n > (size_t)f->max && (b->style & BIND_ANY_COUNT) == 0)
        return record_refuse(b, at, "has too many elements");
    *out = arena_array(b->a, n, size);
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
record_bind_object(struct bind *b, const struct at *at, const struct field *f,
                   const struct json *j, void *out)
{
    void *obj;
    enum err e;

    if (json_type(j) != JSON_OBJECT)
        return record_refuse_type(b, at, f);
    obj = arena_alloc(b->a, f->more->size);
    if (obj == NULL)
        return ERR_NOMEM;
    e = record_bind_node(b, at, f->more, j, obj);
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
        return record_refuse(b, at, "must not be null");
    return record_bind_node(b, at, f->more, j, element);
}

/* {"a": {...}, "b": {...}}: the name is a member of the element. */
static enum err
bind_key_member(struct bind *b, const struct at *at, const struct field *f,
                const char *name, void *element)
{
    for (size_t i = 0; i < f->more->n; i++) {
        const struct field *k = &f->more->fields[i];

        if (strcmp(k->key, f->keyed_by) == 0 && !has_bit(k, element)) {
            const struct value v = { JSON_STRING, name, { NULL, 0 } };
            struct bind as_text = *b;

            as_text.style |= BIND_INT_FROM_STR;
            return record_bind_scalar(&as_text, at, k, &v, element);
        }
    }
    return ERR_OK;
}

enum err
record_bind_list(struct bind *b, const struct at *at, const struct field *f,
                 const struct json *j, void *out)
{
    bool keyed = f->keyed_by != NULL;
    struct any_list list = { 0, NULL };
    char *element;
    enum err e;

    if (json_type(j) != (keyed ? JSON_OBJECT : JSON_ARRAY))
        return record_refuse(b, at, record_wanted[keyed ? F_OBJ : F_LIST]);
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

enum err
record_bind_map(struct bind *b, const struct at *at, const struct field *f,
                const struct json *j, void *out)
{
    struct any_list map = { 0, NULL };
    char *entry;
    enum err e;

    if (json_type(j) != JSON_OBJECT)
        return record_refuse_type(b, at, f);
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

bool
record_numbered_index(const char *name, const char *prefix, size_t *out)
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
enum err
record_bind_numbered(struct bind *b, const struct at *at, const struct field *f,
                     const struct json *obj, void *out)
{
    size_t n = 0, i;
    const struct json **nodes;

    for (const struct json *j = json_first(obj); j != NULL; j = json_next(j))
        n += record_numbered_index(json_key(j), f->numbered, &i);
    if (n == 0)
        return ERR_OK;
    nodes = arena_array(b->a, n, sizeof(*nodes));
    if (nodes == NULL)
        return ERR_NOMEM;
    for (const struct json *j = json_first(obj); j != NULL; j = json_next(j)) {
        if (record_numbered_index(json_key(j), f->numbered, &i) && i < n)
            nodes[i] = j;
    }
    return bind_numbered_nodes(b, at, f, nodes, contiguous(nodes, n), out);
}
