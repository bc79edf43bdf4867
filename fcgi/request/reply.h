/* From what the handler asked for to the bytes of the CGI reply. */
#ifndef MG_REPLY_H
#define MG_REPLY_H

#include "req.h"

/* Longest reply that is kept back whole, so that an error can still be an
 * error; a STREAM row may go on past it. */
#define REPLY_BUFFER_BYTES ((size_t)1 << 20)

/* A reply under way. */
struct reply {
    struct req *r;
    struct buf body;
    bool head_sent; /* the first part has left: too late for an error */
};

/* Renders the success the handler has asked for into rp->body, and lets it
 * stream when it grows past the buffer. */
enum err reply_render(struct reply *rp) MUST_USE;

/* Sends what was rendered; or the failure noted in the request. */
void reply_send(struct reply *rp);
void reply_send_failure(struct reply *rp);

void reply_init(struct reply *rp, struct req *r);
void reply_free(struct reply *rp);

#endif
