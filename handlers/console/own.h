/* metagate's own: tokens and the configuration. */
#ifndef CONSOLE_OWN_H
#define CONSOLE_OWN_H

#include "req.h"

/* A token without what opens anything. Times are seconds since 1970. */
#define CONSOLE_TOKEN(X, s)                                               \
    X(s, STR, name, "name", OUT, -)                                       \
    X(s, STR, scope, "scope", OUT, -)                                     \
    X(s, STR, id, "id", OUT, -, .doc = "stands for the token")            \
    X(s, BOOL, secrets, "secrets", OUT, -, .doc = "it may see secrets")   \
    X(s, BOOL, expired, "expired", OUT, -)                                \
    X(s, I64, created_s, "created_s", OUT, -, .doc = "absent: not known") \
    X(s, I64, expires_s, "expires_s", OUT, -, .doc = "absent: never")     \
    X(s, I64, used_s, "used_s", OUT, -, .doc = "to a minute, on this host")
STRUCT(console_token, CONSOLE_TOKEN);

#define CONSOLE_TOKENS(X, s) \
    X(s, LIST, items, "items", OUT | KEEP_EMPTY, console_token)
STRUCT(console_tokens, CONSOLE_TOKENS);

#define CONSOLE_KEY(X, s)                                      \
    X(s, STR, name, "name", OUT, -, .doc = "serve.threads")    \
    X(s, STR, type, "type", OUT, -, .doc = "text, int, bool")  \
    X(s, STR, value, "value", OUT, -, .doc = "in force")       \
    X(s, STR, dflt, "default", OUT, -)                         \
    X(s, STR, from, "from", OUT, -,                            \
      .doc = "default, file, environment, store")              \
    X(s, I32, line, "line", OUT, -, .doc = "of metagate.ini")  \
    X(s, STR, needs, "needs", OUT, -,                          \
      .doc = "by a change in the file: live, reload, restart") \
    X(s, STR, doc, "doc", OUT, -)
STRUCT(console_key_line, CONSOLE_KEY);

#define CONSOLE_CONFIG(X, s) \
    X(s, LIST, items, "items", OUT | KEEP_EMPTY, console_key_line)
STRUCT(console_config, CONSOLE_CONFIG);

#endif
