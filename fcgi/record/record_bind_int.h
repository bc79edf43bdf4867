/* One binding, shared by the files that do it: objects and their members in
 * record_bind.c, scalars in record_bind_scalar.c, lists and maps in
 * record_bind_list.c. */
#ifndef MG_RECORD_BIND_INT_H
#define MG_RECORD_BIND_INT_H

#include "record.h"

#include "record_int.h"

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

/* "must be a string" and so on, by type of field. */
extern const char *const record_wanted[];

/* Fills *why with the place and the reason; BAD_PARAM. */
enum err
record_refuse(struct bind *b, const struct at *at, const char *reason) MUST_USE;
enum err record_refuse_type(struct bind *b, const struct at *at,
                            const struct field *f) MUST_USE;

/* A value into field f of the struct at out, and its presence bit. */
enum err
record_bind_scalar(struct bind *b, const struct at *at, const struct field *f,
                   const struct value *v, void *out) MUST_USE;
enum err
record_bind_object(struct bind *b, const struct at *at, const struct field *f,
                   const struct json *j, void *out) MUST_USE;
enum err
record_bind_list(struct bind *b, const struct at *at, const struct field *f,
                 const struct json *j, void *out) MUST_USE;
enum err
record_bind_map(struct bind *b, const struct at *at, const struct field *f,
                const struct json *j, void *out) MUST_USE;

/* The elements of a numbered list among the members of obj. */
enum err
record_bind_numbered(struct bind *b, const struct at *at, const struct field *f,
                     const struct json *obj, void *out) MUST_USE;

/* The number behind the prefix in "cluster0"; false when it is none. */
bool record_numbered_index(const char *name, const char *prefix, size_t *out);

/* A node into the record at out, which is zeroed. */
enum err
record_bind_node(struct bind *b, const struct at *at, const struct record *rec,
                 const struct json *j, void *out) MUST_USE;

#endif
