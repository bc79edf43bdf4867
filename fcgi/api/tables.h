/* The tables of all dialects, looked at once at start-up. */
#ifndef MG_TABLES_H
#define MG_TABLES_H

#include "endpoint.h"

/* Resolves every list of checks and looks for mistakes that a compiler cannot
 * see: error ids out of range, paths that lack a part of their record, unknown
 * listeners, examples of unknown paths, records that cannot be bound, keys in
 * two tables, missing DEFAULT rows. Each is logged; INTERNAL when there is
 * one. After route_init. */
enum err tables_verify(void) MUST_USE;

/* The example of an endpoint: of its method ("PUT:/a") before one of its path
 * or verb alone; NULL. */
const struct row *
tables_example(const struct dialect *d, const struct row *row);

/* The number of a row among those of all dialects, by which it is counted. */
size_t tables_row(const struct dialect *d, const struct row *row);

/* How many there are. */
size_t tables_rows(void);

/* Stands for what these numbers mean: another build's may be others. */
uint64_t tables_sum(void);

#endif
