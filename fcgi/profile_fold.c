/* Folded stacks of a profile: one line per stack, root first, as flame graph
 * tools read them. */
#include "profiler.h"

#include <stdlib.h>
#include <string.h>

#include "symbols.h"

#define DEPTH_MAX 512

struct stack {
    uint64_t count;
    size_t depth;
    uint64_t pc[DEPTH_MAX]; /* leaf first, as profiles have it */
};

static void
put_frame(struct buf *out, uint64_t pc, bool leaf)
{
    /* a caller's address is behind its call instruction */
    const char *name = symbols_find(leaf ? pc : pc - 1);

    if (name != NULL)
        buf_puts(out, name);
    else
        buf_printf(out, "0x%llx", (unsigned long long)pc);
}

static void
put_stack(struct buf *out, const struct stack *s)
{
    for (size_t i = s->depth; i > 0; i--) {
        put_frame(out, s->pc[i - 1], i == 1);
        buf_putc(out, i == 1 ? ' ' : ';');
    }
    buf_u64(out, s->count);
    buf_putc(out, '\n');
}

static uint64_t
word(const unsigned char *p, size_t i)
{
    uint64_t v;

    memcpy(&v, p + i * sizeof(v), sizeof(v));
    return v;
}

/* Header 0, n, 0, period, 0 with n further words counted from the second;
 * records of count, depth, pcs; trailer 0, 1, 0. */
static enum err
fold_cpu(const unsigned char *p, size_t words, struct buf *out)
{
    struct stack s;
    size_t i = 2 + (size_t)word(p, 1);

    while (i + 3 <= words) {
        s.count = word(p, i);
        s.depth = (size_t)word(p, i + 1);
        if (s.count == 0 && s.depth == 1 && word(p, i + 2) == 0)
            return ERR_OK;
        if (s.depth == 0 || s.depth > DEPTH_MAX || s.depth > words - i - 2)
            return ERR_BAD_PARAM;
        for (size_t k = 0; k < s.depth; k++)
            s.pc[k] = word(p, i + 2 + k);
        put_stack(out, &s);
        i += 2 + s.depth;
    }
    return ERR_BAD_PARAM;
}

/* "  objs: bytes [ objs: bytes] @ 0x.. 0x.." */
static bool
heap_line(const char *line, struct stack *s)
{
    const char *colon = strchr(line, ':');
    const char *at = strstr(line, "@ ");
    char *end;

    if (colon == NULL || at == NULL || colon > at)
        return false;
    s->count = strtoull(colon + 1, NULL, 10);
    s->depth = 0;
    for (const char *p = at + 1; *p == ' ' && s->depth < DEPTH_MAX; p = end) {
        s->pc[s->depth] = strtoull(p, &end, 16);
        if (end == p)
            break;
        s->depth++;
    }
    return s->depth > 0 && s->count > 0;
}

static enum err
fold_heap(const char *text, struct buf *out)
{
    struct stack s;
    char line[16 * 1024];
    const char *p = strchr(text, '\n'); /* behind the total's line */

    while (p != NULL && strncmp(p, "\nMAPPED_LIBRARIES", 17) != 0) {
        const char *end = strchr(p + 1, '\n');
        size_t n = end == NULL ? strlen(p + 1) : (size_t)(end - p - 1);

        if (n < sizeof(line)) {
            memcpy(line, p + 1, n);
            line[n] = '\0';
            if (heap_line(line, &s))
                put_stack(out, &s);
        }
        p = end;
    }
    return ERR_OK;
}

enum err
profile_fold(const void *profile, size_t n, struct buf *out)
{
    const unsigned char *p = profile;
    enum err e = ERR_BAD_PARAM;

    (void)symbols_lock();
    if (n > 13 && memcmp(p, "heap profile:", 13) == 0)
        e = fold_heap(profile, out);
    else if (n >= 64 && word(p, 0) == 0 && word(p, 1) < 16)
        e = fold_cpu(p, n / 8, out);
    symbols_unlock();
    return e;
}
