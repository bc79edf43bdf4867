/* Room: api/ */
/* First pass over a dialect's tables: prototypes of its handlers and the ids
 * of its errors. A record may be declared by its noun's header alone. No guard:
 * each dialect's header includes it once. */
#include "endpoint.h"

#define MOUNT(listener, prefix, auth, form, ...)
#define ENDPOINT(methods, path, verb, handler, in, out, status, scope, flags, \
                 doc)                                                         \
    struct in;                                                                \
    enum err handler(struct req *r, const struct in *in_);                    \
    extern const struct record in##_rec, out##_rec;                           \
    extern const struct checks in##_checks;
#define VARIANT(verb, encoding, in, out)            \
    extern const struct record in##_rec, out##_rec; \
    extern const struct checks in##_checks;
#define ALSO_OUT(path, record_) extern const struct record record_##_rec;
#define EXAMPLE(path, setup, json, ...)
#include ENDPOINT_FILE
#undef MOUNT
#undef ENDPOINT
#undef VARIANT
#undef ALSO_OUT
#undef EXAMPLE

#define ERROR(id, err, http, code, text, ...) id,
#define DEFAULT(err, http, code, text, ...)
#define ON(event, err, http, code, text, ...)
#define UNIQUE(index, id)
enum {
    /* a dialect may word none, and C has no empty enum; a file may see several
     */
    CAT(NO_ERROR_, __COUNTER__) = -1,
#include ERROR_FILE
};
#undef ERROR
#undef DEFAULT
#undef ON
#undef UNIQUE
