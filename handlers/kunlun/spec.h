/* What the servers of KunlunBase are to be: whoever installs one on its
 * machine and whoever plans it elsewhere mean the same. */
#ifndef KUNLUN_SPEC_H
#define KUNLUN_SPEC_H

#include "arena.h"
#include "instance.h"
#include "record.h"

struct kunlun_server {
    enum instance_kind kind;
    const char *address;
    int32_t port;
    const char *cluster, *name; /* name: its shard, or its own; NULL: none */
    const char *user;           /* of its clients; NULL: KunlunBase's */
    const char *password;       /* ... NULL: a random one */
    int64_t memory_bytes;
    int32_t max_connections;
    bool lone; /* of storage: there will be no replica */
};

/* A row of which the spec alone is read. */
#define KUNLUN_SPEC_ROW(X, s) X(s, STR, spec, "spec", COLUMN_ONLY | SECRET, -)
STRUCT(kunlun_spec_row, KUNLUN_SPEC_ROW);
LIST_OF(kunlun_spec_row);

/* All of it but the roots, with accounts and secrets of its own. Borrows the
 * texts. */
enum err kunlun_spec(struct arena *a, const struct kunlun_server *w,
                     struct instance_spec *out) MUST_USE;

#endif
