/* Machines, ports and directories for the servers of a job. */
#include "choose.h"

#include <string.h>

#include "kunlun/cluster_mgr/cluster_mgr.h"
#include "kunlun/core/names.h"
#include "kunlun/core/placement.h"
#include "kunlun/machine/dirs.h"
#include "kunlun/spec.h"
#include "root.h"

#define MIB             ((int64_t)1 << 20)
#define PORTS_MORE      300 /* that a machine looks at beyond the next */
#define PORTS_MAX       4000
#define COMPUTER_MEMORY (128 * MIB)
#define ASKED_BYTES     131072
#define EFFECTS         3 /* at most, of one server */

TABLE(life_server, LIFE_SERVER);

static const char *
dirs_of(const struct meta_machine *m, int class)
{
    const char *const all[PLACEMENT_CLASS__MAX] = {
        [PLACEMENT_DATA] = m->datadir,
        [PLACEMENT_LOG] = m->logdir,
        [PLACEMENT_WAL] = m->wal_log_dir,
        [PLACEMENT_COMP] = m->comp_datadir,
    };

    return all[class] != NULL ? all[class] : "";
}

/* ---- what is asked ---- */

/* The first that is given out of a kind. */
static int32_t
first_port(bool storage)
{
    const struct cluster_mgr_settings *s = cluster_mgr_settings();

    return (int32_t)(storage ? s->storage_port : s->computer_port);
}

/* Beyond the highest that is given out on any machine: a machine may share its
 * directories with others, computers' ports are above those of all. */
static int32_t
next_port(const struct list_of_meta_place *places, bool storage)
{
    int32_t next = first_port(storage);
    int32_t step = storage ? PLACEMENT_PORT_STEP : 1;

    for (size_t i = 0; i < places->n; i++)
        if ((strcmp(places->v[i].kind, "storage") == 0) == storage &&
            places->v[i].port + step > next)
            next = places->v[i].port + step;
    return next;
}

static int32_t
port_count(int32_t from, int32_t next)
{
    int32_t n = next - from + PORTS_MORE;

    return n < PORTS_MAX ? n : PORTS_MAX;
}

enum err
life_question(struct arena *a, const struct meta_machine *m,
              const struct list_of_meta_place *places, const char **out)
{
    struct survey_asked q = { 0 };

    PUT(&q, survey_asked, datadir, dirs_of(m, PLACEMENT_DATA));
    PUT(&q, survey_asked, logdir, dirs_of(m, PLACEMENT_LOG));
    PUT(&q, survey_asked, wal_log_dir, dirs_of(m, PLACEMENT_WAL));
    PUT(&q, survey_asked, comp_datadir, dirs_of(m, PLACEMENT_COMP));
    PUT(&q, survey_asked, storage_port, first_port(true));
    PUT(&q, survey_asked, computer_port, first_port(false));
    PUT(&q, survey_asked, storage_ports,
        port_count(first_port(true), next_port(places, true)));
    PUT(&q, survey_asked, computer_ports,
        port_count(first_port(false), next_port(places, false)));
    return record_text(a, &json_compact, &survey_asked_rec, &q, SECRETS_FULL,
                       ASKED_BYTES, out);
}

/* ---- machines ---- */

struct choosing {
    struct arena *a;
    struct list_of_meta_machine rows;
    struct placement_machine *m;
    struct placement_taken *taken;
    size_t n_taken;
};

static bool
is_listed(const struct STR *v, size_t n, const char *address)
{
    if (n == 0)
        return true; /* any */
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].v, address) == 0)
            return true;
    return false;
}

static const struct life_told *
told_by(const struct life_asked *asked, const char *address)
{
    for (size_t i = 0; asked != NULL && i < asked->n; i++)
        if (strcmp(asked->v[i].machine, address) == 0)
            return &asked->v[i];
    return NULL;
}

static void
add_dir(struct placement_machine *m, int class, int64_t free_mb)
{
    if (m->n_dirs[class] < PLACEMENT_DIRS)
        m->free_mb[class][m->n_dirs[class]++] = free_mb;
}

static void
take_told(struct placement_machine *m, const struct survey *s)
{
    for (size_t i = 0; i < s->spaces.n; i++) {
        enum placement_class k = placement_class_of(s->spaces.v[i].class);

        if (k < PLACEMENT_CLASS__MAX)
            add_dir(m, (int)k, s->spaces.v[i].free);
    }
}

static void
take_declared(struct placement_machine *m, const struct meta_machine *row)
{
    struct span s;

    for (int k = 0; k < PLACEMENT_CLASS__MAX; k++)
        for (const char *p = dirs_of(row, k); machine_dirs_next(&p, &s);)
            add_dir(m, k, 0);
}

/* Whether two lists have a directory in common. */
static bool
overlap(const char *a, const char *b)
{
    struct span of_a, of_b;

    while (machine_dirs_next(&a, &of_a))
        for (const char *p = b; machine_dirs_next(&p, &of_b);)
            if (of_b.n == of_a.n && memcmp(of_a.p, of_b.p, of_a.n) == 0)
                return true;
    return false;
}

static bool
share(const struct meta_machine *a, const struct meta_machine *b)
{
    for (int i = 0; i < PLACEMENT_CLASS__MAX; i++)
        for (int k = 0; k < PLACEMENT_CLASS__MAX; k++)
            if (overlap(dirs_of(a, i), dirs_of(b, k)))
                return true;
    return false;
}

static unsigned
group_of(const struct choosing *c, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (share(&c->rows.v[k], &c->rows.v[i]))
            return c->m[k].group;
    return (unsigned)i;
}

static void
put_machine(struct choosing *c, size_t i, const struct life_wish *w,
            const struct life_asked *asked)
{
    const struct meta_machine *row = &c->rows.v[i];
    const struct life_told *told = told_by(asked, row->hostaddr);
    struct placement_machine *m = &c->m[i];
    bool there = asked == NULL || (told != NULL && told->said != NULL);

    *m = (struct placement_machine){ .memory_mb = row->total_mem,
                                     .group = group_of(c, i) };
    if (asked == NULL)
        take_declared(m, row);
    else if (there)
        take_told(m, told->said);
    m->storage = there && m->n_dirs[PLACEMENT_DATA] > 0 &&
                 m->n_dirs[PLACEMENT_LOG] > 0 && m->n_dirs[PLACEMENT_WAL] > 0 &&
                 is_listed(w->want->storage_hosts.v, w->want->storage_hosts.n,
                           row->hostaddr);
    m->computers = there && m->n_dirs[PLACEMENT_COMP] > 0 &&
                   is_listed(w->want->computer_hosts.v,
                             w->want->computer_hosts.n, row->hostaddr);
}

/* The index of a machine; the number of machines when it is none. */
static size_t
machine_at(const struct choosing *c, const char *address)
{
    size_t i = 0;

    while (i < c->rows.n && strcmp(c->rows.v[i].hostaddr, address) != 0)
        i++;
    return i;
}

static void
take(struct choosing *c, size_t machine, int32_t port,
     enum placement_owner owner)
{
    if (machine < c->rows.n)
        c->taken[c->n_taken++] =
            (struct placement_taken){ (unsigned)machine, (unsigned)port,
                                      owner };
}

static void
take_place(struct choosing *c, const char *address, int32_t port, bool storage,
           int64_t memory_mb)
{
    size_t i = machine_at(c, address);

    take(c, i, port, storage ? PLACEMENT_STORAGE : PLACEMENT_COMPUTER);
    if (i < c->rows.n) {
        c->m[i].instances++;
        c->m[i].given_mb += memory_mb;
    }
}

static enum err
fill(struct db *db, struct choosing *c, const struct life_wish *w,
     const struct life_asked *asked, const struct list_of_life_server *before)
{
    struct list_of_meta_place places;
    enum err e = meta_machines(db, c->a, &c->rows);
    size_t busy = 0;

    if (e == ERR_OK)
        e = meta_places(db, c->a, &places);
    if (e != ERR_OK)
        return e;
    for (size_t i = 0; asked != NULL && i < asked->n; i++)
        busy += asked->v[i].said != NULL ? asked->v[i].said->busy.n : 0;
    if (c->rows.n > PLACEMENT_MACHINES)
        c->rows.n = PLACEMENT_MACHINES;
    c->m = arena_array(c->a, c->rows.n + 1, sizeof(*c->m));
    c->taken =
        arena_array(c->a, places.n + before->n + busy + 1, sizeof(*c->taken));
    if (c->m == NULL || c->taken == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->rows.n; i++)
        put_machine(c, i, w, asked);
    for (size_t i = 0; i < places.n; i++)
        take_place(c, places.v[i].machine, places.v[i].port,
                   strcmp(places.v[i].kind, "storage") == 0,
                   places.v[i].memory_mb);
    for (size_t i = 0; i < before->n; i++) {
        const struct instance_spec *s = before->v[i].spec;
        bool storage = s->kind == INSTANCE_STORAGE;

        take_place(c, s->address, s->port, storage,
                   storage ? s->memory_bytes / MIB : 0);
    }
    for (size_t i = 0; asked != NULL && i < asked->n; i++)
        for (size_t k = 0;
             asked->v[i].said != NULL && k < asked->v[i].said->busy.n; k++)
            take(c, machine_at(c, asked->v[i].machine),
                 asked->v[i].said->busy.v[k].v, PLACEMENT_OTHER);
    return ERR_OK;
}

/* ---- the choice ---- */

static enum err
explain(const struct choosing *c, enum placement_why result, unsigned machine,
        char why[WHY_BYTES])
{
    const char *at =
        machine < c->rows.n ? c->rows.v[machine].hostaddr : "no machine";

    switch (result) {
    case PLACEMENT_OK:
        return ERR_OK;
    case PLACEMENT_NO_MACHINE:
        break;
    case PLACEMENT_NO_MEMORY:
        return why_fail(why, ERR_LIMIT,
                        "%s has not enough memory left, nor has another", at);
    case PLACEMENT_NO_PORT:
        return why_fail(why, ERR_LIMIT, "%s has no port left", at);
    }
    return why_fail(why, ERR_NOT_FOUND, "no available machine");
}

static enum err
put_server(const struct choosing *c, const struct life_wish *w,
           const struct placement_choice *at, bool storage, const char *name,
           struct life_server *out)
{
    struct kunlun_server k = {
        .kind = storage ? INSTANCE_STORAGE : INSTANCE_COMPUTER,
        .address = c->rows.v[at->machine].hostaddr,
        .port = (int32_t)at->port,
        .cluster = w->cluster,
        .name = name,
        .memory_bytes = storage ? w->memory_bytes : COMPUTER_MEMORY,
        .user = storage ? NULL : w->want->computer_user,
        .password = storage ? NULL : w->want->computer_password,
        .max_connections = w->max_connections,
        /* nobody else has what it has acknowledged, whatever the mode */
        .lone = w->lone || (w->grow == NULL && w->nodes == 1),
    };

    *out = (struct life_server){ 0 };
    out->spec = arena_alloc(c->a, sizeof(*out->spec));
    if (out->spec == NULL || name == NULL)
        return ERR_NOMEM;
    SET(out, life_server, spec);
    PUT(out, life_server, machine, c->rows.v[at->machine].id);
    return kunlun_spec(c->a, &k, out->spec);
}

static enum err
put_servers(const struct choosing *c, const struct life_wish *w,
            const struct placement_choice *at, struct list_of_life_server *out)
{
    size_t storage = (size_t)w->shards * w->nodes, n = storage + w->comps;
    struct life_server *v = arena_array(c->a, out->n + n + 1, sizeof(*v));
    enum err e = ERR_OK;

    if (v == NULL)
        return ERR_NOMEM;
    if (out->n > 0)
        memcpy(v, out->v, out->n * sizeof(*v));
    for (size_t i = 0; e == ERR_OK && i < n; i++) {
        const char *name =
            i >= storage
                ? arena_printf(c->a, "comp%zu", w->first_comp + (i - storage))
            : w->grow != NULL
                ? w->grow->name
                : arena_printf(c->a, "shard%zu", w->first_shard + i / w->nodes);

        e = put_server(c, w, &at[i], i < storage, name, &v[out->n + i]);
    }
    out->v = v;
    out->n += n;
    return e;
}

/* How many nodes of the shard that grows each machine has. */
static void
count_there(const struct choosing *c, const struct life_wish *w,
            unsigned *there)
{
    for (size_t i = 0; w->grow != NULL && i < w->has->n; i++) {
        size_t at = machine_at(c, w->has->v[i].hostaddr);

        if (w->has->v[i].shard_id == w->grow->id && at < c->rows.n)
            there[at]++;
    }
}

enum err
life_choose(struct db *db, struct arena *a, const struct life_wish *w,
            const struct life_asked *asked, struct list_of_life_server *out,
            char why[WHY_BYTES])
{
    size_t n = (size_t)w->shards * w->nodes + w->comps;
    struct choosing c = { .a = a };
    struct placement_choice *at = arena_array(a, n + 1, sizeof(*at));
    struct placement_wish wish = { .shards = w->shards,
                                   .nodes = w->nodes,
                                   .comps = w->comps,
                                   .buffer_mb = w->memory_bytes / MIB,
                                   .storage_port = (unsigned)first_port(true),
                                   .computer_port =
                                       (unsigned)first_port(false) };
    unsigned *there, machine = 0;
    enum placement_why result;
    enum err e = at != NULL ? fill(db, &c, w, asked, out) : ERR_NOMEM;

    if (e != ERR_OK)
        return e;
    there = arena_array(a, c.rows.n + 1, sizeof(*there));
    if (there == NULL)
        return ERR_NOMEM;
    memset(there, 0, (c.rows.n + 1) * sizeof(*there));
    count_there(&c, w, there);
    wish.there = there;
    result = placement_choose(c.m, c.rows.n, c.taken, c.n_taken, &wish, at,
                              &machine);
    e = explain(&c, result, machine, why);
    return e == ERR_OK ? put_servers(&c, w, at, out) : e;
}

/* ---- as effects ---- */

static const char *
directory(struct arena *a, const struct meta_machine *m, int class,
          int32_t port)
{
    const char *list = dirs_of(m, class);

    if (strchr(list, ';') != NULL)
        list = arena_printf(a, "one of %s", list);
    return list != NULL ? root_home(a, list, placement_class_names[class],
                                    (unsigned)port)
                        : NULL;
}

static void
add_effect(struct list_of_cluster_effect *out, const char *what,
           const struct instance_spec *s, const char *directory)
{
    struct cluster_effect *f = &out->v[out->n++];

    *f = (struct cluster_effect){ 0 };
    PUT(f, cluster_effect, what, what);
    PUT(f, cluster_effect, name, s->shard);
    PUT(f, cluster_effect, machine, s->address);
    PUT(f, cluster_effect, port, s->port);
    PUT(f, cluster_effect, directory, directory != NULL ? directory : "");
}

enum err
life_effects(struct db *db, struct arena *a,
             const struct list_of_life_server *servers,
             struct list_of_cluster_effect *out)
{
    struct choosing c = { .a = a };
    enum err e = meta_machines(db, a, &c.rows);

    if (e != ERR_OK)
        return e;
    out->n = 0;
    out->v = arena_array(a, servers->n * EFFECTS + 1, sizeof(*out->v));
    if (out->v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < servers->n; i++) {
        const struct instance_spec *s = servers->v[i].spec;
        const struct meta_machine *m = &c.rows.v[machine_at(&c, s->address)];

        if (s->kind == INSTANCE_COMPUTER) {
            add_effect(out, "install computer", s,
                       directory(a, m, PLACEMENT_COMP, s->port));
            continue;
        }
        add_effect(out, "install storage", s,
                   directory(a, m, PLACEMENT_DATA, s->port));
        add_effect(out, "make directory", s,
                   directory(a, m, PLACEMENT_LOG, s->port));
        add_effect(out, "make directory", s,
                   directory(a, m, PLACEMENT_WAL, s->port));
    }
    return ERR_OK;
}
