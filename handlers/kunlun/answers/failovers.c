/* pause_failover, resume_failover, get_failovers. What holds failovers back
 * lies in the state of each shard; kunlun_pause tells until when, why and by
 * whom. */
#include "failovers.h"

#include "clock.h"
#include "kunlun/cluster_mgr/cluster_mgr.h"
#include "kunlun/cluster_mgr/store.h"

TABLE(cluster_pause_asked, CLUSTER_PAUSE_ASKED);
TABLE_OF(cluster_pause_paras, cluster_pause_asked, CLUSTER_PAUSE_PARAS);
TABLE(cluster_history, CLUSTER_HISTORY);
TABLE_OF(cluster_history_paras, cluster_history, CLUSTER_HISTORY_PARAS);
TABLE(cluster_failovers, CLUSTER_FAILOVERS);
TABLE_OF(cluster_failovers_paras, cluster_failovers, CLUSTER_FAILOVERS_PARAS);

CHECKS(cluster_pause_asked, NEED(cluster_name, CLUSTER_GET_CLUSTER),
       PRESENT(seconds, CLUSTER_GET_SECONDS), NEED(reason, CLUSTER_GET_REASON));
CHECKS(cluster_pause_paras,
       ANY_OF(cluster_name, cluster_id, CLUSTER_GET_CLUSTER),
       PRESENT(seconds, CLUSTER_GET_SECONDS), NEED(reason, CLUSTER_GET_REASON));
CHECKS(cluster_history, NEED(cluster_name, CLUSTER_GET_CLUSTER));
CHECKS(cluster_history_paras,
       ANY_OF(cluster_name, cluster_id, CLUSTER_GET_CLUSTER));

/* ---- held back ---- */

/* BUSY: who watches has changed one meanwhile; all of it is done again. */
static enum err
hold_back(struct req *r, const char *cluster, int64_t until_ms)
{
    struct kunlun_shard *sh = arena_alloc(r->arena, sizeof(*sh));
    struct kunlun_shard_ids ids;
    enum err e = sh != NULL
                     ? kunlun_store_shard_ids_of(r->db, r->arena, cluster, &ids)
                     : ERR_NOMEM;

    for (size_t i = 0; e == ERR_OK && i < ids.n; i++) {
        uint64_t was;

        e = kunlun_store_shard(r->db, r->arena, ids.v[i], sh);
        if (e != ERR_OK)
            break;
        was = sh->s.order++;
        sh->s.paused_until_ms = until_ms;
        e = kunlun_store_shard_save(r->db, r->arena, sh, was);
    }
    return e == ERR_STATE || e == ERR_NOT_FOUND ? ERR_BUSY : e;
}

static enum err
pause_until(struct req *r, const char *cluster, int64_t until_ms,
            const char *reason, const char *info)
{
    enum err e = hold_back(r, cluster, until_ms);

    if (e == ERR_OK)
        e = cluster_store_pause(r->db, cluster, until_ms, reason,
                                r->token_name != NULL ? r->token_name : "");
    if (e != ERR_OK)
        return e;
    req_audit(r, arena_printf(r->arena, "failovers of %s", cluster), NULL,
              NULL);
    return kunlun_say(r, "done", info);
}

enum err
cluster_pause(struct req *r, const struct cluster_pause_asked *in)
{
    const char *name;
    enum err e = req_check(r, in);

    if (e == ERR_OK)
        e = cluster_meant(r, in->name, in->id, &name);
    return e == ERR_OK
               ? pause_until(r, name, clock_unix_ms() + in->seconds * 1000,
                             in->reason, "pause failover succeed")
               : e;
}

enum err
cluster_resume(struct req *r, const struct cluster_ref *in)
{
    const char *name;
    enum err e = req_check(r, in);

    if (e == ERR_OK)
        e = cluster_meant(r, in->name, in->id, &name);
    return e == ERR_OK ? pause_until(r, name, 0, "", "resume failover succeed")
                       : e;
}

/* ---- told of ---- */

/* One that is gone has its history still, by its name. */
enum err
cluster_failovers_get(struct req *r, const struct cluster_history *in)
{
    struct cluster_failovers *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_kunlun_failover rows = { 0 };
    const char *name = in->name;
    bool known = true;
    enum err e = req_check(r, in);

    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    e = cluster_store_name(r->db, r->arena, in->name, in->id, &name);
    if (e == ERR_NOT_FOUND) {
        known = false;
        name = in->name;
        e = ERR_OK;
    }
    if (e == ERR_OK && name != NULL)
        e = kunlun_store_failovers_of(
            r->db, r->arena, name,
            HAS(in, cluster_history, shard) ? in->shard : NULL, &rows);
    if (e == ERR_OK && !known && rows.n == 0)
        return req_fail(r, CLUSTER_UNKNOWN, ARGS());
    *out = (struct cluster_failovers){ 0 };
    PUT_LIST(out, cluster_failovers, v, rows.n, rows.v);
    return req_send_or_fail(r, e,
                            cluster_in_paras(r) ? &cluster_failovers_paras_rec
                                                : &cluster_failovers_rec,
                            out);
}
