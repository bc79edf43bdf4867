/* The scanner: judges a JSON text from outside and rewrites it for cJSON (see
 * json_scan.h). Everything that could surprise a later reader is decided
 * here: depth, UTF-8, NUL, surrogates, numbers, names given twice, bytes
 * behind the value. */
#include "json_scan.h"

#include "utf8.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A member's name: where it lies in the rewritten text and in the source. */
struct name {
    uint32_t at, n, source;
};

struct scan {
    const char *start, *p, *end;
    unsigned lenient;
    int depth;
    struct json_scanned *out;
    size_t max_values, cap_values;
    struct name *names; /* of all objects that are open, innermost last */
    size_t n_names, cap_names;
    struct json_error *why;
};

static enum err scan_value(struct scan *s);

size_t
json_max_values(size_t n)
{
    return 6144 + n / 32;
}

void
json_scanned_free(struct json_scanned *s)
{
    buf_free(&s->text);
    free(s->places);
    s->places = NULL;
    s->n = 0;
}

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

/* ---- refusals ---- */

static enum err
refuse_at(struct scan *s, size_t offset, enum err e, const char *reason)
{
    s->why->offset = offset;
    (void)snprintf(s->why->reason, sizeof(s->why->reason), "%s", reason);
    return e;
}

static enum err
refuse(struct scan *s, const char *reason)
{
    return refuse_at(s, (size_t)(s->p - s->start), ERR_BAD_PARAM, reason);
}

static enum err
refuse_name(struct scan *s, const struct name *name)
{
    char shown[49], reason[96];

    json_name_for_message(shown, s->out->text.p + name->at, name->n);
    (void)snprintf(reason, sizeof(reason), "name given twice: %s", shown);
    return refuse_at(s, name->source, ERR_BAD_PARAM, reason);
}

/* ---- the text ---- */

static bool
at_end(const struct scan *s)
{
    return s->p == s->end;
}

/* The byte at the present place; NUL at the end, which no rule takes. */
static char
peek(const struct scan *s)
{
    return at_end(s) ? '\0' : *s->p;
}

static void
skip_space(struct scan *s)
{
    while (!at_end(s) &&
           (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
        s->p++;
}

static void
put(struct scan *s, const char *p, size_t n)
{
    buf_put(&s->out->text, p, n);
}

static void
putch(struct scan *s, char c)
{
    buf_putc(&s->out->text, c);
}

/* The array v of elements of that size, with twice the room; NULL without
 * memory, and v is as it was. */
static void *
grown(void *v, size_t *cap, size_t size)
{
    size_t n = *cap > 0 ? *cap * 2 : 64;
    void *p = reallocarray(v, n, size);

    if (p != NULL)
        *cap = n;
    return p;
}

/* ---- strings ---- */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Four hex digits; the caller has passed the "\u". */
static bool
scan_hex4(struct scan *s, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, s->p++) {
        int d = hex_digit(peek(s));

        if (d < 0)
            return false;
        *out = *out << 4 | (uint32_t)d;
    }
    return true;
}

static bool
in_range(uint32_t code, uint32_t low, uint32_t high)
{
    return code >= low && code <= high;
}

static enum err
scan_unicode(struct scan *s, uint32_t *code)
{
    uint32_t low;

    if (!scan_hex4(s, code))
        return refuse(s, "\\u needs four hex digits");
    if (*code == 0)
        return refuse(s, "\\u0000 is not allowed");
    if (in_range(*code, 0xdc00, 0xdfff))
        return refuse(s, "lone surrogate");
    if (!in_range(*code, 0xd800, 0xdbff))
        return ERR_OK;
    if (s->end - s->p < 2 || s->p[0] != '\\' || s->p[1] != 'u')
        return refuse(s, "lone surrogate");
    s->p += 2;
    if (!scan_hex4(s, &low))
        return refuse(s, "\\u needs four hex digits");
    if (!in_range(low, 0xdc00, 0xdfff))
        return refuse(s, "lone surrogate");
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return ERR_OK;
}

/* One code point of a string in the one form that we write it in, so that
 * equal names are equal bytes. */
static void
put_code(struct scan *s, uint32_t code)
{
    static const char special[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
    const char *found = code < 0x80 ? strchr(special, (int)code) : NULL;
    char text[8];

    if (found != NULL) {
        putch(s, '\\');
        putch(s, letter[found - special]);
    } else if (code < 0x20) {
        (void)snprintf(text, sizeof(text), "\\u%04x", (unsigned)code);
        put(s, text, 6);
    } else {
        put(s, text, utf8_encode(text, code));
    }
}

static enum err
scan_escape(struct scan *s)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *found;
    uint32_t code;
    enum err e;
    char c;

    s->p++; /* the backslash */
    c = peek(s);
    found = c != '\0' ? strchr(from, c) : NULL;
    if (found != NULL) {
        s->p++;
        put_code(s, (unsigned char)to[found - from]);
        return ERR_OK;
    }
    if (c == '\'' && (s->lenient & JSON_SINGLE_QUOTES)) {
        s->p++;
        put_code(s, '\'');
        return ERR_OK;
    }
    if (c != 'u')
        return refuse(s, "unknown escape in a string");
    s->p++;
    e = scan_unicode(s, &code);
    if (e == ERR_OK)
        put_code(s, code);
    return e;
}

static bool
is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' &&
           c != '\\' && c != '\'';
}

/* A byte that is no plain one, no end of the string: escape, UTF-8, quote of
 * the other kind, or a mistake. */
static enum err
scan_special(struct scan *s)
{
    size_t n;

    if (*s->p == '\\')
        return scan_escape(s);
    if (*s->p == '"' || *s->p == '\'') {
        put_code(s, (unsigned char)*s->p++);
        return ERR_OK;
    }
    if ((unsigned char)*s->p < 0x20)
        return refuse(s, "control byte in a string");
    n = utf8_len(s->p, (size_t)(s->end - s->p));
    if (n == 0)
        return refuse(s, "not UTF-8");
    put(s, s->p, n);
    s->p += n;
    return ERR_OK;
}

/* The inside of a string to its closing quote, without quotes. */
static enum err
scan_chars(struct scan *s)
{
    char quote = *s->p++;

    for (;;) {
        const char *run = s->p;
        enum err e;

        while (s->p < s->end && is_plain(*s->p))
            s->p++;
        put(s, run, (size_t)(s->p - run));
        if (at_end(s))
            return refuse(s, "string without end");
        if (*s->p == quote) {
            s->p++;
            return ERR_OK;
        }
        e = scan_special(s);
        if (e != ERR_OK)
            return e;
    }
}

static bool
at_quote(const struct scan *s)
{
    char c = peek(s);

    return c == '"' || (c == '\'' && (s->lenient & JSON_SINGLE_QUOTES));
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
        return refuse(s, "malformed number");
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
        return refuse(s, "a value was expected");
    s->p += n;
    put(s, text, sizeof(text));
    return ERR_OK;
}

static enum err
scan_scalar(struct scan *s)
{
    if (at_quote(s))
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
    return refuse(s, at_end(s) ? "the text ends too early"
                               : "a value was expected");
}

/* ---- names ---- */

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

/* Sorted, equal names are neighbours: O(n log n) for any number of them. */
static enum err
check_names(struct scan *s, size_t first)
{
    size_t n = s->n_names - first;
    struct name *v;

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
    if (at_quote(s))
        return scan_chars(s);
    if ((s->lenient & JSON_BARE_KEYS) && starts_bare(peek(s)))
        return scan_bare_name(s);
    return refuse(s, at_end(s) ? "the text ends too early"
                               : "a member's name was expected");
}

static enum err
note_name(struct scan *s, struct name name)
{
    if (s->n_names == s->cap_names) {
        struct name *v = grown(s->names, &s->cap_names, sizeof(*v));

        if (v == NULL)
            return ERR_NOMEM;
        s->names = v;
    }
    s->names[s->n_names++] = name;
    return ERR_OK;
}

static enum err
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

/* ---- containers ---- */

static enum err
scan_member(struct scan *s)
{
    enum err e = scan_name(s);

    if (e != ERR_OK)
        return e;
    skip_space(s);
    if (peek(s) != ':')
        return refuse(s, "':' was expected");
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
        return refuse(s, at_end(s) ? "the text ends too early"
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

    if (s->depth == JSON_MAX_DEPTH)
        return refuse_at(s, (size_t)(s->p - s->start), ERR_LIMIT,
                         "nested deeper than " XSTR(JSON_MAX_DEPTH));
    s->depth++;
    putch(s, *s->p++);
    e = scan_elements(s, close, element);
    if (e == ERR_OK)
        e = check_names(s, first_name);
    if (e != ERR_OK)
        return e;
    s->n_names = first_name;
    putch(s, close);
    s->p++;
    s->depth--;
    return ERR_OK;
}

/* ---- values ---- */

/* Takes the next place in the list; its end is not known yet. */
static enum err
note_value(struct scan *s, size_t *index)
{
    struct json_scanned *o = s->out;

    if (o->n == s->max_values)
        return refuse_at(s, (size_t)(s->p - s->start), ERR_LIMIT,
                         "too many values");
    if (o->n == s->cap_values) {
        struct json_place *v = grown(o->places, &s->cap_values, sizeof(*v));

        if (v == NULL)
            return ERR_NOMEM;
        o->places = v;
    }
    *index = o->n++;
    o->places[*index].start = (uint32_t)(s->p - s->start);
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
    s->out->places[index].end = (uint32_t)(s->p - s->start);
    return e;
}

static enum err
scan_text(struct scan *s)
{
    enum err e = scan_value(s);

    if (e != ERR_OK)
        return e;
    skip_space(s);
    if (!at_end(s))
        return refuse(s, "bytes behind the value");
    return s->out->text.failed ? ERR_NOMEM : ERR_OK;
}

enum err
json_scan(const char *text, size_t n, unsigned lenient,
          struct json_scanned *out, struct json_error *why)
{
    struct scan s = { .start = text,
                      .p = text,
                      .lenient = lenient,
                      .out = out,
                      .max_values = json_max_values(n),
                      .why = why };
    enum err e;

    /* Nothing grows by more than this: a scalar gets two quotes and a tag,
     * a quote in single quotes a backslash. */
    *out =
        (struct json_scanned){ .text = BUF_INIT(n * 2 + 3 + s.max_values * 3) };
    *why = (struct json_error){ 0 };
    if (n > JSON_MAX_BYTES)
        return refuse_at(&s, 0, ERR_LIMIT, "the text is too long");
    s.end = text + n;
    e = scan_text(&s);
    free(s.names);
    return e;
}
