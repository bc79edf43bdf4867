/* What a request about a cluster must say before the cluster is looked at. */
#include <string.h>

#include "doris/settings.h"
#include "cluster.h"
#include "doris/doris.h"
#include "doris/meta/instance.h"
#include "node.h"

/* ---- the instance ---- */

/* Without an instance_id the cloud_unique_id leads to it; one that names an
 * instance which does not exist has a message of its own. */
static enum err
resolve_target(struct req *r, const struct doris_alter_cluster *in,
               const char **out)
{
    enum err e;

    e = doris_store_resolve(r->db, r->arena, in->cloud_unique_id, out);
    if (e != ERR_NOT_FOUND)
        return e;
    *out = doris_degraded(r->arena, in->cloud_unique_id);
    if (*out == NULL)
        return req_fail(r, DORIS_IID_EMPTY, ARGS());
    e = doris_store_instance_exists(r->db, *out);
    return e == ERR_NOT_FOUND ? req_fail(r, DORIS_CUID_DEGRADED, ARGS()) : e;
}

enum err
doris_cluster_target(struct req *r, const struct doris_alter_cluster *in,
                     const char **instance_id)
{
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    *instance_id = in->instance_id;
    if (str_empty(*instance_id))
        e = resolve_target(r, in, instance_id);
    if (e == ERR_OK && in->cluster == NULL)
        return req_fail(r, DORIS_NOT_GIVEN, ARGS());
    if (e == ERR_OK)
        doris_audit_target(r, "instance", *instance_id, NULL);
    return e;
}

/* ---- the name ---- */

bool
doris_cluster_name_ok(const char *name)
{
    if (!doris_settings()->cluster_name_check)
        return true;
    for (const char *p = name; *p != '\0'; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');

        if (!letter && (p == name || ((*p < '0' || *p > '9') && *p != '_')))
            return false;
    }
    return !str_empty(name);
}

static enum err
check_name(struct req *r, const struct doris_cluster *c, enum doris_params what)
{
    bool given = !str_empty(c->cluster_name);

    if (what == DORIS_NEW_CLUSTER && !given)
        return req_fail(r, DORIS_NAME_UNSET, ARGS());
    if (given && !doris_cluster_name_ok(c->cluster_name))
        return req_fail(r, DORIS_NAME_PATTERN, ARGS());
    return ERR_OK;
}

/* ---- the nodes ---- */

struct arg
doris_node_arg(struct req *r, const struct doris_node *n)
{
    return arg_json(r, "node", &doris_node_rec, n);
}

static enum err
fail_degraded(struct req *r, const struct doris_node *n)
{
    return req_fail(r, DORIS_NODE_DEGRADED,
                    ARGS(arg("node", doris_text(r, &doris_node_rec, n))));
}

static bool
port_ok(const struct doris_cluster *c, const struct doris_node *n)
{
    if (c->type == DORIS_COMPUTE)
        return n->heartbeat_port != 0;
    return n->edit_log_port != 0 && HAS(n, doris_node, node_type) &&
           n->node_type != DORIS_NODE_TYPE_UNKNOWN;
}

/* Whether the instance named inside a cloud_unique_id exists. That of the
 * request itself is taken for granted: its lock tells, without a statement
 * more for each node, and doris_node_names_unknown then says so. */
static enum err
check_degraded(struct req *r, const char *instance_id,
               const struct doris_node *n)
{
    const char *named = doris_degraded(r->arena, n->cloud_unique_id);
    enum err e;

    if (named == NULL || strcmp(named, instance_id) == 0)
        return ERR_OK;
    e = doris_store_instance_exists(r->db, named);
    return e == ERR_NOT_FOUND ? fail_degraded(r, n) : e;
}

enum err
doris_node_names_unknown(struct req *r, const char *instance_id,
                         const struct doris_cluster *c)
{
    for (size_t i = 0; i < c->nodes.n; i++) {
        const char *named =
            doris_degraded(r->arena, c->nodes.v[i].cloud_unique_id);

        if (named != NULL && strcmp(named, instance_id) == 0)
            return fail_degraded(r, &c->nodes.v[i]);
    }
    return ERR_OK;
}

/* A node refused for its ports, unless an earlier one names the unknown
 * instance of the request. */
static enum err
fail_port(struct req *r, const char *instance_id, const struct doris_cluster *c,
          size_t i)
{
    struct doris_cluster upto = { .nodes = { i + 1, c->nodes.v } };
    enum err e;

    e = doris_store_instance_exists(r->db, instance_id);
    if (e == ERR_NOT_FOUND)
        e = doris_node_names_unknown(r, instance_id, &upto);
    if (e != ERR_OK)
        return e;
    return req_fail(r, DORIS_NODE_PORT,
                    ARGS(doris_node_arg(r, &c->nodes.v[i])));
}

static enum err
check_nodes(struct req *r, const char *instance_id,
            const struct doris_cluster *c)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < c->nodes.n && e == ERR_OK; i++) {
        e = check_degraded(r, instance_id, &c->nodes.v[i]);
        if (e == ERR_OK && c->type != DORIS_VIRTUAL &&
            !port_ok(c, &c->nodes.v[i]))
            e = fail_port(r, instance_id, c, i);
    }
    return e;
}

/* One master and observers, or followers that elect one. */
static enum err
check_masters(struct req *r, const struct doris_cluster *c)
{
    int64_t masters = 0, followers = 0;

    for (size_t i = 0; i < c->nodes.n; i++) {
        masters += c->nodes.v[i].node_type == DORIS_FE_MASTER;
        followers += c->nodes.v[i].node_type == DORIS_FE_FOLLOWER;
    }
    if (masters > 0 && followers > 0)
        return req_fail(r, DORIS_MULTI_FOLLOWER,
                        ARGS(arg_i64(r, "masters", masters),
                             arg_i64(r, "followers", followers)));
    if (followers == 0 && masters != 1)
        return req_fail(r, DORIS_ONE_MASTER,
                        ARGS(arg_i64(r, "masters", masters)));
    return ERR_OK;
}

enum err
doris_cluster_users_size(const struct doris_cluster *c)
{
    for (size_t i = 0; i < c->mysql_user_name.n; i++)
        if (strlen(c->mysql_user_name.v[i].v) > DORIS_ID_BYTES)
            return ERR_LIMIT;
    return ERR_OK;
}

enum err
doris_cluster_params(struct req *r, const char *instance_id,
                     const struct doris_cluster *c, enum doris_params what)
{
    enum err e;

    if (!HAS(c, doris_cluster, type))
        return req_fail(r, DORIS_TYPE_UNSET, ARGS());
    e = check_name(r, c, what);
    if (e == ERR_OK)
        e = check_nodes(r, instance_id, c);
    if (e == ERR_OK && what == DORIS_NEW_CLUSTER && c->type == DORIS_SQL)
        e = check_masters(r, c);
    if (e == ERR_OK && c->type == DORIS_VIRTUAL)
        e = doris_virtual_params(r, c);
    else if (e == ERR_OK && what == DORIS_NEW_CLUSTER &&
             (c->cluster_names.n > 0 || c->cluster_policy != NULL))
        return req_fail(r, DORIS_V_MEMBERS, ARGS());
    return e == ERR_OK ? doris_cluster_users_size(c) : e;
}

/* ---- what an operation is not for ---- */

enum err
doris_cluster_rest(struct req *r, const struct doris_alter_cluster *in,
                   const struct doris_cluster *have, const char *const *changes)
{
    struct doris_alter_cluster plain = *in;
    struct doris_cluster asked = *in->cluster;
    const char *other;

    /* it was found by these, or they are the service's to say */
    UNSET(&asked, doris_cluster, cluster_id);
    UNSET(&asked, doris_cluster, cluster_name);
    UNSET(&asked, doris_cluster, ctime);
    UNSET(&asked, doris_cluster, mtime);
    other = record_other(&doris_cluster_rec, &asked, have, changes);
    plain.replace_if_existing_empty_target_cluster = false;
    if (other == NULL)
        other = record_other(&doris_alter_cluster_rec, in, &plain, changes);
    if (other != NULL)
        return req_fail(r, DORIS_MEMBER_OTHER, ARGS(arg("member", other)));
    return ERR_OK;
}
