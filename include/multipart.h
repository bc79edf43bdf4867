/* Room: request/ */
/* Bodies of multipart/form-data (RFC 7578, 2046), read in place. */
#ifndef MG_MULTIPART_H
#define MG_MULTIPART_H

#include "arena.h"
#include "base.h"

#define MULTIPART_PARTS 16

struct multipart_part {
    const char *name;     /* of Content-Disposition; "" when it has none */
    const char *filename; /* NULL: the part is no file; "": its name is bad */
    const char *type;     /* its Content-Type; "" when it has none */
    struct span body;     /* in the body that was parsed */
};

struct multipart {
    size_t n;
    struct multipart_part part[MULTIPART_PARTS];
};

/* Whether a Content-Type is multipart/form-data, with or without parameters;
 * NULL: no. */
bool multipart_is(const char *content_type);

/* The boundary that a Content-Type names, in the arena; NULL when it is not
 * multipart/form-data with one of 1 to 70 characters, as RFC 2046 has them. */
const char *multipart_boundary(struct arena *a, const char *content_type);

/* All parts of n bytes at p. What a part holds may look like anything but a
 * line of this very boundary. BAD_PARAM with a sentence part in why: no
 * closing boundary, a head that is none, a name given twice; LIMIT for more
 * than MULTIPART_PARTS; NOMEM. What is wrong with the name of a file alone
 * (it is no text, too long, does not end, is there twice or has something
 * behind it) makes that name "", for a caller to refuse in its own words. */
enum err
multipart_parse(struct arena *a, const char *boundary, const char *p, size_t n,
                struct multipart *out, char why[WHY_BYTES]) MUST_USE;

/* The first part of that name; the first file; NULL. */
const struct multipart_part *
multipart_find(const struct multipart *m, const char *name);
const struct multipart_part *multipart_file(const struct multipart *m);

#endif
