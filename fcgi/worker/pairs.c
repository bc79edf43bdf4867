/* Records and pairs, told apart as libfcgi tells them. */
#include "pairs.h"

#include <fastcgi.h>

static unsigned
length_bytes(unsigned char first)
{
    return first & 0x80 ? 4 : 1;
}

static uint64_t
length_of(const unsigned char *p)
{
    if (length_bytes(*p) == 1)
        return *p;
    return (uint64_t)(p[0] & 0x7f) << 24 | (uint64_t)p[1] << 16 |
           (uint64_t)p[2] << 8 | p[3];
}

/* One more byte of the two lengths; false when it is too much. */
static bool
take_length(struct pairs_at *at, unsigned char byte)
{
    const unsigned char *second;
    unsigned first;

    at->lengths[at->n++] = byte;
    first = length_bytes(at->lengths[0]);
    second = at->lengths + first;
    if (at->n <= first || at->n < first + length_bytes(*second))
        return true;
    at->left = length_of(at->lengths) + length_of(second);
    at->sum += at->n + at->left;
    at->n = 0;
    return at->sum <= PAIRS_MAX_BYTES;
}

static bool
take_content(struct pairs_at *at, const unsigned char *p, size_t n)
{
    while (n > 0) {
        size_t part = at->left < n ? (size_t)at->left : n;

        at->left -= part;
        p += part;
        n -= part;
        if (n > 0 && !take_length(at, *p))
            return false;
        if (n > 0) {
            p++;
            n--;
        }
    }
    return true;
}

/* GET_VALUES has its pairs in one record, between those of a request; records
 * of other requests are passed over. */
static void
begin_record(struct pairs *p)
{
    const unsigned char *h = p->header;
    int type = h[1], id = h[2] << 8 | h[3];

    p->n = 0;
    p->content = (size_t)h[4] << 8 | h[5];
    p->padding = h[6];
    p->in = NULL;
    if (id == FCGI_NULL_REQUEST_ID && type == FCGI_GET_VALUES) {
        p->values = (struct pairs_at){ .n = 0 };
        p->in = &p->values;
    } else if (p->id == 0 && type == FCGI_BEGIN_REQUEST) {
        p->id = id;
    } else if (p->id != 0 && id == p->id && type == FCGI_PARAMS) {
        p->in = &p->params;
    }
}

bool
pairs_pass(struct pairs *p, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;

    while (n > 0) {
        size_t *left = p->content > 0 ? &p->content : &p->padding;
        size_t part = *left < n ? *left : n;

        if (part == 0) {
            p->header[p->n++] = *b;
            part = 1;
            if (p->n == sizeof(p->header))
                begin_record(p);
        } else {
            if (left == &p->content && p->in != NULL &&
                !take_content(p->in, b, part))
                return false;
            *left -= part;
        }
        b += part;
        n -= part;
    }
    return true;
}
