/* What is answered at once: nick names, places for backups, clocks. */
#include "desk.h"

#include <string.h>

#include "address.h"
#include "clock.h"
#include "kunlun/cluster_mgr/cluster_mgr.h"
#include "kunlun/cluster_mgr/store.h"
#include "store.h"

#define APART_S 60

TABLE(cluster_new_name, CLUSTER_NEW_NAME);
TABLE_OF(cluster_new_name_paras, cluster_new_name, CLUSTER_NEW_NAME_PARAS);
TABLE(cluster_stamp, CLUSTER_STAMP);
TABLE_OF(cluster_stamp_paras, cluster_stamp, CLUSTER_STAMP_PARAS);
TABLE(cluster_bool, CLUSTER_BOOL);
TABLE(cluster_storage, CLUSTER_STORAGE);
TABLE_OF(cluster_storage_paras, cluster_storage, CLUSTER_STORAGE_PARAS);
TABLE(cluster_storage_ref, CLUSTER_STORAGE_REF);
TABLE_OF(cluster_storage_ref_paras, cluster_storage_ref,
         CLUSTER_STORAGE_REF_PARAS);
TABLE(cluster_storage_list, CLUSTER_STORAGE_LIST);
TABLE_OF(cluster_storage_summary, cluster_storage_list,
         CLUSTER_STORAGE_SUMMARY);

CHECKS(cluster_new_name, NEED(cluster_name, CLUSTER_GET_CLUSTER),
       NEED(nick_name, CLUSTER_GET_NICK_NAME));
CHECKS(cluster_new_name_paras,
       ANY_OF(cluster_name, cluster_id, CLUSTER_GET_CLUSTER),
       NEED(nick_name, CLUSTER_GET_NICK_NAME));
CHECKS(cluster_stamp, PRESENT(timestamp, CLUSTER_GET_TIMESTAMP));
CHECKS(cluster_stamp_paras, PRESENT(timestamp, CLUSTER_GET_TIMESTAMP));
CHECKS(cluster_storage, NEED(name, CLUSTER_GET_NAME),
       NEED(stype, CLUSTER_GET_STYPE), NEED(hostaddr, CLUSTER_GET_HOSTADDR),
       NEED(port, CLUSTER_GET_PORT));
CHECKS(cluster_storage_paras, NEED(name, CLUSTER_GET_NAME),
       NEED(stype, CLUSTER_GET_STYPE), NEED(hostaddr, CLUSTER_GET_HOSTADDR),
       NEED(port, CLUSTER_GET_PORT));
CHECKS(cluster_storage_ref, NEED(name, CLUSTER_GET_NAME));
CHECKS(cluster_storage_ref_paras, NEED(name, CLUSTER_GET_NAME));

enum err
cluster_meant(struct req *r, const char *name, int64_t id, const char **out)
{
    enum err e = cluster_store_name(r->db, r->arena, name, id, out);

    return e == ERR_NOT_FOUND ? req_fail(r, CLUSTER_UNKNOWN, ARGS()) : e;
}

enum err
cluster_rename(struct req *r, const struct cluster_new_name *in)
{
    const char *name;
    enum err e = req_check(r, in);

    if (e == ERR_OK)
        e = cluster_meant(r, in->name, in->id, &name);
    if (e == ERR_OK)
        e = cluster_store_rename(r->db, name, in->nick_name);
    if (e == ERR_EXISTS)
        return req_fail(r, CLUSTER_NICK_NAME_TAKEN, ARGS());
    if (e != ERR_OK)
        return e;
    req_audit(r, arena_printf(r->arena, "cluster %s", name), NULL, NULL);
    return kunlun_say(r, "done", "rename cluster succeed");
}

enum err
cluster_stamp_check(struct req *r, const struct cluster_stamp *in)
{
    struct cluster_bool *out = arena_alloc(r->arena, sizeof(*out));
    int64_t now_s = clock_unix_ms() / 1000;
    bool near;
    enum err e = req_check(r, in);

    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    near = in->timestamp > now_s - APART_S && in->timestamp < now_s + APART_S;
    *out = (struct cluster_bool){ 0 };
    PUT(out, cluster_bool, result, near ? "true" : "false");
    return req_send(r, &cluster_bool_rec, out);
}

/* ---- where backups go ---- */

static const char *
target(struct req *r, const char *name)
{
    return arena_printf(r->arena, "backup storage %s", name);
}

/* Only what we can write to by what is said here. */
static enum err
read_storage(struct req *r, const struct cluster_storage *in,
             const char **conn_str)
{
    char at[4 * ADDRESS_BYTES]; /* hosts of 255 characters are taken */
    enum err e = req_check(r, in);

    if (e != ERR_OK)
        return e;
    if (strcmp(in->stype, "HDFS") != 0)
        return req_fail(r, CLUSTER_STYPE, ARGS());
    *conn_str =
        arena_printf(r->arena, "webhdfs://%s/",
                     address_print(in->hostaddr, in->port, at, sizeof(at)));
    return *conn_str != NULL ? ERR_OK : ERR_NOMEM;
}

enum err
cluster_storage_add(struct req *r, const struct cluster_storage *in)
{
    const char *conn_str;
    enum err e = read_storage(r, in, &conn_str);

    if (e == ERR_OK)
        e = cluster_store_backup_storage_add(r->db, in->name, in->stype,
                                             conn_str, in->hostaddr, in->port);
    if (e != ERR_OK)
        return e;
    req_audit(r, target(r, in->name), NULL, NULL);
    return kunlun_say(r, "done", "create backup storage succeed");
}

enum err
cluster_storage_set(struct req *r, const struct cluster_storage *in)
{
    const char *conn_str;
    enum err e = read_storage(r, in, &conn_str);

    if (e == ERR_OK)
        e = cluster_store_backup_storage_set(r->db, in->name, in->stype,
                                             conn_str, in->hostaddr, in->port);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, CLUSTER_NO_STORAGE, ARGS());
    if (e != ERR_OK)
        return e;
    req_audit(r, target(r, in->name), NULL, NULL);
    return kunlun_say(r, "done", "update backup storage succeed");
}

enum err
cluster_storage_drop(struct req *r, const struct cluster_storage_ref *in)
{
    enum err e = req_check(r, in);

    if (e == ERR_OK)
        e = cluster_store_backup_storage_drop(r->db, in->name);
    if (e == ERR_NOT_FOUND && !req_failed(r))
        return req_fail(r, CLUSTER_NO_STORAGE, ARGS());
    if (e != ERR_OK)
        return e;
    req_audit(r, target(r, in->name), NULL, NULL);
    return kunlun_say(r, "done", "delete backup storage succeed");
}

enum err
cluster_storages_get(struct req *r, const struct none *in)
{
    struct cluster_storage_list *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_cluster_backup_storage rows;
    enum err e = cluster_store_backup_storages(r->db, r->arena, &rows);

    (void)in;
    if (out == NULL || e != ERR_OK)
        return e != ERR_OK ? e : ERR_NOMEM;
    *out = (struct cluster_storage_list){ 0 };
    PUT_LIST(out, cluster_storage_list, v, rows.n, rows.v);
    return req_send(r,
                    cluster_in_paras(r) ? &cluster_storage_summary_rec
                                        : &cluster_storage_list_rec,
                    out);
}
