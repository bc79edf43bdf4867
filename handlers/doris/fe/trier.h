/* Who tries passwords, and how often: counted by all workers of a host. */
#ifndef MG_DORIS_FE_TRIER_H
#define MG_DORIS_FE_TRIER_H

#include "base.h"

#define SEAL_BYTES 32

/* HMAC of texts up to 2 KiB (NULL ends), each with its end. */
bool doris_fe_seal(const unsigned char key[32], const char *const *texts,
                   unsigned char out[SEAL_BYTES]) MUST_USE;

/* Opens RUN_DIR/fe-tries, before threads; without room for it this process
 * counts for itself, and has logged so. */
void triers_open(void);

/* A host, and this user from there. */
struct trier {
    uint64_t host, user;
};

/* By the client's address; all of an IPv6 host's network are one. False when
 * it cannot be told. */
bool
trier_of(const char *address, const char *user, struct trier *out) MUST_USE;

/* Takes one of [doris] fe_tries: 0, or how many milliseconds to wait. */
int64_t trier_take(const struct trier *t) MUST_USE;

/* The last one taken was no try. */
void trier_give_back(const struct trier *t);

#endif
