/* Room: egress/ */
/* HTTP calls to other hosts, on libcurl: a body that is streamed out, a reply
 * that is streamed in, through the same door as every other outgoing
 * connection: the address that is connected to is judged by egress_allowed,
 * whatever name it was found by. No redirect is followed, no proxy used, no
 * cookie kept; http and https only, certificates are verified. A call that is
 * made for a request (log_trace) says so: X-Request-Id, traceparent. */
#ifndef MG_HTTP_H
#define MG_HTTP_H

#include "base.h"

#define HTTP_LOCATION   2048
#define HTTP_HEADERS    8
#define HTTP_ETAG_BYTES 128

struct http_call {
    const char *method;               /* "GET", "PUT" ... */
    const char *url;                  /* never logged: it may hold a token */
    const char *header[HTTP_HEADERS]; /* "Name: value"; NULL ends */
    /* The body: `bytes` in memory, or what `read` gives: how many bytes it has
     * put at p, 0 at the end, -1 on failure. size -1: not known, chunked. */
    struct span bytes;
    int64_t (*read)(void *ctx, char *p, size_t n);
    void *read_ctx;
    int64_t size;
    /* Takes the reply's body of a 2xx status, or of every one; false ends the
     * call. Status, location and etag are known by then. NULL: it is dropped.
     */
    bool (*write)(void *ctx, const char *p, size_t n);
    void *write_ctx;
    bool every_status;
    bool http_1_0;
    /* The target was named by who runs the program, at a terminal: it may be
     * our own listener, and no list is asked. */
    bool chosen_here;
    /* AWS signature version 4 by libcurl: "aws:amz:<region>:s3", and keys. */
    const char *sigv4, *access_key, *secret_key;
    const char *from;         /* own address to connect from; NULL: any */
    int64_t deadline_ms;      /* monotonic; 0: none but the stall below */
    int64_t stall_s;          /* no byte for so long ends it; 0: 30 */
    bool (*go_on)(void *ctx); /* asked now and then; false ends it */
    void *go_on_ctx;

    /* What came back. */
    int status;
    char location[HTTP_LOCATION]; /* of a 3xx; "" */
    char etag[HTTP_ETAG_BYTES];
    char request_id[80]; /* X-Request-Id of one of ours; "" */
    int64_t length;      /* Content-Length; -1 */
    char why[WHY_BYTES]; /* when it is not OK; no secrets */
};

/* OK when an answer came, whatever its status; PEER when it could not be
 * reached or broke off, TIMEOUT, DENIED when the address is none that may be
 * connected to, BAD_PARAM for an url that is none, STATE when go_on, read or
 * write ended it, NOMEM. */
enum err http_call(struct http_call *c) MUST_USE;

/* n bytes of text for a path or query: all but [A-Za-z0-9-._~] and, with
 * slash, "/" as %XX. LIMIT when it does not fit. */
enum err
http_escape(const char *text, bool slash, char *out, size_t size) MUST_USE;

#endif
