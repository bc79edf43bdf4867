/* Room: crypt/ */
/* The room is secrets at rest: texts are *sealed* for the cell they are in and
 * opened again (here), by keys that this process has of a file
 * (crypt/crypt_keys.h); which columns of the store hold sealed texts is said
 * once, so that a rotation of keys misses none (secrets.h). A key has an *id*,
 * which stands in what it has sealed, and a *fingerprint*, which tells it from
 * another of that id. Beside them, SHA-256 of what is read piece by piece
 * (crypt/digest.h).
 *
 * This header: sealing, and the few other things that are asked of libcrypto.
 * AES-256-GCM with a random nonce; the additional data is
 * "table|row|column|key id", so that a ciphertext moved to another cell does
 * not decrypt. The key file lies outside the database:
 *     <key id> <64 hex digits>     one line per key; the last one encrypts
 * older ones decrypt. */
#ifndef MG_CRYPT_H
#define MG_CRYPT_H

#include "arena.h"
#include "base.h"

/* Reads the key file (mode must not let others read it). Again at run time
 * after a rotation: readers see the old or the new set. */
enum err crypt_load(const char *path) MUST_USE;

/* Writes a new key file with one random key, mode 0600; EXISTS when there is
 * one. crypt_add_key appends a key (write and rename). */
enum err crypt_create(const char *path) MUST_USE;
enum err crypt_add_key(const char *path) MUST_USE;

/* Text "v1:<key id>:<base64 of nonce, tag, ciphertext>" in the arena. */
enum err crypt_seal(struct arena *a, const char *table, const char *row,
                    const char *column, const char *plain, size_t n,
                    const char **out) MUST_USE;

/* The plain text, NUL-terminated; STATE when key, place or bytes are wrong. */
enum err
crypt_open(struct arena *a, const char *table, const char *row,
           const char *column, const char *sealed, const char **out) MUST_USE;

/* Id of the key that encrypts now; of the key that sealed a text (0 = ?). */
unsigned crypt_key_id(void);
unsigned crypt_sealed_key_id(const char *sealed);

/* Id of the i-th key that is loaded; 0 past the last. */
unsigned crypt_key_at(size_t i);
/* What tells a key from another of that id and gives nothing of it away; false
 * when none of that id is loaded. */
#define CRYPT_FINGERPRINT_BYTES 65
bool crypt_fingerprint(unsigned id, char out[CRYPT_FINGERPRINT_BYTES]);

/* SHA-256 as 64 lower-case hex digits and NUL. */
void crypt_sha256_hex(const void *p, size_t n, char out[65]);
/* Slowly, for passwords: scrypt with N 32768, r 8, p 1; 32 MiB meanwhile. */
enum err
crypt_scrypt_hex(const char *password, const char *salt, char out[65]) MUST_USE;
/* HMAC-SHA256. */
enum err crypt_hmac(const void *key, size_t key_n, const void *p, size_t n,
                    unsigned char out[32]) MUST_USE;
/* n random bytes; INTERNAL when the system gives none. */
enum err crypt_random(void *p, size_t n) MUST_USE;
/* Compares in constant time. */
bool crypt_equal(const void *a, const void *b, size_t n);
void crypt_wipe(void *p, size_t n);

/* Base64 into the arena; and back (BAD_PARAM). */
char *crypt_base64(struct arena *a, const void *p, size_t n) MUST_USE;
enum err
crypt_unbase64(struct arena *a, const char *text, struct span *out) MUST_USE;

#endif
