/* The names that KunlunBase gives: clusters by time and number, shards and
 * computing nodes by the number behind the largest that is there. */
#ifndef KUNLUN_NAMES_H
#define KUNLUN_NAMES_H

#include "base.h"

/* The number of the next one: above all N of the names "<word>N". Gaps are not
 * filled, what is no such name does not count. */
unsigned names_next(const char *word, const char *const *names, size_t n);

/* "cluster_<seconds>_<six digits of the number>". */
#define NAMES_CLUSTER_BYTES 48
void
names_cluster(int64_t unix_s, int64_t number, char out[NAMES_CLUSTER_BYTES]);

#endif
