/* What token.c (the commands), token_order.c (their words) and token_change.c
 * (the map and the files) share. */
#ifndef MG_TOKEN_INT_H
#define MG_TOKEN_INT_H

#include "arena.h"
#include "base.h"
#include "config/token_map.h"
#include "place.h"

#define TOKEN_BYTES 32
#define TOKEN_TEXT  (2 * TOKEN_BYTES + 1)

/* ---- token_order.c ---- */

/* What the words of a command say. */
struct token_order {
    const char *verb, *name, *scope, *mark, *expires,
        *keep;         /* NULL: not given */
    int64_t expires_s; /* 0: never, or as the old one */
    int64_t keep_s;
};

/* Whether the words are a command: 0, or the exit status of usage, which was
 * told. */
int token_order_read(int argc, char **argv, struct token_order *o);

/* ---- token_change.c: tokens.map ---- */

/* Value, id and time of a new token; t->token lies in text. */
enum err token_make(struct token_line *t, char text[TOKEN_TEXT]) MUST_USE;

/* The next token of that name; of every name when it is NULL. */
bool token_next_of(const char **map, const char *name, struct token_line *out);

/* The token of that name that was made last and has not expired. */
bool
token_find_valid(const char *map, const char *name, struct token_line *out);

/* ---- the files of a token ---- */

/* RUN_DIR/tokens/NAME and NAME.curlrc; the first token's have names of their
 * own: RUN_DIR/token and curlrc. */
enum err
token_files_paths(const char *name, char *raw, char *rc, size_t size) MUST_USE;
enum err token_files_write(const struct token_line *t) MUST_USE;
void token_files_remove(const char *name);

void token_forget_use(const char *id);

/* ---- one change of the map ---- */

struct token_change {
    struct arena *arena;
    char path[PLACE_BYTES];
    char *map; /* as it is */
    size_t n;
    int lock;
};

/* Says it on standard error; EXIT_FAILURE. */
int token_complain(const char *what, const char *why);

/* Locks and reads the map; NOT_FOUND: no deployment is here. token_change_end
 * in every case. */
enum err token_change_begin(struct token_change *c) MUST_USE;
void token_change_end(struct token_change *c);

/* These answer an exit status, and have told what failed. Writes the map with
 * the new token, the others of its name ending at end_s (0: at once), and has
 * nginx test it. */
int token_change_add(struct token_change *c, const struct token_line *t,
                     int64_t end_s);
/* Without the tokens of that name. */
int token_change_drop(struct token_change *c, const char *name);
/* As it was. */
int token_change_undo(struct token_change *c);
/* Makes a running nginx take the map. */
int token_change_publish(void);

/* Forgets when those of the name were used that the old map has as expired. */
void token_forget_expired(const struct token_change *c, const char *name);

/* Ours, or one that is not: its files were written at least. */
bool token_has_nginx(void);

#endif
