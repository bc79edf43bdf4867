/* Who is who: the metas and replica servers of this deployment. */
#ifndef PEGASUS_METAS_H
#define PEGASUS_METAS_H

#include "record.h"
#include "req.h"

/* The i-th meta's address (0: m1) as clients know it; NULL past the last. In
 * the arena. */
const char *pegasus_meta_address(struct arena *a, size_t i);
/* All of them, joined by commas. */
const char *pegasus_meta_list(struct arena *a);
/* Its base URL for redirects: as advertised, else of the scheme that this
 * request came by; all listeners speak the same. */
const char *pegasus_meta_url(struct req *r, size_t i);
/* Number of "m1" in that list: 0; -1 when it is none. */
int pegasus_meta_index(const char *id);
/* The address of replica server "r1"; NULL without memory. */
const char *pegasus_replica_address(struct arena *a, const char *tail);
/* The address of the replica server that belongs to machine NET.k, or, for a
 * machine of another network, "" . */
const char *pegasus_replica_of(struct arena *a, const char *machine);

/* Whether the meta of that id ("m2") may lead: clients are sent to its
 * listener, so one that is off does not while another is open. */
bool pegasus_may_lead(const char *id);

#endif
