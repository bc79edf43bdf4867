/* Nodes: added to a cluster, removed from it, decommissioned. A change is
 * made to all nodes of the request or to none. */
#include <string.h>

#include "cluster.h"
#include "doris/doris.h"
#include "node.h"

const struct enum_name doris_node_status_names[] = {
    { "NODE_STATUS_UNKNOWN", DORIS_NODE_UNKNOWN },
    { "NODE_STATUS_RUNNING", DORIS_NODE_RUNNING },
    { "NODE_STATUS_SHUTDOWN", DORIS_NODE_SHUTDOWN },
    { "NODE_STATUS_DECOMMISSIONING", DORIS_NODE_DECOMMISSIONING },
    { "NODE_STATUS_DECOMMISSIONED", DORIS_NODE_DECOMMISSIONED },
    { NULL, 0 },
};

const struct enum_name doris_node_type_names[] = {
    { "UNKNOWN", DORIS_NODE_TYPE_UNKNOWN },
    { "FE_MASTER", DORIS_FE_MASTER },
    { "FE_OBSERVER", DORIS_FE_OBSERVER },
    { "FE_FOLLOWER", DORIS_FE_FOLLOWER },
    { NULL, 0 },
};

TABLE(doris_node, DORIS_NODE);

const char *
doris_node_addr(const struct doris_node *n)
{
    if (!str_empty(n->host))
        return n->host;
    return n->ip == NULL ? "" : n->ip;
}

int32_t
doris_node_port(const struct doris_node *n, int type)
{
    return type == DORIS_SQL ? n->edit_log_port : n->heartbeat_port;
}

/* ---- registering ---- */

/* As Doris has it in its sentence, "addr:port" whatever the address: one of
 * IPv6 gets no brackets there, so this is not address_print's. */
static enum err
fail_endpoint(struct req *r, int type, const struct doris_node *n)
{
    const char *at = arena_printf(r->arena, "%s:%d", doris_node_addr(n),
                                  (int)doris_node_port(n, type));

    return req_fail(r, type == DORIS_SQL ? DORIS_FE_TAKEN : DORIS_BE_TAKEN,
                    ARGS(arg("endpoint", at)));
}

/* The nodes of one write are put in order behind those of earlier ones. */
_Static_assert(DORIS_NODES <= 1 << 12, "an order has 12 bits per write");

enum err
doris_nodes_register(struct req *r, const struct doris_cluster_at *at,
                     uint64_t version, int type, const struct doris_node *asked,
                     const struct doris_node *v, size_t n)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        if (str_empty(doris_node_addr(&v[i])))
            return req_fail(r, DORIS_NODE_ADDR,
                            ARGS(doris_node_arg(r, &asked[i])));
        e = doris_store_node_add(r->db, at, type, version << 12 | i, &v[i]);
        if (e == ERR_EXISTS)
            return fail_endpoint(r, type, &v[i]);
    }
    return e;
}

static enum err
fail_occupied(struct req *r, const char *instance_id,
              const struct doris_node *n, int taken)
{
    struct doris_holder h;
    enum err e;

    e = doris_store_holder(r->db, r->arena, n->cloud_unique_id, instance_id,
                           &h);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_BUSY : e; /* let go meanwhile */
    return req_fail(r, taken,
                    ARGS(arg("holder", h.instance_id),
                         arg("holder_name", h.cluster_name),
                         arg("holder_cluster", h.cluster_id),
                         arg("node_id", n->cloud_unique_id)));
}

enum err
doris_nodes_claim(struct req *r, const char *instance_id,
                  const struct doris_node *v, size_t n, int taken)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        e = doris_store_claim(r->db, r->arena, instance_id,
                              v[i].cloud_unique_id);
        if (e == ERR_EXISTS)
            return fail_occupied(r, instance_id, &v[i], taken);
    }
    return e;
}

enum err
doris_nodes_unclaimed(struct req *r, const char *instance_id,
                      const struct doris_node *v, size_t n, int taken)
{
    for (size_t i = 0; i < n; i++) {
        struct doris_holder h;
        enum err e;

        if (v[i].cloud_unique_id == NULL)
            continue;
        e = doris_store_holder(r->db, r->arena, v[i].cloud_unique_id,
                               instance_id, &h);
        if (e == ERR_OK)
            return fail_occupied(r, instance_id, &v[i], taken);
        if (e != ERR_NOT_FOUND)
            return e;
    }
    return ERR_OK;
}

/* ---- the change as a whole ---- */

/* What a change of nodes is for. */
static const char *const nodes_only[] = { "nodes", NULL };

/* One change of nodes from its lock to its last row. */
struct change {
    struct req *r;
    const struct doris_alter_cluster *in;
    const struct doris_cluster *asked; /* the request's cluster */
    const char *instance_id;
    int64_t now;
    uint64_t version;
    struct doris_cluster_at at;
    struct doris_cluster c; /* the cluster, as it is and as it becomes */
};

static enum err
fail_instance(struct change *ch, enum err e)
{
    enum err named;

    if (e == ERR_STATE)
        return req_fail(ch->r, DORIS_DELETED_400, ARGS());
    if (e != ERR_NOT_FOUND)
        return e;
    named = doris_node_names_unknown(ch->r, ch->instance_id, ch->asked);
    if (named != ERR_OK)
        return named;
    return req_fail(ch->r, DORIS_UPDATE_UNKNOWN,
                    ARGS(arg("instance_id", ch->instance_id)));
}

static enum err
begin(struct change *ch, struct req *r, const struct doris_alter_cluster *in)
{
    enum err e;

    *ch = (struct change){ .r = r, .in = in, .now = doris_now() };
    e = doris_cluster_target(r, in, &ch->instance_id);
    if (e != ERR_OK)
        return e;
    ch->asked = in->cluster;
    e = doris_cluster_params(r, ch->instance_id, ch->asked,
                             DORIS_CHANGED_CLUSTER);
    if (e != ERR_OK)
        return e;
    if (ch->asked->nodes.n == 0)
        return req_fail(r, DORIS_NODES_EMPTY, ARGS());
    ch->at.instance_id = ch->instance_id;
    e = doris_store_lock_cluster(r->db, r->arena, &ch->at,
                                 ch->asked->cluster_id, ch->asked->cluster_name,
                                 ch->now, &ch->version, &ch->c);
    return e == ERR_OK ? ERR_OK : fail_instance(ch, e);
}

/* The first SQL cluster of an instance keeps one master, or followers. */
static enum err
check_valid(struct change *ch)
{
    size_t masters = 0, followers = 0;
    bool first = false;
    enum err e;

    if (ch->c.type != DORIS_SQL)
        return ERR_OK;
    for (size_t i = 0; i < ch->c.nodes.n; i++) {
        masters += ch->c.nodes.v[i].node_type == DORIS_FE_MASTER;
        followers += ch->c.nodes.v[i].node_type == DORIS_FE_FOLLOWER;
    }
    if (masters == 1 || (masters == 0 && followers > 0))
        return ERR_OK;
    e = doris_store_is_first_sql(ch->r->db, &ch->at, &first);
    return e == ERR_OK && first ? req_fail(ch->r, DORIS_INVALID, ARGS()) : e;
}

static enum err
save(struct change *ch)
{
    return doris_cluster_save(ch->r, &ch->at, &ch->c, ch->now, DORIS_NODES_ONLY,
                              ch->c.cluster_id);
}

/* ---- add ---- */

/* The request's nodes as they are stored. */
static struct doris_node *
settle_nodes(struct change *ch)
{
    size_t n = ch->asked->nodes.n;
    struct doris_node *v = arena_array(ch->r->arena, n, sizeof(*v));

    for (size_t i = 0; i < n && v != NULL; i++) {
        v[i] = ch->asked->nodes.v[i];
        PUT(&v[i], doris_node, status, DORIS_NODE_RUNNING);
        if (!HAS(&v[i], doris_node, ctime)) {
            PUT(&v[i], doris_node, ctime, ch->now);
        }
        PUT(&v[i], doris_node, mtime, ch->now);
    }
    return v;
}

/* There is no such cluster: but a taken endpoint or id is said first. */
static enum err
fail_no_cluster(struct change *ch)
{
    struct req *r = ch->r;
    const struct doris_node *v = ch->asked->nodes.v;
    enum err e = ERR_OK;

    for (size_t i = 0; i < ch->asked->nodes.n && e == ERR_OK; i++) {
        bool taken = false;

        e = doris_store_endpoint_taken(r->db, ch->instance_id, ch->asked->type,
                                       &v[i], &taken);
        if (e == ERR_OK && taken)
            e = fail_endpoint(r, ch->asked->type, &v[i]);
    }
    if (e == ERR_OK)
        e = doris_nodes_unclaimed(r, ch->instance_id, v, ch->asked->nodes.n,
                                  DORIS_OCCUPIED_400);
    if (e != ERR_OK)
        return e;
    return req_fail(r, DORIS_NODE_CLUSTER,
                    ARGS(arg("instance_id", ch->instance_id)));
}

static enum err
fail_type(struct change *ch)
{
    return req_fail(
        ch->r, DORIS_NODE_TYPE,
        ARGS(arg("have", enum_text(doris_cluster_type_names, ch->c.type)),
             arg("want", enum_text(doris_cluster_type_names, ch->asked->type)),
             arg("cluster_id", ch->c.cluster_id)));
}

static enum err
append(struct change *ch, const struct doris_node *v, size_t n)
{
    size_t old = ch->c.nodes.n;
    struct doris_node *all = arena_array(ch->r->arena, old + n, sizeof(*all));

    if (all == NULL)
        return ERR_NOMEM;
    if (old > 0)
        memcpy(all, ch->c.nodes.v, old * sizeof(*all));
    memcpy(all + old, v, n * sizeof(*all));
    ch->c.nodes.n = old + n;
    ch->c.nodes.v = all;
    return ERR_OK;
}

enum err
doris_node_add(struct req *r, const struct doris_alter_cluster *in)
{
    struct change ch;
    struct doris_node *v;
    size_t n;
    enum err e;

    e = begin(&ch, r, in);
    if (e != ERR_OK)
        return e;
    if (ch.at.doc == NULL)
        return fail_no_cluster(&ch);
    if (ch.c.type != ch.asked->type)
        return fail_type(&ch);
    e = doris_cluster_rest(r, in, &ch.c, nodes_only);
    if (e != ERR_OK)
        return e;
    n = ch.asked->nodes.n;
    v = settle_nodes(&ch);
    if (v == NULL)
        return ERR_NOMEM;
    e = doris_nodes_register(r, &ch.at, ch.version, ch.c.type,
                             ch.asked->nodes.v, v, n);
    if (e == ERR_OK)
        e = doris_nodes_claim(r, ch.instance_id, v, n, DORIS_OCCUPIED_400);
    if (e == ERR_OK)
        e = append(&ch, v, n);
    if (e == ERR_OK)
        e = check_valid(&ch);
    return e == ERR_OK ? save(&ch) : e;
}

/* ---- drop, decommission ---- */

static bool
same_text(const char *a, const char *b)
{
    return a != NULL && b != NULL && !str_empty(a) && strcmp(a, b) == 0;
}

static int32_t
some_port(const struct doris_node *n)
{
    return HAS(n, doris_node, heartbeat_port) ? n->heartbeat_port
                                              : n->edit_log_port;
}

/* A node is meant by its cloud_unique_id and its endpoint, by ip or host. */
static bool
same_node(const struct doris_node *have, const struct doris_node *want)
{
    const char *a = have->cloud_unique_id == NULL ? "" : have->cloud_unique_id;
    const char *b = want->cloud_unique_id == NULL ? "" : want->cloud_unique_id;

    return strcmp(a, b) == 0 && some_port(have) == some_port(want) &&
           (same_text(have->ip, want->ip) || same_text(have->host, want->host));
}

static struct doris_node *
find_node(struct change *ch, const struct doris_node *want)
{
    for (size_t i = 0; i < ch->c.nodes.n; i++)
        if (same_node(&ch->c.nodes.v[i], want))
            return &ch->c.nodes.v[i];
    return NULL;
}

static enum err
fail_node(struct change *ch, const struct doris_node *want)
{
    return req_fail(ch->r, DORIS_NODE_NOT_FOUND,
                    ARGS(arg("instance_id", ch->instance_id),
                         arg("node_id", want->cloud_unique_id)));
}

/* A node is found by its id, address and port, and a role that must be given
 * changes with elections; what else is said of it must be so, or be the status
 * that it gets. */
static enum err
check_rest(struct change *ch, const struct doris_node *want,
           const struct doris_node *have, int becomes)
{
    static const char *const known_by[] = { "cloud_unique_id",
                                            "ip",
                                            "host",
                                            "heartbeat_port",
                                            "edit_log_port",
                                            "ctime",
                                            "mtime",
                                            "node_type",
                                            NULL };
    struct doris_node asked = *want;
    const char *other;

    if (HAS(want, doris_node, status) && want->status == becomes)
        UNSET(&asked, doris_node, status);
    other = record_other(&doris_node_rec, &asked, have, known_by);
    if (other == NULL)
        return ERR_OK;
    return req_fail(ch->r, DORIS_MEMBER_OTHER, ARGS(arg("member", other)));
}

typedef enum err node_fn(struct change *ch, struct doris_node *n);

/* f for each node that the request names; after it the node has the status
 * `becomes`, -1 when it is gone. */
static enum err
each_named(struct req *r, const struct doris_alter_cluster *in, node_fn *f,
           int becomes)
{
    struct change ch;
    enum err e;

    e = begin(&ch, r, in);
    if (e != ERR_OK)
        return e;
    if (ch.at.doc == NULL || ch.c.type != ch.asked->type)
        return fail_node(&ch, &ch.asked->nodes.v[0]);
    e = doris_cluster_rest(r, in, &ch.c, nodes_only);
    for (size_t i = 0; i < ch.asked->nodes.n && e == ERR_OK; i++) {
        const struct doris_node *want = &ch.asked->nodes.v[i];
        struct doris_node *n = find_node(&ch, want);

        e = n == NULL ? fail_node(&ch, want)
                      : check_rest(&ch, want, n, becomes);
        if (e == ERR_OK)
            e = f(&ch, n);
    }
    if (e == ERR_OK)
        e = check_valid(&ch);
    return e == ERR_OK ? save(&ch) : e;
}

static enum err
drop(struct change *ch, struct doris_node *n)
{
    size_t behind = (size_t)(ch->c.nodes.v + ch->c.nodes.n - (n + 1));
    const char *id = n->cloud_unique_id;
    enum err e;

    e = doris_store_node_drop(ch->r->db, &ch->at, ch->c.type, n);
    if (e == ERR_OK)
        e = doris_store_release(ch->r->db, id);
    memmove(n, n + 1, behind * sizeof(*n));
    ch->c.nodes.n--;
    return e;
}

static enum err
set_status(struct change *ch, struct doris_node *n, int status)
{
    PUT(n, doris_node, status, status);
    PUT(n, doris_node, mtime, ch->now);
    return doris_store_node_status(ch->r->db, &ch->at, ch->c.type, n);
}

static enum err
decommission(struct change *ch, struct doris_node *n)
{
    return set_status(ch, n, DORIS_NODE_DECOMMISSIONING);
}

static enum err
decommissioned(struct change *ch, struct doris_node *n)
{
    return set_status(ch, n, DORIS_NODE_DECOMMISSIONED);
}

enum err
doris_node_drop(struct req *r, const struct doris_alter_cluster *in)
{
    return each_named(r, in, drop, -1);
}

enum err
doris_node_decommission(struct req *r, const struct doris_alter_cluster *in)
{
    return each_named(r, in, decommission, DORIS_NODE_DECOMMISSIONING);
}

enum err
doris_node_decommissioned(struct req *r, const struct doris_alter_cluster *in)
{
    return each_named(r, in, decommissioned, DORIS_NODE_DECOMMISSIONED);
}
