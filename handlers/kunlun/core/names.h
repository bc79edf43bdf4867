/* The names that KunlunBase gives: clusters by time and number, shards and
 * computing nodes by the number behind the largest that is there. */
#ifndef KUNLUN_NAMES_H
#define KUNLUN_NAMES_H

#include "base.h"

/* N of a name "<word>N"; 0 for what is no such name. */
unsigned names_number(const char *word, const char *name);
/* The number of the next one, when it was to be `next` but for that name, too:
 * gaps are not filled, what is no such name does not count. */
unsigned names_above(unsigned next, const char *word, const char *name);

/* "cluster_<seconds>_<six digits of the number>". */
#define NAMES_CLUSTER_BYTES 48
void
names_cluster(int64_t unix_s, int64_t number, char out[NAMES_CLUSTER_BYTES]);

#endif
