/* SHA-256 of what is read piece by piece. */
#include "digest.h"

#include <stdio.h>
#include <stdlib.h>

/* its types.h has an ERR_STATE of its own */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>

#include "hex.h"
#undef ERR_STATE

struct digest {
    EVP_MD_CTX *ctx;
    bool failed;
};

static void
begin(struct digest *d)
{
    d->failed = EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1;
}

struct digest *
digest_new(void)
{
    struct digest *d = calloc(1, sizeof(*d));

    if (d != NULL && (d->ctx = EVP_MD_CTX_new()) == NULL) {
        free(d);
        return NULL;
    }
    if (d != NULL)
        begin(d);
    return d;
}

bool
digest_add(struct digest *d, const void *p, size_t n)
{
    if (!d->failed && EVP_DigestUpdate(d->ctx, p, n) != 1)
        d->failed = true;
    return !d->failed;
}

enum err
digest_hex(struct digest *d, char out[65])
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    bool ok = !d->failed && EVP_DigestFinal_ex(d->ctx, sum, &n) == 1 && n == 32;

    hex_write(sum, ok ? n : 0, out);
    begin(d);
    return ok ? ERR_OK : ERR_INTERNAL;
}

void
digest_free(struct digest *d)
{
    if (d != NULL)
        EVP_MD_CTX_free(d->ctx);
    free(d);
}
