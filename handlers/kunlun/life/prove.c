/* Growth: it is proved that what was made serves. Shards are looked at all at
 * once, and so are computing nodes: most of it is waiting for them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "build.h"
#include "kunlun/shard/computer.h"
#include "kunlun/shard/shard.h"
#include "log.h"

#define PROVE_MS  60000
#define ANSWER_MS 2000
#define AT_ONCE   16
#define PROOF_MIB ((size_t)2 << 20)

/* What is proved by one thread: of a shard (comp NULL), or of a computing node
 * and all shards. */
struct proof {
    const struct instance_spec *comp;
    const struct kunlun_shard *shards;
    size_t n;
    int64_t value;
    struct arena *arena;
    bool old; /* it was not there before this job, either */
    enum err e;
    char why[WHY_BYTES];
};

/* v[0] is done by the caller. */
static void
at_once(struct proof *v, size_t n, void *(*with)(void *))
{
    pthread_t thread[AT_ONCE];
    bool begun[AT_ONCE] = { false };

    for (size_t from = 0; from < n; from += AT_ONCE) {
        size_t m = n - from < AT_ONCE ? n - from : AT_ONCE;

        for (size_t i = 1; i < m; i++)
            begun[i] = log_thread(&thread[i], with, &v[from + i]);
        (void)with(&v[from]);
        for (size_t i = 1; i < m; i++) {
            if (begun[i])
                (void)pthread_join(thread[i], NULL);
            else
                (void)with(&v[from + i]);
        }
    }
}

/* The first that has failed. */
static enum err
outcome(const struct proof *v, size_t n, char why[WHY_BYTES])
{
    for (size_t i = 0; i < n; i++)
        if (v[i].e != ERR_OK && !v[i].old)
            return why_fail(why, v[i].e, "%s", v[i].why);
    return ERR_OK;
}

/* All replicas have been told to follow: from then on a commit can be
 * acknowledged. */
static bool
all_are_in(const struct kunlun_shard *sh)
{
    for (unsigned i = 0; i < sh->s.n; i++)
        if (sh->s.member[i].role == FO_OUT)
            return false;
    return true;
}

/* A row is acknowledged, and all members have it. */
static void *
write_row(void *arg)
{
    struct proof *p = arg;
    const struct kunlun_shard *sh = p->shards;

    if (!all_are_in(sh)) {
        p->e = why_fail(p->why, ERR_TIMEOUT, "%s: its replicas have not begun",
                        sh->name);
        return NULL;
    }
    p->e = probe_write(p->arena, &sh->spec[sh->s.primary], p->value, ANSWER_MS,
                       p->why);
    for (unsigned i = 0; p->e == ERR_OK && i < sh->s.n; i++)
        p->e = probe_seen(p->arena, &sh->spec[i], p->value, ANSWER_MS, p->why);
    return NULL;
}

static void *
read_back(void *arg)
{
    struct proof *p = arg;

    for (size_t i = 0; p->e == ERR_OK && i < p->n; i++)
        p->e = computer_reads(p->arena, p->comp, p->shards[i].name, p->value,
                              ANSWER_MS, p->why);
    return NULL;
}

/* What the probe has left goes too. */
static void *
clean_up(void *arg)
{
    struct proof *p = arg;
    const struct kunlun_shard *sh = p->shards;

    p->e = p->comp != NULL
               ? probe_remove_computer(p->arena, p->comp, ANSWER_MS, p->why)
               : probe_remove(p->arena, &sh->spec[sh->s.primary], ANSWER_MS,
                              p->why);
    return NULL;
}

static enum err
prove(struct proof *shards, size_t n, struct proof *comps, size_t n_comps,
      char why[WHY_BYTES])
{
    enum err e;

    at_once(shards, n, write_row);
    e = outcome(shards, n, why);
    if (e != ERR_OK)
        return e;
    at_once(comps, n_comps, read_back);
    e = outcome(comps, n_comps, why);
    if (e != ERR_OK)
        return e;
    /* the probe of the shards and that of the computing nodes stand in a row */
    at_once(shards, n + n_comps, clean_up);
    return outcome(shards, n + n_comps, why);
}

static void
close_arenas(struct proof *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].arena != NULL)
            arena_free(v[i].arena);
}

static enum err
prove_all(struct job_run *run, const struct life_memo *memo,
          char why[WHY_BYTES])
{
    struct list_of_instance_spec comps = { 0 };
    struct kunlun_shard *shards = NULL;
    struct proof *v = NULL;
    size_t n = 0, all = 0;
    enum err e = meta_computers(run->db, run->arena, memo->cluster, &comps);

    if (e == ERR_OK)
        e = life_all_shards(run, memo->cluster, &shards, &n);
    if (e == ERR_OK) {
        all = n + comps.n;
        v = arena_array(run->arena, all + 1, sizeof(*v));
        e = v != NULL ? ERR_OK : ERR_NOMEM;
    }
    for (size_t i = 0; e == ERR_OK && i < all; i++) {
        v[i] = (struct proof){ .shards = i < n ? &shards[i] : shards,
                               .n = n,
                               .value = (int64_t)run->job->id,
                               .arena = arena_new(PROOF_MIB) };
        if (i >= n) {
            v[i].comp = &comps.v[i - n];
            v[i].old = !life_is_new(memo, v[i].comp->uuid);
        }
        if (v[i].arena == NULL)
            e = ERR_NOMEM;
        if (e != ERR_OK)
            all = i;
    }
    if (e == ERR_OK)
        e = prove(v, n, v + n, comps.n, why);
    close_arenas(v, v != NULL ? all : 0);
    return e;
}

enum step_answer
life_prove(struct job_run *run)
{
    char why[WHY_BYTES] = "";
    struct life_memo memo;
    enum err e = life_recall(run, &memo);

    if (e != ERR_OK)
        return life_no_memo(run);
    e = prove_all(run, &memo, why);
    return e == ERR_OK ? STEP_DONE : life_try_again(run, e, PROVE_MS, why);
}
