/* Room: config/ */
/* The tokens that tokens.map has, told without what opens anything. */
#ifndef MG_TOKEN_LIST_H
#define MG_TOKEN_LIST_H

#include "arena.h"
#include "base.h"

struct token_told {
    const char *name, *scope;
    const char *id; /* stands for the token where it must not be named; "" */
    bool secrets;   /* may see secrets in replies */
    bool expired;
    /* Seconds since 1970; 0: not known, never, never used (to a minute). */
    int64_t created_s, expires_s, used_s;
};

/* All of them, in the order of the file, in the arena. NOT_FOUND when there is
 * no file, STATE (errno) when it cannot be read. */
enum err
tokens_told(struct arena *a, struct token_told **out, size_t *n) MUST_USE;

/* When the token of that id was used last, to a minute; 0 when nobody knows. */
int64_t token_used_s(const char *id);

#endif
