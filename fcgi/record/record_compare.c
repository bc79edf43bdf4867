/* Records: whether what one of them says stands in another. */
#include "record.h"

#include "list.h"
#include "record_int.h"

/* The value of that name in a map; NULL when it has none. */
static const void *
map_value(struct any_list map, size_t stride, const char *key)
{
    const char *at = map.v;

    for (size_t i = 0; i < map.n; i++, at += stride) {
        const char *name;

        memcpy(&name, at, sizeof(name));
        if (strcmp(name, key) == 0)
            return at + MAP_VALUE_OFF;
    }
    return NULL;
}

static bool
list_says(const struct record *more, struct any_list a, struct any_list b)
{
    const char *x = a.v, *y = b.v;

    for (size_t i = 0; a.n == b.n && i < a.n; i++)
        if (record_other(more, x + i * more->size, y + i * more->size, NULL) !=
            NULL)
            return false;
    return a.n == b.n;
}

/* Whatever the order of their entries. */
static bool
map_says(const struct record *more, struct any_list a, struct any_list b)
{
    size_t stride = MAP_VALUE_OFF + more->size;
    const char *x = a.v;

    for (size_t i = 0; a.n == b.n && i < a.n; i++, x += stride) {
        const void *value;
        const char *name;

        memcpy(&name, x, sizeof(name));
        value = map_value(b, stride, name);
        if (value == NULL ||
            record_other(more, x + MAP_VALUE_OFF, value, NULL) != NULL)
            return false;
    }
    return a.n == b.n;
}

static bool
text_says(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static bool
span_says(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static bool
object_says(const struct field *f, const void *asked, const void *have)
{
    const void *b = have == NULL ? NULL : obj_of(f, have);

    if (b == NULL)
        return !field_given(f, asked);
    return record_other(f->more, obj_of(f, asked), b, NULL) == NULL;
}

/* have is NULL when the member is absent there: then it is "", 0 or off, and
 * an enum is no name at all. */
static bool
field_says(const struct field *f, const void *asked, const void *have)
{
    static const struct span empty;
    static const struct any_list none;

    switch (f->type) {
    case F_STR:
        return text_says(str_of(f, asked), have ? str_of(f, have) : NULL);
    case F_BYTES:
    case F_JSON:
        return span_says(span_of(f, asked), have ? span_of(f, have) : empty);
    case F_OBJ:
        return object_says(f, asked, have);
    case F_LIST:
        return list_says(f->more, list_of(f, asked),
                         have ? list_of(f, have) : none);
    case F_MAP:
        return map_says(f->more, list_of(f, asked),
                        have ? list_of(f, have) : none);
    case F_I32:
        return i32_of(f, asked) == (have ? i32_of(f, have) : 0);
    case F_BOOL:
    case F_FLAG:
        return bool_of(f, asked) == (have && bool_of(f, have));
    case F_ENUM:
        return have != NULL && enum_of(f, asked) == enum_of(f, have);
    default: /* 64 bits, compared as they are */
        return u64_of(f, asked) == (have ? u64_of(f, have) : 0);
    }
}

const char *
record_other(const struct record *rec, const void *asked, const void *have,
             const char *const *except)
{
    const struct field *bare = bare_field(rec);

    if (bare != NULL)
        return field_says(bare, asked, have) ? NULL : bare->key;
    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if ((f->flags & IN) == 0 || !field_present(f, asked) ||
            list_has_word(except, f->key))
            continue;
        if (!field_says(f, asked, field_present(f, have) ? have : NULL))
            return f->key;
    }
    return NULL;
}
