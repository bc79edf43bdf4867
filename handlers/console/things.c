/* The views of all dialects as one sequence: a list goes through them in order,
 * and its cursor says in which one, and where in it, a page has ended. */
#include "things.h"

#include <string.h>

#include "console.h"
#include "duty.h"
#include "view.h"

#define WORST_MAX 100

TABLE(console_thing, CONSOLE_THING);
TABLE(console_things_asked, CONSOLE_THINGS_ASKED);
NO_CHECKS(console_things_asked);
TABLE(console_kind_asked, CONSOLE_KIND_ASKED);
NO_CHECKS(console_kind_asked);
TABLE(console_things, CONSOLE_THINGS);
TABLE(console_count, CONSOLE_COUNT);
TABLE(console_share, CONSOLE_SHARE);
TABLE(console_overview, CONSOLE_OVERVIEW);
TABLE(console_job_counts, CONSOLE_JOB_COUNTS);

/* A view and whose it is. */
struct dialect_view {
    const struct dialect *dialect;
    const struct view *view;
};

/* The i-th of all views; false past the last. */
static bool
view_at(size_t i, struct dialect_view *out)
{
    for (size_t d = 0; dialects[d] != NULL; d++) {
        const struct view *v = dialects[d]->views;

        for (; v != NULL && v->kind != NULL; v++) {
            if (i == 0) {
                *out = (struct dialect_view){ dialects[d], v };
                return true;
            }
            i--;
        }
    }
    return false;
}

/* Ids are put together and taken apart here alone: "dialect/kind/key", where
 * the key is "k1" or "k1/k2". */
static const char *
key_of(struct arena *a, const char *k1, const char *k2)
{
    return arena_printf(a, "%s%s%s", k1, str_empty(k2) ? "" : "/",
                        or_empty(k2));
}

static const char *
id_of(struct arena *a, const char *dialect, const char *kind, const char *key)
{
    return arena_printf(a, "%s/%s/%s", dialect, kind, or_empty(key));
}

/* What the row does not say of itself. */
static enum err
tell(struct arena *a, const struct dialect_view *p, struct console_thing *t)
{
    PUT(t, console_thing, key, key_of(a, t->k1, t->k2));
    PUT(t, console_thing, id,
        id_of(a, p->dialect->name, p->view->kind, t->key));
    PUT(t, console_thing, dialect, p->dialect->name);
    PUT(t, console_thing, kind, p->view->kind);
    if (p->view->above != NULL && !str_empty(t->a1))
        PUT(t, console_thing, parent,
            id_of(a, p->dialect->name, p->view->above,
                  key_of(a, t->a1, t->a2)));
    return t->id == NULL ? ERR_NOMEM : ERR_OK;
}

/* ---- lists ---- */

/* What a list is about. */
struct wish {
    bool events;
    const char *dialect, *kind, *level; /* "": all */
    /* Directly below this one; "": anywhere. */
    const char *above_dialect, *above_kind;
    struct console_above above;
};

static bool
same_or_all(const char *wanted, const char *is)
{
    return str_empty(wanted) || strcmp(wanted, is) == 0;
}

static bool
wanted(const struct wish *w, const struct dialect_view *p)
{
    return p->view->events == w->events &&
           same_or_all(w->dialect, p->dialect->name) &&
           same_or_all(w->kind, p->view->kind) &&
           same_or_all(w->above_dialect, p->dialect->name) &&
           (str_empty(w->above.a1) ||
            (p->view->above != NULL &&
             strcmp(p->view->above, w->above_kind) == 0));
}

/* "doris/instance/i1" */
static enum err
read_under(struct req *r, const char *id, struct wish *w)
{
    char *text = arena_strdup(r->arena, or_empty(id));
    char *kind, *key, *second;

    w->above_dialect = w->above_kind = w->above.a1 = w->above.a2 = "";
    if (text == NULL)
        return ERR_NOMEM;
    if (str_empty(text))
        return ERR_OK;
    kind = strchr(text, '/');
    key = kind != NULL ? strchr(kind + 1, '/') : NULL;
    if (key == NULL || key[1] == '\0' || key[1] == '/')
        return req_fail(r, CONSOLE_UNDER, ARGS());
    *kind = *key = '\0';
    w->above_dialect = text;
    w->above_kind = kind + 1;
    w->above.a1 = key + 1;
    second = strchr(key + 1, '/');
    if (second == NULL)
        return ERR_OK;
    *second = '\0';
    w->above.a2 = second + 1;
    return ERR_OK;
}

/* Up to max things behind the key into out, which has room for them. */
static enum err
collect(struct req *r, const struct wish *w, const struct console_key *from,
        size_t max, struct list_of_console_thing *out)
{
    bool begun = str_empty(from->part[0]);
    struct dialect_view p;
    enum err e = ERR_OK;

    for (size_t i = 0; e == ERR_OK && out->n < max && view_at(i, &p); i++) {
        struct list_of_console_thing some = { 0 };
        bool here = !begun && strcmp(from->part[0], p.dialect->name) == 0 &&
                    strcmp(from->part[1], p.view->kind) == 0;

        begun = begun || here;
        if (!begun || !wanted(w, &p))
            continue;
        e = console_store_things(r->db, r->arena, p.view, &w->above, w->level,
                                 here ? &from->part[2] : NULL, max - out->n,
                                 &some);
        for (size_t k = 0; k < some.n && e == ERR_OK; k++) {
            out->v[out->n] = some.v[k];
            e = tell(r->arena, &p, &out->v[out->n++]);
        }
    }
    return e == ERR_OK && !begun ? req_fail(r, CONSOLE_CURSOR, ARGS()) : e;
}

static enum err
list(struct req *r, const struct wish *w, size_t limit, const char *cursor)
{
    struct console_things *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_console_thing all = {
        .v = arena_array(r->arena, limit + 1, sizeof(struct console_thing))
    };
    struct console_key key;
    enum err e = console_key_read(r, cursor, &key);

    if (out == NULL || all.v == NULL)
        return ERR_NOMEM;
    if (e == ERR_OK)
        e = collect(r, w, &key, limit + 1, &all);
    if (e != ERR_OK)
        return e;
    if (all.n > limit) {
        const struct console_thing *last = &all.v[limit - 1];

        all.n = limit;
        key = (struct console_key){ { last->dialect, last->kind, last->o1,
                                      last->o2, last->o3 } };
        PUT(out, console_things, next, console_key_write(r->arena, &key));
    }
    PUT_LIST(out, console_things, items, all.n, all.v);
    return req_send(r, &console_things_rec, out);
}

enum err
console_topology_get(struct req *r, const struct console_things_asked *in)
{
    struct wish w = { .dialect = in->dialect,
                      .kind = in->kind,
                      .level = or_empty(in->level) };
    enum err e = read_under(r, in->under, &w);

    return e == ERR_OK ? list(r, &w, CONSOLE_LIMIT_OF(in, console_things_asked),
                              in->cursor)
                       : e;
}

static enum err
list_kind(struct req *r, const struct console_kind_asked *in, const char *kind,
          bool events)
{
    const struct wish w = { .events = events,
                            .kind = kind,
                            .level = or_empty(in->level),
                            .above = { "", "" } };

    return list(r, &w, CONSOLE_LIMIT_OF(in, console_kind_asked), in->cursor);
}

enum err
console_changefeeds_get(struct req *r, const struct console_kind_asked *in)
{
    return list_kind(r, in, "changefeed", false);
}

enum err
console_failovers_get(struct req *r, const struct console_kind_asked *in)
{
    return list_kind(r, in, "failover", true);
}

/* ---- the overview ---- */

static const char *const levels[] = { "bad", "warn", "ok" };

static const char *
worse(const char *a, const char *b)
{
    for (size_t i = 0; i < COUNT(levels); i++)
        if (strcmp(a, levels[i]) == 0 || strcmp(b, levels[i]) == 0)
            return levels[i];
    return a;
}

static const char *
level_of(const struct console_count *c)
{
    return c->bad > 0 ? "bad" : c->warn > 0 ? "warn" : "ok";
}

static size_t
views_of(const struct dialect *d)
{
    size_t n = 0;

    while (d->views != NULL && d->views[n].kind != NULL)
        n++;
    return n;
}

/* What one dialect holds; what is not well of it goes behind `sick`. */
static enum err
count(struct req *r, const struct dialect *d, struct console_share *out,
      struct list_of_console_thing *sick)
{
    size_t n = views_of(d);
    struct console_count *v = arena_array(r->arena, n, sizeof(*v));
    size_t k = 0;
    enum err e = v == NULL ? ERR_NOMEM : ERR_OK;

    PUT(out, console_share, dialect, d->name);
    PUT(out, console_share, level, "ok");
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        const struct dialect_view p = { d, &d->views[i] };
        struct list_of_console_thing some = { 0 };

        if (p.view->events)
            continue;
        e = console_store_count(r->db, r->arena, p.view, &v[k]);
        PUT(&v[k], console_count, kind, p.view->kind);
        out->level = worse(out->level, level_of(&v[k]));
        if (e == ERR_OK && v[k].warn + v[k].bad > 0)
            e = console_store_worst(r->db, r->arena, p.view, WORST_MAX, &some);
        for (size_t s = 0; s < some.n && e == ERR_OK; s++) {
            e = tell(r->arena, &p, &some.v[s]);
            sick->v[sick->n++] = some.v[s];
        }
        k++;
    }
    PUT_LIST(out, console_share, holds, k, v);
    return e;
}

/* Duties that nobody does: nothing of theirs goes on. */
static enum err
count_duties(struct req *r, struct list_of_console_thing *sick)
{
    struct list_of_console_duty all = { 0 };
    enum err e = console_store_leases(r->db, r->arena, &all);
    const struct duty *d;

    for (size_t i = 0; e == ERR_OK && (d = duty_at(i)) != NULL; i++) {
        struct console_thing *t = &sick->v[sick->n];
        bool held = false;

        for (size_t k = 0; k < all.n && !held; k++)
            held = strcmp(all.v[k].name, d->lease) == 0 &&
                   all.v[k].expires_ms > all.v[k].now_ms;
        if (held)
            continue;
        *t = (struct console_thing){ 0 };
        PUT(t, console_thing, key, d->lease);
        PUT(t, console_thing, id, id_of(r->arena, "console", "duty", d->lease));
        PUT(t, console_thing, dialect, "console");
        PUT(t, console_thing, kind, "duty");
        PUT(t, console_thing, name, d->lease);
        PUT(t, console_thing, level, "bad");
        PUT(t, console_thing, why, "nobody does it: no control has the lease");
        if (t->id == NULL)
            return ERR_NOMEM;
        sick->n++;
    }
    return e;
}

/* The worst first; among equals the order stays. */
static enum err
sort(struct arena *a, struct list_of_console_thing *sick)
{
    struct console_thing *v = arena_array(a, sick->n, sizeof(*v));
    size_t n = 0;

    if (v == NULL)
        return ERR_NOMEM;
    for (size_t l = 0; l < COUNT(levels); l++)
        for (size_t i = 0; i < sick->n; i++)
            if (strcmp(or_empty(sick->v[i].level), levels[l]) == 0)
                v[n++] = sick->v[i];
    sick->v = v;
    sick->n = n < WORST_MAX ? n : WORST_MAX;
    return ERR_OK;
}

/* How many dialects have views, and how much there is room for. */
static size_t
shares(size_t *room)
{
    size_t n = 0;

    *room = 0;
    for (size_t i = 0; dialects[i] != NULL; i++) {
        n += views_of(dialects[i]) > 0;
        *room += views_of(dialects[i]) * WORST_MAX;
    }
    for (size_t i = 0; duty_at(i) != NULL; i++)
        ++*room;
    return n;
}

static enum err
count_all(struct req *r, struct console_overview *out)
{
    size_t room, n = shares(&room), k = 0;
    struct console_share *v = arena_array(r->arena, n, sizeof(*v));
    struct list_of_console_thing sick = {
        .v = arena_array(r->arena, room, sizeof(struct console_thing))
    };
    enum err e = v == NULL || sick.v == NULL ? ERR_NOMEM : ERR_OK;

    for (size_t i = 0; e == ERR_OK && dialects[i] != NULL; i++)
        if (views_of(dialects[i]) > 0)
            e = count(r, dialects[i], &v[k++], &sick);
    if (e == ERR_OK)
        e = count_duties(r, &sick);
    if (e == ERR_OK)
        e = sort(r->arena, &sick);
    PUT(out, console_overview, level, sick.n > 0 ? sick.v[0].level : "ok");
    PUT_LIST(out, console_overview, dialects, k, v);
    PUT_LIST(out, console_overview, not_well, sick.n, sick.v);
    return e;
}

enum err
console_overview_get(struct req *r, const struct none *in)
{
    struct console_overview *out = arena_alloc(r->arena, sizeof(*out));
    struct console_job_counts jobs = { 0 };
    enum err e;

    (void)in;
    if (out == NULL)
        return ERR_NOMEM;
    e = count_all(r, out);
    if (e == ERR_OK)
        e = console_store_job_counts(r->db, r->arena, &jobs);
    PUT(out, console_overview, open_jobs, jobs.open);
    PUT(out, console_overview, failed_jobs, jobs.failed);
    return req_send_or_fail(r, e, &console_overview_rec, out);
}
