/* The input of a request: body, query and path into the record. */
#ifndef MG_BIND_H
#define MG_BIND_H

#include "req.h"
#include "route.h"

/* Parses the body when the endpoint has use for one (or classify must see
 * it). OK, or what the EVENT_BODY row says. */
enum err bind_parse_body(struct req *r) MUST_USE;

/* An unknown or repeated query parameter of a STRICT_QUERY row. */
enum err bind_strict_query(struct req *r, const struct record *rec) MUST_USE;

/* Body, then query, then path parts into *in, which is zeroed first. */
enum err bind_input(struct req *r, const struct record *rec,
                    const struct route_match *m, void *in) MUST_USE;

/* Whether the record takes members from a body, and whether it cannot do
 * without one. */
bool bind_takes_body(const struct record *rec);
bool bind_needs_body(const struct record *rec);

#endif
