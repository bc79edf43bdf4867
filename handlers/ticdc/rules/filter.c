#include "filter.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "letters.h"
#include "regex.h"

enum kind { ONE, ANY_ONE, ANY_RUN, CLASS };

struct range {
    uint32_t first, last;
};

struct piece {
    enum kind kind;
    bool negated;
    uint32_t c;
    size_t n; /* CLASS */
    const struct range *range;
};

struct pattern {
    const struct regex *regex; /* else */
    size_t n;
    struct piece *piece;
};

struct rule {
    bool takes;
    struct pattern schema, table;
};

struct filter {
    bool fold;
    const char *own;
    size_t n;
    struct rule rule[];
};

/* ---- reading ---- */

struct reader {
    struct arena *arena;
    const char *p, *end;
    bool fold;
    const char *rule;
    char *why;
};

static enum err
refuse(const struct reader *r, const char *what)
{
    (void)snprintf(r->why, WHY_BYTES, "'%.200s': %.3000s", r->rule, what);
    return ERR_BAD_PARAM;
}

static bool
is_plain(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c == '$' || c == '_' || c >= 0x80;
}

static uint32_t
folded(const struct reader *r, uint32_t c)
{
    return r->fold ? letter_lower(c) : c;
}

static bool
is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z');
}

/* Behind a backslash. */
static enum err
read_escaped(struct reader *r, uint32_t *c)
{
    if (r->p == r->end)
        return refuse(r, "syntax error: nothing behind the last backslash");
    if (is_letter_or_digit(*r->p) || (unsigned char)*r->p >= 0x80)
        return refuse(r, "syntax error: a backslash stands before punctuation "
                         "only");
    *c = (unsigned char)*r->p++;
    return ERR_OK;
}

/* "a.b" or `a.b`, the quote doubled inside. */
static enum err
read_quoted(struct reader *r, struct pattern *out)
{
    char quote = *r->p++;

    for (; r->p < r->end; out->n++) {
        if (*r->p == quote) {
            if (r->end - r->p < 2 || r->p[1] != quote)
                break;
            r->p++;
        }
        out->piece[out->n] = (struct piece){
            .c = folded(r, letter_next(&r->p, r->end)),
        };
    }
    if (r->p == r->end)
        return refuse(r, "syntax error: the closing quote is missing");
    if (out->n == 0)
        return refuse(r, "syntax error: nothing between the quotes");
    r->p++;
    return ERR_OK;
}

/* /expression/, \/ for a slash in it. */
static enum err
read_regex(struct reader *r, struct pattern *out)
{
    const char *begin = ++r->p;
    char why[WHY_BYTES] = "", all[WHY_BYTES];
    enum err e;

    while (r->p < r->end && *r->p != '/')
        r->p += *r->p == '\\' && r->end - r->p > 1 ? 2 : 1;
    if (r->p >= r->end)
        return refuse(r, "syntax error: the closing / is missing");
    if (r->p == begin)
        return refuse(r, "syntax error: nothing between the slashes");
    e = regex_compile(r->arena, begin, (size_t)(r->p - begin), r->fold,
                      &out->regex, why);
    r->p++;
    if (e != ERR_BAD_PARAM)
        return e;
    snprintf(all, sizeof(all), "error parsing regexp: %.200s", why);
    return refuse(r, all);
}

static enum err
read_class_end(struct reader *r, uint32_t *c)
{
    if (r->p == r->end || *r->p == ']')
        return refuse(r, "syntax error: a range of characters has no end");
    if (*r->p != '\\') {
        *c = letter_next(&r->p, r->end);
        return ERR_OK;
    }
    r->p++;
    return read_escaped(r, c);
}

/* [a-z_] or [!a-z], behind the bracket. */
static enum err
read_class(struct reader *r, struct piece *out)
{
    struct range *v =
        arena_array(r->arena, (size_t)(r->end - r->p) + 1, sizeof(*v));
    size_t n = 0;
    enum err e;

    if (v == NULL)
        return ERR_NOMEM;
    *out = (struct piece){ .kind = CLASS, .range = v };
    if (r->p < r->end && *r->p == '!') {
        out->negated = true;
        r->p++;
    }
    while (r->p < r->end && *r->p != ']') {
        e = read_class_end(r, &v[n].first);
        if (e != ERR_OK)
            return e;
        v[n].last = v[n].first;
        if (r->end - r->p > 1 && r->p[0] == '-' && r->p[1] != ']') {
            r->p++;
            e = read_class_end(r, &v[n].last);
        }
        if (e != ERR_OK)
            return e;
        if (v[n].last < v[n].first)
            return refuse(r, "syntax error: a range of characters goes "
                             "backwards");
        n++;
    }
    if (r->p == r->end)
        return refuse(r, "syntax error: the closing ] is missing");
    if (n == 0)
        return refuse(r, "syntax error: no character between the brackets");
    r->p++;
    out->n = n;
    return ERR_OK;
}

static enum err
read_word(struct reader *r, struct pattern *out)
{
    struct piece *piece;
    uint32_t c;
    enum err e = ERR_OK;

    while (r->p < r->end && *r->p != '.') {
        piece = &out->piece[out->n];
        c = letter_next(&r->p, r->end);
        switch (c) {
        case '*':
            *piece = (struct piece){ .kind = ANY_RUN };
            break;
        case '?':
            *piece = (struct piece){ .kind = ANY_ONE };
            break;
        case '[':
            e = read_class(r, piece);
            break;
        case '\\':
            e = read_escaped(r, &c);
            *piece = (struct piece){ .c = c };
            break;
        default:
            if (!is_plain(c))
                return refuse(r, "syntax error: a character has no meaning "
                                 "there (quote the name, or put a backslash "
                                 "before it)");
            *piece = (struct piece){ .c = folded(r, c) };
        }
        if (e != ERR_OK)
            return e;
        out->n++;
    }
    return out->n > 0 ? ERR_OK : refuse(r, "syntax error: a name is missing");
}

static enum err
read_pattern(struct reader *r, struct pattern *out)
{
    *out = (struct pattern){ 0 };
    out->piece =
        arena_array(r->arena, (size_t)(r->end - r->p) + 1, sizeof(*out->piece));
    if (out->piece == NULL)
        return ERR_NOMEM;
    if (r->p < r->end && (*r->p == '"' || *r->p == '`'))
        return read_quoted(r, out);
    if (r->p < r->end && *r->p == '/')
        return read_regex(r, out);
    return read_word(r, out);
}

static enum err
read_rule(struct reader *r, struct rule *out)
{
    enum err e;

    out->takes = *r->p != '!';
    if (!out->takes)
        r->p++;
    e = read_pattern(r, &out->schema);
    if (e != ERR_OK)
        return e;
    if (r->p == r->end || *r->p != '.')
        return refuse(r, "syntax error: .table is missing");
    r->p++;
    e = read_pattern(r, &out->table);
    if (e == ERR_OK && r->p != r->end)
        return refuse(r, "syntax error: there is something behind the table");
    return e;
}

static bool
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static enum err
read_line(struct reader *r, struct filter *f)
{
    while (r->p < r->end && is_blank(*r->p))
        r->p++;
    while (r->p < r->end && is_blank(r->end[-1]))
        r->end--;
    if (r->p == r->end || *r->p == '#')
        return ERR_OK;
    if (*r->p == '@')
        return refuse(r, "rules are not read from files of the server");
    return read_rule(r, &f->rule[f->n++]);
}

enum err
filter_parse(struct arena *a, const char *const *rules, size_t n,
             bool case_sensitive, const char *own, const struct filter **out,
             char why[WHY_BYTES])
{
    static const char *const all[] = { "*.*" };
    struct filter *f;
    enum err e = ERR_OK;

    if (n == 0)
        return filter_parse(a, all, 1, case_sensitive, own, out, why);
    if (n > FILTER_RULES_MAX) {
        snprintf(why, WHY_BYTES, "more than %d rules", FILTER_RULES_MAX);
        return ERR_BAD_PARAM;
    }
    f = arena_alloc(a, sizeof(*f) + n * sizeof(f->rule[0]));
    if (f == NULL)
        return ERR_NOMEM;
    f->fold = !case_sensitive;
    f->own = own != NULL ? arena_strdup(a, own) : NULL;
    if (own != NULL && f->own == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        size_t bytes = strlen(rules[i]);
        struct reader r = { .arena = a,
                            .p = rules[i],
                            .end = rules[i] + bytes,
                            .fold = f->fold,
                            .rule = rules[i],
                            .why = why };

        e = bytes > FILTER_RULE_BYTES_MAX ? refuse(&r, "the rule is too long")
                                          : read_line(&r, f);
    }
    *out = f;
    return e;
}

/* ---- deciding ---- */

static bool
class_has_as_such(const struct piece *p, uint32_t c)
{
    for (size_t i = 0; i < p->n; i++)
        if (c >= p->range[i].first && c <= p->range[i].last)
            return true;
    return false;
}

static bool
piece_takes(const struct piece *p, uint32_t c, bool fold)
{
    bool in;

    if (p->kind == ANY_ONE)
        return true;
    if (p->kind == ONE)
        return c == p->c || (fold && letter_lower(c) == p->c);
    if (p->kind == ANY_RUN)
        return false;
    in = class_has_as_such(p, c);
    if (!in && fold)
        in = class_has_as_such(p, letter_lower(c)) ||
             class_has_as_such(p, letter_upper(c));
    return in != p->negated;
}

/* A run that was too short is made longer by one; only the last one has to be,
 * so that the time is the product of both lengths at most. */
static bool
word_fits(const struct pattern *w, const char *name, bool fold)
{
    const char *p = name, *end = name + strlen(name), *again = NULL;
    size_t i = 0, run = 0;

    while (p < end) {
        if (i < w->n && w->piece[i].kind == ANY_RUN) {
            run = ++i;
            again = p;
            continue;
        }
        if (i < w->n && piece_takes(&w->piece[i], letter_next(&p, end), fold)) {
            i++;
            continue;
        }
        if (again == NULL)
            return false;
        p = again;
        (void)letter_next(&p, end);
        again = p;
        i = run;
    }
    while (i < w->n && w->piece[i].kind == ANY_RUN)
        i++;
    return i == w->n;
}

static bool
pattern_fits(const struct pattern *w, const char *name, bool fold)
{
    return w->regex != NULL ? regex_search(w->regex, name, strlen(name))
                            : word_fits(w, name, fold);
}

static bool
fits_all(const struct pattern *w)
{
    return w->regex == NULL && w->n == 1 && w->piece[0].kind == ANY_RUN;
}

bool
filter_is_system(const char *schema)
{
    static const char *const names[] = {
        "mysql",
        "information_schema",
        "performance_schema",
        "sys",
        "metrics_schema",
        "inspection_schema",
        "tidb_cdc",
        "lightning_task_info",
        "workload_schema",
        "Kunlun_Metadata_DB",
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcasecmp(names[i], schema) == 0)
            return true;
    return false;
}

static bool
is_closed(const struct filter *f, const char *schema)
{
    return filter_is_system(schema) ||
           (f->own != NULL && strcasecmp(f->own, schema) == 0);
}

bool
filter_takes(const struct filter *f, const char *schema, const char *table)
{
    if (is_closed(f, schema))
        return false;
    for (size_t i = f->n; i > 0; i--) {
        const struct rule *r = &f->rule[i - 1];

        if (pattern_fits(&r->schema, schema, f->fold) &&
            pattern_fits(&r->table, table, f->fold))
            return r->takes;
    }
    return false;
}

bool
filter_takes_schema(const struct filter *f, const char *schema)
{
    if (is_closed(f, schema))
        return false;
    for (size_t i = f->n; i > 0; i--) {
        const struct rule *r = &f->rule[i - 1];

        if ((r->takes || fits_all(&r->table)) &&
            pattern_fits(&r->schema, schema, f->fold))
            return r->takes;
    }
    return false;
}

/* ---- columns ---- */

/* They are tables of one schema. */
#define COLUMNS "c"

enum err
filter_parse_columns(struct arena *a, const char *const *rules, size_t n,
                     const struct filter **out, char why[WHY_BYTES])
{
    const char **v = arena_array(a, n + 1, sizeof(*v));

    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++) {
        bool is_not = rules[i][0] == '!';

        v[i] = arena_printf(a, "%s" COLUMNS ".%s", is_not ? "!" : "",
                            rules[i] + is_not);
        if (v[i] == NULL)
            return ERR_NOMEM;
    }
    return filter_parse(a, v, n, false, NULL, out, why);
}

bool
filter_takes_column(const struct filter *f, const char *column)
{
    return filter_takes(f, COLUMNS, column);
}
