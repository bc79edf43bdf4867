/* The names of clusters and of what they have. */
#include "names.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DIGITS_MAX 9 /* more are no number of ours */

unsigned
names_next(const char *word, const char *const *names, size_t n)
{
    size_t k = strlen(word);
    unsigned last = 0;

    for (size_t i = 0; i < n; i++) {
        const char *p = names[i] + k;
        size_t digits = 0;
        unsigned v = 0;

        if (strncmp(names[i], word, k) != 0)
            continue;
        for (; p[digits] >= '0' && p[digits] <= '9' && digits < DIGITS_MAX;
             digits++)
            v = v * 10 + (unsigned)(p[digits] - '0');
        if (digits > 0 && p[digits] == '\0' && v > last)
            last = v;
    }
    return last + 1;
}

void
names_cluster(int64_t unix_s, int64_t number, char out[NAMES_CLUSTER_BYTES])
{
    (void)snprintf(out, NAMES_CLUSTER_BYTES, "cluster_%" PRId64 "_%06d", unix_s,
                   (int)(number % 1000000));
}
