#include "conflict.h"

#include <string.h>

#define FNV_PRIME UINT64_C(0x100000001b3)

static void
mix(uint64_t *h, const void *p, size_t n)
{
    const unsigned char *b = p;

    for (size_t i = 0; i < n; i++)
        *h = (*h ^ b[i]) * FNV_PRIME;
}

/* Behind each value, so that ("a", "bc") is not ("ab", "c"). */
static void
mix_end(uint64_t *h, size_t n)
{
    mix(h, &n, sizeof(n));
}

/* v and w are one letter to Swedes, i, j and y to some others. */
static unsigned char
fold(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        c = (unsigned char)(c - 'A' + 'a');
    if (c == 'w')
        return 'v';
    return c == 'j' || c == 'y' ? 'i' : c;
}

static bool
is_plain(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] < 0x20 || p[i] > 0x7e)
            return false;
    return true;
}

static size_t
without_spaces(const char *p, size_t n)
{
    while (n > 0 && p[n - 1] == ' ')
        n--;
    return n;
}

/* A prefix is so many characters: known for ASCII only. */
static enum conflict_weight
text(uint64_t *h, bool folded, size_t prefix, const char *p, size_t n)
{
    bool plain = is_plain(p, n);

    if (!plain && (folded || prefix > 0))
        return CONFLICT_ANY;
    if (prefix > 0 && n > prefix)
        n = prefix;
    n = without_spaces(p, n);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];

        if (folded)
            c = fold(c);
        mix(h, &c, 1);
    }
    mix_end(h, n);
    return CONFLICT_SOME;
}

static void
number(uint64_t *h, uint64_t v)
{
    mix(h, &v, sizeof(v));
    mix_end(h, sizeof(v));
}

enum conflict_weight
conflict_value(uint64_t *hash, enum conflict_rule rule, size_t prefix,
               const struct binlog_value *v)
{
    double f;
    size_t n = v->n;

    switch (v->form) {
    case BINLOG_NULL:
        return CONFLICT_NONE;
    case BINLOG_I64:
    case BINLOG_U64:
    case BINLOG_STAMP:
        number(hash, v->u);
        return CONFLICT_SOME;
    case BINLOG_F32:
    case BINLOG_F64:
        f = v->f == 0 ? 0 : v->f; /* -0 is 0 */
        mix(hash, &f, sizeof(f));
        mix_end(hash, sizeof(f));
        return CONFLICT_SOME;
    case BINLOG_TEXT:
    case BINLOG_BYTES:
        break;
    }
    if (rule != CONFLICT_EXACT)
        return text(hash, rule == CONFLICT_FOLDED, prefix, v->p, n);
    if (prefix > 0 && n > prefix)
        n = prefix;
    mix(hash, v->p, n);
    mix_end(hash, n);
    return CONFLICT_SOME;
}
