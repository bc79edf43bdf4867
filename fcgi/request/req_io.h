/* Between the worker (FastCGI) and the dispatcher (tables): how a reply
 * leaves. Function pointers, so that unit tests put a request through the
 * dispatcher without FastCGI. */
#ifndef MG_REQ_IO_H
#define MG_REQ_IO_H

#include "req.h"

#define REPLY_HEADERS_MAX 8

struct req_io {
    /* Sends bytes of the CGI reply: "Status: 200 OK\r\nContent-Type: ...",
     * blank line, body. Buffers; STATE once the client is gone. */
    enum err (*write)(struct req_io *io, const char *p, size_t n);
    /* The reply cannot be completed: the connection is broken off, so that
     * the client never takes a part for the whole. */
    void (*abort)(struct req_io *io);
    /* A FastCGI parameter; NULL when absent. Tokens are taken out before. */
    const char *(*param)(struct req_io *io, const char *name);
    /* Whether nobody waits for the reply any more: the client's connection is
     * closed. Cheap; NULL when not known. */
    bool (*client_gone)(struct req_io *io);
    /* Whether the process is to stop, and the request to be cut short. */
    bool (*stopping)(struct req_io *io);
    /* Another worker of this host, asked with the rights of this request
     * (worker/peer.h): the connection, or -1; then its answer. NULL where
     * there are no workers. */
    int (*ask_peer)(struct req_io *io, unsigned n, const char *target);
    enum err (*take_peer)(int fd, int *status, struct buf *body);
    void *ctx;           /* the worker's */
    bool body_too_large; /* the body was longer than [serve] body_kib */
    bool dry_run;        /* what is done is taken back (api/dry_run.h) */

    /* The dispatcher's: what the handler has asked for. */
    struct {
        const char *name, *value;
    } header[REPLY_HEADERS_MAX];
    size_t n_headers;
    const struct record *out_rec; /* req_send */
    const void *out;
    const char *text, *text_type; /* req_send_text */
    size_t text_bytes;
    const struct req_source *source; /* req_send_source: these bytes of it */
    int64_t source_at, source_bytes;
    int status;             /* of the success; 0: the row's */
    struct failure failure; /* req_fail; text NULL = none */
    const struct error_text *failed;
    const void *in; /* the bound input */
    const struct record *in_rec;
    const struct checks *checks;
    const char *target, *before, *after; /* req_audit */
    bool audit_lost;    /* there was no memory for one of them */
    const char *job_id; /* req_accept: our number of the job */
    bool wake;          /* req_wake */
    enum err (*then)(struct req *r, void *ctx); /* req_then */
    void *then_ctx;
    const char *query_token; /* the worker's: a token of the query, or "" */
};

#endif
