/* Room: base/ */
/* The ground that every room stands on: attributes and small helpers here, and
 * beside it memory that goes with a request (arena.h), texts that grow up to a
 * bound (buf.h), time (clock.h), files (file.h), the log (log.h), scopes
 * (scope.h). Nothing in base/ knows of HTTP, MySQL or a deployment, but for
 * dialect.h, which only declares what a dialect brings.
 *
 * A failure is a class, enum err: whoever first understands it logs it, and
 * callers hand it upward unchanged. */
#ifndef MG_BASE_H
#define MG_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUST_USE                __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define UNUSED                  __attribute__((unused))
#define NORETURN                __attribute__((noreturn))

#define COUNT(a)   (sizeof(a) / sizeof((a)[0]))
#define STR_(x)    #x
#define XSTR(x)    STR_(x)
#define CAT_(a, b) a##b
#define CAT(a, b)  CAT_(a, b)

/* Whether a text says nothing: NULL, or "". */
static inline bool
str_empty(const char *s)
{
    return s == NULL || *s == '\0';
}

/* The text; "" for NULL. */
static inline const char *
or_empty(const char *s)
{
    return s != NULL ? s : "";
}

/* Bytes by pointer and length; not NUL-terminated unless said so. */
struct span {
    const char *p;
    size_t n;
};

/* Why something has failed, for people: a sentence without a full stop, in
 * room that the caller gives and whoever understood the failure fills. */
#define WHY_BYTES 4096

/* Classes of failure; the words are in err.def. ERR_OK is 0. */
enum err {
#define ERR(id, word, retry) ERR_##id,
#include "err.def"
#undef ERR
    ERR__MAX
};

/* The class in lower case ("not_found"), for logs and metrics. Static. */
const char *err_name(enum err e);

/* Writes the sentence, cut at WHY_BYTES; why_fail answers e, so that a refusal
 * is one statement. */
void why_say(char why[WHY_BYTES], const char *fmt, ...) PRINTF_LIKE(2, 3);
enum err why_fail(char why[WHY_BYTES], enum err e, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Whether the same call may succeed later without a change by the caller. */
bool err_may_retry(enum err e);

#endif
