/* Where the server is, by what token, and a call of it. */
#ifndef MG_CLI_DOOR_H
#define MG_CLI_DOOR_H

#include "arena.h"
#include "buf.h"
#include "order.h"

struct door {
    struct arena *arena;
    char console[512]; /* "http://127.0.0.1:8080" */
    bool local;        /* of RUN_DIR: listeners are known without asking */
    char token[4128];  /* the header; "" */
};

/* How a call has ended. */
struct answer {
    int status; /* 0: nobody has answered, and why says so */
    struct buf body;
    char request_id[80];
    char why[WHY_BYTES];
};

/* By --url or a context, else by the deployment of RUN_DIR, whose
 * configuration has been read. CLI_OK, or what it ends with, which was told. */
int door_open(struct door *d, const struct order *o) MUST_USE;
void door_close(struct door *d);

/* The base of a listener's URLs, "http://host:port", into out: that of the
 * console itself, or what the console says of others. CLI_OK, or told. */
int door_listener(struct door *d, const char *listener, char *out,
                  size_t size) MUST_USE;

/* A call; body NULL: none. Follows redirects to another listener (307) thrice.
 * The answer's body is the caller's to free. */
void door_call(struct door *d, const char *method, const char *url,
               const char *body, bool dry_run, struct answer *out);

#endif
