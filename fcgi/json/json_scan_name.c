/* Names of members: in what forms they are taken, and that none is given
 * twice in an object. */
#include "json_scan_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
json_name_for_message(char out[49], const char *name, size_t n)
{
    bool plain = n > 0 && n < 49;

    for (size_t i = 0; i < n && plain; i++)
        plain = isalnum((unsigned char)name[i]) ||
                (name[i] != '\0' && strchr("_.$-", name[i]) != NULL);
    if (!plain) {
        memcpy(out, "?", 2);
        return;
    }
    memcpy(out, name, n);
    out[n] = '\0';
}

/* The next byte of a name in camelCase: an underscore goes and makes the
 * letter behind it a capital. */
static int
next_camel(const char **p, const char *end)
{
    bool capital = false;

    while (*p < end && **p == '_') {
        capital = true;
        ++*p;
    }
    if (*p == end)
        return -1;
    return capital ? toupper((unsigned char)*(*p)++) : (unsigned char)*(*p)++;
}

static int
compare_camel(const char *a, size_t a_n, const char *b, size_t b_n)
{
    const char *a_end = a + a_n, *b_end = b + b_n;

    for (;;) {
        int x = next_camel(&a, a_end), y = next_camel(&b, b_end);

        if (x != y || x < 0)
            return x - y;
    }
}

static int
compare_names(const void *a, const void *b, void *scan)
{
    const struct scan *s = scan;
    const struct name *x = a, *y = b;
    const char *text = s->out->text.p;

    if (s->lenient & JSON_CAMEL_SNAKE)
        return compare_camel(text + x->at, x->n, text + y->at, y->n);
    if (x->n != y->n)
        return x->n < y->n ? -1 : 1;
    return memcmp(text + x->at, text + y->at, x->n);
}

static enum err
refuse_name(struct scan *s, const struct name *name)
{
    char shown[49], reason[96];

    json_name_for_message(shown, s->out->text.p + name->at, name->n);
    (void)snprintf(reason, sizeof(reason), "name given twice: %s", shown);
    return scan_refuse_at(s, name->source, ERR_BAD_PARAM, reason);
}

/* Sorted, equal names are neighbours: O(n log n) for any number of them. */
enum err
scan_check_names(struct scan *s, size_t first)
{
    size_t n = s->n_names - first;
    struct name *v;

    if (s->out->text.failed)
        return ERR_NOMEM; /* what was not written looks alike */
    if (n < 2)
        return ERR_OK;
    v = s->names + first;
    qsort_r(v, n, sizeof(*v), compare_names, s);
    for (size_t i = 1; i < n; i++) {
        if (compare_names(&v[i - 1], &v[i], s) == 0)
            return refuse_name(s, v[i - 1].source > v[i].source ? &v[i - 1]
                                                                : &v[i]);
    }
    return ERR_OK;
}

static bool
starts_bare(char c)
{
    return isalpha((unsigned char)c) || c == '_' || c == '$';
}

static enum err
scan_bare_name(struct scan *s)
{
    const char *from = s->p;

    while (starts_bare(peek(s)) || isdigit((unsigned char)peek(s)))
        s->p++;
    put(s, from, (size_t)(s->p - from));
    return ERR_OK;
}

static enum err
scan_name_chars(struct scan *s)
{
    if (scan_at_quote(s))
        return scan_chars(s);
    if ((s->lenient & JSON_BARE_KEYS) && starts_bare(peek(s)))
        return scan_bare_name(s);
    return scan_refuse(s, at_end(s) ? "the text ends too early"
                                    : "a member's name was expected");
}

static enum err
note_name(struct scan *s, struct name name)
{
    if (s->n_names == s->cap_names) {
        struct name *v = scan_grown(s->names, &s->cap_names, sizeof(*v));

        if (v == NULL)
            return ERR_NOMEM;
        s->names = v;
    }
    s->names[s->n_names++] = name;
    return ERR_OK;
}

enum err
scan_name(struct scan *s)
{
    uint32_t source = (uint32_t)(s->p - s->start), at;
    enum err e;

    putch(s, '"');
    at = (uint32_t)s->out->text.n;
    e = scan_name_chars(s);
    if (e != ERR_OK)
        return e;
    e = note_name(s,
                  (struct name){ at, (uint32_t)s->out->text.n - at, source });
    put(s, "\":", 2);
    return e;
}
