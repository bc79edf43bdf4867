/* The SQL of clusters and nodes.
 *
 * A cluster's document (doc) is the reply of get_cluster, rendered when it is
 * written. It is also what a write reads back to change: one row instead of
 * three tables. The tables beside it carry what must be unique and what is
 * searched; a test compares the two after every operation. */
#include <string.h>

#include "cluster.h"
#include "doris/doris.h"
#include "doris/meta/instance.h"
#include "node.h"

enum {
    GET_BY_ID,
    GET_BY_NAME,
    GET_BY_USER,
    DOCS,
    HAS_CLUSTERS,
    STATUSES,
    STATUSES_OF,
    BY_ID,
    BY_NAME,
    CLUSTER_ADD,
    CLUSTER_SAVE,
    CLUSTER_DOC,
    CLUSTER_DROP,
    USER_ADD,
    USERS_DROP,
    MEMBER_ADD,
    MEMBERS_DROP,
    MEMBER_RENAME,
    MEMBER_OWNER,
    FIRST_SQL,
    RELEASE_CLUSTER,
    SQL__MAX
};

/* The instance of a get_cluster: a registered cloud_unique_id wins. */
#define INSTANCE_OF                                        \
    "COALESCE((SELECT u.instance_id FROM doris_cloud_id u" \
    " WHERE u.cloud_unique_id = ?), ?)"

static const char *const sql[SQL__MAX] = {
    [GET_BY_ID] = "SELECT c.doc, c.instance_id FROM doris_cluster c"
                  " WHERE c.instance_id = " INSTANCE_OF " AND c.cluster_id = ?",
    [GET_BY_NAME] =
        "SELECT c.doc, c.instance_id FROM doris_cluster c"
        " WHERE c.instance_id = " INSTANCE_OF " AND c.cluster_name = ?",
    [GET_BY_USER] = "SELECT c.doc, c.instance_id FROM doris_cluster_user m"
                    " JOIN doris_cluster c ON c.instance_id = m.instance_id"
                    " AND c.seq = m.seq"
                    " WHERE m.instance_id = " INSTANCE_OF
                    " AND m.user = ? ORDER BY m.seq LIMIT 1",
    [DOCS] = "SELECT doc FROM doris_cluster WHERE instance_id = ?"
             " ORDER BY seq",
    [HAS_CLUSTERS] = "SELECT EXISTS (SELECT 1 FROM doris_cluster"
                     " WHERE instance_id = ?)",
    [STATUSES] = "SELECT cluster_id, cluster_name,"
                 " COALESCE(cluster_status, 'NORMAL') AS cluster_status,"
                 " mtime FROM doris_cluster"
                 " WHERE instance_id = ? AND type = 'COMPUTE' ORDER BY seq",
    [STATUSES_OF] = "SELECT cluster_id, cluster_name,"
                    " COALESCE(cluster_status, 'NORMAL') AS cluster_status,"
                    " mtime FROM doris_cluster"
                    " WHERE instance_id = ? AND type = 'COMPUTE'"
                    " AND COALESCE(cluster_status, 'NORMAL') = ?"
                    " ORDER BY seq",
    /* version is for those who have just locked the instance */
    [BY_ID] = "SELECT LAST_INSERT_ID() AS version, seq, doc FROM doris_cluster"
              " WHERE instance_id = ? AND cluster_id = ?",
    [BY_NAME] = "SELECT LAST_INSERT_ID() AS version, seq, doc"
                " FROM doris_cluster"
                " WHERE instance_id = ? AND cluster_name = ?",
    [CLUSTER_ADD] =
        "INSERT INTO doris_cluster (instance_id, seq, cluster_id,"
        " cluster_name, type, description, public_endpoint,"
        " private_endpoint, cluster_status, ctime, mtime, cluster_policy,"
        " properties, doc)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [CLUSTER_SAVE] =
        "UPDATE doris_cluster SET cluster_name = ?, description = ?,"
        " public_endpoint = ?, private_endpoint = ?, cluster_status = ?,"
        " mtime = ?, cluster_policy = ?, properties = ?, doc = ?"
        " WHERE instance_id = ? AND seq = ?",
    [CLUSTER_DOC] = "UPDATE doris_cluster SET mtime = ?, doc = ?"
                    " WHERE instance_id = ? AND seq = ?",
    [CLUSTER_DROP] = "DELETE FROM doris_cluster"
                     " WHERE instance_id = ? AND seq = ?",
    [USER_ADD] = "INSERT INTO doris_cluster_user (instance_id, seq, ord,"
                 " user) VALUES (?, ?, ?, ?)",
    [USERS_DROP] = "DELETE FROM doris_cluster_user"
                   " WHERE instance_id = ? AND seq = ?",
    [MEMBER_ADD] = "INSERT INTO doris_cluster_member (instance_id, seq, ord,"
                   " member) VALUES (?, ?, ?, ?)",
    [MEMBERS_DROP] = "DELETE FROM doris_cluster_member"
                     " WHERE instance_id = ? AND seq = ?",
    [MEMBER_RENAME] = "UPDATE doris_cluster_member SET member = ?"
                      " WHERE instance_id = ? AND member = ?",
    [MEMBER_OWNER] = "SELECT c.cluster_name FROM doris_cluster_member m"
                     " JOIN doris_cluster c ON c.instance_id = m.instance_id"
                     " AND c.seq = m.seq"
                     " WHERE m.instance_id = ? AND m.member = ?",
    [FIRST_SQL] = "SELECT COALESCE(MIN(seq), 0) FROM doris_cluster"
                  " WHERE instance_id = ? AND type = 'SQL'",
    [RELEASE_CLUSTER] =
        "DELETE u FROM doris_node n"
        " JOIN doris_cloud_id u ON u.cloud_unique_id = n.cloud_unique_id"
        " LEFT JOIN doris_node o ON o.cloud_unique_id = n.cloud_unique_id"
        " AND o.seq <> n.seq"
        " WHERE n.instance_id = ? AND n.seq = ?"
        " AND o.cloud_unique_id IS NULL",
};

#define DORIS_SLOT(X, s)                          \
    X(s, U64, version, "version", COLUMN_ONLY, -) \
    X(s, U64, seq, "seq", COLUMN_ONLY, -)         \
    X(s, STR, doc, "doc", COLUMN_ONLY, -)
STRUCT(doris_slot, DORIS_SLOT);
TABLE(doris_slot, DORIS_SLOT);

/* ---- values that may be absent ---- */

#define OPT_ENUM(p, s, m, names) \
    (HAS(p, s, m) ? db_str(enum_text(names, (p)->m)) : db_null())

/* ---- reading ---- */

enum err
doris_store_cluster_get(struct db *db, struct arena *a,
                        const char *cloud_unique_id, const char *otherwise,
                        enum doris_selector by, const char *value,
                        struct doris_found_doc *out)
{
    static const int statement[] = {
        [DORIS_BY_ID] = GET_BY_ID,
        [DORIS_BY_NAME] = GET_BY_NAME,
        [DORIS_BY_USER] = GET_BY_USER,
    };

    return db_one(
        db, a, sql[statement[by]],
        DB_ARGS(db_str(cloud_unique_id), db_str(otherwise), db_str(value)),
        &doris_found_doc_rec, out);
}

enum err
doris_store_cluster_rows(struct db *db, struct arena *a,
                         const char *instance_id, struct rows *out)
{
    return db_rows(db, a, sql[DOCS], DB_ARGS(db_str(instance_id)),
                   &doris_doc_rec, out);
}

enum err
doris_store_cluster_rows_ahead(struct db *db, const char *instance_id)
{
    return db_ahead(db, sql[DOCS], DB_ARGS(db_str(instance_id)));
}

enum err
doris_store_has_clusters(struct db *db, const char *instance_id, bool *out)
{
    int64_t any = 0;
    enum err e;

    e = db_one_i64(db, sql[HAS_CLUSTERS], DB_ARGS(db_str(instance_id)), &any);
    *out = any != 0;
    return e;
}

enum err
doris_store_cluster_statuses(struct db *db, struct arena *a,
                             const char *instance_id, int status,
                             struct doris_status_detail *out)
{
    const char *name = enum_text(doris_cluster_status_names, status);

    if (status < 0)
        return db_list(db, a, sql[STATUSES], DB_ARGS(db_str(instance_id)),
                       &doris_status_line_rec, DORIS_CLUSTERS, &out->clusters);
    return db_list(db, a, sql[STATUSES_OF],
                   DB_ARGS(db_str(instance_id), db_str(name)),
                   &doris_status_line_rec, DORIS_CLUSTERS, &out->clusters);
}

/* NOT_FOUND */
static enum err
read_slot(struct db *db, struct arena *a, const char *instance_id,
          const char *cluster_id, const char *cluster_name,
          struct doris_slot *out)
{
    enum err e = ERR_NOT_FOUND;

    if (cluster_id != NULL)
        e = db_one(db, a, sql[BY_ID],
                   DB_ARGS(db_str(instance_id), db_str(cluster_id)),
                   &doris_slot_rec, out);
    if (e == ERR_NOT_FOUND && cluster_name != NULL)
        e = db_one(db, a, sql[BY_NAME],
                   DB_ARGS(db_str(instance_id), db_str(cluster_name)),
                   &doris_slot_rec, out);
    return e;
}

static enum err
open_slot(struct arena *a, const struct doris_slot *slot,
          struct doris_cluster_at *at, struct doris_cluster *out)
{
    at->seq = slot->seq;
    at->doc = slot->doc;
    return doris_doc_parse(a, slot->doc, &doris_cluster_rec, out);
}

enum err
doris_store_lock_cluster(struct db *db, struct arena *a,
                         struct doris_cluster_at *at, const char *cluster_id,
                         const char *cluster_name, int64_t now,
                         uint64_t *version, struct doris_cluster *out)
{
    struct doris_slot slot;
    enum err e;

    at->doc = NULL;
    e = doris_store_lock_first(db, at->instance_id, now);
    if (e != ERR_OK)
        return e;
    e = read_slot(db, a, at->instance_id, cluster_id, cluster_name, &slot);
    if (e != ERR_OK)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    *version = slot.version;
    return open_slot(a, &slot, at, out);
}

enum err
doris_store_cluster(struct db *db, struct arena *a, const char *instance_id,
                    const char *cluster_id, const char *cluster_name,
                    struct doris_cluster_at *at, struct doris_cluster *out)
{
    struct doris_slot slot;
    enum err e;

    e = read_slot(db, a, instance_id, cluster_id, cluster_name, &slot);
    if (e != ERR_OK)
        return e;
    at->instance_id = instance_id;
    return open_slot(a, &slot, at, out);
}

enum err
doris_store_is_first_sql(struct db *db, const struct doris_cluster_at *at,
                         bool *out)
{
    int64_t first = 0;
    enum err e;

    e = db_one_i64(db, sql[FIRST_SQL], DB_ARGS(db_str(at->instance_id)),
                   &first);
    *out = (uint64_t)first == at->seq;
    return e;
}

enum err
doris_store_owner(struct db *db, struct arena *a, const char *instance_id,
                  const char *cluster_name, const char **owner)
{
    return db_one_str(db, a, sql[MEMBER_OWNER],
                      DB_ARGS(db_str(instance_id), db_str(cluster_name)),
                      owner);
}

/* ---- clusters ---- */

/* What has no columns of its own is kept as text. */
struct texts {
    const char *policy, *properties, *doc;
};

/* Of the cluster only its properties: the document of the map alone. */
static enum err
render_properties(struct arena *a, const struct doris_cluster *c,
                  const char **out)
{
    struct doris_cluster only = { .properties = { c->properties.n,
                                                  c->properties.v } };

    *out = NULL;
    if (!HAS(c, doris_cluster, properties))
        return ERR_OK;
    SET(&only, doris_cluster, properties);
    return doris_doc_render(a, &doris_cluster_rec, &only, out);
}

static enum err
render(struct arena *a, const struct doris_cluster *c, struct texts *out)
{
    enum err e;

    *out = (struct texts){ 0 };
    e = doris_doc_render(a, &doris_cluster_rec, c, &out->doc);
    if (e == ERR_OK && c->cluster_policy != NULL)
        e = doris_doc_render(a, &doris_policy_rec, c->cluster_policy,
                             &out->policy);
    if (e == ERR_OK)
        e = render_properties(a, c, &out->properties);
    return e;
}

static enum err
add_names(struct db *db, const char *statement,
          const struct doris_cluster_at *at, const struct STR *v, size_t n)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n && e == ERR_OK; i++)
        e = db_later(db, statement,
                     DB_ARGS(db_str(at->instance_id), db_u64(at->seq),
                             db_u64(i), db_str(v[i].v)));
    return e;
}

enum err
doris_store_cluster_add(struct db *db, struct arena *a,
                        struct doris_cluster_at *at,
                        const struct doris_cluster *c)
{
    struct texts t;
    enum err e;

    e = render(a, c, &t);
    at->doc = t.doc;
    if (e == ERR_OK)
        e = db_later(
            db, sql[CLUSTER_ADD],
            DB_ARGS(db_str(at->instance_id), db_u64(at->seq),
                    db_str(c->cluster_id), db_str(c->cluster_name),
                    db_str(enum_text(doris_cluster_type_names, c->type)),
                    db_str(c->desc), db_str(c->public_endpoint),
                    db_str(c->private_endpoint),
                    OPT_ENUM(c, doris_cluster, cluster_status,
                             doris_cluster_status_names),
                    db_i64(c->ctime), db_i64(c->mtime), db_str(t.policy),
                    db_str(t.properties), db_str(t.doc)));
    if (e == ERR_OK)
        e = add_names(db, sql[USER_ADD], at, c->mysql_user_name.v,
                      c->mysql_user_name.n);
    if (e == ERR_OK)
        e = add_names(db, sql[MEMBER_ADD], at, c->cluster_names.v,
                      c->cluster_names.n);
    return e;
}

enum err
doris_store_cluster_save(struct db *db, struct arena *a,
                         struct doris_cluster_at *at,
                         const struct doris_cluster *c)
{
    struct texts t;
    enum err e;

    e = render(a, c, &t);
    if (e != ERR_OK)
        return e;
    at->doc = t.doc;
    return db_later_one(
        db, sql[CLUSTER_SAVE],
        DB_ARGS(db_str(c->cluster_name), db_str(c->desc),
                db_str(c->public_endpoint), db_str(c->private_endpoint),
                OPT_ENUM(c, doris_cluster, cluster_status,
                         doris_cluster_status_names),
                db_i64(c->mtime), db_str(t.policy), db_str(t.properties),
                db_str(t.doc), db_str(at->instance_id), db_u64(at->seq)));
}

enum err
doris_store_cluster_doc(struct db *db, struct arena *a,
                        struct doris_cluster_at *at,
                        const struct doris_cluster *c)
{
    enum err e;

    e = doris_doc_render(a, &doris_cluster_rec, c, &at->doc);
    if (e != ERR_OK)
        return e;
    return db_later_one(db, sql[CLUSTER_DOC],
                        DB_ARGS(db_i64(c->mtime), db_str(at->doc),
                                db_str(at->instance_id), db_u64(at->seq)));
}

static enum err
replace_names(struct db *db, const char *drop, const char *add,
              const struct doris_cluster_at *at, const struct STR *v, size_t n)
{
    enum err e =
        db_later(db, drop, DB_ARGS(db_str(at->instance_id), db_u64(at->seq)));

    return e == ERR_OK ? add_names(db, add, at, v, n) : e;
}

enum err
doris_store_cluster_users(struct db *db, const struct doris_cluster_at *at,
                          const struct doris_cluster *c)
{
    return replace_names(db, sql[USERS_DROP], sql[USER_ADD], at,
                         c->mysql_user_name.v, c->mysql_user_name.n);
}

enum err
doris_store_cluster_members(struct db *db, const struct doris_cluster_at *at,
                            const struct doris_cluster *c)
{
    return replace_names(db, sql[MEMBERS_DROP], sql[MEMBER_ADD], at,
                         c->cluster_names.v, c->cluster_names.n);
}

/* Nodes, users and members go by their foreign keys. */
enum err
doris_store_cluster_drop(struct db *db, const struct doris_cluster_at *at)
{
    struct db_value instance = db_str(at->instance_id);
    struct db_value seq = db_u64(at->seq);
    enum err e;

    e = db_later(db, sql[RELEASE_CLUSTER], DB_ARGS(instance, seq));
    if (e == ERR_OK)
        e = db_later_one(db, sql[CLUSTER_DROP], DB_ARGS(instance, seq));
    return e;
}

enum err
doris_store_member_rename(struct db *db, const char *instance_id,
                          const char *from, const char *to)
{
    return db_later_one(db, sql[MEMBER_RENAME],
                        DB_ARGS(db_str(to), db_str(instance_id), db_str(from)));
}
