/* console/things.c above a store that is a table of rows. */
#ifndef MG_TEST_THINGS_STORE_H
#define MG_TEST_THINGS_STORE_H

#include <stdio.h>

#include "console/console.h"

struct console_above;
static enum err
some_things(struct db *db, struct arena *a, const struct view *v,
            const struct console_above *above, const char *level,
            const char *const *last, size_t max,
            struct list_of_console_thing *out);
static enum err some_worst(struct db *db, struct arena *a, const struct view *v,
                           size_t max, struct list_of_console_thing *out);
static enum err some_count(struct db *db, struct arena *a, const struct view *v,
                           struct console_count *out);
static enum err
some_leases(struct db *db, struct arena *a, struct list_of_console_duty *out);
static enum err
some_jobs(struct db *db, struct arena *a, struct console_job_counts *out);

#define console_store_things     some_things
#define console_store_worst      some_worst
#define console_store_count      some_count
#define console_store_leases     some_leases
#define console_store_job_counts some_jobs
#define SOURCE                   "console/things.c"
#include "console_fixture.h"

static const struct stored {
    const struct view *view;
    const char *above, *k1, *k2, *level;
} * stored;
static size_t n_stored;

static const struct stored rows[] = {
    { &two_views[0], "", "i1", "", "ok" },
    { &two_views[0], "", "i2", "", "warn" },
    { &two_views[1], "i1", "i1", "c1", "ok" },
    { &two_views[1], "i1", "i1", "c2", "bad" },
    { &two_views[1], "i2", "i2", "c1", "ok" },
    { &two_views[2], "i1", "9", "", "warn" },
    { &two_views[2], "i1", "8", "", "bad" },
    { &four_views[0], "", "n1", "", "ok" },
    { &four_views[1], "n1", "n1", "d1", "ok" },
    { &four_views[2], "", "i1", "", "ok" },
    { &five_views[0], "", "f1", "", "bad" },
};

/* Whose statement failed, of whose view; NULL: none does. */
static const struct view *broken;

static struct list_of_console_thing
room(size_t max)
{
    struct list_of_console_thing l = {
        .v = arena_array(arena, max + 1, sizeof(struct console_thing))
    };

    assert_non_null(l.v);
    return l;
}

static void
put(struct list_of_console_thing *l, const struct stored *s)
{
    struct console_thing *t = &l->v[l->n++];

    *t = (struct console_thing){
        .k1 = s->k1, .k2 = s->k2, .o1 = s->k1, .o2 = s->k2, .o3 = ""
    };
    t->a1 = arena_strndup(arena, s->above, strcspn(s->above, "/"));
    t->a2 = strchr(s->above, '/') != NULL ? strchr(s->above, '/') + 1 : "";
    PUT(t, console_thing, level, s->level);
}

static bool
behind(const struct stored *s, const char *k1, const char *k2)
{
    int c = strcmp(s->k1, k1);

    return s->view->events ? *k1 == '\0' || c < 0
                           : c > 0 || (c == 0 && strcmp(s->k2, k2) > 0);
}

static bool
lies_below(const struct stored *s, const struct console_above *above)
{
    struct console_thing t = { 0 };
    struct list_of_console_thing it = { .v = &t };

    put(&it, s);
    return *above->a1 == '\0' ||
           (strcmp(t.a1, above->a1) == 0 && strcmp(t.a2, above->a2) == 0);
}

static enum err
some_things(struct db *db, struct arena *a, const struct view *v,
            const struct console_above *above, const char *level,
            const char *const *last, size_t max,
            struct list_of_console_thing *out)
{
    (void)db;
    (void)a;
    assert_true(max > 0);
    *out = room(max);
    for (size_t i = 0; i < n_stored && out->n < max; i++)
        if (stored[i].view == v && lies_below(&stored[i], above) &&
            (*level == '\0' || strcmp(stored[i].level, level) == 0) &&
            (last == NULL || behind(&stored[i], last[0], last[1])))
            put(out, &stored[i]);
    return v == broken ? ERR_STORE : ERR_OK;
}

static enum err
some_worst(struct db *db, struct arena *a, const struct view *v, size_t max,
           struct list_of_console_thing *out)
{
    (void)db;
    (void)a;
    *out = room(max);
    for (int bad = 1; bad >= 0; bad--)
        for (size_t i = 0; i < n_stored && out->n < max; i++)
            if (stored[i].view == v && strcmp(stored[i].level, "ok") != 0 &&
                (strcmp(stored[i].level, "bad") == 0) == bad)
                put(out, &stored[i]);
    return v == broken ? ERR_STORE : ERR_OK;
}

static enum err
some_count(struct db *db, struct arena *a, const struct view *v,
           struct console_count *out)
{
    (void)db;
    (void)a;
    *out = (struct console_count){ 0 };
    for (size_t i = 0; i < n_stored; i++) {
        if (stored[i].view != v)
            continue;
        PUT(out, console_count, n, out->n + 1);
        PUT(out, console_count, warn,
            out->warn + (strcmp(stored[i].level, "warn") == 0));
        PUT(out, console_count, bad,
            out->bad + (strcmp(stored[i].level, "bad") == 0));
    }
    return v == broken ? ERR_STORE : ERR_OK;
}

/* Who has which lease, and for how long after now. */
static struct console_duty leases[8];
static size_t n_leases;

static void
lease(const char *name, int64_t expires_ms, int64_t now_ms)
{
    leases[n_leases++] = (struct console_duty){ .name = name,
                                                .expires_ms = expires_ms,
                                                .now_ms = now_ms };
}

/* Each duty is done. */
static void
all_are_done(void)
{
    n_leases = 0;
    for (size_t i = 0; some_duty(i) != NULL; i++)
        lease(some_duty(i)->lease, 11, 10);
}

static enum err
some_leases(struct db *db, struct arena *a, struct list_of_console_duty *out)
{
    (void)db;
    (void)a;
    *out = (struct list_of_console_duty){ .n = n_leases, .v = leases };
    return ERR_OK;
}

static enum err
some_jobs(struct db *db, struct arena *a, struct console_job_counts *out)
{
    (void)db;
    (void)a;
    out->open = 7;
    out->failed = 3;
    return ERR_OK;
}

static int
begin_here(void **state)
{
    stored = rows;
    n_stored = COUNT(rows);
    broken = NULL;
    all_are_done();
    return begin(state);
}
#define HERE(name) cmocka_unit_test_setup_teardown(name, begin_here, teardown)

/* The ids of a page, "a b", and the cursor behind it, or NULL. */
static const char *next;

static const char *
ids(const char *text)
{
    struct buf b = BUF_INIT(4096);
    const char *p, *end;

    for (p = text; (p = strstr(p, "\"id\":\"")) != NULL;) {
        p += 6;
        end = strchr(p, '"');
        if (b.n > 0)
            buf_putc(&b, ' ');
        buf_put(&b, p, (size_t)(end - p));
    }
    next = strstr(text, "\"next\":\"");
    if (next != NULL) {
        end = strchr(next + 8, '"');
        next = arena_strndup(arena, next + 8, (size_t)(end - (next + 8)));
    }
    p = arena_strdup(arena, buf_text(&b));
    buf_free(&b);
    return p;
}

#endif
