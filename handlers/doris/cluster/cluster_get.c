/* Clusters as they are read: one, or all of an instance. */
#include <string.h>

#include "cluster.h"
#include "doris/doris.h"
#include "doris/keep.h"
#include "doris/meta/instance.h"
#include "node.h"

TABLE(doris_get_cluster, DORIS_GET_CLUSTER);
TABLE(doris_cluster_list, DORIS_CLUSTER_LIST);

CHECKS(doris_get_cluster, NEED(cloud_unique_id, DORIS_CUID_UNGIVEN));

/* Nothing was found: find out what is missing. */
static enum err
fail_get(struct req *r, const struct doris_get_cluster *in, const char *id)
{
    enum err e;

    e = doris_store_instance_exists(r->db, id);
    if (e == ERR_NOT_FOUND)
        return req_fail(r, DORIS_READ_UNKNOWN, ARGS(arg("instance_id", id)));
    if (e != ERR_OK)
        return e;
    return req_fail(
        r, DORIS_CLUSTER_NOT_GOT,
        ARGS(arg("request", doris_text(r, &doris_get_cluster_rec, in))));
}

/* Where the cloud_unique_id leads when no node has it: to the instance named
 * inside it, else to the request's instance_id. NULL: nowhere. */
static const char *
otherwise(struct req *r, const struct doris_get_cluster *in)
{
    const char *id = doris_degraded(r->arena, in->cloud_unique_id);

    if (id == NULL && !str_empty(in->instance_id))
        id = in->instance_id;
    return id;
}

static enum err
resolve_get(struct req *r, const struct doris_get_cluster *in, const char **out)
{
    enum err e;

    e = doris_store_resolve(r->db, r->arena, in->cloud_unique_id, out);
    if (e != ERR_NOT_FOUND)
        return e;
    *out = otherwise(r, in);
    return *out == NULL ? req_fail(r, DORIS_IID_EMPTY, ARGS()) : ERR_OK;
}

/* ---- one cluster ---- */

/* A larger document is sent as it is rendered, and not kept. */
#define KEPT_DOC_MAX ((size_t)1 << 20)

/* What may be kept hangs on two things: the instance, whose lock is taken by
 * everything that changes its clusters and nodes, and the cloud_unique_id,
 * which another instance may claim as long as this one has no such node. An
 * id that does not tell its instance is read from the store each time.
 * *instance_id: where a reply has to come from to be kept. */
static enum err
look_at(struct req *r, const struct doris_get_cluster *in, const char *by,
        const char *value, const char **instance_id, struct doris_keep *out)
{
    const char *id = *instance_id = otherwise(r, in);

    *out = (struct doris_keep){ .may = false };
    /* no part has a line feed but the last one may */
    if (id == NULL || strpbrk(in->cloud_unique_id, "\n") != NULL ||
        strpbrk(id, "\n") != NULL)
        return ERR_OK;
    return doris_keep_look(out, "doris.cluster",
                           arena_printf(r->arena, "%s\n%s\n%s\n%s\n%s",
                                        r->form->name, by, in->cloud_unique_id,
                                        id, value),
                           id, in->cloud_unique_id);
}

static enum err
read_one(struct req *r, const struct doris_get_cluster *in,
         enum doris_selector by, const char *value, const char *id,
         const struct doris_keep *keep)
{
    struct doris_doc *doc = arena_alloc(r->arena, sizeof(*doc));
    struct doris_found_doc found;
    enum err e;

    if (doc == NULL)
        return ERR_NOMEM;
    e = doris_store_cluster_get(r->db, r->arena, in->cloud_unique_id, id, by,
                                value, &found);
    if (e != ERR_OK)
        return e;
    PUT(doc, doris_doc, doc, found.doc);
    e = keep->may && strcmp(found.instance_id, id) == 0 &&
                found.doc.n <= KEPT_DOC_MAX
            ? doris_keep_send(r, keep, &doris_doc_rec, doc, NULL)
            : ERR_LIMIT;
    return e == ERR_LIMIT ? req_send(r, &doris_doc_rec, doc) : e;
}

/* One statement, as long as there is one; none when the reply was kept. */
static enum err
get_one(struct req *r, const struct doris_get_cluster *in,
        enum doris_selector by, const char *value)
{
    static const char *const names[] = {
        [DORIS_BY_ID] = "id", [DORIS_BY_NAME] = "name", [DORIS_BY_USER] = "user"
    };
    struct doris_keep keep;
    const char *id;
    enum err e;

    e = look_at(r, in, names[by], value, &id, &keep);
    if (e == ERR_OK)
        e = doris_keep_answer(r, &keep);
    if (e == ERR_NOT_FOUND)
        e = read_one(r, in, by, value, id, &keep);
    if (e != ERR_NOT_FOUND)
        return e;
    e = resolve_get(r, in, &id);
    return e == ERR_OK ? fail_get(r, in, id) : e;
}

/* ---- all of an instance ---- */

static enum err
read_all(struct req *r, const char *id, struct doris_cluster_list *list)
{
    struct doris_instance i;
    enum err e = doris_store_instance(r->db, r->arena, id, &i);

    if (e != ERR_OK)
        return e;
    PUT(list, doris_cluster_list, enable_storage_vault, i.enable_storage_vault);
    return doris_store_cluster_rows(r->db, r->arena, id, &list->cluster);
}

static enum err
get_all(struct req *r, const struct doris_get_cluster *in)
{
    struct doris_cluster_list *list = arena_alloc(r->arena, sizeof(*list));
    struct doris_keep keep;
    bool any = false;
    const char *id, *from;
    enum err e;

    e = list == NULL ? ERR_NOMEM : look_at(r, in, "all", "", &from, &keep);
    if (e == ERR_OK)
        e = doris_keep_answer(r, &keep);
    if (e != ERR_NOT_FOUND)
        return e;
    e = resolve_get(r, in, &id);
    if (e == ERR_OK)
        e = doris_store_has_clusters(r->db, id, &any);
    if (e == ERR_OK && !any)
        return fail_get(r, in, id);
    if (e == ERR_OK)
        e = read_all(r, id, list);
    if (e == ERR_OK && keep.may && strcmp(id, from) == 0) {
        e = doris_keep_send(r, &keep, &doris_cluster_list_rec, list,
                            &list->cluster);
        if (e != ERR_LIMIT)
            return e;
        e = read_all(r, id, list);
    }
    return req_send_or_fail(r, e, &doris_cluster_list_rec, list);
}

enum err
doris_cluster_get(struct req *r, const struct doris_get_cluster *in)
{
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    if (!str_empty(in->cluster_id))
        return get_one(r, in, DORIS_BY_ID, in->cluster_id);
    if (!str_empty(in->cluster_name))
        return get_one(r, in, DORIS_BY_NAME, in->cluster_name);
    if (!str_empty(in->mysql_user_name))
        return get_one(r, in, DORIS_BY_USER, in->mysql_user_name);
    return get_all(r, in);
}
