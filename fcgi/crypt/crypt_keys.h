/* Keys: private to crypt*.c. */
#ifndef MG_CRYPT_KEYS_H
#define MG_CRYPT_KEYS_H

#include "base.h"

#define CRYPT_KEY_BYTES  32
#define CRYPT_KEY_ID_MAX 999999999u

struct crypt_key {
    unsigned id; /* 1 or more */
    unsigned char bytes[CRYPT_KEY_BYTES];
};

#define CRYPT_KEYS_MAX 256

struct crypt_key_set {
    struct crypt_key key[CRYPT_KEYS_MAX];
    size_t n; /* the last one encrypts */
};

/* Opens the file, and fills *set from it; a refusal is logged. */
enum err crypt_keys_open(const char *path, int *out) MUST_USE;
enum err
crypt_keys_read(int fd, const char *path, struct crypt_key_set *set) MUST_USE;

/* Reads the file of the last crypt_load again when it has been replaced since:
 * by a rotation, which other processes must not be told of. */
void crypt_keys_refresh(void);

/* Copies the key that encrypts, or the one of that id; false without one. The
 * caller wipes the copy. */
bool crypt_key_newest(struct crypt_key *out);
bool crypt_key_find(unsigned id, struct crypt_key *out);

#endif
