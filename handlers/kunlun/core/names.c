/* The names of clusters and of what they have. */
#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 9 /* more are no number of ours */

unsigned
names_number(const char *word, const char *name)
{
    size_t k = strlen(word), digits = 0;
    const char *p = name + k;
    unsigned v = 0;

    if (strncmp(name, word, k) != 0)
        return 0;
    for (; p[digits] >= '0' && p[digits] <= '9' && digits < DIGITS_MAX;
         digits++)
        v = v * 10 + (unsigned)(p[digits] - '0');
    return digits > 0 && p[digits] == '\0' ? v : 0;
}

unsigned
names_above(unsigned next, const char *word, const char *name)
{
    unsigned n = names_number(word, name);

    return n >= next ? n + 1 : next;
}

void
names_cluster(int64_t unix_s, int64_t number, char out[NAMES_CLUSTER_BYTES])
{
    (void)snprintf(out, NAMES_CLUSTER_BYTES, "cluster_%" PRId64 "_%06d", unix_s,
                   (int)(number % 1000000));
}
