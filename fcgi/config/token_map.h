/* Room: config/ */
/* tokens.map, as `metagate token` writes it and as nginx's map and the
 * workers read it. One line per token:
 *
 *     "<token>" "<scope> <name> <1 or 0> <id>[ <expires>]"; # created <made>
 *
 * scope is a word of scope_rights(); name 1 to 64 letters, digits, _ and -;
 * 1 is the mark secrets=yes; the id, 16 hex digits, stands for the token where
 * it must not be named. From the second <expires> on (since 1970) the token is
 * unknown; <made> is when it was added. Lines of older files have no id and no
 * <made>. Blank lines and those that begin with # are comments. */
#ifndef MG_TOKEN_MAP_H
#define MG_TOKEN_MAP_H

#include "base.h"

#define TOKEN_NAME_MAX  64
#define TOKEN_MAX_BYTES 256
#define TOKEN_ID_TEXT   17

struct token_line {
    struct span line;  /* the whole of it, with its line feed if it has one */
    bool broken;       /* it is neither a token nor a comment */
    struct span token; /* n = 0: a comment, or broken */
    char scope[16];
    unsigned rights; /* of the scope */
    char name[TOKEN_NAME_MAX + 1];
    bool secrets;
    char id[TOKEN_ID_TEXT]; /* "" in an older file */
    int64_t created_s;      /* 0: an older file does not say */
    int64_t expires_s;      /* 0: never */
};

/* The line at *text, which moves to the next one; false at the end. The spans
 * point into the text, which is NUL-terminated. */
bool token_map_next(const char **text, struct token_line *out) MUST_USE;

/* Whether a token may be called so. */
bool token_name_ok(const char *name) MUST_USE;

/* Whether a token that expires then (0: never) is unknown by now. */
bool token_expired(int64_t expires_s) MUST_USE;

/* Whether it is an id that tokens are given. */
bool token_id_ok(const char *id) MUST_USE;

/* RUN_DIR/used/<id>, an empty file: it was changed when the token was used
 * last, to a minute. Written by the workers. LIMIT: see place_path. */
enum err token_use_path(const char *id, char *out, size_t size) MUST_USE;

#endif
