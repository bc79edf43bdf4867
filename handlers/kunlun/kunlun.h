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

/* Bytes as `df -h` prints them: "12G". In the arena; "" without memory. */
const char *kunlun_human(struct arena *a, int64_t bytes);

#endif
