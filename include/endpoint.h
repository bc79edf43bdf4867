/* Room: request/ */
/* The four tables of a dialect: endpoints, records, checks, errors. What they
 * mean is done once, in fcgi/api/dispatch.c and its neighbours.
 *
 * A dialect's header declares with
 *     #define ENDPOINT_FILE "mine/endpoints.def"
 *     #define ERROR_FILE "mine/errors.def"
 *     #include "endpoint_protos.h"      handlers' prototypes, error ids
 * and its dialect.c defines with
 *     #include "endpoint_tables.h"      rows, thunks, error texts
 * what stands in its struct dialect (dialect.h) as DIALECT_TABLES.
 */
/* clang-format off */
#ifndef MG_ENDPOINT_H
#define MG_ENDPOINT_H

#include "base.h"
#include "dialect.h"
#include "json.h"
#include "record.h"
#include "scope.h"

struct req;

enum method {
    GET = 1 << 0, /* HEAD is served as GET */
    POST = 1 << 1,
    PUT = 1 << 2,
    DELETE = 1 << 3,
    OPTIONS = 1 << 4,
    ANY = GET | POST | PUT | DELETE | OPTIONS,
};

enum endpoint_flag {
    SLOW = 1 << 0,         /* runs on the second set of threads */
    STREAM = 1 << 1,       /* may be longer than the reply buffer */
    BIND_LATE = 1 << 2,    /* the handler calls req_bind itself */
    ASYNC = 1 << 3,        /* with TX: the handler accepts a job (req_accept),
                            * and the form's accept is the answer */
    DRY = 1 << 4,          /* changes nothing whatever its method */
    STRICT_QUERY = 1 << 5, /* an unknown query parameter is refused */
    LEADER_ONLY = 1 << 6,  /* dialect->leader decides who answers */
    TX = 1 << 7,           /* the handler runs inside one transaction which
                            * the dispatcher begins, audits and commits;
                            * the reply leaves after the commit */
    SNAPSHOT = 1 << 8,     /* the handler and its streamed rows read one
                            * consistent snapshot */
    NO_ENVELOPE = 1 << 9,  /* the out record is the whole body */
    BODY_RAW = 1 << 10,    /* the body is not JSON; the handler reads it */
    DATA = 1 << 11,        /* with TX, of the data path: there are many, and
                            * their audit rows are kept for less time */
    TEXT = 1 << 12,        /* answers by req_send_text, not in the form */
    TAGGED = 1 << 13,      /* a GET: its reply has an ETag, and is 304 for a
                            * client that has it already (If-None-Match) */
};

typedef enum err thunk_fn(struct req *r, const void *in);

/* ---- forms: how a mount speaks ---- */

/* A failure on its way out: a row of errors.def with its text expanded. */
struct failure {
    enum err err;
    int http;
    const char *code; /* "-" = none */
    const char *text; /* expanded, secrets masked; not escaped */
    const char *own_code; /* for forms with codes of their own; NULL = none */
    const struct record *more_rec; /* members beside it; NULL = none */
    const void *more;
};

struct form {
    const char *name;
    unsigned lenient;         /* enum json_lenient, for the body */
    unsigned bind;            /* enum bind_style */
    enum secret_mode secrets; /* for tokens without the mark */
    struct json_style style;
    const char *reply_type;   /* Content-Type of success */
    const char *error_type;
    /* What words failures in its place for a client whose Accept asks for
     * JSON; NULL = nothing does. */
    const struct form *if_json;
    /* HTTP status of whatever a handler refuses for good (not of 429, 503);
     * 0 = the row's. */
    int refusal_http;
    /* For the API's description: the members around a result and the name
     * under which it stands; NULL = the result is the whole body. */
    const struct record *envelope;
    const char *result_key;
    /* The whole body of a success; rec is NULL when there is no result. */
    enum err (*reply)(struct req *r, struct json_writer *w,
                      const struct record *rec, const void *out);
    /* The whole body of a failure. */
    void (*failure)(struct req *r, struct json_writer *w,
                    const struct failure *f);
    /* ASYNC: the answer to an accepted job; NULL when not spoken. */
    void (*accept)(struct req *r, struct json_writer *w, const char *job_id);
};

/* A failure as {code_key: its code, text_key: its text} and a newline. */
void failure_object(struct json_writer *w, const struct failure *f,
                    const char *code_key, const char *text_key);

/* An encoding of body-selected verbs: its name and its form. */
struct encoding {
    const char *name;
    const struct form *form;
};

/* ---- rows of endpoints.def ---- */

enum row_kind { ROW_MOUNT, ROW_ENDPOINT, ROW_VARIANT, ROW_ALSO_OUT, ROW_EXAMPLE };

enum mount_auth { AUTH_TOKEN, AUTH_BASIC, AUTH_NONE };

struct checks;

struct row {
    enum row_kind kind;
    /* MOUNT(listener, prefix, auth, form, tail...) */
    const char *listener; /* first part of MG_LISTENER */
    const char *prefix;   /* "" or "/a/b"; before every path below */
    enum mount_auth auth;
    const struct form *form;
    const char *label;    /* {label} in messages; NULL = "" */
    /* ENDPOINT(methods, path, verb, handler, in, out, status, scope, flags,
     *          doc); path "*" = any; verb "-" = none */
    unsigned methods;
    const char *path, *verb;
    thunk_fn *handler;
    const struct record *in, *out;
    const struct checks *checks;
    int status;
    enum scope scope;
    unsigned flags;
    const char *doc;
    /* VARIANT(verb, encoding, in, out): verb, in, out, checks and */
    const char *encoding;
    /* ALSO_OUT(path, record): path, out */
    /* EXAMPLE(path or verb, setup, json, tail...): path, flags 0, and. Where
     * methods of a path differ, "PUT:/a" is the path of one. */
    const char *setup; /* paths or verbs to be sent before, blank-separated;
                        * "/a#b" sends the EXAMPLE of that path, which only
                        * setups ask for, to /a */
    /* A valid body. $U stands for a fresh unique word; $R{member=otherwise}
     * for that member of a reply to the setup, otherwise for readers. */
    const char *json;
    const char *query; /* a valid query string, when the input is a query */
    const char *answers; /* statuses by which a deployment may answer it beside
                          * the row's, blank-separated: "400 500" */
    const char *at;    /* the path with its {parts} filled in, when it has any;
                        * below the mount, as path; $U as in json */
};

/* ---- rows of errors.def ---- */

struct error_text {
    const char *id;
    enum err err;
    int http;
    const char *code;
    const char *text; /* {name}: an ARGS member, else a field of the input */
    const struct form *form; /* other than the mount's; NULL = the mount's */
    const char *own_code;    /* in forms with codes of their own */
};

/* What the framework itself refuses; each dialect words it by ON(...). Args:
 * {operation} {operation_path} {path} {method}, and those named here. */
enum event {
    EVENT_UNKNOWN_PATH,
    EVENT_METHOD,      /* the path exists, the method does not */
    EVENT_NO_TOKEN,    /* no or unknown token (check_tokens, Basic) */
    EVENT_SCOPE,       /* {scope}: what would be needed */
    EVENT_QUERY,       /* {parameter}: repeated or unknown */
    EVENT_MALFORMED,   /* {parameter} cannot be decoded; without a row: as
                        * EVENT_QUERY */
    EVENT_BODY,        /* {reason}: not JSON, not an object, missing */
    EVENT_FIELD,       /* {field} {reason} */
    EVENT_TOO_LARGE,   /* the body is larger than the bound */
    EVENT_BUSY,        /* no thread for a slow request */
    EVENT__MAX
};

/* UNIQUE("index name", ERROR_ID): what a duplicate key means. */
struct unique_text {
    const char *index;
    int error;
};

/* ---- checks ---- */

enum check_kind {
    CHECK_NEED,       /* a is given (present, not empty, not zero) */
    CHECK_NEED_IN,    /* as NEED, skipped when the object around a is absent */
    CHECK_PRESENT,    /* a is present, whatever its value */
    CHECK_MATCH,      /* a, when given, matches the POSIX extended regex */
    CHECK_MAX_BYTES,  /* text a has at most hi bytes */
    CHECK_RANGE,      /* integer a, when present, is in lo..hi */
    CHECK_ANY_OF,     /* a or b is given */
    CHECK_NOT_BOTH,   /* a and b are not both given */
    CHECK_FN,         /* a function decides */
};

typedef enum err check_fn(struct req *r, const void *in);

struct check {
    enum check_kind kind;
    const char *a, *b; /* dotted member keys */
    const char *regex;
    int64_t lo, hi;
    int error;
    const char *error_id;
    check_fn *fn;
    const char *fn_name;
};

struct check_state; /* paths and regexes, resolved once at start-up */

struct checks {
    const char *name;
    const struct record *rec;
    const struct check *list;
    size_t n;
    struct check_state **state;
};

#define NEED(f, e) { .kind = CHECK_NEED, .a = #f, .error = e, .error_id = #e }
#define NEED_IN(f, e) { .kind = CHECK_NEED_IN, .a = #f, .error = e, .error_id = #e }
#define PRESENT(f, e) { .kind = CHECK_PRESENT, .a = #f, .error = e, .error_id = #e }
#define MATCH(f, re, e) { .kind = CHECK_MATCH, .a = #f, .regex = re, .error = e, .error_id = #e }
#define MAX_BYTES(f, m, e) { .kind = CHECK_MAX_BYTES, .a = #f, .hi = (m), .error = e, .error_id = #e }
#define RANGE(f, l, h, e) { .kind = CHECK_RANGE, .a = #f, .lo = (l), .hi = (h), .error = e, .error_id = #e }
#define ANY_OF(f, g, e) { .kind = CHECK_ANY_OF, .a = #f, .b = #g, .error = e, .error_id = #e }
#define NOT_BOTH(f, g, e) { .kind = CHECK_NOT_BOTH, .a = #f, .b = #g, .error = e, .error_id = #e }
#define FN(f) { .kind = CHECK_FN, .fn = f, .fn_name = #f, .error = -1 }

/* The list of a record, in the order in which the dialect refuses. */
#define CHECKS(record, ...)                                               \
    static const struct check record##_list[] = { __VA_ARGS__ };          \
    static struct check_state *record##_state;                            \
    extern const struct checks record##_checks;                           \
    const struct checks record##_checks = { #record, &record##_rec,       \
        record##_list, COUNT(record##_list), &record##_state }
#define NO_CHECKS(record)                                                 \
    static struct check_state *record##_state;                            \
    extern const struct checks record##_checks;                           \
    const struct checks record##_checks = { #record, &record##_rec,       \
        NULL, 0, &record##_state }

/* A VARIANT's record when a verb is not spoken in an encoding. */
DECLARE_TABLE(NOT_SPOKEN);
extern const struct checks NOT_SPOKEN_checks;
extern const struct checks none_checks;

/* How a dialect reads the target of a request. */
enum uri_rule {
    URI_PLUS_STAYS = 1 << 0, /* '+' in a query is no blank */
    URI_SEGMENTS = 1 << 1,   /* empty segments of the path count for nothing;
                              * an encoded slash does not separate */
    URI_REPLACE = 1 << 2,    /* bytes of a query that are not UTF-8 become
                              * U+FFFD; otherwise they are refused */
    URI_ANY_PATH = 1 << 3,   /* a path without a row is served by those of
                              * "/", which may look at it (r->path) */
};

#endif
