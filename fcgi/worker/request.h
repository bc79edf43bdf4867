/* One FastCGI request: read into a struct req, served, finished. The object
 * is made once and used for one request after another; it changes hands
 * between threads by pointer (libfcgi's streams point back into it). */
#ifndef MG_REQUEST_H
#define MG_REQUEST_H

#include <stdatomic.h>

#include "req.h"

struct request;

/* What every request of this process is held against. Set before threads. */
struct request_rules {
    const char *secret; /* MG_SECRET of our front end; NULL: check_tokens */
    size_t body_max;
    int64_t deadline_ms;
    const atomic_bool *hurry; /* requests under way are to be cut short */
    const char *below;        /* nothing else is served; NULL: everything */
    int may_wait;             /* threads that may wait long for readers */
};

/* What of it comes from configuration and RUN_DIR; false is logged. The texts
 * live until request_rules_forget, which wipes them. */
bool request_rules_load(struct request_rules *out) MUST_USE;
/* SIGHUP: reads the tokens again; a file that cannot be read changes
 * nothing. */
void request_rules_reload(void);
void request_rules_forget(void);

/* What is to be done with a request that was read. */
enum request_next {
    REQUEST_GONE,     /* no request: the connection is closed already */
    REQUEST_ANSWERED, /* refused on the spot */
    REQUEST_FAST,
    REQUEST_SLOW, /* for the second set of threads */
};

/* Once per process, before threads. */
bool request_init(void) MUST_USE;

/* NULL without memory. */
struct request *request_new(const struct request_rules *rules);
void request_free(struct request *q);

/* Reads the next request from the connection, with its body. */
enum request_next request_read(struct request *q, int fd);

/* The row that it is for, as far as its path tells, and whether that row
 * writes; false when there is none: it is refused soon. */
bool request_row(const struct request *q, size_t *row, bool *writes) MUST_USE;

/* Answers it. The connection to the store is this thread's. */
void request_serve(struct request *q, struct db *db);
/* Answers that no thread is free for it. */
void request_refuse_busy(struct request *q, struct db *db);

/* Ends the request and releases all it held. Gives the connection back for
 * the next one; -1 when it is closed now, always so when keep is false. */
int request_finish(struct request *q, bool keep);

#endif
