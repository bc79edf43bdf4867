/* A server, asked: whether its binlog can be read, from where, and how. */
#ifndef MG_SOURCE_UPSTREAM_H
#define MG_SOURCE_UPSTREAM_H

#include "binlog/charset.h"
#include "binlog/gtid.h"
#include "source.h"

/* The fault that a failure of the connection is. */
enum err upstream_failed(const struct my *my, struct binlog_failure *why);

/* What it says of itself; refused when it cannot be read, or not by that
 * number. */
enum err
upstream_look(struct my *my, const struct source_config *c, struct arena *a,
              struct source_upstream *out, struct binlog_failure *why) MUST_USE;
/* Whether it has all that is behind that position. */
enum err upstream_has(const struct source_upstream *u,
                      const struct binlog_gtids *position,
                      struct binlog_failure *why) MUST_USE;
/* Which collation is which charset. */
enum err
upstream_collations(struct my *my, struct arena *a, struct collations *out,
                    struct binlog_failure *why) MUST_USE;
/* The stream begins behind that position; with `once` it ends with what there
 * is, and no other stream of that number is ended by it. *crc: whether
 * checksums were agreed on. */
enum err
upstream_dump(struct my *my, const struct source_config *c,
              const struct binlog_gtids *position, bool once, struct arena *a,
              bool *crc, struct binlog_failure *why) MUST_USE;

#endif
