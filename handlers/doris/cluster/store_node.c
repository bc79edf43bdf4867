/* The SQL of nodes, and of who holds a cloud_unique_id. */
#include <string.h>

#include "cluster.h"
#include "node.h"

enum {
    RESOLVE,
    CLAIM,
    RELEASE,
    HOLDER,
    NODE_ADD,
    NODE_DROP,
    NODE_STATUS,
    ENDPOINT_TAKEN,
    SQL__MAX
};

static const char *const sql[SQL__MAX] = {
    [RESOLVE] = "SELECT instance_id FROM doris_cloud_id"
                " WHERE cloud_unique_id = ?",
    [CLAIM] = "INSERT INTO doris_cloud_id (cloud_unique_id, instance_id)"
              " VALUES (?, ?)",
    [RELEASE] = "DELETE FROM doris_cloud_id WHERE cloud_unique_id = ?"
                " AND NOT EXISTS (SELECT 1 FROM doris_node n"
                " WHERE n.cloud_unique_id = doris_cloud_id.cloud_unique_id)",
    [HOLDER] = "SELECT u.instance_id, c.cluster_id, c.cluster_name"
               " FROM doris_cloud_id u"
               " LEFT JOIN doris_node n ON n.instance_id = u.instance_id"
               " AND n.cloud_unique_id = u.cloud_unique_id"
               " LEFT JOIN doris_cluster c ON c.instance_id = n.instance_id"
               " AND c.seq = n.seq"
               " WHERE u.cloud_unique_id = ? AND u.instance_id <> ?"
               " ORDER BY n.seq, n.ord LIMIT 1",
    [NODE_ADD] =
        "INSERT INTO doris_node (instance_id, seq, ord, kind, addr, port,"
        " cloud_unique_id, name, ip, vpc_name, ctime, mtime, status,"
        " heartbeat_port, description, edit_log_port, node_type,"
        " is_smooth_upgrade, host, public_endpoint, private_endpoint)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " ?, ?)",
    [NODE_DROP] = "DELETE FROM doris_node WHERE instance_id = ?"
                  " AND kind = ? AND addr = ? AND port = ?",
    [NODE_STATUS] = "UPDATE doris_node SET status = ?, mtime = ?"
                    " WHERE instance_id = ? AND kind = ? AND addr = ?"
                    " AND port = ?",
    [ENDPOINT_TAKEN] = "SELECT EXISTS (SELECT 1 FROM doris_node"
                       " WHERE instance_id = ? AND kind = ? AND addr = ?"
                       " AND port = ?)",
};

TABLE(doris_holder, DORIS_HOLDER);

/* ---- values that may be absent ---- */

#define OPT_I64(p, s, m) (HAS(p, s, m) ? db_i64((int64_t)(p)->m) : db_null())
#define OPT_ENUM(p, s, m, names) \
    (HAS(p, s, m) ? db_str(enum_text(names, (p)->m)) : db_null())

/* ---- cloud_unique_ids ---- */

enum err
doris_store_resolve(struct db *db, struct arena *a, const char *cloud_unique_id,
                    const char **out)
{
    return db_one_str(db, a, sql[RESOLVE], DB_ARGS(db_str(cloud_unique_id)),
                      out);
}

/* The insert is tried first: a node mostly brings an id of its own. That a
 * held id is ours stays true, since only writes under the instance's lock
 * give it up. */
enum err
doris_store_claim(struct db *db, struct arena *a, const char *instance_id,
                  const char *cloud_unique_id)
{
    const char *holder;
    enum err e;

    if (str_empty(cloud_unique_id))
        return ERR_OK;
    db_touch(db, cloud_unique_id);
    e = db_later(db, sql[CLAIM],
                 DB_ARGS(db_str(cloud_unique_id), db_str(instance_id)));
    if (e != ERR_EXISTS)
        return e;
    e = doris_store_resolve(db, a, cloud_unique_id, &holder);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_BUSY : e; /* gone meanwhile */
    return strcmp(holder, instance_id) == 0 ? ERR_OK : ERR_EXISTS;
}

enum err
doris_store_release(struct db *db, const char *cloud_unique_id)
{
    if (str_empty(cloud_unique_id))
        return ERR_OK;
    return db_later(db, sql[RELEASE], DB_ARGS(db_str(cloud_unique_id)));
}

enum err
doris_store_holder(struct db *db, struct arena *a, const char *cloud_unique_id,
                   const char *not_instance, struct doris_holder *out)
{
    return db_one(db, a, sql[HOLDER],
                  DB_ARGS(db_str(cloud_unique_id), db_str(not_instance)),
                  &doris_holder_rec, out);
}

/* ---- nodes ---- */

#define KIND(type) db_str(enum_text(doris_cluster_type_names, (type)))

enum err
doris_store_node_add(struct db *db, const struct doris_cluster_at *at, int type,
                     uint64_t order, const struct doris_node *n)
{
    return db_later(
        db, sql[NODE_ADD],
        DB_ARGS(db_str(at->instance_id), db_u64(at->seq), db_u64(order),
                KIND(type), db_str(doris_node_addr(n)),
                db_i64(doris_node_port(n, type)), db_str(n->cloud_unique_id),
                db_str(n->name), db_str(n->ip), db_str(n->vpc_name),
                OPT_I64(n, doris_node, ctime), OPT_I64(n, doris_node, mtime),
                OPT_ENUM(n, doris_node, status, doris_node_status_names),
                OPT_I64(n, doris_node, heartbeat_port), db_str(n->desc),
                OPT_I64(n, doris_node, edit_log_port),
                OPT_ENUM(n, doris_node, node_type, doris_node_type_names),
                OPT_I64(n, doris_node, is_smooth_upgrade), db_str(n->host),
                db_str(n->public_endpoint), db_str(n->private_endpoint)));
}

enum err
doris_store_node_drop(struct db *db, const struct doris_cluster_at *at,
                      int type, const struct doris_node *n)
{
    return db_later_one(db, sql[NODE_DROP],
                        DB_ARGS(db_str(at->instance_id), KIND(type),
                                db_str(doris_node_addr(n)),
                                db_i64(doris_node_port(n, type))));
}

enum err
doris_store_node_status(struct db *db, const struct doris_cluster_at *at,
                        int type, const struct doris_node *n)
{
    return db_later_one(
        db, sql[NODE_STATUS],
        DB_ARGS(OPT_ENUM(n, doris_node, status, doris_node_status_names),
                db_i64(n->mtime), db_str(at->instance_id), KIND(type),
                db_str(doris_node_addr(n)), db_i64(doris_node_port(n, type))));
}

enum err
doris_store_endpoint_taken(struct db *db, const char *instance_id, int type,
                           const struct doris_node *n, bool *out)
{
    int64_t taken = 0;
    enum err e;

    e = db_one_i64(db, sql[ENDPOINT_TAKEN],
                   DB_ARGS(db_str(instance_id), KIND(type),
                           db_str(doris_node_addr(n)),
                           db_i64(doris_node_port(n, type))),
                   &taken);
    *out = taken != 0;
    return e;
}
