/* Who asks, who leads, which hosts there are. */
#ifndef CONSOLE_WHO_H
#define CONSOLE_WHO_H

#include "req.h"

#define CONSOLE_WHOAMI(X, s)                                            \
    X(s, STR, name, "name", OUT, -, .doc = "of the token")              \
    X(s, LIST, rights, "rights", OUT | KEEP_EMPTY, STR,                 \
      .doc = "read, write, admin, profile, machine: those it has")      \
    X(s, BOOL, secrets, "secrets", OUT, -, .doc = "it may see secrets") \
    X(s, STR, version, "version", OUT, -, .doc = "of metagate")         \
    X(s, STR, commit, "commit", OUT, -)                                 \
    X(s, LIST, dialects, "dialects", OUT | KEEP_EMPTY, STR)             \
    X(s, LIST, in_topology, "in_topology", OUT | KEEP_EMPTY, STR,       \
      .doc = "those of them whose things /api/topology tells")
STRUCT(console_whoami, CONSOLE_WHOAMI);

/* A lease: the right to do a duty now. Times are Unix ms. */
#define CONSOLE_DUTY(X, s)                                                    \
    X(s, STR, name, "name", OUT, -)                                           \
    X(s, STR, dialect, "dialect", OUT, -, .doc = "absent: the runtime's own") \
    X(s, BOOL, held, "held", OUT | PRINT_UNSET, -,                            \
      .doc = "somebody does it now")                                          \
    X(s, STR, leader, "leader", OUT, -, .doc = "who has it, or had: m1")      \
    X(s, STR, host, "host", OUT, -, .doc = "where: name and identity")        \
    X(s, U64, epoch, "epoch", OUT, -, .doc = "grows with every taker")        \
    X(s, I64, since_ms, "since_ms", OUT, -,                                   \
      .doc = "since when this one; absent when an older version took it")     \
    X(s, I64, expires_ms, "expires_ms", OUT, -)                               \
    X(s, STR, owner, "owner", COLUMN_ONLY, -)                                 \
    X(s, I64, now_ms, "now_ms", COLUMN_ONLY, -)
STRUCT(console_duty, CONSOLE_DUTY);
LIST_OF(console_duty);

#define CONSOLE_DUTIES(X, s) \
    X(s, LIST, items, "items", OUT | KEEP_EMPTY, console_duty)
STRUCT(console_duties, CONSOLE_DUTIES);

#define CONSOLE_HOST(X, s)                                                   \
    X(s, STR, host, "host", OUT, -, .doc = "16 hex digits")                  \
    X(s, STR, name, "name", OUT, -, .doc = "of the machine")                 \
    X(s, STR, version, "version", OUT, -, .doc = "of metagate there")        \
    X(s, STR, listen, "listen", OUT, -, .doc = "where its listeners listen") \
    X(s, BOOL, shared, "shared", OUT, -,                                     \
      .doc = "false: it is alone with the store, and keeps replies")         \
    X(s, I64, since_ms, "since_ms", OUT, -)                                  \
    X(s, BOOL, own, "own", OUT | PRINT_UNSET, -, .doc = "the one that answers")
STRUCT(console_host, CONSOLE_HOST);

#define CONSOLE_HOSTS(X, s) \
    X(s, LIST, items, "items", OUT | KEEP_EMPTY, console_host)
STRUCT(console_hosts, CONSOLE_HOSTS);

/* A process on the host that answers: the children of `metagate up`, else those
 * of ours that count in its metrics. */
#define CONSOLE_CHILD(X, s)                                                   \
    X(s, STR, name, "name", OUT, -, .doc = "as for `metagate stop`: serve-0") \
    X(s, STR, state, "state", OUT, -,                                         \
      .doc = "running, starting, stopped, failed ...; gone")                  \
    X(s, I32, pid, "pid", OUT, -)                                             \
    X(s, BOOL, alive, "alive", OUT | PRINT_UNSET, -)                          \
    X(s, I32, restarts, "restarts", OUT, -,                                   \
      .doc = "absent where no `up` keeps it")
STRUCT(console_child, CONSOLE_CHILD);

#define CONSOLE_CHILDREN(X, s) \
    X(s, LIST, items, "items", OUT | KEEP_EMPTY, console_child)
STRUCT(console_children, CONSOLE_CHILDREN);

/* The SQL: store.c. */
#define CONSOLE_LEASES_MAX 4096
enum err console_store_leases(struct db *db, struct arena *a,
                              struct list_of_console_duty *out) MUST_USE;

#endif
