/* Where a worker looks a token up: [serve] check_tokens, for front ends that do
 * not map them (nginx does, by the map of nginx/http.conf). The file is
 * tokens.map (config/token_map.h); only hashes of the tokens stay in memory. */
#ifndef MG_TOKEN_LOOKUP_H
#define MG_TOKEN_LOOKUP_H

#include "base.h"
#include "config/token_map.h"

struct token_grant {
    char name[TOKEN_NAME_MAX + 1];
    unsigned rights; /* set of enum scope */
    bool secrets;
    char id[TOKEN_ID_TEXT];
    int64_t expires_s;
};

/* Reads the file; STATE when it cannot be read, others may read it or a line
 * is wrong (logged): what was known before stays. Any thread, any time. */
enum err token_lookup_load(const char *path) MUST_USE;

/* Loads the file again when it has changed; looks at most once a second. */
void token_lookup_refresh(void);

/* Whether the token is known, and has not expired. Letter case does not count,
 * as in nginx's map. The time taken does not depend on which one it is. */
bool token_lookup(const char *token, struct token_grant *out);

/* Forgets all. */
void token_lookup_unload(void);

#endif
