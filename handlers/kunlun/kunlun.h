/* KunlunBase: what its dialects share. */
#ifndef KUNLUN_H
#define KUNLUN_H

#include "endpoint.h"
#include "req.h"

/* The word of an outcome and a sentence, the shape that all of its oldest
 * clients read. */
#define KUNLUN_RESULT(X, s)             \
    X(s, STR, result, "result", OUT, -) \
    X(s, STR, info, "info", OUT, -)
STRUCT(kunlun_result, KUNLUN_RESULT);

/* The verb of a row of the dialect, which lives as long as we do, when a body
 * may name it; NULL. */
const char *kunlun_verb(const struct dialect *d, const char *job_type);

/* Whether what it asks for changes anything; what only reads is answered
 * whatever dry_run says. */
bool kunlun_changes(const struct dialect *d, const char *verb);

/* Whether an object, or NULL, asks to be told what would be done: by "1", and
 * by whatever else is no no: "true" is no wish that it be done. */
bool kunlun_says_dry_run(const struct json *at);

/* Answers with the page of that path; NOT_FOUND, and nothing is answered. */
struct kunlun_page {
    const char *path, *text;
};
enum err kunlun_page_send(struct req *r, const struct kunlun_page *pages,
                          size_t n) MUST_USE;

/* Answers with an outcome and its sentence; info NULL: without one. */
enum err
kunlun_say(struct req *r, const char *result, const char *info) MUST_USE;

/* The lock by which jobs of one port of a machine wait for each other. */
const char *
kunlun_port_lock(struct arena *a, const char *machine, int64_t port);

/* Bytes as `df -h` prints them: "12G". In the arena; "" without memory. */
const char *kunlun_human(struct arena *a, int64_t bytes);

#endif
