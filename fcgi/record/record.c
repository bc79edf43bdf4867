/* Records: the scalar ones, and what is asked about a single field. */
#include "record.h"

#include "record_int.h"

_Static_assert(sizeof(struct span) == sizeof(struct any_list),
               "has_items reads either");

TABLE(STR, SCALAR_STR);
TABLE(I32, SCALAR_I32);
TABLE(I64, SCALAR_I64);
TABLE(U64, SCALAR_U64);

const struct record none_rec = { "none", sizeof(struct none), NULL, 0 };

const char *
enum_text(const struct enum_name *names, int value)
{
    for (; names->name != NULL; names++) {
        if (names->value == value)
            return names->name;
    }
    return "";
}

bool
field_present(const struct field *f, const void *in)
{
    switch (f->type) {
    case F_OBJ:
        return obj_of(f, in) != NULL;
    case F_LIST:
    case F_MAP:
        return list_of(f, in).n > 0 || has_bit(f, in);
    case F_ROWS:
        return rows_of(f, in).next != NULL;
    case F_STR:
        return has_bit(f, in) && str_of(f, in) != NULL;
    default:
        return has_bit(f, in);
    }
}

/* An object in which nothing is present counts as not given. */
static bool
object_given(const struct field *f, const void *in)
{
    const void *obj = obj_of(f, in);

    for (size_t i = 0; i < f->more->n; i++) {
        if (field_present(&f->more->fields[i], obj))
            return true;
    }
    return false;
}

bool
field_given(const struct field *f, const void *in)
{
    if (!field_present(f, in))
        return false;
    switch (f->type) {
    case F_STR:
        return !str_empty(str_of(f, in));
    case F_I32:
        return i32_of(f, in) != 0;
    case F_I64:
    case F_U64:
        return u64_of(f, in) != 0;
    case F_FLAG:
        return bool_of(f, in);
    case F_BYTES:
    case F_JSON:
        return span_of(f, in).n > 0;
    case F_LIST:
    case F_MAP:
        return list_of(f, in).n > 0;
    case F_OBJ:
        return object_given(f, in);
    default:
        return true;
    }
}

/* The field of that name; an embedded object's fields are the record's own,
 * reached by one step more. */
static enum err
find_step(const struct record *rec, const char *name, size_t n,
          struct field_path *out)
{
    if (out->n == FIELD_PATH_MAX)
        return ERR_BAD_PARAM;
    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if (f->key_bytes == n && n > 0 && memcmp(f->key, name, n) == 0) {
            out->step[out->n++] = f;
            return ERR_OK;
        }
    }
    for (size_t i = 0; i < rec->n; i++) {
        const struct field *f = &rec->fields[i];

        if (!is_self(f) || f->type != F_OBJ)
            continue;
        out->step[out->n++] = f;
        if (find_step(f->more, name, n, out) == ERR_OK)
            return ERR_OK;
        out->n--;
    }
    return ERR_BAD_PARAM;
}

enum err
field_path_find(const struct record *rec, const char *dotted,
                struct field_path *out)
{
    out->n = 0;
    for (;;) {
        size_t n = strcspn(dotted, ".");
        const struct field *last;

        if (find_step(rec, dotted, n, out) != ERR_OK)
            return ERR_BAD_PARAM;
        if (dotted[n] == '\0')
            return ERR_OK;
        last = out->step[out->n - 1];
        if (last->type != F_OBJ)
            return ERR_BAD_PARAM;
        rec = last->more;
        dotted += n + 1;
    }
}

/* The struct that holds the last field of the path; NULL when an OBJ on the
 * way is absent. */
static const void *
path_holder(const struct field_path *path, const void *in)
{
    for (size_t i = 0; i + 1 < path->n && in != NULL; i++)
        in = obj_of(path->step[i], in);
    return in;
}

const void *
field_path_get(const struct field_path *path, const void *in, bool *present)
{
    const struct field *last = path->step[path->n - 1];
    const void *holder = path_holder(path, in);

    *present = holder != NULL && field_present(last, holder);
    return holder != NULL ? member(last, holder) : NULL;
}

bool
field_path_given(const struct field_path *path, const void *in)
{
    const void *holder = path_holder(path, in);

    return holder != NULL && field_given(path->step[path->n - 1], holder);
}
