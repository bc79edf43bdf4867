/* An order as requests: what is sent, all pages of a list, what is waited for.
 */
#ifndef MG_CLI_ASK_H
#define MG_CLI_ASK_H

#include "door.h"
#include "json.h"
#include "order.h"

/* What an order came to. */
struct outcome {
    const char *text; /* the reply's body */
    size_t bytes;
    const struct json *reply; /* parsed; NULL of VERB_RAW, or an empty one */
    /* Rows of all pages, where the verb has rows. */
    const struct json **row;
    size_t rows;
};

/* Sends it and waits if that is asked for: CLI_OK, or what it ends with, which
 * was told. What is in *out lives as long as the door. */
int ask(struct door *d, const struct order *o, struct outcome *out) MUST_USE;

/* The member of a row by its dotted name; NULL when it has none. */
const struct json *member_at(const struct json *row, const char *dotted);

#endif
