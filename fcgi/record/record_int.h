/* What record.c, record_bind.c and record_render.c share: how a member of a
 * struct is reached through its field. */
#ifndef MG_RECORD_INT_H
#define MG_RECORD_INT_H

#include "record.h"

#include <string.h>

/* Every LIST and every MAP, whatever its elements. Read and written by
 * memcpy: the members themselves have types of their own. */
struct any_list {
    size_t n;
    void *v;
};

/* The value of a map's entry lies behind its key. */
#define MAP_VALUE_OFF offsetof(struct map_of_STR, value)

static inline const void *
member(const struct field *f, const void *in)
{
    return (const char *)in + f->off;
}

static inline void *
member_of(const struct field *f, void *out)
{
    return (char *)out + f->off;
}

/* The first member of every record is `has`. */
static inline bool
has_bit(const struct field *f, const void *in)
{
    uint64_t has;

    memcpy(&has, in, sizeof(has));
    return has >> f->bit & 1;
}

static inline void
set_bit(const struct field *f, void *out)
{
    uint64_t has;

    memcpy(&has, out, sizeof(has));
    has |= UINT64_C(1) << f->bit;
    memcpy(out, &has, sizeof(has));
}

/* The member of f in *in, as the C type of its row. */
#define READER(name, type)                                         \
    static inline type name(const struct field *f, const void *in) \
    {                                                              \
        type v;                                                    \
                                                                   \
        memcpy(&v, member(f, in), sizeof(v));                      \
        return v;                                                  \
    }
READER(str_of, const char *)
READER(i32_of, int32_t)
READER(i64_of, int64_t)
READER(u64_of, uint64_t)
READER(f64_of, double)
READER(bool_of, bool)
READER(enum_of, int)
READER(span_of, struct span)
READER(obj_of, const void *)
READER(list_of, struct any_list)
READER(rows_of, struct rows)
#undef READER

static inline bool
is_self(const struct field *f)
{
    return f->key_bytes == 0 && f->numbered == NULL;
}

/* The field of a record that is a bare value; NULL when it is an object. */
static inline const struct field *
bare_field(const struct record *rec)
{
    const struct field *f = rec->fields;

    return rec->n == 1 && is_self(f) && f->type != F_OBJ ? f : NULL;
}

#endif
