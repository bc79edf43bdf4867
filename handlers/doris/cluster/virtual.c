/* Virtual clusters: a name in front of two compute clusters, one active and
 * one standing by. */
#include <string.h>

#include "cluster.h"
#include "doris/doris.h"

static bool
contains(const struct STR *v, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].v, name) == 0)
            return true;
    return false;
}

/* Members must have a name of the plain form whatever the configuration
 * says of clusters' names. */
static bool
plain_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    static const char more[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";

    return !str_empty(name) && strchr(letters, *name) != NULL &&
           name[strspn(name, more)] == '\0';
}

/* ---- what the request says ---- */

static enum err
check_names(struct req *r, const struct doris_cluster *c)
{
    if (c->cluster_names.n != 2)
        return req_fail(r, DORIS_V_TWO, ARGS());
    for (size_t i = 0; i < 2; i++)
        if (!plain_name(c->cluster_names.v[i].v))
            return req_fail(r, DORIS_V_NAME,
                            ARGS(arg("member", c->cluster_names.v[i].v)));
    return ERR_OK;
}

static enum err
check_standby(struct req *r, const struct doris_cluster *c,
              const struct doris_policy *p)
{
    for (size_t i = 0; i < p->standby_cluster_names.n; i++) {
        const char *name = p->standby_cluster_names.v[i].v;

        if (!contains(c->cluster_names.v, c->cluster_names.n, name))
            return req_fail(r, DORIS_V_STANDBY, ARGS(arg("member", name)));
        if (strcmp(name, p->active_cluster_name) == 0)
            return req_fail(r, DORIS_V_SAME, ARGS());
    }
    return ERR_OK;
}

static enum err
check_thresholds(struct req *r, const struct doris_policy *p)
{
    if (HAS(p, doris_policy, failover_failure_threshold) &&
        p->failover_failure_threshold <= 0)
        return req_fail(r, DORIS_V_FAILURES, ARGS());
    if (HAS(p, doris_policy, unhealthy_node_threshold_percent) &&
        (p->unhealthy_node_threshold_percent <= 0 ||
         p->unhealthy_node_threshold_percent > 100))
        return req_fail(r, DORIS_V_PERCENT, ARGS());
    return ERR_OK;
}

static enum err
check_policy(struct req *r, const struct doris_cluster *c)
{
    const struct doris_policy *p = c->cluster_policy;
    enum err e;

    if (!HAS(p, doris_policy, type))
        return req_fail(r, DORIS_V_POLICY_UNSET, ARGS());
    if (str_empty(p->active_cluster_name) != (p->standby_cluster_names.n == 0))
        return req_fail(r, DORIS_V_POLICY_HALF, ARGS());
    if (str_empty(p->active_cluster_name) ||
        !contains(c->cluster_names.v, c->cluster_names.n,
                  p->active_cluster_name))
        return req_fail(r, DORIS_V_ACTIVE, ARGS());
    e = check_standby(r, c, p);
    return e == ERR_OK ? check_thresholds(r, p) : e;
}

/* What a virtual cluster has not. */
static enum err
check_bare(struct req *r, const struct doris_cluster *c)
{
    if (c->nodes.n > 0 || c->mysql_user_name.n > 0 ||
        HAS(c, doris_cluster, public_endpoint) ||
        HAS(c, doris_cluster, private_endpoint) ||
        HAS(c, doris_cluster, cluster_status))
        return req_fail(r, DORIS_V_ARGS, ARGS());
    return ERR_OK;
}

enum err
doris_virtual_params(struct req *r, const struct doris_cluster *c)
{
    enum err e = check_bare(r, c);

    if (e != ERR_OK)
        return e;
    if ((c->cluster_names.n > 0) != (c->cluster_policy != NULL))
        return req_fail(r, DORIS_V_TOGETHER, ARGS());
    if (c->cluster_names.n == 0)
        return ERR_OK;
    e = check_names(r, c);
    return e == ERR_OK ? check_policy(r, c) : e;
}

/* ---- a change ---- */

#define MERGE(to, from, m)                       \
    do {                                         \
        if (HAS(from, doris_policy, m))          \
            PUT(to, doris_policy, m, (from)->m); \
    } while (0)

static enum err
merge_policy(struct req *r, struct doris_cluster *c,
             const struct doris_policy *asked)
{
    struct doris_policy *p = arena_alloc(r->arena, sizeof(*p));

    if (p == NULL)
        return ERR_NOMEM;
    if (c->cluster_policy != NULL)
        *p = *c->cluster_policy;
    MERGE(p, asked, type);
    MERGE(p, asked, active_cluster_name);
    MERGE(p, asked, failover_failure_threshold);
    MERGE(p, asked, unhealthy_node_threshold_percent);
    if (asked->standby_cluster_names.n > 0) {
        p->standby_cluster_names.n = asked->standby_cluster_names.n;
        p->standby_cluster_names.v = asked->standby_cluster_names.v;
    }
    if (asked->cache_warmup_jobids.n > 0) {
        p->cache_warmup_jobids.n = asked->cache_warmup_jobids.n;
        p->cache_warmup_jobids.v = asked->cache_warmup_jobids.v;
    }
    c->cluster_policy = p;
    return ERR_OK;
}

enum err
doris_virtual_merge(struct req *r, const char *instance_id,
                    struct doris_cluster *c, const struct doris_cluster *asked)
{
    enum err e = check_bare(r, asked);

    if (e == ERR_OK && asked->cluster_names.n == 0 &&
        asked->cluster_policy == NULL)
        return req_fail(r, DORIS_NOTHING, ARGS());
    if (e == ERR_OK && asked->cluster_names.n > 0) {
        c->cluster_names.n = asked->cluster_names.n;
        c->cluster_names.v = asked->cluster_names.v;
    }
    if (e == ERR_OK && asked->cluster_policy != NULL)
        e = merge_policy(r, c, asked->cluster_policy);
    if (e == ERR_OK && (c->cluster_names.n > 0 || c->cluster_policy != NULL))
        e = check_names(r, c);
    if (e == ERR_OK)
        e = doris_virtual_members(r, instance_id, c);
    if (e == ERR_OK && c->cluster_policy == NULL)
        return req_fail(r, DORIS_V_POLICY_UNSET, ARGS());
    return e == ERR_OK ? check_policy(r, c) : e;
}

/* ---- what the store says ---- */

/* It may be the virtual cluster's own already. */
static enum err
check_member(struct req *r, const char *instance_id, const char *name,
             const char *own)
{
    struct doris_cluster_at at;
    struct doris_cluster member;
    const char *owner;
    enum err e;

    e = doris_store_cluster(r->db, r->arena, instance_id, NULL, name, &at,
                            &member);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_V_UNKNOWN, ARGS(arg("member", name)));
    if (e == ERR_OK && member.type != DORIS_COMPUTE)
        return req_fail(r, DORIS_V_COMPUTE, ARGS(arg("member", name)));
    if (e != ERR_OK)
        return e;
    e = doris_store_owner(r->db, r->arena, instance_id, name, &owner);
    if (e == ERR_OK && strcmp(owner, own) != 0)
        return req_fail(r, DORIS_V_TAKEN,
                        ARGS(arg("member", name), arg("owner", owner)));
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err
doris_virtual_members(struct req *r, const char *instance_id,
                      const struct doris_cluster *c)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < c->cluster_names.n && e == ERR_OK; i++)
        e = check_member(r, instance_id, c->cluster_names.v[i].v,
                         c->cluster_name);
    return e;
}

enum err
doris_virtual_settle(struct req *r, struct doris_cluster *c)
{
    struct doris_policy *p;

    if (c->cluster_policy == NULL)
        return ERR_OK;
    p = arena_alloc(r->arena, sizeof(*p));
    if (p == NULL)
        return ERR_NOMEM;
    *p = *c->cluster_policy;
    if (!HAS(p, doris_policy, failover_failure_threshold)) {
        PUT(p, doris_policy, failover_failure_threshold, 3);
    }
    if (!HAS(p, doris_policy, unhealthy_node_threshold_percent)) {
        PUT(p, doris_policy, unhealthy_node_threshold_percent, 100);
    }
    c->cluster_policy = p;
    return ERR_OK;
}

/* ---- renaming ---- */

static void
replace(struct STR *v, size_t n, const char *from, const char *to)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(v[i].v, from) == 0)
            v[i].v = to;
}

enum err
doris_virtual_member_renamed(struct req *r, const char *instance_id,
                             const char *from, const char *to, int64_t now)
{
    struct doris_cluster_at at;
    struct doris_cluster c;
    const char *owner;
    enum err e;

    e = doris_store_owner(r->db, r->arena, instance_id, from, &owner);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    e = doris_store_cluster(r->db, r->arena, instance_id, NULL, owner, &at, &c);
    if (e != ERR_OK)
        return e;
    replace(c.cluster_names.v, c.cluster_names.n, from, to);
    if (c.cluster_policy != NULL) {
        struct doris_policy *p = c.cluster_policy;

        replace(p->standby_cluster_names.v, p->standby_cluster_names.n, from,
                to);
        if (strcmp(p->active_cluster_name, from) == 0)
            p->active_cluster_name = to;
    }
    c.mtime = now;
    e = doris_store_cluster_save(r->db, r->arena, &at, &c);
    return e == ERR_OK ? doris_store_member_rename(r->db, instance_id, from, to)
                       : e;
}
