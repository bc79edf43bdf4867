/* Folded stacks of a profile: one line per stack, root first, as flame graph
 * tools read them, in the order of their text. */
#include "profiler.h"

#include <stdlib.h>
#include <string.h>

#include "profile_read.h"
#include "symbols.h"

#define TEXT_MAX ((size_t)256 << 20)

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
add_stack(struct fold *f, const struct profile_stack *s, uint64_t count)
{
    size_t at = f->text.n;

    for (size_t i = s->depth; i > 0; i--) {
        put_frame(&f->text, s->pc[i - 1], i == 1);
        buf_putc(&f->text, i == 1 ? '\0' : ';');
    }
    if (buf_err(&f->text) != ERR_OK)
        return buf_err(&f->text);
    return add_line(f, at, count) ? ERR_OK : ERR_NOMEM;
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

static enum err
add_samples(void *fold, const struct profile_stack *s)
{
    return add_stack(fold, s, s->count[0]);
}

/* What is in use counts, by its bytes. */
static enum err
add_bytes(void *fold, const struct profile_stack *s)
{
    return s->count[1] > 0 ? add_stack(fold, s, s->count[1]) : ERR_OK;
}

enum err
profile_fold(const void *profile, size_t n, struct buf *out)
{
    struct fold f = { .text = BUF_INIT(TEXT_MAX) };
    bool cpu = profile_kind_of(profile, n) == PROFILE_CPU;
    enum err e;

    (void)symbols_lock();
    e = profile_each(profile, n, cpu ? add_samples : add_bytes, &f);
    symbols_unlock();
    if (e == ERR_OK)
        put_lines(&f, out);
    buf_free(&f.text);
    free(f.v);
    return e;
}
