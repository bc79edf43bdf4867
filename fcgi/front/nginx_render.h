/* nginx's configuration from its templates. Private to fcgi/front/nginx*.c. */
#ifndef MG_NGINX_RENDER_H
#define MG_NGINX_RENDER_H

#include "arena.h"
#include "buf.h"

#define NGINX_VARS 40

/* Values of the placeholders: @NAME@ stands for value. */
struct nginx_vars {
    struct {
        const char *name, *value;
    } v[NGINX_VARS];
    size_t n;
};

/* The template nginx/<name>; NULL when there is none of that name. */
const char *nginx_template(const char *name);

/* Sets a value, or replaces it; the value is borrowed. */
void nginx_set(struct nginx_vars *vars, const char *name, const char *value);

/* Appends the text with its placeholders replaced; values are not expanded
 * again. A line that holds nothing but placeholders without a value goes.
 * INTERNAL for an unknown placeholder: why names it. */
enum err nginx_expand(const struct nginx_vars *vars, const char *text,
                      struct buf *out, char why[WHY_BYTES]) MUST_USE;

/* The values that hold for the whole deployment, from the configuration.
 * BAD_PARAM: why names the key. */
enum err nginx_values(struct arena *a, const char *secret,
                      struct nginx_vars *vars, char why[WHY_BYTES]) MUST_USE;

/* Where it listens: whether `found` (of the look-up) and the address are good;
 * BAD_PARAM with the key in why. */
struct listening;
enum err nginx_check_address(const struct listening *l, enum err found,
                             char why[WHY_BYTES]) MUST_USE;

#endif
