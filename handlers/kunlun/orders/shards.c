/* Changes of shards that somebody has ordered: read, changed, and written back
 * where the stored one still has the order that was read. */
#include "shards.h"

static enum err
save(struct job_run *run, struct kunlun_shard *sh)
{
    uint64_t was = sh->s.order++;
    enum err e = job_begin(run);

    if (e == ERR_OK)
        e = kunlun_store_shard_save(run->db, run->arena, sh, was);
    e = db_end(run->db, e);
    return e == ERR_STATE ? ERR_BUSY : e;
}

enum err
orders_shard_leaving(struct job_run *run, struct kunlun_shard *sh, unsigned i,
                     bool leaving)
{
    if (sh->s.member[i].leaving == leaving)
        return ERR_OK;
    sh->s.member[i].leaving = leaving;
    return save(run, sh);
}

enum err
orders_shard_switch(struct job_run *run, struct kunlun_shard *sh, int to,
                    int64_t until_ms)
{
    if (to == FO_NOBODY && sh->s.switch_to == FO_NOBODY)
        return ERR_OK;
    sh->s.switch_to = to;
    sh->s.switch_order = sh->s.order + 1;
    sh->s.switch_until_ms = until_ms;
    return save(run, sh);
}

enum err
orders_shard_force(struct job_run *run, struct kunlun_shard *sh, bool force)
{
    if (sh->s.force == force)
        return ERR_OK;
    sh->s.force = force;
    return save(run, sh);
}

bool
orders_shard_may_lead(const struct fo_shard *s, unsigned i)
{
    const struct fo_member *m = &s->member[i];

    return m->role == FO_IN && !m->broken && !m->leaving && m->evict == 0 &&
           m->fence == 0;
}

int
orders_shard_candidate(const struct fo_shard *s, unsigned turn)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->n; i++)
        if (orders_shard_may_lead(s, i))
            n++;
    if (n == 0)
        return FO_NOBODY;
    turn %= n;
    for (unsigned i = 0; i < s->n; i++)
        if (orders_shard_may_lead(s, i) && turn-- == 0)
            return (int)i;
    return FO_NOBODY;
}
