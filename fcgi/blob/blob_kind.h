/* What a kind of store must be able to do; see blob.h. */
#ifndef MG_BLOB_KIND_H
#define MG_BLOB_KIND_H

#include "blob.h"

struct blob_kind {
    const char *scheme; /* "file" */
    enum err (*open)(struct arena *a, struct blob_store *s, const char *rest,
                     char why[WHY_BYTES]);
    enum err (*put)(struct blob_store *s, const char *key, blob_read_fn *read,
                    void *ctx, bool only_new, char why[WHY_BYTES]);
    enum err (*get)(struct blob_store *s, const char *key, int64_t offset,
                    blob_write_fn *write, void *ctx, char why[WHY_BYTES]);
    enum err (*size)(struct blob_store *s, const char *key, int64_t *bytes,
                     char why[WHY_BYTES]);
    enum err (*drop)(struct blob_store *s, const char *key,
                     char why[WHY_BYTES]);
};
extern const struct blob_kind blob_file, blob_webhdfs, blob_s3;

struct blob_store {
    const struct blob_kind *kind;
    struct blob_config cfg;
    const char *base;            /* directory (of cfg.root, when that is given),
                                  * or path below the host; no '/' at its end;
                                  * "" = the top */
    const char *endpoint;        /* "http://host:port" */
    const char *user;            /* webhdfs */
    const char *bucket, *region; /* s3 */
};

/* The value of `name` in the url's query, "?a=1&b=2", decoded, in the arena;
 * NULL when absent. BAD_PARAM with why when it cannot be decoded; NOMEM. */
enum err blob_option(struct arena *a, const char *url, const char *name,
                     const char **out, char why[WHY_BYTES]) MUST_USE;

/* The class of an HTTP status that is no success. */
enum err blob_status(int status, const char *what, char why[WHY_BYTES]);

#endif
