/* Room: request/ */
/* One request: what came in, and the ways to answer it. Everything in it
 * lives in its arena, until the worker resets that. */
#ifndef MG_REQ_H
#define MG_REQ_H

#include "arena.h"
#include "base.h"
#include "buf.h"
#include "db.h"
#include "endpoint.h"
#include "json.h"
#include "log.h"

struct param {
    const char *key, *value; /* percent-decoded; "" when there is no '=' */
    bool bare;               /* there is no '=' */
};

struct req {
    struct arena *arena;
    struct db *db;
    const struct dialect *dialect;
    const struct row *mount;         /* by listener and path; never NULL */
    const struct row *endpoint;      /* NULL until routed */
    const struct form *form;         /* the mount's or the encoding's */
    const struct encoding *encoding; /* NULL = none */

    const char *listener;      /* "name/tail": MG_LISTENER */
    const char *listener_tail; /* "m1"; "" when there is none */
    const char *method;        /* "GET" */
    unsigned method_bit;
    const char *path;          /* decoded, as routed */
    const char *operation;     /* path or verb without the leading slash */
    const struct param *query; /* without token parameters */
    size_t n_query;
    const char *body; /* NUL-terminated; "" when absent */
    size_t body_bytes;
    const struct json *json;         /* the parsed body; NULL when none */
    struct trace trace;              /* MG_REQUEST_ID, the client's names */
    const char *token_name;          /* MG_NAME */
    unsigned rights;                 /* set of enum scope */
    bool see_secrets;                /* admin, or a token marked secrets=yes */
    int64_t started_ms, deadline_ms; /* monotonic */
    const char *message; /* a word of the handler's beside a success, for forms
                          * that have a place for it; NULL = none */

    /* Private to fcgi/: use the functions below. */
    struct req_io *io;
};

/* ---- answering: each returns what the handler returns ---- */

/* Success without a result. */
enum err req_ok(struct req *r) MUST_USE;

/* Success with *out as its result, in the form of the mount; out must live
 * until the request ends. The status is the row's. */
enum err
req_send(struct req *r, const struct record *rec, const void *out) MUST_USE;
/* req_send when e is ERR_OK, else e. */
enum err req_send_or_fail(struct req *r, enum err e, const struct record *rec,
                          const void *out) MUST_USE;

/* The whole of the reply that req_send would make, as text in the arena, for
 * whoever keeps it: it says the same to everybody as long as the record has no
 * secrets. LIMIT when it has more than max bytes. */
enum err req_render(struct req *r, const struct record *rec, const void *out,
                    size_t max, struct span *text) MUST_USE;

/* Success with a body of the handler's own. n bytes at p live in the arena. */
enum err req_send_text(struct req *r, const char *content_type, const char *p,
                       size_t n) MUST_USE;

/* Success with bytes that are too many for memory: read while they are sent,
 * all of them or the range that the client asks for (Range, If-Range). *s lives
 * in the arena. LIMIT when there is nothing in that range: the Content-Range
 * that belongs to 416 is set, the failure is the handler's to name. */
struct req_source {
    const char *type; /* Content-Type */
    const char *tag;  /* the entity tag without its quotes: other bytes have
                       * another one */
    int64_t bytes;
    /* Up to n bytes from `at` on: how many, or -1. */
    int64_t (*read)(void *ctx, int64_t at, char *p, size_t n);
    void *ctx;
};
enum err req_send_source(struct req *r, const struct req_source *s) MUST_USE;

/* ASYNC: accepts the job in the request's transaction, which audits it by its
 * `shown`; after the commit the runners of this host look for it. The token's
 * name and the request's id are filled in. */
struct job_new;
enum err req_accept(struct req *r, struct job_new *n) MUST_USE;

/* TX endpoints: what is called after the commit, and the wake-up if there is
 * one, and answers in the handler's place: for what a request has begun on a
 * machine and waits for. It is not called again; what was committed stays,
 * whatever it answers. */
void
req_then(struct req *r, enum err (*then)(struct req *r, void *ctx), void *ctx);

/* A further reply header; name is constant, value without control bytes. */
void req_header_add(struct req *r, const char *name, const char *value);

/* Another server answers this: failure `id` (307 in errors.def) with a
 * Location below base_url (no slash at its end), of the same path and query,
 * values encoded anew; a token that came in the query goes along. */
enum err req_redirect(struct req *r, int id, const char *base_url) MUST_USE;

/* After the commit of this request, loops of this host look for work. */
void req_wake(struct req *r);

/* A named value for the placeholders of an error's text. */
struct arg {
    const char *name, *value;
};
struct args {
    const struct arg *v;
    size_t n;
};
#ifdef __cppcheck__ /* it knows no __VA_OPT__ */
#define ARGS(...) ((struct args){ NULL, 0 })
#else
#define ARGS(...)                                                         \
    ((struct args){                                                       \
        (const struct arg[]){ __VA_ARGS__ __VA_OPT__(, ){ NULL, NULL } }, \
        sizeof((const struct arg[]){                                      \
            __VA_ARGS__ __VA_OPT__(, ){ NULL, NULL } }) /                 \
                sizeof(struct arg) -                                      \
            1 })
#endif
struct arg arg(const char *name, const char *value);
struct arg arg_i64(struct req *r, const char *name, int64_t value);
/* A record as compact JSON, secrets masked. */
struct arg arg_json(struct req *r, const char *name, const struct record *rec,
                    const void *in);

/* Failure: row id of the dialect's errors.def. A placeholder that ARGS does
 * not name is looked up as a dotted member key of the bound input: a text or
 * number as such, an object as compact JSON; secrets masked. Returns the
 * row's class. The last one named wins. */
enum err req_fail(struct req *r, int id, struct args args) MUST_USE;

/* As req_fail; forms that can print more than a code and a text add the
 * members of *more. */
enum err req_fail_with(struct req *r, int id, struct args args,
                       const struct record *rec, const void *more) MUST_USE;

/* Whether req_fail has named a failure. */
bool req_failed(const struct req *r);

/* ---- reading ---- */

/* Runs the list of the endpoint's input record: OK or what req_fail said. */
enum err req_check(struct req *r, const void *in) MUST_USE;

/* BIND_LATE: binds body, query and path into *in. */
enum err req_bind(struct req *r, void *in) MUST_USE;

/* First value of a query parameter; NULL when absent. */
const char *req_query(const struct req *r, const char *key);

/* A request header by its CGI name ("HTTP_ACCEPT"); NULL when absent. Never
 * gives a token. */
const char *req_header(const struct req *r, const char *name);

/* "http" or "https": what the front end's listener spoke when the request came;
 * as configured when the front end does not say. */
const char *req_scheme(const struct req *r);

/* Whether Accept names application/json. */
bool req_wants_json(const struct req *r);

/* classify: which verb and encoding were found in the body. */
void req_select(struct req *r, const char *verb, const struct encoding *enc);

/* TX endpoints: what the audit row says beyond the request itself. target
 * names the thing changed ("cluster i1/c1"); before and after are documents
 * (JSON without a secret) at hand. NULL leaves what was said; what is never
 * said is null: nothing was there before a creation, nothing is left after a
 * removal. */
void req_audit(struct req *r, const char *target, const char *before,
               const char *after);
/* The same of a record: its OUT fields, secrets masked. Printed at once: *in
 * may be changed afterwards. */
void req_audit_before(struct req *r, const struct record *rec, const void *in);
void req_audit_after(struct req *r, const struct record *rec, const void *in);

/* How SECRET fields are to be printed to this client. */
enum secret_mode req_secrets(const struct req *r);

#endif
