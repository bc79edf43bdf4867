#include "regex_tree.h"

#include <stdio.h>
#include <string.h>

#include "hex.h"
#include "letters.h"

#define DEPTH_MAX  100
#define REPEAT_MAX 1000 /* Go's */
#define TEXT_MAX   1024

enum flag { FOLD = 1, LINES = 2, DOT_ALL = 4, LAZY = 8 };

struct reader {
    struct arena *arena;
    const char *p, *end;
    unsigned flags;
    unsigned depth;
    char *why;
    enum err err;
};

static struct node *read_alternatives(struct reader *r);

static void *
refuse(struct reader *r, const char *what)
{
    if (r->err == ERR_OK) {
        r->err = ERR_BAD_PARAM;
        snprintf(r->why, WHY_BYTES, "%s", what);
    }
    return NULL;
}

static void *
no_memory(struct reader *r)
{
    if (r->err == ERR_OK)
        r->err = ERR_NOMEM;
    return NULL;
}

static struct node *
node(struct reader *r, enum kind kind)
{
    struct node *n = arena_alloc(r->arena, sizeof(*n));

    if (n == NULL)
        return no_memory(r);
    n->kind = kind;
    return n;
}

static bool
at_end(const struct reader *r)
{
    return r->p == r->end;
}

static bool
looking_at(const struct reader *r, const char *s)
{
    size_t n = strlen(s);

    return (size_t)(r->end - r->p) >= n && memcmp(r->p, s, n) == 0;
}

static bool
take(struct reader *r, const char *s)
{
    if (!looking_at(r, s))
        return false;
    r->p += strlen(s);
    return true;
}

static struct class *
class_new(struct reader *r)
{
    struct class *c = arena_alloc(r->arena, sizeof(*c));

    if (c == NULL)
        return no_memory(r);
    c->fold = (r->flags & FOLD) != 0;
    return c;
}

static bool
class_add(struct reader *r, struct class *c, uint32_t first, uint32_t last)
{
    if (c->n == c->room) {
        size_t room = c->room == 0 ? 8 : c->room * 2;
        struct range *v = arena_array(r->arena, room, sizeof(*v));

        if (v == NULL)
            return no_memory(r) != NULL;
        if (c->n > 0)
            memcpy(v, c->v, c->n * sizeof(*v));
        c->v = v;
        c->room = room;
    }
    c->v[c->n++] = (struct range){ first, last };
    return true;
}

static const struct named {
    const char *name;
    const char *ranges; /* pairs of first and last */
} perl[] = { { "d", "09" }, { "s", "\t\n\f\r  " }, { "w", "09AZ__az" } },
  posix[] = {
      { "alnum", "09AZaz" },
      { "alpha", "AZaz" },
      { "ascii", "\001\177" },
      { "blank", "\t\t  " },
      { "cntrl", "\001\037\177\177" },
      { "digit", "09" },
      { "graph", "!~" },
      { "lower", "az" },
      { "print", " ~" },
      { "punct", "!/:@[`{~" },
      { "space", "\t\r  " },
      { "upper", "AZ" },
      { "word", "09AZaz__" },
      { "xdigit", "09AFaf" },
  };

/* \d \D and so on behind the backslash; false when it is none. */
static const struct named *
perl_class(char c, bool *negated)
{
    for (size_t i = 0; i < COUNT(perl); i++) {
        *negated = c == perl[i].name[0] - 'a' + 'A';
        if (*negated || c == perl[i].name[0])
            return &perl[i];
    }
    return NULL;
}

static bool
add_named(struct reader *r, struct class *c, const struct named *n)
{
    bool zero = strcmp(n->name, "ascii") == 0 || strcmp(n->name, "cntrl") == 0;

    for (const char *p = n->ranges; *p != '\0'; p += 2)
        if (!class_add(r, c, (unsigned char)p[0], (unsigned char)p[1]))
            return false;
    return !zero || class_add(r, c, 0, 0);
}

/* What a negated class inside of another one takes. */
static bool
add_also(struct reader *r, struct class *c, const struct named *n)
{
    struct class *also = class_new(r);

    if (also == NULL || !add_named(r, also, n))
        return false;
    also->also = c->also;
    c->also = also;
    return true;
}

static bool
read_hex(struct reader *r, uint32_t *c)
{
    bool braces = take(r, "{");
    size_t digits = 0;

    *c = 0;
    while (!at_end(r) && hex_digit(*r->p) >= 0 && (braces || digits < 2) &&
           *c <= 0x10FFFF) {
        *c = *c * 16 + (uint32_t)hex_digit(*r->p++);
        digits++;
    }
    if (digits == 0 || (!braces && digits != 2) || *c > 0x10FFFF ||
        (braces && !take(r, "}"))) {
        (void)refuse(r, "invalid escape sequence: \\x");
        return false;
    }
    return true;
}

/* Behind a backslash: one character. */
static bool
read_escaped(struct reader *r, uint32_t *c)
{
    static const char from[] = "aftnrv", to[] = "\a\f\t\n\r\v";
    char e = *r->p;
    const char *known;

    if (e == 'x') {
        r->p++;
        return read_hex(r, c);
    }
    known = e != '\0' ? strchr(from, e) : NULL;
    if (known != NULL) {
        r->p++;
        *c = (unsigned char)to[known - from];
        return true;
    }
    if (e == '0' || (e >= '1' && e <= '7' && r->end - r->p > 1 &&
                     r->p[1] >= '0' && r->p[1] <= '7')) {
        *c = 0;
        for (int i = 0; i < 3 && !at_end(r) && *r->p >= '0' && *r->p <= '7';
             i++)
            *c = *c * 8 + (uint32_t)(*r->p++ - '0');
        return true;
    }
    if (e >= '1' && e <= '9') {
        (void)refuse(r, "references back are not possible: \\1");
        return false;
    }
    if (e == 'p' || e == 'P') {
        (void)refuse(r, "classes by property are not supported: \\p");
        return false;
    }
    if ((e >= 'a' && e <= 'z') || (e >= 'A' && e <= 'Z') ||
        (unsigned char)e >= 0x80) {
        (void)refuse(r, "invalid escape sequence");
        return false;
    }
    r->p++;
    *c = (unsigned char)e;
    return true;
}

/* ---- classes ---- */

static bool
read_class_char(struct reader *r, uint32_t *c)
{
    if (at_end(r)) {
        (void)refuse(r, "missing closing ]");
        return false;
    }
    if (*r->p != '\\') {
        *c = letter_next(&r->p, r->end);
        return true;
    }
    r->p++;
    if (at_end(r)) {
        (void)refuse(r, "trailing backslash at end of expression");
        return false;
    }
    return read_escaped(r, c);
}

/* [:alpha:], [:^alpha:]; false: there is none here, or it is refused. */
static bool
read_posix(struct reader *r, struct class *c)
{
    const char *close;
    bool negated;

    if (!looking_at(r, "[:"))
        return false;
    close = r->p + 2;
    while (close < r->end - 1 && !(close[0] == ':' && close[1] == ']'))
        close++;
    if (close >= r->end - 1)
        return false;
    negated = r->p[2] == '^';
    for (size_t i = 0; i < COUNT(posix); i++) {
        const char *name = r->p + 2 + (negated ? 1 : 0);

        if ((size_t)(close - name) != strlen(posix[i].name) ||
            memcmp(name, posix[i].name, strlen(posix[i].name)) != 0)
            continue;
        r->p = close + 2;
        return negated ? add_also(r, c, &posix[i]) : add_named(r, c, &posix[i]);
    }
    (void)refuse(r, "invalid character class range");
    return false;
}

static bool
read_class_item(struct reader *r, struct class *c)
{
    const struct named *named;
    uint32_t first, last;
    bool negated;

    if (read_posix(r, c))
        return true;
    if (r->err != ERR_OK)
        return false;
    if (*r->p == '\\' && r->end - r->p > 1) {
        named = perl_class(r->p[1], &negated);
        if (named != NULL) {
            r->p += 2;
            return negated ? add_also(r, c, named) : add_named(r, c, named);
        }
    }
    if (!read_class_char(r, &first))
        return false;
    last = first;
    if (r->end - r->p > 1 && r->p[0] == '-' && r->p[1] != ']') {
        r->p++;
        if (!read_class_char(r, &last))
            return false;
    }
    if (last < first)
        return refuse(r, "invalid character class range") != NULL;
    return class_add(r, c, first, last);
}

static struct node *
read_class(struct reader *r)
{
    struct class *c = class_new(r);
    struct node *n = node(r, CLASS);
    bool first = true;

    if (c == NULL || n == NULL)
        return NULL;
    c->negated = take(r, "^");
    for (; at_end(r) || *r->p != ']' || first; first = false) {
        if (at_end(r))
            return refuse(r, "missing closing ]");
        if (!read_class_item(r, c))
            return NULL;
    }
    r->p++;
    n->class = c;
    return n;
}

/* ---- one thing ---- */

static struct node *
literal(struct reader *r, uint32_t c)
{
    struct node *n = node(r, CHAR);

    if (n != NULL) {
        n->c = c;
        n->fold = (r->flags & FOLD) != 0;
    }
    return n;
}

static struct node *
assertion(struct reader *r, enum assertion what)
{
    struct node *n = node(r, ASSERT);

    if (n != NULL)
        n->assertion = what;
    return n;
}

static struct node *
join(struct reader *r, enum kind kind, struct node *a, struct node *b)
{
    struct node *n;

    if (a == NULL || b == NULL)
        return NULL;
    if (kind == CAT && a->kind == EMPTY)
        return b;
    n = node(r, kind);
    if (n != NULL) {
        n->a = a;
        n->b = b;
    }
    return n;
}

/* \Q...\E; without \E up to the end. */
static struct node *
read_quoted(struct reader *r)
{
    struct node *all = node(r, EMPTY);

    while (all != NULL && !at_end(r) && !take(r, "\\E"))
        all = join(r, CAT, all, literal(r, letter_next(&r->p, r->end)));
    return all;
}

static struct node *
read_backslash(struct reader *r)
{
    const struct named *named;
    struct class *class;
    struct node *n;
    bool negated;
    uint32_t c;

    if (at_end(r))
        return refuse(r, "trailing backslash at end of expression");
    if (take(r, "A"))
        return assertion(r, TEXT_BEGIN);
    if (take(r, "z"))
        return assertion(r, TEXT_END);
    if (take(r, "b"))
        return assertion(r, WORD_EDGE);
    if (take(r, "B"))
        return assertion(r, NO_WORD_EDGE);
    if (take(r, "Q"))
        return read_quoted(r);
    named = perl_class(*r->p, &negated);
    if (named == NULL)
        return read_escaped(r, &c) ? literal(r, c) : NULL;
    r->p++;
    n = node(r, CLASS);
    class = class_new(r);
    if (n == NULL || class == NULL || !add_named(r, class, named))
        return NULL;
    class->negated = negated;
    n->class = class;
    return n;
}

/* ---- groups ---- */

static bool
read_group_name(struct reader *r)
{
    const char *begin = r->p;

    while (!at_end(r) && is_word((unsigned char)*r->p))
        r->p++;
    return r->p > begin && take(r, ">");
}

/* i, m, s, U, with - before those that end; *group: a colon came. */
static bool
read_flags(struct reader *r, unsigned *flags, bool *group)
{
    static const char letters[] = "imsU";
    bool off = false, any = false;

    for (; !at_end(r); r->p++) {
        const char *known = *r->p != '\0' ? strchr(letters, *r->p) : NULL;

        if (known != NULL) {
            unsigned bit = 1u << (known - letters);

            *flags = off ? *flags & ~bit : *flags | bit;
            any = true;
        } else if (*r->p == '-' && !off) {
            off = true;
            any = false;
        } else {
            break;
        }
    }
    if (at_end(r) || (off && !any))
        return false;
    *group = *r->p == ':';
    return *r->p == ':' || *r->p == ')';
}

static struct node *
read_group(struct reader *r)
{
    static const char *const never[] = { "?=", "?!", "?<=", "?<!",
                                         "?>", "?#", "?|",  "?(" };
    unsigned flags = r->flags;
    struct node *n;
    bool group = true;

    for (size_t i = 0; i < COUNT(never); i++)
        if (looking_at(r, never[i]))
            return refuse(r, "invalid or unsupported syntax behind (?");
    if (take(r, "?P<") || take(r, "?<")) {
        if (!read_group_name(r))
            return refuse(r, "invalid named capture");
    } else if (take(r, "?")) {
        if (!read_flags(r, &r->flags, &group))
            return refuse(r, "invalid or unsupported syntax behind (?");
        r->p++;
        if (!group)
            return node(r, EMPTY); /* the flags hold from here on */
    }
    if (++r->depth > DEPTH_MAX)
        return refuse(r, "expression nests too deeply");
    n = read_alternatives(r);
    r->depth--;
    r->flags = flags;
    if (n != NULL && !take(r, ")"))
        return refuse(r, "missing closing )");
    return n;
}

static struct node *
read_one(struct reader *r)
{
    struct node *n;
    char c = *r->p;

    if (c == '*' || c == '+' || c == '?')
        return refuse(r, "missing argument to repetition operator");
    if (take(r, "("))
        return read_group(r);
    if (take(r, "["))
        return read_class(r);
    if (take(r, "\\"))
        return read_backslash(r);
    if (take(r, "^"))
        return assertion(r, (r->flags & LINES) != 0 ? LINE_BEGIN : TEXT_BEGIN);
    if (take(r, "$"))
        return assertion(r, (r->flags & LINES) != 0 ? LINE_END : TEXT_END);
    if (take(r, ".")) {
        n = node(r, ANY);
        if (n != NULL)
            n->lines = (r->flags & DOT_ALL) != 0;
        return n;
    }
    return literal(r, letter_next(&r->p, r->end));
}

/* ---- repetition ---- */

static bool
read_number(const char **p, const char *end, unsigned *out)
{
    const char *begin = *p;

    *out = 0;
    while (*p < end && **p >= '0' && **p <= '9') {
        if (*out <= REPEAT_MAX)
            *out = *out * 10 + (unsigned)(**p - '0');
        *p += 1;
    }
    return *p > begin;
}

/* {2}, {2,} or {2,3}; what is none is a brace as such. */
static bool
read_count(struct reader *r, unsigned *least, unsigned *most, bool *endless)
{
    const char *p = r->p + 1;

    *endless = false;
    if (!read_number(&p, r->end, least))
        return false;
    *most = *least;
    if (p < r->end && *p == ',') {
        p++;
        if (p < r->end && *p == '}')
            *endless = true;
        else if (!read_number(&p, r->end, most))
            return false;
    }
    if (p == r->end || *p != '}')
        return false;
    r->p = p + 1;
    return true;
}

static bool
read_repetition(struct reader *r, unsigned *least, unsigned *most,
                bool *endless)
{
    *endless = false;
    if (at_end(r))
        return false;
    switch (*r->p) {
    case '*':
    case '+':
        *least = *r->p == '+';
        *endless = true;
        r->p++;
        return true;
    case '?':
        *least = 0;
        *most = 1;
        r->p++;
        return true;
    case '{':
        return read_count(r, least, most, endless);
    default:
        return false;
    }
}

static struct node *
read_repeated(struct reader *r)
{
    struct node *n = read_one(r), *outer;
    unsigned least, most = 0;
    bool endless;

    if (n == NULL || !read_repetition(r, &least, &most, &endless))
        return n;
    if (least > REPEAT_MAX || (!endless && (most > REPEAT_MAX || most < least)))
        return refuse(r, "invalid repeat count");
    (void)take(r, "?"); /* the shortest or the longest: it fits or not */
    outer = node(r, REPEAT);
    if (outer == NULL)
        return NULL;
    outer->a = n;
    outer->least = least;
    outer->most = most;
    outer->lines = endless;
    if (read_repetition(r, &least, &most, &endless))
        return refuse(r, "invalid nested repetition operator");
    return outer;
}

static struct node *
read_sequence(struct reader *r)
{
    struct node *all = node(r, EMPTY);

    while (all != NULL && !at_end(r) && *r->p != '|' && *r->p != ')')
        all = join(r, CAT, all, read_repeated(r));
    return all;
}

static struct node *
read_alternatives(struct reader *r)
{
    struct node *all = read_sequence(r);

    while (all != NULL && take(r, "|"))
        all = join(r, ALT, all, read_sequence(r));
    return all;
}

enum err
regex_read(struct arena *a, const char *text, size_t n, bool fold,
           const struct node **out, char why[WHY_BYTES])
{
    struct reader r = { .arena = a,
                        .p = text,
                        .end = text + n,
                        .flags = fold ? FOLD : 0,
                        .why = why };

    *out = NULL;
    if (n > TEXT_MAX) {
        snprintf(why, WHY_BYTES, "expression too large");
        return ERR_BAD_PARAM;
    }
    *out = read_alternatives(&r);
    if (*out != NULL && !at_end(&r))
        (void)refuse(&r, "unexpected )");
    return r.err;
}
