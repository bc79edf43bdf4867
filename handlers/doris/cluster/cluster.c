/* Clusters: added, dropped, and what may be changed of one. */
#include <string.h>

#include "cluster.h"
#include "doris/doris.h"
#include "doris/meta/instance.h"
#include "node.h"

const struct enum_name doris_cluster_type_names[] = {
    { "SQL", DORIS_SQL },
    { "COMPUTE", DORIS_COMPUTE },
    { "VIRTUAL", DORIS_VIRTUAL },
    { NULL, 0 },
};

/* STOPPED is the old documentation's word for SUSPENDED. */
const struct enum_name doris_cluster_status_names[] = {
    { "UNKNOWN", DORIS_STATUS_UNKNOWN },
    { "NORMAL", DORIS_STATUS_NORMAL },
    { "SUSPENDED", DORIS_STATUS_SUSPENDED },
    { "STOPPED", DORIS_STATUS_SUSPENDED },
    { "TO_RESUME", DORIS_STATUS_TO_RESUME },
    { "MANUAL_SHUTDOWN", DORIS_STATUS_MANUAL_SHUTDOWN },
    { NULL, 0 },
};

const struct enum_name doris_policy_type_names[] = {
    { "ActiveStandby", DORIS_ACTIVE_STANDBY },
    { NULL, 0 },
};

TABLE(doris_policy, DORIS_POLICY);
TABLE(doris_cluster, DORIS_CLUSTER);
TABLE(doris_doc, DORIS_DOC);
TABLE(doris_found_doc, DORIS_FOUND_DOC);
TABLE(doris_alter_cluster, DORIS_ALTER_CLUSTER);

/* Whether a cloud_unique_id leads to an instance and a cluster is given comes
 * after this: params.c. */
CHECKS(doris_alter_cluster,
       ANY_OF(instance_id, cloud_unique_id, DORIS_NOT_GIVEN));

/* A cluster's documents; NULL before its creation and after its removal. */
static void
audit_cluster(struct req *r, const struct doris_cluster_at *at,
              const char *cluster_id, const char *before, const char *after)
{
    doris_audit_target(r, "cluster", at->instance_id, cluster_id);
    req_audit(r, NULL, before, after);
}

/* ---- add ---- */

static enum err
fail_add(struct req *r, enum err e, const char *id,
         const struct doris_cluster *c)
{
    enum err said;

    if (e != ERR_NOT_FOUND && e != ERR_STATE)
        return e;
    said = e == ERR_NOT_FOUND ? doris_node_names_unknown(r, id, c) : ERR_OK;
    if (said == ERR_OK)
        said = doris_nodes_unclaimed(r, id, c->nodes.v, c->nodes.n,
                                     DORIS_OCCUPIED_409);
    if (said != ERR_OK)
        return said;
    return req_fail(r, e == ERR_STATE ? DORIS_DELETED_404 : DORIS_ADD_UNKNOWN,
                    ARGS(arg("instance_id", id)));
}

/* As it is stored: its times and its nodes' are now; a compute cluster is
 * NORMAL whatever was asked for; only virtual clusters have members. */
static enum err
settle(struct req *r, struct doris_cluster *c, int64_t now)
{
    struct doris_node *v =
        arena_array(r->arena, c->nodes.n, sizeof(*c->nodes.v));

    if (v == NULL)
        return ERR_NOMEM;
    for (size_t i = 0; i < c->nodes.n; i++) {
        v[i] = c->nodes.v[i];
        PUT(&v[i], doris_node, ctime, now);
        PUT(&v[i], doris_node, mtime, now);
    }
    c->nodes.v = v;
    PUT(c, doris_cluster, ctime, now);
    PUT(c, doris_cluster, mtime, now);
    if (c->type == DORIS_COMPUTE) {
        PUT(c, doris_cluster, cluster_status, DORIS_STATUS_NORMAL);
    }
    if (c->type == DORIS_VIRTUAL)
        return doris_virtual_settle(r, c);
    c->cluster_names.n = 0;
    UNSET(c, doris_cluster, cluster_names);
    c->cluster_policy = NULL;
    return ERR_OK;
}

enum err
doris_cluster_add(struct req *r, const struct doris_alter_cluster *in)
{
    int64_t now = doris_now();
    struct doris_cluster_at at = { 0 };
    struct doris_cluster c;
    enum err e;

    e = doris_cluster_target(r, in, &at.instance_id);
    if (e == ERR_OK)
        e = doris_cluster_params(r, at.instance_id, in->cluster,
                                 DORIS_NEW_CLUSTER);
    if (e != ERR_OK)
        return e;
    c = *in->cluster;
    if (str_empty(c.cluster_id))
        return req_fail(r, DORIS_ID_UNSET, ARGS());
    e = doris_cluster_rest(r, in, in->cluster, NULL); /* a flag is left */
    if (e != ERR_OK)
        return e;
    e = doris_store_lock_live(r->db, at.instance_id, now, &at.seq);
    if (e != ERR_OK)
        return fail_add(r, e, at.instance_id, &c);
    e = settle(r, &c, now);
    if (e == ERR_OK)
        e = doris_nodes_claim(r, at.instance_id, c.nodes.v, c.nodes.n,
                              DORIS_OCCUPIED_409);
    if (e == ERR_OK && c.type == DORIS_VIRTUAL)
        e = doris_virtual_members(r, at.instance_id, &c);
    if (e == ERR_OK)
        e = doris_store_cluster_add(r->db, r->arena, &at, &c);
    if (e == ERR_OK)
        e = doris_nodes_register(r, &at, at.seq, c.type, in->cluster->nodes.v,
                                 c.nodes.v, c.nodes.n);
    if (e != ERR_OK)
        return e;
    audit_cluster(r, &at, c.cluster_id, NULL, at.doc);
    return req_ok(r);
}

/* ---- drop ---- */

static enum err
check_not_owned(struct req *r, const char *id, const char *name)
{
    const char *owner;
    enum err e;

    e = doris_store_owner(r->db, r->arena, id, name, &owner);
    if (e == ERR_OK)
        return req_fail(r, DORIS_CLUSTER_OWNED, ARGS(arg("owner", owner)));
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The name in the request is information: the id decides. */
enum err
doris_cluster_drop(struct req *r, const struct doris_alter_cluster *in)
{
    struct doris_cluster_at at = { 0 };
    struct doris_cluster c;
    const char *id;
    uint64_t version;
    enum err e;

    e = doris_cluster_target(r, in, &id);
    if (e != ERR_OK)
        return e;
    if (str_empty(in->cluster->cluster_id))
        return req_fail(r, DORIS_ID_UNSET, ARGS());
    at.instance_id = id;
    e = doris_store_lock_cluster(r->db, r->arena, &at, in->cluster->cluster_id,
                                 NULL, doris_now(), &version, &c);
    if (e != ERR_OK)
        return doris_fail_instance(r, e, id);
    if (at.doc == NULL)
        return req_fail(r, DORIS_CLUSTER_NOT_DROPPED,
                        ARGS(arg("instance_id", id)));
    e = doris_cluster_rest(r, in, &c, NULL);
    if (e == ERR_OK)
        e = check_not_owned(r, id, c.cluster_name);
    if (e == ERR_OK)
        e = doris_store_cluster_drop(r->db, &at);
    if (e != ERR_OK)
        return e;
    audit_cluster(r, &at, c.cluster_id, at.doc, NULL);
    return req_ok(r);
}

/* ---- changes of one cluster, by its id ---- */

/* A cluster that is being changed. */
struct update {
    const char *instance_id;
    int64_t now;
    struct doris_cluster_at at;
    struct doris_cluster c;
    const char *replaced; /* a cluster that had to go; NULL = none */
};

/* changes: the keys of what the operation is for; see doris_cluster_rest,
 * which is left to the caller when it is NULL. */
static enum err
begin(struct req *r, const struct doris_alter_cluster *in,
      const char *const *changes, struct update *u)
{
    uint64_t version;
    enum err e;

    *u = (struct update){ .now = doris_now() };
    e = doris_cluster_target(r, in, &u->instance_id);
    if (e != ERR_OK)
        return e;
    if (str_empty(in->cluster->cluster_id))
        return req_fail(r, DORIS_ID_UNSET, ARGS());
    u->at.instance_id = u->instance_id;
    e = doris_store_lock_cluster(r->db, r->arena, &u->at,
                                 in->cluster->cluster_id, NULL, u->now,
                                 &version, &u->c);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_UPDATE_UNKNOWN,
                        ARGS(arg("instance_id", u->instance_id)));
    if (e == ERR_STATE)
        return req_fail(r, DORIS_DELETED_400, ARGS());
    if (e == ERR_OK && u->at.doc == NULL)
        return req_fail(r, DORIS_CLUSTER_NOT_UPDATED,
                        ARGS(arg("instance_id", u->instance_id)));
    return e == ERR_OK && changes != NULL
               ? doris_cluster_rest(r, in, &u->c, changes)
               : e;
}

enum err
doris_cluster_save(struct req *r, struct doris_cluster_at *at,
                   struct doris_cluster *c, int64_t now,
                   enum doris_written what, const char *name)
{
    const char *before = at->doc;
    enum err e;

    PUT(c, doris_cluster, mtime, now);
    e = what == DORIS_WHOLE ? doris_store_cluster_save(r->db, r->arena, at, c)
                            : doris_store_cluster_doc(r->db, r->arena, at, c);
    if (e != ERR_OK)
        return e;
    audit_cluster(r, at, name, before, at->doc);
    return req_ok(r);
}

static enum err
save(struct req *r, struct update *u)
{
    const char *name = u->c.cluster_id;

    if (u->replaced != NULL)
        name = arena_printf(r->arena, "%s, replacing %s", name, u->replaced);
    return doris_cluster_save(r, &u->at, &u->c, u->now, DORIS_WHOLE, name);
}

static enum err
fail_rename(struct req *r, const struct update *u, int id)
{
    return req_fail(r, id,
                    ARGS(arg_json(r, "original", &doris_cluster_rec, &u->c)));
}

/* Who has the name already is in the way, unless the request allows to
 * replace a cluster without nodes; a virtual one never has any. */
static enum err
make_way(struct req *r, const struct doris_alter_cluster *in, struct update *u)
{
    struct doris_cluster_at at;
    struct doris_cluster other;
    enum err e;

    e = doris_store_cluster(r->db, r->arena, u->instance_id, NULL,
                            in->cluster->cluster_name, &at, &other);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    if (!in->replace_if_existing_empty_target_cluster || other.nodes.n > 0 ||
        other.type == DORIS_VIRTUAL)
        return fail_rename(r, u, DORIS_RENAME_TAKEN);
    u->replaced = other.cluster_id;
    e = check_not_owned(r, u->instance_id, other.cluster_name);
    return e == ERR_OK ? doris_store_cluster_drop(r->db, &at) : e;
}

enum err
doris_cluster_rename(struct req *r, const struct doris_alter_cluster *in)
{
    static const char *const changes[] = {
        "replace_if_existing_empty_target_cluster", NULL
    };
    struct update u;
    const char *from, *to;
    enum err e;

    e = begin(r, in, changes, &u);
    if (e != ERR_OK)
        return e;
    from = u.c.cluster_name;
    to = in->cluster->cluster_name;
    if (str_empty(to))
        return req_fail(r, DORIS_NAME_UNSET, ARGS());
    if (!doris_cluster_name_ok(to))
        return req_fail(r, DORIS_NAME_PATTERN, ARGS());
    if (strcmp(from, to) == 0)
        return fail_rename(r, &u, DORIS_RENAME_SAME);
    e = make_way(r, in, &u);
    if (e == ERR_OK)
        e = doris_virtual_member_renamed(r, u.instance_id, from, to, u.now);
    if (e != ERR_OK)
        return e;
    u.c.cluster_name = to;
    return save(r, &u);
}

enum err
doris_cluster_set_users(struct req *r, const struct doris_alter_cluster *in)
{
    static const char *const changes[] = { "mysql_user_name", NULL };
    struct update u;
    enum err e;

    e = begin(r, in, changes, &u);
    if (e != ERR_OK)
        return e;
    if (in->cluster->mysql_user_name.n == 0)
        return req_fail(r, DORIS_NO_USERS, ARGS());
    e = doris_cluster_users_size(in->cluster);
    if (e != ERR_OK)
        return e;
    u.c.mysql_user_name.n = in->cluster->mysql_user_name.n;
    u.c.mysql_user_name.v = in->cluster->mysql_user_name.v;
    e = doris_store_cluster_users(r->db, &u.at, &u.c);
    return e == ERR_OK ? save(r, &u) : e;
}

/* The public endpoint goes when it is not given; the private one must be. */
enum err
doris_cluster_set_endpoint(struct req *r, const struct doris_alter_cluster *in)
{
    static const char *const changes[] = { "public_endpoint",
                                           "private_endpoint", NULL };
    const struct doris_cluster *asked = in->cluster;
    struct update u;
    enum err e;

    e = begin(r, in, changes, &u);
    if (e != ERR_OK)
        return e;
    if (str_empty(asked->private_endpoint))
        return req_fail(r, DORIS_NO_ENDPOINT, ARGS());
    PUT(&u.c, doris_cluster, private_endpoint, asked->private_endpoint);
    u.c.public_endpoint = asked->public_endpoint;
    UNSET(&u.c, doris_cluster, public_endpoint);
    if (HAS(asked, doris_cluster, public_endpoint))
        SET(&u.c, doris_cluster, public_endpoint);
    return save(r, &u);
}

/* A status that is missing or unknown reads as UNKNOWN, and no edge leads
 * there. */
enum err
doris_cluster_status_set(struct req *r, const struct doris_alter_cluster *in)
{
    static const char *const changes[] = { "cluster_status", NULL };
    struct update u;
    enum err e;

    e = begin(r, in, changes, &u);
    if (e == ERR_OK)
        e = doris_status_change(r, &u.c, in->cluster->cluster_status);
    if (e != ERR_OK)
        return e;
    PUT(&u.c, doris_cluster, cluster_status, in->cluster->cluster_status);
    if (u.now <= u.c.mtime) /* who waits for it sees each change */
        u.now = u.c.mtime + 1;
    return save(r, &u);
}

/* What is given of a virtual cluster's members and policy; the whole that it
 * becomes is checked. */
enum err
doris_cluster_set_virtual(struct req *r, const struct doris_alter_cluster *in)
{
    /* what a virtual cluster has not is told by doris_virtual_merge */
    static const char *const changes[] = { "nodes",
                                           "mysql_user_name",
                                           "cluster_status",
                                           "public_endpoint",
                                           "private_endpoint",
                                           "cluster_names",
                                           "cluster_policy",
                                           NULL };
    struct update u;
    enum err e;

    e = begin(r, in, NULL, &u);
    if (e == ERR_OK && u.c.type != DORIS_VIRTUAL)
        return req_fail(r, DORIS_V_ONLY, ARGS());
    if (e == ERR_OK)
        e = doris_cluster_rest(r, in, &u.c, changes);
    if (e == ERR_OK)
        e = doris_virtual_merge(r, u.instance_id, &u.c, in->cluster);
    if (e == ERR_OK)
        e = doris_virtual_settle(r, &u.c);
    if (e == ERR_OK)
        e = doris_store_cluster_members(r->db, &u.at, &u.c);
    return e == ERR_OK ? save(r, &u) : e;
}
