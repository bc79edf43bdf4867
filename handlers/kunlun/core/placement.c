/* Machines, ports and directories for servers. */
#include "placement.h"

#include <string.h>

#define PORT_MAX 65535

const char *const placement_class_names[PLACEMENT_CLASS__MAX] = {
    [PLACEMENT_DATA] = "data_dir_path",
    [PLACEMENT_LOG] = "log_dir_path",
    [PLACEMENT_WAL] = "innodb_log_dir_path",
    [PLACEMENT_COMP] = "comp_datadir",
};

enum placement_class
placement_class_of(const char *name)
{
    int k = 0;

    while (k < PLACEMENT_CLASS__MAX &&
           strcmp(placement_class_names[k], name) != 0)
        k++;
    return (enum placement_class)k;
}

/* What stands only in one kind of server's rows. */
static const unsigned steps[] = {
    [PLACEMENT_OTHER] = 1,
    [PLACEMENT_STORAGE] = PLACEMENT_PORT_STEP,
    [PLACEMENT_COMPUTER] = 1,
};

/* Machines that may have one kind, the least loaded first. */
struct turns {
    size_t n;
    size_t machine[PLACEMENT_MACHINES];
};

struct choosing {
    const struct placement_machine *m;
    size_t n;
    const struct placement_taken *taken;
    size_t n_taken;
    const struct placement_wish *wish;
    struct placement_choice *out; /* given out so far: out[0..done) */
    size_t done;
    size_t next; /* turn */
    struct turns storage, computers;
    unsigned of_shard[PLACEMENT_MACHINES]; /* how many of the present one */
    size_t shard_size;                     /* ... in the end */
    int64_t given_mb[PLACEMENT_MACHINES];
};

static enum placement_owner
kind_of(const struct choosing *c, size_t i)
{
    return i < (size_t)c->wish->shards * c->wish->nodes ? PLACEMENT_STORAGE
                                                        : PLACEMENT_COMPUTER;
}

/* Behind those that are as loaded: they were registered first. */
static void
insert(struct turns *t, const struct placement_machine *m, size_t machine)
{
    size_t i = t->n++;

    for (; i > 0 && m[t->machine[i - 1]].instances > m[machine].instances; i--)
        t->machine[i] = t->machine[i - 1];
    t->machine[i] = machine;
}

/* ---- ports ---- */

static bool
meet(const struct choosing *c, size_t a, size_t b)
{
    return c->m[a].group == c->m[b].group;
}

static bool
is_taken(const struct choosing *c, size_t machine, unsigned port, unsigned step)
{
    for (size_t i = 0; i < c->n_taken; i++) {
        const struct placement_taken *t = &c->taken[i];

        if (meet(c, t->machine, machine) && t->port < port + step &&
            port < t->port + steps[t->owner])
            return true;
    }
    for (size_t i = 0; i < c->done; i++)
        if (meet(c, c->out[i].machine, machine) &&
            c->out[i].port < port + step &&
            port < c->out[i].port + steps[kind_of(c, i)])
            return true;
    return false;
}

/* One above the highest of its kind: of a storage node on this machine and on
 * those that share its directories, of a computer on all. */
static unsigned
first_port(const struct choosing *c, size_t machine, enum placement_owner kind)
{
    bool everywhere = kind == PLACEMENT_COMPUTER;
    unsigned port = everywhere ? c->wish->computer_port : c->wish->storage_port;

    for (size_t i = 0; i < c->n_taken; i++) {
        const struct placement_taken *t = &c->taken[i];

        if (t->owner == kind && (everywhere || meet(c, t->machine, machine)) &&
            t->port + steps[kind] > port)
            port = t->port + steps[kind];
    }
    for (size_t i = 0; i < c->done; i++)
        if (kind_of(c, i) == kind &&
            (everywhere || meet(c, c->out[i].machine, machine)) &&
            c->out[i].port + steps[kind] > port)
            port = c->out[i].port + steps[kind];
    return port;
}

static bool
choose_port(const struct choosing *c, size_t machine, enum placement_owner kind,
            unsigned *out)
{
    for (*out = first_port(c, machine, kind);
         *out + steps[kind] - 1 <= PORT_MAX; *out += steps[kind])
        if (!is_taken(c, machine, *out, steps[kind]))
            return true;
    return false;
}

/* ---- one server ---- */

static void
choose_dirs(const struct placement_machine *m, struct placement_choice *out)
{
    for (int k = 0; k < PLACEMENT_CLASS__MAX; k++) {
        out->dir[k] = 0;
        for (unsigned i = 1; i < m->n_dirs[k]; i++)
            if (m->free_mb[k][i] > m->free_mb[k][out->dir[k]])
                out->dir[k] = i;
    }
}

static enum placement_why
put(struct choosing *c, size_t machine)
{
    struct placement_choice *o = &c->out[c->done];

    o->machine = (unsigned)machine;
    if (!choose_port(c, machine, kind_of(c, c->done), &o->port))
        return PLACEMENT_NO_PORT;
    choose_dirs(&c->m[machine], o);
    c->done++;
    return PLACEMENT_OK;
}

static bool
has_memory(const struct choosing *c, size_t machine)
{
    return c->m[machine].memory_mb == 0 ||
           c->given_mb[machine] + c->wish->buffer_mb <= c->m[machine].memory_mb;
}

/* The next one in turn that has none of the shard yet, and memory. Where there
 * are fewer machines than servers: that has one of it, and so on. */
static bool
next_for_shard(const struct choosing *c, size_t turn, size_t *out)
{
    size_t k = c->storage.n;

    for (size_t most = 0; most <= (c->shard_size - 1) / k; most++)
        for (size_t i = 0; i < k; i++) {
            *out = c->storage.machine[(turn + i) % k];
            if (c->of_shard[*out] <= most && has_memory(c, *out))
                return true;
        }
    *out = c->storage.machine[turn % k];
    return false;
}

static enum placement_why
choose_shard(struct choosing *c, unsigned *machine)
{
    size_t k = c->storage.n, nodes = c->wish->nodes;

    memset(c->of_shard, 0, sizeof(c->of_shard));
    c->shard_size = nodes;
    for (size_t i = 0; c->done == 0 && c->wish->there != NULL && i < c->n; i++)
        c->shard_size += c->of_shard[i] = c->wish->there[i];
    for (size_t i = 0; k > 0 && i < nodes; i++) {
        enum placement_why why = PLACEMENT_NO_MEMORY;
        size_t at;

        if (next_for_shard(c, c->next + i, &at))
            why = put(c, at);
        *machine = (unsigned)at;
        if (why != PLACEMENT_OK)
            return why;
        c->of_shard[at]++;
        c->given_mb[at] += c->wish->buffer_mb;
    }
    c->next += nodes >= k ? 1 : nodes;
    return k > 0 ? PLACEMENT_OK : PLACEMENT_NO_MACHINE;
}

static enum placement_why
choose_computer(struct choosing *c, unsigned *machine)
{
    size_t k = c->computers.n;

    if (k == 0)
        return PLACEMENT_NO_MACHINE;
    *machine = (unsigned)c->computers.machine[c->next++ % k];
    return put(c, *machine);
}

enum placement_why
placement_choose(const struct placement_machine *m, size_t n,
                 const struct placement_taken *taken, size_t n_taken,
                 const struct placement_wish *wish,
                 struct placement_choice *out, unsigned *machine)
{
    struct choosing c = {
        .m = m,
        .n = n,
        .taken = taken,
        .n_taken = n_taken,
        .wish = wish,
        .out = out,
    };
    enum placement_why why =
        n > PLACEMENT_MACHINES ? PLACEMENT_NO_MACHINE : PLACEMENT_OK;

    *machine = 0;
    for (size_t i = 0; why == PLACEMENT_OK && i < n; i++) {
        c.given_mb[i] = m[i].given_mb;
        if (m[i].storage)
            insert(&c.storage, m, i);
        if (m[i].computers)
            insert(&c.computers, m, i);
    }
    for (unsigned i = 0; why == PLACEMENT_OK && i < wish->shards; i++)
        why = choose_shard(&c, machine);
    for (unsigned i = 0; why == PLACEMENT_OK && i < wish->comps; i++)
        why = choose_computer(&c, machine);
    return why;
}
