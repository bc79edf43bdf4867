/* The scanner: judges a JSON text from outside and rewrites it for cJSON (see
 * json_scan.h). Everything that could surprise a later reader is decided by
 * it: depth, UTF-8, NUL, surrogates, numbers, names given twice, bytes behind
 * the value. */
#include "json_scan_int.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A tree's memory: so much, so much more per byte of text; what a value takes
 * at most. */
#define TREE_BYTES    ((size_t)8 << 20)
#define TREE_PER_BYTE 16
#define VALUE_BYTES   150

static enum err scan_value(struct scan *s);

size_t
json_max_values(size_t n)
{
    return (TREE_BYTES + n * TREE_PER_BYTE) / VALUE_BYTES;
}

void
json_scanned_free(struct json_scanned *s)
{
    buf_free(&s->text);
    free(s->extents);
    s->extents = NULL;
    s->n = 0;
}

enum err
scan_refuse_at(struct scan *s, size_t offset, enum err e, const char *reason)
{
    s->why->offset = offset;
    (void)snprintf(s->why->reason, sizeof(s->why->reason), "%s", reason);
    return e;
}

enum err
scan_refuse(struct scan *s, const char *reason)
{
    return scan_refuse_at(s, (size_t)(s->p - s->start), ERR_BAD_PARAM, reason);
}

void *
scan_grown(void *v, size_t *cap, size_t size)
{
    size_t n = *cap > 0 ? *cap * 2 : 64;
    void *p = reallocarray(v, n, size);

    if (p != NULL)
        *cap = n;
    return p;
}

static void
skip_space(struct scan *s)
{
    while (!at_end(s) &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
        s->p++;
}

/* ---- scalars ---- */

static enum err
scan_string(struct scan *s)
{
    enum err e;

    put(s, "\"s", 2);
    e = scan_chars(s);
    putch(s, '"');
    return e;
}

static bool
skip_digits(struct scan *s)
{
    const char *from = s->p;

    while (peek(s) >= '0' && peek(s) <= '9')
        s->p++;
    return s->p > from;
}

/* A number by the grammar of RFC 8259, section 6. */
static bool
skip_number(struct scan *s)
{
    if (peek(s) == '-')
        s->p++;
    if (peek(s) == '0')
        s->p++;
    else if (!skip_digits(s))
        return false;
    if (peek(s) == '.') {
        s->p++;
        if (!skip_digits(s))
            return false;
    }
    if (peek(s) != 'e' && peek(s) != 'E')
        return true;
    s->p++;
    if (peek(s) == '+' || peek(s) == '-')
        s->p++;
    return skip_digits(s);
}

static enum err
scan_number(struct scan *s)
{
    const char *from = s->p;

    if (!skip_number(s))
        return scan_refuse(s, "malformed number");
    put(s, "\"n", 2);
    put(s, from, (size_t)(s->p - from));
    putch(s, '"');
    return ERR_OK;
}

static enum err
scan_word(struct scan *s, const char *word, char tag)
{
    size_t n = strlen(word);
    char text[3] = { '"', tag, '"' };

    if ((size_t)(s->end - s->p) < n || memcmp(s->p, word, n) != 0)
        return scan_refuse(s, "a value was expected");
    s->p += n;
    put(s, text, sizeof(text));
    return ERR_OK;
}

static enum err
scan_scalar(struct scan *s)
{
    if (scan_at_quote(s))
        return scan_string(s);
    switch (peek(s)) {
    case 't':
        return scan_word(s, "true", JSON_TAG_TRUE);
    case 'f':
        return scan_word(s, "false", JSON_TAG_FALSE);
    case 'n':
        return scan_word(s, "null", JSON_TAG_NULL);
    default:
        break;
    }
    if (peek(s) == '-' || isdigit((unsigned char)peek(s)))
        return scan_number(s);
    return scan_refuse(s, at_end(s) ? "the text ends too early"
                                    : "a value was expected");
}

/* ---- containers ---- */

static enum err
scan_member(struct scan *s)
{
    enum err e = scan_name(s);

    if (e != ERR_OK)
        return e;
    skip_space(s);
    if (peek(s) != ':')
        return scan_refuse(s, "':' was expected");
    s->p++;
    return scan_value(s);
}

/* After an element: true when another one follows. */
static enum err
scan_separator(struct scan *s, char close, bool *more)
{
    skip_space(s);
    *more = false;
    if (peek(s) == close)
        return ERR_OK;
    if (peek(s) != ',')
        return scan_refuse(s, at_end(s) ? "the text ends too early"
                                        : "',' was expected");
    s->p++;
    skip_space(s);
    if (peek(s) == close && (s->lenient & JSON_TRAILING_COMMA))
        return ERR_OK;
    putch(s, ',');
    *more = true;
    return ERR_OK;
}

static enum err
scan_elements(struct scan *s, char close, enum err (*element)(struct scan *))
{
    bool more;
    enum err e = ERR_OK;

    skip_space(s);
    more = peek(s) != close;
    while (e == ERR_OK && more) {
        e = element(s);
        if (e == ERR_OK)
            e = scan_separator(s, close, &more);
    }
    return e;
}

static enum err
scan_container(struct scan *s, char close, enum err (*element)(struct scan *))
{
    size_t first_name = s->n_names;
    enum err e;

    if (s->depth == s->max_depth)
        return scan_refuse_at(s, (size_t)(s->p - s->start), ERR_LIMIT,
                              s->max_depth == JSON_MAX_DEPTH
                                  ? "nested deeper than " XSTR(JSON_MAX_DEPTH)
                                  : "nested too deep");
    s->depth++;
    putch(s, *s->p++);
    e = scan_elements(s, close, element);
    if (e == ERR_OK)
        e = scan_check_names(s, first_name);
    if (e != ERR_OK)
        return e;
    s->n_names = first_name;
    putch(s, close);
    s->p++;
    s->depth--;
    return ERR_OK;
}

/* ---- values ---- */

/* Takes the next extent of the list; its end is not known yet. */
static enum err
note_value(struct scan *s, size_t *index)
{
    struct json_scanned *o = s->out;

    if (o->n == s->max_values)
        return scan_refuse_at(s, (size_t)(s->p - s->start), ERR_LIMIT,
                              "too many values");
    if (o->n == s->cap_values) {
        struct json_extent *v =
            scan_grown(o->extents, &s->cap_values, sizeof(*v));

        if (v == NULL)
            return ERR_NOMEM;
        o->extents = v;
    }
    *index = o->n++;
    o->extents[*index].start = (uint32_t)(s->p - s->start);
    return ERR_OK;
}

static enum err
scan_value(struct scan *s)
{
    size_t index;
    enum err e;

    skip_space(s);
    e = note_value(s, &index);
    if (e != ERR_OK)
        return e;
    if (peek(s) == '{')
        e = scan_container(s, '}', scan_member);
    else if (peek(s) == '[')
        e = scan_container(s, ']', scan_value);
    else
        e = scan_scalar(s);
    s->out->extents[index].end = (uint32_t)(s->p - s->start);
    return e;
}

static enum err
scan_text(struct scan *s)
{
    enum err e = scan_value(s);

    if (e != ERR_OK)
        return e;
    skip_space(s);
    if (!at_end(s) && (s->lenient & JSON_TAIL) == 0)
        return scan_refuse(s, "bytes behind the value");
    return s->out->text.failed ? ERR_NOMEM : ERR_OK;
}

enum err
json_scan(const char *text, size_t n, unsigned lenient,
          struct json_scanned *out, struct json_error *why)
{
    const bool own = (lenient & JSON_OWN) != 0;
    const size_t most = n / 2 + 1; /* a value is a byte, and one between two */
    struct scan s = { .start = text,
                      .p = text,
                      .lenient = lenient,
                      .out = out,
                      .max_depth = own ? 2 * JSON_MAX_DEPTH : JSON_MAX_DEPTH,
                      .max_values = own ? most : json_max_values(n),
                      .why = why };
    enum err e;

    /* Nothing grows by more than this: a scalar gets two quotes and a tag,
     * a quote in single quotes a backslash. */
    *out = (struct json_scanned){ .text = BUF_INIT(n * 2 + 3 + most * 3) };
    *why = (struct json_error){ 0 };
    if (n > JSON_MAX_BYTES)
        return scan_refuse_at(&s, 0, ERR_LIMIT, "the text is too long");
    s.end = text + n;
    e = scan_text(&s);
    free(s.names);
    return e;
}
