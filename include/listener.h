/* Room: config/ */
/* Listeners: where each of them listens in this deployment. Their rows are the
 * dialects' (struct listener, dialect.h). How an address is read: address.h; as
 * the kernel takes it, and who holds its port: host/port.h. */
#ifndef MG_LISTENER_H
#define MG_LISTENER_H

#include "address.h"
#include "base.h"
#include "dialect.h"

#define LISTENER_BYTES 64

/* A listener of this deployment. */
struct listening {
    const struct listener *row; /* dialect.h */
    char id[LISTENER_BYTES];    /* MG_LISTENER: row->name, or name/tail */
    char key[LISTENER_BYTES];   /* in [listen]; "" when none moves it */
    size_t rank;                /* among those of its name */
    unsigned machine;
    char address[ADDRESS_BYTES]; /* host:port, as configured */
};

/* How a listener is called, "name" or "name/tail", cut: the bytes of the name,
 * by which a dialect's rows and mounts know it, and the tail, "" without one. */
size_t listener_name_bytes(const char *id);
const char *listener_tail(const char *id);
/* Whether it is one of that name, which has no slash. */
bool listener_is(const char *id, const char *name);

/* The i-th of the listeners of all dialects: one per row, or one per machine
 * where the row says so. NOT_FOUND past the last; STATE when it is off, LIMIT
 * when the address does not fit (the rest of out is right). The one place that
 * knows them all. */
enum err listener_at(size_t i, struct listening *out) MUST_USE;

/* The i-th of those that have this name. */
enum err
listener_named(const char *name, size_t i, struct listening *out) MUST_USE;

#endif
