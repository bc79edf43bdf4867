/* Room: base/ */
/* What a dialect brings: all that fcgi/ knows of it. fcgi/ names no dialect;
 * it goes through dialects[], each room for the members that are its own. So
 * a new dialect is a folder, a row of handlers/dialects.c, its files in sql/
 * and its refusals in nginx/refuse/. A member that is NULL brings nothing. */
#ifndef MG_DIALECT_H
#define MG_DIALECT_H

#include "base.h"

struct arena;
struct conf_row;
struct db;
struct duty;
struct encoding;
struct error_text;
struct instance_spec;
struct job_kind;
struct json;
struct req;
struct role_run;
struct row;
struct secret_column;
struct unique_text;
struct upkeep;
struct verb;
struct view;

/* An address that is served: one server of nginx each. */
struct listener {
    const char *name; /* first part of MG_LISTENER; NULL ends the table. With
                       * '_' for '-' it is the key in [listen] that moves it,
                       * where the settings have one; of several of one name
                       * the i-th takes the i-th piece of the key's list. */
    const char *tail; /* the part behind the slash; "" = none */
    unsigned machine; /* machine k has the address NET.k; EACH_MACHINE: a
                       * listener on every one, its address as the tail */
    unsigned port;
    const char *refuse; /* nginx/refuse/<refuse>.conf: the error bodies that
                         * nginx itself sends; nginx/locations/<refuse>.conf:
                         * exact locations, when there are any */
};
#define EACH_MACHINE 0

/* What a deployment has from its first start on. */
struct first_start {
    const char *what;       /* for people; NULL ends the table */
    enum err (*make)(void); /* OK without a change when it is there */
    const char *files[4];   /* in RUN_DIR: `metagate check` looks that nobody
                             * else may read those that are there */
};

/* A request that shows a newcomer something: `up` prints those of the first
 * dialect whose listener is open, as words for curl. */
struct first_request {
    const char *path; /* without the first slash; NULL ends the table */
    const char *body; /* without a '; NULL: none */
};

struct dialect {
    const char *name;

    /* ---- what is served: endpoint.h, DIALECT_TABLES ---- */

    const struct row *rows;
    size_t n_rows;
    const struct error_text *errors; /* by id */
    size_t n_errors;
    const struct error_text *by_class; /* ERR__MAX rows; id NULL = none */
    const struct error_text *by_event; /* EVENT__MAX rows */
    const struct unique_text *uniques; /* index NULL ends */
    const struct encoding *encodings;  /* name NULL ends */
    /* Reads path and parsed body and sets the request's verb and encoding
     * (req_select); NULL when paths alone select. */
    enum err (*classify)(struct req *r, const struct json *body);
    /* The verb (of a BODY_RAW row) that a body has which is not JSON, told by
     * the request's headers; NULL, also as this member, when it is JSON. */
    const char *(*raw_verb)(const struct req *r);
    unsigned uri; /* set of enum uri_rule */
    /* Judges the query before anything else of the input, and may replace
     * r->query; NULL when there is nothing to judge. */
    enum err (*query)(struct req *r);
    /* After binding, before the handler and outside of its transaction: OK, or
     * what req_fail has said (rate limits); NULL when all may pass. */
    enum err (*admit)(struct req *r, const void *in);
    /* LEADER_ONLY: OK when this listener may answer, else what req_redirect
     * or req_fail has said. */
    enum err (*leader)(struct req *r);
    /* Once, before a worker's threads start and before it gives up writing
     * files: opens what it shares with the other workers of the host. */
    void (*open)(void);
    /* AUTH_BASIC: whether user and password are right. */
    enum err (*basic)(struct req *r, const char *user, const char *password);

    /* ---- where, and by what keys ---- */

    const struct listener *listeners;
    const struct first_request *first_requests; /* to the first of them */
    /* Browsers' pages of other origins may call it: the section whose key
     * allow_origin says which ("*": all); NULL: none may. */
    const char *cors;
    const struct conf_row *settings; /* config_keys.h */

    /* ---- what it holds, for operators: view.h ---- */

    const struct view *views;
    const struct verb *verbs; /* of the command line: verb.h */

    /* ---- what runs in the background: duty.h ---- */

    const struct duty *duties;
    const struct upkeep *upkeeps;
    /* Kinds of jobs (job.h); NULL ends. Those of the queue "machine" are done
     * by the supervise of the job's machine, with a struct machine (keeper.h)
     * as their ctx; those of "cluster", of no machine, by any control. */
    const struct job_kind *const *jobs;
    /* A machine's keeper asks before it ends, by itself, an instance that does
     * not answer: whether nothing is lost by it. NULL: it may. */
    bool (*may_end)(struct db *db, struct arena *a, const char *uuid);
    /* What is done at an instance that serves before its machine ends it in
     * order: at most timeout_ms; then it is ended all the same. NULL: nothing.
     */
    void (*before_end)(struct arena *a, const struct instance_spec *s,
                       int timeout_ms);

    /* What the role `capture` is: goes on until run->wait says that it is to
     * end, and answers the exit status. */
    int (*capture)(const struct role_run *run);
    /* The listeners that belong to one each: a onebox has a capture of the
     * name of each of their tails. */
    const char *captures;

    /* ---- what it has on disk ---- */

    const struct secret_column *secrets; /* secrets.h */
    const struct first_start *first_start;
    /* Schemas of its own beside [mysql] database: our account is granted the
     * same in them, and the onebox's MariaDB leaves them out of its binlog.
     * NULL ends. */
    const char *const *unlogged;
};

/* All dialects; NULL ends. Defined in handlers/dialects.c. */
extern const struct dialect *const dialects[];

/* The i-th row of the table `own` (NULL: none) and of those that all dialects
 * have as `member` (offsetof in struct dialect), in order; NULL past the last.
 * Rows have row_bytes and begin with a pointer, which is NULL where a table
 * ends. */
const void *
dialect_row(const void *own, size_t member, size_t row_bytes, size_t i);

#endif
