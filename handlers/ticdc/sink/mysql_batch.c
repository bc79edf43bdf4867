/* Changes put in runs. One may join a run behind the place where it came, if
 * nothing that it might touch stands behind that run: rows of other tables and
 * other rows of its own are overtaken, what has a value of a unique key in
 * common with it is not. */
#include "mysql_int.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_FIRST 1024

enum err
batch_open(struct batch *b, size_t bytes)
{
    b->a = arena_new(bytes);
    b->slot = calloc(SLOTS_FIRST, sizeof(*b->slot));
    b->cap_slots = SLOTS_FIRST;
    return b->a != NULL && b->slot != NULL ? ERR_OK : ERR_NOMEM;
}

void
batch_close(struct batch *b)
{
    if (b->a != NULL)
        arena_free(b->a);
    free(b->run);
    free(b->slot);
}

void
batch_seal(struct batch *b)
{
    if (b->sealed)
        return;
    b->sealed = true;
    for (size_t i = 0; i < b->n_runs; i++)
        memset(b->run[i].target->last_run, 0,
               sizeof(b->run[i].target->last_run));
}

void
batch_clear(struct batch *b)
{
    batch_seal(b);
    b->sealed = false;
    b->n_runs = b->n_changes = b->bytes = 0;
    if (b->n_slots > 0)
        memset(b->slot, 0, b->cap_slots * sizeof(*b->slot));
    b->n_slots = 0;
    arena_reset(b->a);
}

/* ---- slots ---- */

static struct slot *
slot_at(struct batch *b, uint64_t hash)
{
    size_t i = (size_t)(hash ^ hash >> 32) & (b->cap_slots - 1);

    while (b->slot[i].run != 0 && b->slot[i].hash != hash)
        i = (i + 1) & (b->cap_slots - 1);
    return &b->slot[i];
}

static enum err
slots_grow(struct batch *b)
{
    struct slot *old = b->slot;
    size_t n = b->cap_slots;
    struct slot *more = calloc(2 * n, sizeof(*more));

    if (more == NULL)
        return ERR_NOMEM;
    b->slot = more;
    b->cap_slots = 2 * n;
    for (size_t i = 0; i < n; i++)
        if (old[i].run != 0)
            *slot_at(b, old[i].hash) = old[i];
    free(old);
    return ERR_OK;
}

static size_t
slot_run(struct batch *b, uint64_t hash)
{
    return slot_at(b, hash)->run;
}

static enum err
slot_raise(struct batch *b, uint64_t hash, size_t run)
{
    struct slot *s;

    if (b->n_slots * 2 >= b->cap_slots && slots_grow(b) != ERR_OK)
        return ERR_NOMEM;
    s = slot_at(b, hash);
    if (s->run == 0) {
        s->hash = hash;
        b->n_slots++;
    }
    if (s->run < run)
        s->run = run;
    return ERR_OK;
}

/* ---- what a row conflicts with ---- */

/* Of one key of a table: the slots of all its values, of those that are equal
 * to all, and of this one. */
struct places {
    enum conflict_weight weight;
    uint64_t all, any, own;
};

/* By the table's number, so that another definition of it counts as well. */
static struct places
places_of(const struct target *t, size_t k, const struct binlog_value *v)
{
    const struct unique_key *key = &t->key[k];
    uint64_t head[3] = { (uint64_t)t->table->id, k, 0 };
    struct places p = { .weight = CONFLICT_SOME };
    uint64_t hash = CONFLICT_SEED;

    for (size_t i = 0; i < sizeof(head); i++)
        hash =
            (hash ^ ((const unsigned char *)head)[i]) * UINT64_C(0x100000001b3);
    p.all = hash ^ 1;
    p.any = hash ^ 2;
    for (size_t i = 0; i < key->n; i++) {
        const struct key_part *part = &key->part[i];
        enum conflict_weight w =
            part->unknown ? CONFLICT_ANY
                          : conflict_value(&hash, part->rule, part->prefix,
                                           &v[part->column]);

        if (w == CONFLICT_NONE)
            return (struct places){ .weight = CONFLICT_NONE };
        if (w == CONFLICT_ANY)
            p.weight = CONFLICT_ANY;
    }
    p.own = hash;
    return p;
}

static size_t
larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Of a table without keys, whose rows are all alike to us. */
static uint64_t
place_of_table(const struct target *t)
{
    return CONFLICT_SEED ^
           (uint64_t)t->table->id * UINT64_C(0x9E3779B97F4A7C15);
}

/* The last run that the image must not be before. */
static size_t
bound(struct batch *b, const struct target *t, const struct binlog_value *v)
{
    size_t run = 0;

    for (size_t k = 0; v != NULL && k < t->n_keys; k++) {
        struct places p = places_of(t, k, v);

        if (p.weight == CONFLICT_NONE)
            continue;
        run = larger(run, slot_run(b, p.any));
        run =
            larger(run, slot_run(b, p.weight == CONFLICT_ANY ? p.all : p.own));
    }
    return run;
}

static enum err
note(struct batch *b, const struct target *t, const struct binlog_value *v,
     size_t run)
{
    enum err e = ERR_OK;

    for (size_t k = 0; v != NULL && k < t->n_keys && e == ERR_OK; k++) {
        struct places p = places_of(t, k, v);

        if (p.weight == CONFLICT_NONE)
            continue;
        e = slot_raise(b, p.all, run);
        if (e == ERR_OK)
            e = slot_raise(b, p.weight == CONFLICT_ANY ? p.any : p.own, run);
    }
    return e;
}

/* ---- runs ---- */

static enum err
run_new(struct batch *b, struct target *t, enum binlog_kind kind, size_t *out)
{
    struct run *more;
    size_t cap = b->cap_runs == 0 ? 64 : 2 * b->cap_runs;

    if (b->n_runs == b->cap_runs) {
        more = reallocarray(b->run, cap, sizeof(*more));
        if (more == NULL)
            return ERR_NOMEM;
        b->run = more;
        b->cap_runs = cap;
    }
    b->run[b->n_runs] = (struct run){ .target = t, .kind = kind };
    *out = t->last_run[kind] = ++b->n_runs;
    return ERR_OK;
}

/* A table without a key: all its rows stay in their order. */
static size_t
last_of(const struct target *t)
{
    return larger(larger(t->last_run[0], t->last_run[1]), t->last_run[2]);
}

static const struct binlog_value *
copy(struct batch *b, const struct target *t, const struct binlog_value *v)
{
    struct binlog_value *out;

    if (v == NULL)
        return NULL;
    out = arena_array(b->a, t->n, sizeof(*out));
    for (size_t i = 0; out != NULL && i < t->n; i++) {
        char *p;

        out[i] = v[i];
        if (v[i].form != BINLOG_TEXT && v[i].form != BINLOG_BYTES)
            continue;
        p = arena_strndup(b->a, v[i].p, v[i].n);
        if (p == NULL)
            return NULL;
        out[i].p = p;
    }
    return out;
}

enum err
batch_add(struct batch *b, struct target *t, enum binlog_kind kind,
          const struct binlog_row *row)
{
    struct change *c = arena_alloc(b->a, sizeof(*c));
    size_t run, least;
    struct run *r;
    enum err e;

    if (c == NULL)
        return ERR_NOMEM;
    c->before = copy(b, t, row->before);
    c->after = copy(b, t, row->after);
    if ((row->before != NULL && c->before == NULL) ||
        (row->after != NULL && c->after == NULL))
        return ERR_NOMEM;
    least = t->n_keys == 0
                ? last_of(t)
                : larger(bound(b, t, row->before), bound(b, t, row->after));
    run = t->last_run[kind];
    if (run == 0 || run < least) {
        e = run_new(b, t, kind, &run);
        if (e != ERR_OK)
            return e;
    }
    e = t->n_keys == 0 ? slot_raise(b, place_of_table(t), run)
                       : note(b, t, row->before, run);
    if (e == ERR_OK)
        e = note(b, t, row->after, run);
    if (e != ERR_OK)
        return e;
    r = &b->run[run - 1];
    if (r->last == NULL)
        r->first = c;
    else
        r->last->next = c;
    r->last = c;
    r->n++;
    b->n_changes++;
    b->bytes = arena_used(b->a);
    return ERR_OK;
}

/* ---- what several have ---- */

enum err
batch_join(struct batch *all, const struct batch *b)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < b->cap_slots && e == ERR_OK; i++)
        if (b->slot[i].run != 0)
            e = slot_raise(all, b->slot[i].hash, 1);
    return e;
}

bool
batch_meets(struct batch *all, const struct target *t,
            const struct binlog_row *row)
{
    if (all->n_slots == 0)
        return false;
    return t->n_keys == 0 ? slot_run(all, place_of_table(t)) != 0
                          : bound(all, t, row->before) != 0 ||
                                bound(all, t, row->after) != 0;
}
