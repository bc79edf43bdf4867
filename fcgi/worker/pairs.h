/* The lengths of FastCGI's name-value pairs, looked at before libfcgi does:
 * it asks for as much memory as two lengths say together, and ends the process
 * when their sum is 2^31 or more. */
#ifndef MG_PAIRS_H
#define MG_PAIRS_H

#include "base.h"

/* All names and values of a request, with their lengths. Front ends hold a
 * head to some KiB. */
#define PAIRS_MAX_BYTES ((uint64_t)1 << 20)

/* Where in its pairs a stream is. */
struct pairs_at {
    unsigned char lengths[8];
    unsigned n;    /* bytes of lengths that have come */
    uint64_t left; /* of the name and the value */
    uint64_t sum;  /* of all so far, lengths and what they announce */
};

/* What has come on a connection since a request began on it; all zero then. */
struct pairs {
    unsigned char header[8];
    unsigned n;              /* bytes of header that have come */
    size_t content, padding; /* of the record, still to come */
    int id;                  /* of the request; 0 before its BEGIN_REQUEST */
    struct pairs_at *in;     /* the record has pairs */
    struct pairs_at params, values;
};

/* Whether these bytes, which follow the ones before, may go on to libfcgi. In
 * whatever pieces they come. */
bool pairs_pass(struct pairs *p, const void *bytes, size_t n) MUST_USE;

#endif
