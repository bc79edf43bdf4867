/* Stacks of several processes, moved to the addresses of the first. */
#include "profile_sum.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile_read.h"

/* Where files go that the first process has not mapped: far from where the
 * kernel puts programs and libraries of x86-64. */
#define ELSEWHERE      UINT64_C(0x100000000000)
#define ELSEWHERE_STEP UINT64_C(0x001000000000)

#define HEAD_WORDS 5 /* of a CPU profile, before its records */

/* A part of a file that is mapped to be run. */
struct part {
    uint64_t start, end, offset;
    char *file; /* device, inode and path as the kernel writes them */
};

struct parts {
    struct part *v;
    size_t n;
};

/* A stack is PROFILE_COUNTS counts, a depth, and that many addresses. */
struct profile_sum {
    enum profile_kind kind;
    uint64_t *word;
    size_t n, cap;
    size_t *at; /* of each stack, in word */
    size_t n_stacks, cap_stacks;
    struct parts mine;
    char *maps;       /* of the first, as text */
    struct buf added; /* lines of what is elsewhere */
    uint64_t elsewhere;
    uint64_t head[HEAD_WORDS];      /* CPU */
    uint64_t total[PROFILE_COUNTS]; /* heap */
    char tail[128];                 /* its first line from "@" on */
};

static void
forget(struct parts *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->v[i].file);
    free(p->v);
    *p = (struct parts){ NULL, 0 };
}

struct profile_sum *
profile_sum_new(void)
{
    struct profile_sum *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->kind = PROFILE_NEITHER;
    s->elsewhere = ELSEWHERE;
    s->added = (struct buf)BUF_INIT((size_t)1 << 20);
    return s;
}

void
profile_sum_free(struct profile_sum *s)
{
    if (s == NULL)
        return;
    forget(&s->mine);
    buf_free(&s->added);
    free(s->maps);
    free(s->word);
    free(s->at);
    free(s);
}

/* ---- what is mapped ---- */

static bool
add_part(struct parts *to, const struct part *p, const char *file)
{
    struct part *v = realloc(to->v, (to->n + 1) * sizeof(*v));

    if (v == NULL)
        return false;
    to->v = v;
    v[to->n] = *p;
    v[to->n].file = strdup(file);
    return v[to->n].file != NULL && ++to->n > 0;
}

/* "start-end r-xp offset device inode path" */
static bool
read_part(const char *line, struct part *out, const char **file)
{
    char mode[5] = "";
    int at = 0;

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %n", &out->start,
               &out->end, mode, &out->offset, &at) < 4)
        return false;
    *file = line + at;
    return at > 0 && mode[2] == 'x' && out->start < out->end;
}

/* Of a text that is changed: its lines are ended. */
static enum err
read_parts(char *maps, struct parts *out)
{
    const char *file;
    struct part p;
    char *rest = NULL;

    for (char *line = strtok_r(maps, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest))
        if (read_part(line, &p, &file) && !add_part(out, &p, file))
            return ERR_NOMEM;
    return ERR_OK;
}

/* A caller's address is behind its call, which may be the last of a part. */
static const struct part *
part_of(const struct parts *in, uint64_t pc)
{
    for (size_t i = 0; i < in->n; i++)
        if (pc >= in->v[i].start && pc <= in->v[i].end)
            return &in->v[i];
    return NULL;
}

/* The part of ours that has what theirs has there. */
static const struct part *
same_part(const struct parts *in, const struct part *theirs, uint64_t offset)
{
    for (size_t i = 0; i < in->n; i++) {
        const struct part *p = &in->v[i];

        if (offset >= p->offset && offset - p->offset <= p->end - p->start &&
            strcmp(p->file, theirs->file) == 0)
            return p;
    }
    return NULL;
}

static const struct part *
place_elsewhere(struct profile_sum *s, const struct part *theirs)
{
    struct part p = *theirs;

    p.start = s->elsewhere;
    p.end = p.start + (theirs->end - theirs->start);
    if (p.end - p.start >= ELSEWHERE_STEP ||
        !add_part(&s->mine, &p, theirs->file))
        return NULL;
    s->elsewhere += ELSEWHERE_STEP;
    buf_printf(&s->added, "%" PRIx64 "-%" PRIx64 " r-xp %08" PRIx64 " %s\n",
               p.start, p.end, p.offset, theirs->file);
    return &s->mine.v[s->mine.n - 1];
}

/* ---- stacks ---- */

static bool
room_for(struct profile_sum *s, size_t words)
{
    if (s->n + words > s->cap) {
        size_t cap = 2 * s->cap + words + 4096;
        uint64_t *v = realloc(s->word, cap * sizeof(*v));

        if (v == NULL)
            return false;
        s->word = v;
        s->cap = cap;
    }
    if (s->n_stacks == s->cap_stacks) {
        size_t cap = 2 * s->cap_stacks + 256;
        size_t *v = realloc(s->at, cap * sizeof(*v));

        if (v == NULL)
            return false;
        s->at = v;
        s->cap_stacks = cap;
    }
    return true;
}

struct adding {
    struct profile_sum *sum;
    const struct parts *theirs;
};

static uint64_t
moved(const struct adding *a, uint64_t pc)
{
    const struct part *theirs = part_of(a->theirs, pc), *mine;
    uint64_t offset;

    if (theirs == NULL) /* nothing that has a name */
        return pc;
    offset = pc - theirs->start + theirs->offset;
    mine = same_part(&a->sum->mine, theirs, offset);
    if (mine == NULL)
        mine = place_elsewhere(a->sum, theirs);
    return mine != NULL ? offset - mine->offset + mine->start : pc;
}

static enum err
add_stack(void *ctx, const struct profile_stack *stack)
{
    const struct adding *a = ctx;
    struct profile_sum *s = a->sum;
    uint64_t *w;

    if (!room_for(s, PROFILE_COUNTS + 1 + stack->depth))
        return ERR_NOMEM;
    s->at[s->n_stacks++] = s->n;
    w = s->word + s->n;
    memcpy(w, stack->count, sizeof(stack->count));
    w += PROFILE_COUNTS;
    *w++ = stack->depth;
    for (size_t i = 0; i < stack->depth; i++)
        *w++ = moved(a, stack->pc[i]);
    s->n = (size_t)(w - s->word);
    return ERR_OK;
}

/* What is told of the whole: a CPU profile's head, a heap's totals. */
static void
add_head(struct profile_sum *s, const void *profile, bool first)
{
    const char *at;
    uint64_t total[PROFILE_COUNTS];

    if (s->kind == PROFILE_CPU) {
        if (first)
            memcpy(s->head, profile, sizeof(s->head));
        return;
    }
    profile_total(profile, total);
    for (size_t i = 0; i < PROFILE_COUNTS; i++)
        s->total[i] += total[i];
    at = strchr(profile, '@');
    if (first && at != NULL)
        (void)snprintf(s->tail, sizeof(s->tail), "%.*s", (int)strcspn(at, "\n"),
                       at);
}

enum err
profile_sum_add(struct profile_sum *s, const void *profile, size_t n)
{
    enum profile_kind kind = profile_kind_of(profile, n);
    bool first = s->kind == PROFILE_NEITHER;
    struct parts theirs = { NULL, 0 };
    struct adding a = { s, &theirs };
    const char *maps;
    size_t stacks;
    char *text;
    enum err e;

    if (kind == PROFILE_NEITHER || (!first && kind != s->kind))
        return ERR_BAD_PARAM;
    e = profile_maps(profile, n, &maps, &stacks);
    if (e != ERR_OK)
        return e;
    s->kind = kind;
    text = strndup(maps, (size_t)((const char *)profile + n - maps));
    if (text == NULL)
        return ERR_NOMEM;
    if (first)
        s->maps = strdup(text);
    e = s->maps != NULL ? read_parts(text, &theirs) : ERR_NOMEM;
    if (e == ERR_OK && first) {
        s->mine = theirs;
        a.theirs = &s->mine;
        theirs = (struct parts){ NULL, 0 };
    }
    if (e == ERR_OK)
        e = profile_each(profile, n, add_stack, &a);
    if (e == ERR_OK)
        add_head(s, profile, first);
    forget(&theirs);
    free(text);
    return e;
}

/* ---- the whole ---- */

static int
by_stack(const void *x, const void *y, void *word)
{
    const uint64_t *a = (uint64_t *)word + *(const size_t *)x + PROFILE_COUNTS;
    const uint64_t *b = (uint64_t *)word + *(const size_t *)y + PROFILE_COUNTS;

    if (*a != *b)
        return *a < *b ? -1 : 1;
    return memcmp(a + 1, b + 1, (size_t)*a * sizeof(*a));
}

static void
put_words(struct buf *out, const uint64_t *w, size_t n)
{
    buf_put(out, (const char *)w, n * sizeof(*w));
}

static void
put_counts(struct buf *out, const uint64_t *count)
{
    buf_printf(out, "%6" PRIu64 ": %8" PRIu64 " [%6" PRIu64 ": %8" PRIu64 "] ",
               count[0], count[1], count[2], count[3]);
}

static void
put_stack(const struct profile_sum *s, const uint64_t *w, struct buf *out)
{
    size_t depth = (size_t)w[PROFILE_COUNTS];

    if (s->kind == PROFILE_CPU) {
        put_words(out, w, 1);
        put_words(out, w + PROFILE_COUNTS, 1 + depth);
        return;
    }
    put_counts(out, w);
    buf_putc(out, '@');
    for (size_t i = 0; i < depth; i++)
        buf_printf(out, " 0x%08" PRIx64, w[PROFILE_COUNTS + 1 + i]);
    buf_putc(out, '\n');
}

/* Equal ones are neighbours now: the last of them gets the counts of all. */
static void
put_stacks(struct profile_sum *s, struct buf *out)
{
    for (size_t i = 0; i < s->n_stacks; i++) {
        uint64_t *w = s->word + s->at[i], *next;

        if (i + 1 < s->n_stacks &&
            by_stack(&s->at[i], &s->at[i + 1], s->word) == 0) {
            next = s->word + s->at[i + 1];
            for (size_t k = 0; k < PROFILE_COUNTS; k++)
                next[k] += w[k];
            continue;
        }
        put_stack(s, w, out);
    }
}

enum err
profile_sum_write(struct profile_sum *s, struct buf *out)
{
    static const uint64_t end[] = { 0, 1, 0 };

    if (s->kind == PROFILE_NEITHER)
        return ERR_STATE;
    if (s->n_stacks > 0)
        qsort_r(s->at, s->n_stacks, sizeof(*s->at), by_stack, s->word);
    if (s->kind == PROFILE_CPU) {
        put_words(out, s->head, HEAD_WORDS);
    } else {
        buf_puts(out, "heap profile: ");
        put_counts(out, s->total);
        buf_puts(out, s->tail);
        buf_putc(out, '\n');
    }
    put_stacks(s, out);
    if (s->kind == PROFILE_CPU)
        put_words(out, end, COUNT(end));
    else
        buf_puts(out, "\nMAPPED_LIBRARIES:");
    buf_puts(out, s->maps);
    if (!str_empty(s->maps) && s->maps[strlen(s->maps) - 1] != '\n')
        buf_putc(out, '\n');
    buf_put(out, buf_text(&s->added), s->added.n);
    return buf_err(out);
}
