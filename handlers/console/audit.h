/* The audit trail: who has changed what. */
#ifndef CONSOLE_AUDIT_H
#define CONSOLE_AUDIT_H

#include "page.h"

#define CONSOLE_AUDIT_ASKED(X, s)                                       \
    X(s, I64, since, "since", QUERY, -, .doc = "Unix ms: from then on") \
    X(s, I64, until, "until", QUERY, -, .doc = "Unix ms: before then")  \
    X(s, STR, name, "name", QUERY, -, .max = 64, .doc = "of a token")   \
    X(s, STR, dialect, "dialect", QUERY, -, .max = 64)                  \
    X(s, STR, target, "target", QUERY, -, .max = 255,                   \
      .doc = "what targets begin with: instance i1")                    \
    X(s, STR, operation, "operation", QUERY, -, .max = 128)             \
    X(s, STR, request_id, "request_id", QUERY, -, .max = 64,            \
      .doc = "ours, the client's X-Request-Id, or its trace")           \
    CONSOLE_PAGE(X, s)
STRUCT(console_audit_asked, CONSOLE_AUDIT_ASKED);

#define CONSOLE_AUDIT_ROW(X, s)                                              \
    X(s, U64, id, "id", OUT, -)                                              \
    X(s, I64, at_ms, "at_ms", OUT, -, .doc = "Unix ms")                      \
    X(s, STR, name, "name", OUT, -, .column = "token_name",                  \
      .doc = "of the token")                                                 \
    X(s, STR, dialect, "dialect", OUT, -)                                    \
    X(s, STR, listener, "listener", OUT, -)                                  \
    X(s, STR, operation, "operation", OUT, -)                                \
    X(s, STR, target, "target", OUT, -)                                      \
    X(s, STR, request_id, "request_id", OUT, -)                              \
    X(s, STR, client_request_id, "client_request_id", OUT, -,                \
      .doc = "X-Request-Id of the client")                                   \
    X(s, STR, trace_id, "trace_id", OUT, -, .doc = "of its traceparent")     \
    X(s, JSON, request, "request", OUT, -, .column = "request_json",         \
      .doc = "secrets masked; in lists it is left out, as before and after") \
    X(s, JSON, before, "before", OUT, -, .column = "before_json")            \
    X(s, JSON, after, "after", OUT, -, .column = "after_json")
STRUCT(console_audit_row, CONSOLE_AUDIT_ROW);
LIST_OF(console_audit_row);

#define CONSOLE_AUDIT(X, s)                                         \
    X(s, LIST, items, "items", OUT | KEEP_EMPTY, console_audit_row, \
      .doc = "the newest first")                                    \
    X(s, STR, next, "next", OUT, -, .doc = "cursor; absent at the end")
STRUCT(console_audit, CONSOLE_AUDIT);

#define CONSOLE_AUDIT_REF(X, s) X(s, U64, id, "id", IN | PATH, -)
STRUCT(console_audit_ref, CONSOLE_AUDIT_REF);

/* The SQL: store.c. `listeners`: those of the dialect, with ',' between them;
 * "" all. Rows before the id `before`; whole: with their documents. */
enum err
console_store_audit(struct db *db, struct arena *a,
                    const struct console_audit_asked *in, const char *listeners,
                    uint64_t before, size_t max, bool whole,
                    struct list_of_console_audit_row *out) MUST_USE;
enum err console_store_audit_row(struct db *db, struct arena *a, uint64_t id,
                                 struct console_audit_row *out) MUST_USE;

#endif
