/* SHA-256 of what is read piece by piece. */
#ifndef MG_DIGEST_H
#define MG_DIGEST_H

#include "base.h"

struct digest;

/* NULL without memory. */
struct digest *digest_new(void);
/* False when the library fails: digest_hex then does too. */
bool digest_add(struct digest *d, const void *p, size_t n);
/* 64 lower-case hex digits and NUL; d begins anew. INTERNAL on failure. */
enum err digest_hex(struct digest *d, char out[65]) MUST_USE;
void digest_free(struct digest *d);

#endif
