/* The two forms of gperftools' profiles, read. */
#include "profile_read.h"

#include <stdlib.h>
#include <string.h>

#define HEAP_BEGIN "heap profile:"
#define HEAP_MAPS  "\nMAPPED_LIBRARIES:"

static uint64_t
word(const unsigned char *p, size_t i)
{
    uint64_t v;

    memcpy(&v, p + i * sizeof(v), sizeof(v));
    return v;
}

enum profile_kind
profile_kind_of(const void *profile, size_t n)
{
    if (n > sizeof(HEAP_BEGIN) - 1 &&
        memcmp(profile, HEAP_BEGIN, sizeof(HEAP_BEGIN) - 1) == 0)
        return PROFILE_HEAP;
    return n >= 64 && word(profile, 0) == 0 && word(profile, 1) < 16
               ? PROFILE_CPU
               : PROFILE_NEITHER;
}

/* Header 0, n, 0, period, 0 with n further words counted from the second;
 * records of count, depth, pcs; trailer 0, 1, 0. */
static enum err
each_cpu(const unsigned char *p, size_t words, profile_each_fn *each, void *ctx,
         const char **rest)
{
    struct profile_stack s = { .count = { 0 } };
    size_t i = 2 + (size_t)word(p, 1);
    enum err e = ERR_OK;

    while (e == ERR_OK && i + 3 <= words) {
        s.count[0] = word(p, i);
        s.depth = (size_t)word(p, i + 1);
        if (s.count[0] == 0 && s.depth == 1 && word(p, i + 2) == 0) {
            *rest = (const char *)p + (i + 3) * sizeof(uint64_t);
            return ERR_OK;
        }
        if (s.depth == 0 || s.depth > PROFILE_DEPTH_MAX ||
            s.depth > words - i - 2)
            return ERR_BAD_PARAM;
        for (size_t k = 0; k < s.depth; k++)
            s.pc[k] = word(p, i + 2 + k);
        e = each(ctx, &s);
        i += 2 + s.depth;
    }
    return e == ERR_OK ? ERR_BAD_PARAM : e;
}

/* A number at *p, behind blanks and a bracket. */
static uint64_t
number(const char **p)
{
    char *end;
    uint64_t v = strtoull(*p + strspn(*p, " ["), &end, 10);

    *p = end;
    return v;
}

static void
read_counts(const char *p, uint64_t count[PROFILE_COUNTS])
{
    for (size_t i = 0; i < PROFILE_COUNTS; i++) {
        count[i] = number(&p);
        p += *p == ':';
    }
}

/* "  objs: bytes [ objs: bytes] @ 0x.. 0x.." */
static bool
heap_line(const char *line, struct profile_stack *s)
{
    const char *colon = strchr(line, ':');
    const char *at = strstr(line, "@ ");
    char *end;

    if (colon == NULL || at == NULL || colon > at)
        return false;
    read_counts(line, s->count);
    s->depth = 0;
    for (const char *p = at + 1; *p == ' ' && s->depth < PROFILE_DEPTH_MAX;
         p = end) {
        s->pc[s->depth] = strtoull(p, &end, 16);
        if (end == p)
            break;
        s->depth++;
    }
    return s->depth > 0;
}

static enum err
each_heap(const char *text, profile_each_fn *each, void *ctx, const char **rest)
{
    struct profile_stack s;
    char line[16 * 1024];
    const char *p = strchr(text, '\n'); /* behind the total's line */
    enum err e = ERR_OK;

    while (e == ERR_OK && p != NULL &&
           strncmp(p, HEAP_MAPS, sizeof(HEAP_MAPS) - 1) != 0) {
        const char *end = strchr(p + 1, '\n');
        size_t n = end == NULL ? strlen(p + 1) : (size_t)(end - p - 1);

        if (n < sizeof(line)) {
            memcpy(line, p + 1, n);
            line[n] = '\0';
            if (heap_line(line, &s))
                e = each(ctx, &s);
        }
        p = end;
    }
    *rest = p == NULL ? text + strlen(text) : p + sizeof(HEAP_MAPS) - 1;
    return e;
}

static enum err
each_and_rest(const void *profile, size_t n, profile_each_fn *each, void *ctx,
              const char **rest)
{
    switch (profile_kind_of(profile, n)) {
    case PROFILE_HEAP:
        return each_heap(profile, each, ctx, rest);
    case PROFILE_CPU:
        return each_cpu(profile, n / sizeof(uint64_t), each, ctx, rest);
    default:
        return ERR_BAD_PARAM;
    }
}

enum err
profile_each(const void *profile, size_t n, profile_each_fn *each, void *ctx)
{
    const char *rest;

    return each_and_rest(profile, n, each, ctx, &rest);
}

static enum err
count(void *stacks, const struct profile_stack *s)
{
    (void)s;
    ++*(size_t *)stacks;
    return ERR_OK;
}

enum err
profile_maps(const void *profile, size_t n, const char **maps, size_t *stacks)
{
    *stacks = 0;
    return each_and_rest(profile, n, count, stacks, maps);
}

void
profile_total(const char *heap, uint64_t count[PROFILE_COUNTS])
{
    read_counts(heap + sizeof(HEAP_BEGIN) - 1, count);
}
