/* One rendering, shared by the files that do it: records and scalars in
 * record_render.c, lists, maps and rows in record_render_list.c. */
#ifndef MG_RECORD_RENDER_INT_H
#define MG_RECORD_RENDER_INT_H

#include "record.h"

#include "record_int.h"

struct render {
    struct json_writer *w;
    enum secret_mode secrets;
    bool input;    /* what was given, for audit and errors */
    unsigned want; /* a field needs one of these flags */
    struct arena *a;
};

/* The name of the field, unless it is a bare value. */
static inline void
record_render_key(struct render *r, const struct field *f)
{
    if (f->key_bytes > 0)
        jw_plain_key(r->w, f->key, f->key_bytes);
}

void record_render_scalar(struct json_writer *w, const struct field *f,
                          const void *in);
enum err record_render_record(struct render *r, const struct record *rec,
                              const void *in) MUST_USE;

/* A container with its name. */
enum err record_render_list(struct render *r, const struct field *f,
                            const void *in) MUST_USE;
enum err record_render_map(struct render *r, const struct field *f,
                           const void *in) MUST_USE;
void record_render_empty(struct render *r, const struct field *f);

/* The rows with their name, or nothing when there is none: *any tells. */
enum err record_render_rows(struct render *r, const struct field *f,
                            const void *in, bool *any) MUST_USE;

#endif
