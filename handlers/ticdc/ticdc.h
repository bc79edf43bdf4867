/* TiCDC: what its files share. */
#ifndef TICDC_H
#define TICDC_H

#include "endpoint.h"
#include "hex.h"
#include "req.h"
#include "ticdc/rules/sink_config.h"
#include "ticdc/store/tables.h"

/* ---- what an endpoint is about ---- */

#define TICDC_FEED_REF(X, s)                                           \
    X(s, STR, changefeed_id, "changefeed_id", IN | PATH, -,            \
      .doc = "letters, digits and single dashes between, 128 at most") \
    X(s, STR, namespace, "namespace", IN | QUERY, -,                   \
      .doc = "\"default\" when it is not said")
STRUCT(ticdc_feed_ref, TICDC_FEED_REF);

/* The same, and whether to wait until all of it is done. */
#define TICDC_FEED_WAIT(X, s)              \
    TICDC_FEED_REF(X, s)                   \
    X(s, STR, wait, "wait", IN | QUERY, -, \
      .doc = "1: answer when every capture has done it")
STRUCT(ticdc_feed_wait, TICDC_FEED_WAIT);

/* ---- ids ---- */

#define TICDC_ID_MAX 128
#define TICDC_ID_RULE                                          \
    "ids are letters, digits and single dashes between them, " \
    "128 at most"

bool ticdc_is_id(const char *id);
/* A new UUID of version 4. INTERNAL without randomness. */
enum err ticdc_uuid(char out[UUID_TEXT]) MUST_USE;
/* What is not said is "default". */
const char *ticdc_namespace(const char *said);
/* "1" and "true" of a query parameter; absent, "", "0" and "false" are no;
 * anything else is refused in its name. */
enum err ticdc_wish(struct req *r, const char *key, const char *said,
                    bool *out) MUST_USE;

/* The id rule; what is wrong is said. */
enum err
ticdc_ids_check(struct req *r, const char *namespace, const char *id) MUST_USE;
/* The id rule, and the changefeed of that id; what is wrong is said. */
enum err ticdc_feed_find(struct req *r, const char *namespace, const char *id,
                         struct ticdc_feed *out) MUST_USE;

/* That changefeed has been changed: the audit row is about it, and captures
 * look at once. */
enum err ticdc_feed_changed(struct req *r, const struct ticdc_feed *f) MUST_USE;

/* BIND_LATE: the changefeed that the path names, before the body is looked at;
 * texts in the arena. */
enum err ticdc_path_feed(struct req *r, struct ticdc_feed_ref *out) MUST_USE;

/* ---- times ---- */

/* "2021-08-10 14:04:54.242" in local time; NULL without memory. */
const char *ticdc_time(struct arena *a, int64_t ms);
/* RFC 3339, with the zone. */
const char *ticdc_time_zone(struct arena *a, int64_t ms);

/* ---- faults that have a code of their own ---- */

/* Answers with the row of errors.def that has that code, and `why` as its
 * text; a code that has none is INTERNAL. */
enum err
ticdc_refuse(struct req *r, const char *code, const char *why) MUST_USE;

/* A row with SLOW has minutes, but the front end waits for no more than for any
 * other: from here on it has their time, so that nothing is written behind the
 * 503 of the front end. */
void ticdc_deadline(struct req *r);
/* Until when (monotonic) a request may ask other servers and wait for captures:
 * some time before its client is told that nobody answers. */
int64_t ticdc_until(const struct req *r);
/* The wait for what captures do: until done says OK (NOT_FOUND: not yet) or
 * that time has come (TIMEOUT). */
enum err ticdc_await(struct req *r, enum err (*done)(struct req *r, void *ctx),
                     void *ctx) MUST_USE;

extern const struct form ticdc_form, ticdc_plain_form;

#define ENDPOINT_FILE "ticdc/endpoints.def"
#define ERROR_FILE    "ticdc/errors.def"
#include "endpoint_protos.h"

#endif
