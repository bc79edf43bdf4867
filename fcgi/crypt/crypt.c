/* Secrets at rest and the few other things we need of libcrypto. The key file
 * itself is read and written in crypt_keys.c. */
#include "crypt.h"

#include <string.h>

/* a type of theirs has the name of one of our classes */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#undef ERR_STATE

#include "crypt_keys.h"
#include "hex.h"
#include "log.h"
#include "number.h"

#define NONCE_BYTES   12
#define TAG_BYTES     16
#define SEALED_PREFIX "v1:"
/* A sealed text is at most this much; SQL columns are smaller. */
#define SEALED_MAX (16u << 20)

/* ---- base64, random, hashes ---- */

char *
crypt_base64(struct arena *a, const void *p, size_t n)
{
    char *text;

    if (n > SEALED_MAX)
        return NULL;
    text = arena_alloc(a, BASE64_TEXT(n));
    if (text != NULL)
        base64_write(p, n, text);
    return text;
}

enum err
crypt_unbase64(struct arena *a, const char *text, struct span *out)
{
    size_t n = strlen(text);
    unsigned char *bytes;

    if (n % 4 != 0 || n > SEALED_MAX)
        return ERR_BAD_PARAM;
    for (int pad = 0; pad < 2 && n > 0 && text[n - 1] == '='; pad++)
        n--;
    bytes = arena_alloc(a, n / 4 * 3 + 3);
    if (bytes == NULL)
        return ERR_NOMEM;
    if (!base64_read(text, n, false, bytes, &out->n))
        return ERR_BAD_PARAM;
    out->p = (const char *)bytes;
    bytes[out->n] = '\0';
    return ERR_OK;
}

void
crypt_sha256_hex(const void *p, size_t n, char out[65])
{
    unsigned char digest[32];

    if (EVP_Digest(p, n, digest, NULL, EVP_sha256(), NULL) != 1) {
        /* only without memory: an answer that equals no digest */
        memset(out, 'x', 64);
        out[64] = '\0';
        return;
    }
    hex_write(digest, sizeof(digest), out);
}

enum err
crypt_scrypt_hex(const char *password, const char *salt, char out[65])
{
    const uint64_t n = 32768, r = 8, p = 1, most = (uint64_t)64 << 20;
    unsigned char key[32];

    if (EVP_PBE_scrypt(password, strlen(password), (const unsigned char *)salt,
                       strlen(salt), n, r, p, most, key, sizeof(key)) != 1)
        return ERR_INTERNAL;
    hex_write(key, sizeof(key), out);
    return ERR_OK;
}

enum err
crypt_hmac(const void *key, size_t key_n, const void *p, size_t n,
           unsigned char out[32])
{
    unsigned got = 0;

    return HMAC(EVP_sha256(), key, (int)key_n, p, n, out, &got) != NULL &&
                   got == 32
               ? ERR_OK
               : ERR_INTERNAL;
}

enum err
crypt_random(void *p, size_t n)
{
    if (n > INT32_MAX || RAND_bytes(p, (int)n) != 1) {
        log_error("crypt.random bytes=%zu", n);
        return ERR_INTERNAL;
    }
    return ERR_OK;
}

bool
crypt_equal(const void *a, const void *b, size_t n)
{
    return CRYPTO_memcmp(a, b, n) == 0;
}

void
crypt_wipe(void *p, size_t n)
{
    OPENSSL_cleanse(p, n);
}

/* ---- sealing ---- */

/* Table and column are SQL names without '|', so the text is unambiguous
 * whatever the row holds. */
static enum err
aad(struct arena *a, const char *table, const char *row, const char *column,
    unsigned key_id, const char **out)
{
    *out = arena_printf(a, "%s|%s|%s|%u", table, row, column, key_id);
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

/* One pass of AES-256-GCM over n bytes; the tag is written or compared. */
static bool
gcm(bool encrypt, const struct crypt_key *key, const unsigned char *nonce,
    const char *cell, const unsigned char *in, size_t n, unsigned char *out,
    unsigned char tag[TAG_BYTES])
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int done = 0, rest = 0;
    bool ok;

    ok = c != NULL &&
         EVP_CipherInit_ex(c, EVP_aes_256_gcm(), NULL, key->bytes, nonce,
                           encrypt) == 1 &&
         EVP_CipherUpdate(c, NULL, &done, (const unsigned char *)cell,
                          (int)strlen(cell)) == 1 &&
         EVP_CipherUpdate(c, out, &done, in, (int)n) == 1 &&
         (encrypt ||
          EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag) == 1) &&
         EVP_CipherFinal_ex(c, out + done, &rest) == 1 &&
         (!encrypt ||
          EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, tag) == 1);
    EVP_CIPHER_CTX_free(c);
    return ok;
}

/* nonce, tag, ciphertext: one block of the arena. */
static enum err
seal_with(struct arena *a, const struct crypt_key *key, const char *cell,
          const char *plain, size_t n, const char **out)
{
    unsigned char *block = arena_alloc(a, NONCE_BYTES + TAG_BYTES + n);
    char *text;
    enum err e;

    if (block == NULL)
        return ERR_NOMEM;
    e = crypt_random(block, NONCE_BYTES);
    if (e != ERR_OK)
        return e;
    if (!gcm(true, key, block, cell, (const unsigned char *)plain, n,
             block + NONCE_BYTES + TAG_BYTES, block + NONCE_BYTES))
        return ERR_INTERNAL;
    text = crypt_base64(a, block, NONCE_BYTES + TAG_BYTES + n);
    if (text == NULL)
        return ERR_NOMEM;
    *out = arena_printf(a, SEALED_PREFIX "%u:%s", key->id, text);
    return *out != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
crypt_seal(struct arena *a, const char *table, const char *row,
           const char *column, const char *plain, size_t n, const char **out)
{
    struct crypt_key key;
    const char *cell;
    enum err e;

    if (n > SEALED_MAX / 2)
        return ERR_LIMIT;
    crypt_keys_refresh(); /* a rotated key is in force at once */
    if (!crypt_key_newest(&key)) {
        log_error("crypt.no_key table=%s column=%s", table, column);
        return ERR_STATE;
    }
    e = aad(a, table, row, column, key.id, &cell);
    if (e == ERR_OK)
        e = seal_with(a, &key, cell, plain, n, out);
    crypt_wipe(&key, sizeof(key));
    return e;
}

static enum err
open_with(struct arena *a, const struct crypt_key *key, const char *cell,
          const char *base64, const char **out)
{
    unsigned char *block, *plain;
    struct span got = { 0 };
    enum err e;
    size_t n;

    e = crypt_unbase64(a, base64, &got);
    if (e != ERR_OK)
        return e == ERR_BAD_PARAM ? ERR_STATE : e;
    if (got.n < NONCE_BYTES + TAG_BYTES)
        return ERR_STATE;
    n = got.n - NONCE_BYTES - TAG_BYTES;
    plain = arena_alloc(a, n + 1);
    block = arena_alloc(a, TAG_BYTES); /* SET_TAG wants it writable */
    if (plain == NULL || block == NULL)
        return ERR_NOMEM;
    memcpy(block, got.p + NONCE_BYTES, TAG_BYTES);
    if (!gcm(false, key, (const unsigned char *)got.p, cell,
             (const unsigned char *)got.p + NONCE_BYTES + TAG_BYTES, n, plain,
             block)) {
        crypt_wipe(plain, n);
        return ERR_STATE;
    }
    *out = (const char *)plain; /* the arena zeroed the byte behind it */
    return ERR_OK;
}

enum err
crypt_open(struct arena *a, const char *table, const char *row,
           const char *column, const char *sealed, const char **out)
{
    unsigned id = crypt_sealed_key_id(sealed);
    struct crypt_key key;
    const char *cell;
    enum err e;

    if (id != 0 && !crypt_key_find(id, &key))
        crypt_keys_refresh();
    if (id == 0 || !crypt_key_find(id, &key)) {
        log_error("crypt.open table=%s column=%s reason=\"no key %u\"", table,
                  column, id);
        return ERR_STATE;
    }
    e = aad(a, table, row, column, id, &cell);
    if (e == ERR_OK)
        e = open_with(a, &key, cell,
                      strchr(sealed + sizeof(SEALED_PREFIX) - 1, ':') + 1, out);
    crypt_wipe(&key, sizeof(key));
    if (e == ERR_STATE)
        log_error("crypt.open table=%s column=%s key=%u reason=\"altered or "
                  "moved\"",
                  table, column, id);
    return e;
}

unsigned
crypt_sealed_key_id(const char *sealed)
{
    const char *p = sealed + sizeof(SEALED_PREFIX) - 1;
    uint64_t id;

    if (strncmp(sealed, SEALED_PREFIX, sizeof(SEALED_PREFIX) - 1) != 0 ||
        !number_take(&p, NULL, CRYPT_KEY_ID_MAX, &id))
        return 0;
    return *p == ':' ? (unsigned)id : 0;
}
