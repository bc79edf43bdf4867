/* Folded stacks of a profile: one line per stack, root first, as flame graph
 * tools read them, in the order of their text. */
#include "profiler.h"

#include <stdlib.h>
#include <string.h>

#include "symbols.h"

#define DEPTH_MAX 512
#define TEXT_MAX  ((size_t)256 << 20)

struct stack {
    uint64_t count;
    size_t depth;
    uint64_t pc[DEPTH_MAX]; /* leaf first, as profiles have it */
};

/* Names of many addresses are one name: lines that are equal become one, with
 * the sum of their counts. */
struct line {
    size_t at; /* in the text of all lines, which moves while it grows */
    uint64_t count;
};

struct fold {
    struct buf text; /* NUL-terminated */
    struct line *v;
    size_t n, cap;
};

static void
put_frame(struct buf *out, uint64_t pc, bool leaf)
{
    /* a caller's address is behind its call instruction */
    uint64_t at = leaf ? pc : pc - 1;
    const char *name = symbols_find(at), *file = symbols_file(at);

    /* the same in every process, where an address is not: graphs of two can
     * be added and compared */
    if (name != NULL)
        profiler_put_name(out, name);
    else if (file != NULL)
        buf_printf(out, "[%s]", file);
    else
        buf_printf(out, "0x%llx", (unsigned long long)pc);
}

static bool
add_line(struct fold *f, size_t at, uint64_t count)
{
    if (f->n == f->cap) {
        size_t cap = f->cap == 0 ? 256 : f->cap * 2;
        struct line *v = realloc(f->v, cap * sizeof(*v));

        if (v == NULL)
            return false;
        f->v = v;
        f->cap = cap;
    }
    f->v[f->n++] = (struct line){ at, count };
    return true;
}

static enum err
add_stack(struct fold *f, const struct stack *s)
{
    size_t at = f->text.n;

    for (size_t i = s->depth; i > 0; i--) {
        put_frame(&f->text, s->pc[i - 1], i == 1);
        buf_putc(&f->text, i == 1 ? '\0' : ';');
    }
    if (buf_err(&f->text) != ERR_OK)
        return buf_err(&f->text);
    return add_line(f, at, s->count) ? ERR_OK : ERR_NOMEM;
}

static int
by_text(const void *a, const void *b, void *text)
{
    const struct line *x = a, *y = b;

    return strcmp((char *)text + x->at, (char *)text + y->at);
}

static void
put_lines(struct fold *f, struct buf *out)
{
    if (f->n > 0)
        qsort_r(f->v, f->n, sizeof(*f->v), by_text, f->text.p);
    for (size_t i = 0; i < f->n; i++) {
        const char *text = f->text.p + f->v[i].at;

        if (i + 1 < f->n && strcmp(text, f->text.p + f->v[i + 1].at) == 0) {
            f->v[i + 1].count += f->v[i].count;
            continue;
        }
        buf_puts(out, text);
        buf_putc(out, ' ');
        buf_u64(out, f->v[i].count);
        buf_putc(out, '\n');
    }
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
fold_cpu(const unsigned char *p, size_t words, struct fold *out)
{
    struct stack s;
    size_t i = 2 + (size_t)word(p, 1);
    enum err e = ERR_OK;

    while (e == ERR_OK && i + 3 <= words) {
        s.count = word(p, i);
        s.depth = (size_t)word(p, i + 1);
        if (s.count == 0 && s.depth == 1 && word(p, i + 2) == 0)
            return ERR_OK;
        if (s.depth == 0 || s.depth > DEPTH_MAX || s.depth > words - i - 2)
            return ERR_BAD_PARAM;
        for (size_t k = 0; k < s.depth; k++)
            s.pc[k] = word(p, i + 2 + k);
        e = add_stack(out, &s);
        i += 2 + s.depth;
    }
    return e == ERR_OK ? ERR_BAD_PARAM : e;
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
fold_heap(const char *text, struct fold *out)
{
    struct stack s;
    char line[16 * 1024];
    const char *p = strchr(text, '\n'); /* behind the total's line */
    enum err e = ERR_OK;

    while (e == ERR_OK && p != NULL &&
           strncmp(p, "\nMAPPED_LIBRARIES", 17) != 0) {
        const char *end = strchr(p + 1, '\n');
        size_t n = end == NULL ? strlen(p + 1) : (size_t)(end - p - 1);

        if (n < sizeof(line)) {
            memcpy(line, p + 1, n);
            line[n] = '\0';
            if (heap_line(line, &s))
                e = add_stack(out, &s);
        }
        p = end;
    }
    return e;
}

enum err
profile_fold(const void *profile, size_t n, struct buf *out)
{
    struct fold f = { .text = BUF_INIT(TEXT_MAX) };
    const unsigned char *p = profile;
    enum err e = ERR_BAD_PARAM;

    (void)symbols_lock();
    if (n > 13 && memcmp(p, "heap profile:", 13) == 0)
        e = fold_heap(profile, &f);
    else if (n >= 64 && word(p, 0) == 0 && word(p, 1) < 16)
        e = fold_cpu(p, n / 8, &f);
    symbols_unlock();
    if (e == ERR_OK)
        put_lines(&f, out);
    buf_free(&f.text);
    free(f.v);
    return e;
}
