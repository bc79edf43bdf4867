/* A tree (regex_tree.h) written as a program of a machine that is in many
 * places at once (Thompson), and searched by it. */
#include "regex.h"

#include <stdio.h>
#include <string.h>

#include "letters.h"
#include "regex_tree.h"

#define STEPS_MAX 2048

/* ---- the machine's program ---- */

enum op { OP_CHAR, OP_ANY, OP_CLASS, OP_SPLIT, OP_JUMP, OP_ASSERT, OP_FOUND };

struct step {
    enum op op;
    bool fold, lines;
    uint32_t c;
    const struct class *class;
    enum assertion assertion;
    uint16_t to, other;
};

struct regex {
    size_t n;
    struct step step[];
};

/* ---- writing the program ---- */

struct writer {
    struct step step[STEPS_MAX];
    size_t n;
};

/* The new step's number; STEPS_MAX when there is no room. */
static size_t
put(struct writer *w, struct step s)
{
    if (w->n == STEPS_MAX)
        return STEPS_MAX;
    w->step[w->n] = s;
    return w->n++;
}

static bool
put_split(struct writer *w, size_t *at)
{
    *at = put(w, (struct step){ .op = OP_SPLIT, .to = (uint16_t)(w->n + 1) });
    return *at != STEPS_MAX;
}

static bool write_node(struct writer *w, const struct node *n);

static bool
write_alternative(struct writer *w, const struct node *n)
{
    size_t split, jump;

    if (!put_split(w, &split) || !write_node(w, n->a))
        return false;
    jump = put(w, (struct step){ .op = OP_JUMP });
    if (jump == STEPS_MAX)
        return false;
    w->step[split].other = (uint16_t)w->n;
    if (!write_node(w, n->b))
        return false;
    w->step[jump].to = (uint16_t)w->n;
    return true;
}

static bool
write_endless(struct writer *w, const struct node *n)
{
    size_t split;

    if (!put_split(w, &split) || !write_node(w, n) ||
        put(w, (struct step){ .op = OP_JUMP, .to = (uint16_t)split }) ==
            STEPS_MAX)
        return false;
    w->step[split].other = (uint16_t)w->n;
    return true;
}

static bool
write_repeat(struct writer *w, const struct node *n)
{
    size_t split;

    for (unsigned i = 0; i < n->least; i++)
        if (!write_node(w, n->a))
            return false;
    if (n->lines)
        return write_endless(w, n->a);
    for (unsigned i = n->least; i < n->most; i++) {
        if (!put_split(w, &split) || !write_node(w, n->a))
            return false;
        w->step[split].other = (uint16_t)w->n;
    }
    return true;
}

static bool
write_node(struct writer *w, const struct node *n)
{
    switch (n->kind) {
    case EMPTY:
        return true;
    case CHAR:
        return put(w, (struct step){ .op = OP_CHAR,
                                     .c = n->fold ? letter_lower(n->c) : n->c,
                                     .fold = n->fold }) != STEPS_MAX;
    case ANY:
        return put(w, (struct step){ .op = OP_ANY, .lines = n->lines }) !=
               STEPS_MAX;
    case CLASS:
        return put(w, (struct step){ .op = OP_CLASS, .class = n->class }) !=
               STEPS_MAX;
    case ASSERT:
        return put(w, (struct step){ .op = OP_ASSERT,
                                     .assertion = n->assertion }) != STEPS_MAX;
    case CAT:
        return write_node(w, n->a) && write_node(w, n->b);
    case ALT:
        return write_alternative(w, n);
    case REPEAT:
        return write_repeat(w, n);
    }
    return false;
}

static enum err
write_all(struct arena *a, const struct node *n, const struct regex **out,
          char why[WHY_BYTES])
{
    struct arena *own = arena_new(sizeof(struct writer) + 4096);
    struct writer *w = own != NULL ? arena_alloc(own, sizeof(*w)) : NULL;
    struct regex *re = NULL;
    bool fits;

    if (w == NULL) {
        if (own != NULL)
            arena_free(own);
        return ERR_NOMEM;
    }
    fits = write_node(w, n) &&
           put(w, (struct step){ .op = OP_FOUND }) != STEPS_MAX;
    if (fits)
        re = arena_alloc(a, sizeof(*re) + w->n * sizeof(re->step[0]));
    if (re != NULL) {
        re->n = w->n;
        memcpy(re->step, w->step, w->n * sizeof(re->step[0]));
    }
    arena_free(own);
    *out = re;
    if (!fits)
        snprintf(why, WHY_BYTES, "expression too large");
    return !fits ? ERR_BAD_PARAM : re != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
regex_compile(struct arena *a, const char *text, size_t n, bool fold,
              const struct regex **out, char why[WHY_BYTES])
{
    const struct node *all;
    enum err e = regex_read(a, text, n, fold, &all, why);

    *out = NULL;
    return e == ERR_OK ? write_all(a, all, out, why) : e;
}

/* ---- searching ---- */

static bool
class_has_as_such(const struct class *c, uint32_t x)
{
    for (size_t i = 0; i < c->n; i++)
        if (x >= c->v[i].first && x <= c->v[i].last)
            return true;
    for (const struct class *also = c->also; also != NULL; also = also->also) {
        bool in = false;

        for (size_t i = 0; i < also->n && !in; i++)
            in = x >= also->v[i].first && x <= also->v[i].last;
        if (!in)
            return true;
    }
    return false;
}

static bool
class_has(const struct class *c, uint32_t x)
{
    bool in = class_has_as_such(c, x);

    if (!in && c->fold)
        in = class_has_as_such(c, letter_lower(x)) ||
             class_has_as_such(c, letter_upper(x));
    return in != c->negated;
}

struct places {
    uint8_t in[STEPS_MAX / 8];
};

struct search {
    const struct regex *re;
    uint32_t before, after; /* characters around the place; NONE at an end */
    bool found;
};
#define NONE UINT32_MAX

static bool
holds(const struct search *s, enum assertion what)
{
    bool edge = is_word(s->before) != is_word(s->after);

    switch (what) {
    case TEXT_BEGIN:
        return s->before == NONE;
    case TEXT_END:
        return s->after == NONE;
    case LINE_BEGIN:
        return s->before == NONE || s->before == '\n';
    case LINE_END:
        return s->after == NONE || s->after == '\n';
    case WORD_EDGE:
        return edge;
    case NO_WORD_EDGE:
        return !edge;
    }
    return false;
}

static bool
has(const struct places *p, size_t i)
{
    return (p->in[i / 8] >> (i % 8) & 1) != 0;
}

/* The step, and where one gets from it without a character. */
static void
enter(struct search *s, struct places *p, size_t first)
{
    uint16_t todo[2 * STEPS_MAX + 1]; /* each step is entered once and adds two
                                       * at most */
    size_t n = 0;

    todo[n++] = (uint16_t)first;
    while (n > 0) {
        size_t i = todo[--n];
        const struct step *step = &s->re->step[i];

        if (has(p, i))
            continue;
        p->in[i / 8] |= (uint8_t)(1u << (i % 8));
        if (step->op == OP_FOUND)
            s->found = true;
        if (step->op == OP_SPLIT)
            todo[n++] = step->other;
        if (step->op == OP_SPLIT || step->op == OP_JUMP)
            todo[n++] = step->to;
        if (step->op == OP_ASSERT && holds(s, step->assertion))
            todo[n++] = (uint16_t)(i + 1);
    }
}

static bool
takes(const struct step *step, uint32_t c)
{
    switch (step->op) {
    case OP_CHAR:
        return c == step->c || (step->fold && letter_lower(c) == step->c);
    case OP_ANY:
        return step->lines || c != '\n';
    case OP_CLASS:
        return class_has(step->class, c);
    default:
        return false;
    }
}

bool
regex_search(const struct regex *re, const char *text, size_t n)
{
    const char *p = text, *end = text + n;
    struct places now = { { 0 } }, next;
    struct search s = { .re = re, .before = NONE };
    uint32_t c = n > 0 ? letter_next(&p, end) : NONE;

    for (;;) {
        s.after = c;
        enter(&s, &now, 0);
        if (s.found || c == NONE)
            return s.found;
        s.before = c;
        s.after = p < end ? letter_next(&p, end) : NONE;
        next = (struct places){ { 0 } };
        for (size_t i = 0; i < re->n; i++)
            if (has(&now, i) && takes(&re->step[i], c))
                enter(&s, &next, i + 1);
        now = next;
        c = s.after;
        if (s.found)
            return true;
    }
}
