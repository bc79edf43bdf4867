/* Clusters as they are read: one, or all of an instance. */
#include <string.h>

#include "cache.h"
#include "cluster.h"
#include "coherence.h"
#include "doris/doris.h"
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

/* A reply that is or may be kept: of what, and as of when. */
struct keep {
    bool may;
    const char *instance_id; /* where it has to come from */
    struct cache_key key;
};

/* A larger document is sent as it is rendered, and not kept; its reply is three
 * times as long at the most. */
#define KEPT_DOC_MAX ((size_t)1 << 20)

_Static_assert(sizeof(struct coherence_mark) ==
                   sizeof(((struct cache_key *)0)->version),
               "a mark is a version");

/* What may be kept hangs on two things: the instance, whose lock is taken by
 * everything that changes its clusters and nodes, and the cloud_unique_id,
 * which another instance may claim as long as this one has no such node. An
 * id that does not tell its instance is read from the store each time. */
static enum err
look_at(struct req *r, const struct doris_get_cluster *in,
        enum doris_selector by, const char *value, struct keep *out)
{
    struct coherence_mark mark;
    const char *name;

    *out = (struct keep){ .instance_id = otherwise(r, in) };
    if (out->instance_id == NULL ||
        !coherence_now(out->instance_id, in->cloud_unique_id, &mark))
        return ERR_OK;
    /* no part has a line feed but the last one may */
    if (strpbrk(in->cloud_unique_id, "\n") != NULL ||
        strpbrk(out->instance_id, "\n") != NULL)
        return ERR_OK;
    name = arena_printf(r->arena, "%s\n%d\n%s\n%s\n%s", r->form->name, (int)by,
                        in->cloud_unique_id, out->instance_id, value);
    if (name == NULL)
        return ERR_NOMEM;
    out->may = true;
    out->key.space = "doris.cluster";
    out->key.name = (struct span){ name, strlen(name) };
    memcpy(out->key.version, mark.v, sizeof(mark.v));
    return ERR_OK;
}

static enum err
read_one(struct req *r, const struct doris_get_cluster *in,
         enum doris_selector by, const char *value, const struct keep *keep)
{
    struct doris_doc *doc = arena_alloc(r->arena, sizeof(*doc));
    struct doris_found_doc found;
    struct span text;
    enum err e;

    if (doc == NULL)
        return ERR_NOMEM;
    e = doris_store_cluster_get(r->db, r->arena, in->cloud_unique_id,
                                keep->instance_id, by, value, &found);
    if (e != ERR_OK)
        return e;
    PUT(doc, doris_doc, doc, found.doc);
    if (!keep->may || strcmp(found.instance_id, keep->instance_id) != 0 ||
        found.doc.n > KEPT_DOC_MAX)
        return req_send(r, &doris_doc_rec, doc);
    e = req_render(r, &doris_doc_rec, doc, 4 * KEPT_DOC_MAX, &text);
    if (e == ERR_LIMIT)
        return req_send(r, &doris_doc_rec, doc);
    if (e != ERR_OK)
        return e;
    cache_put(&keep->key, text);
    return req_send_text(r, r->form->reply_type, text.p, text.n);
}

/* One statement, as long as there is one; none when the reply was kept. */
static enum err
get_one(struct req *r, const struct doris_get_cluster *in,
        enum doris_selector by, const char *value)
{
    struct keep keep;
    struct span text;
    const char *id;
    enum err e;

    e = look_at(r, in, by, value, &keep);
    if (e != ERR_OK)
        return e;
    e = keep.may ? cache_get(r->arena, &keep.key, &text) : ERR_NOT_FOUND;
    if (e == ERR_NOT_FOUND)
        e = read_one(r, in, by, value, &keep);
    else if (e == ERR_OK)
        e = req_send_text(r, r->form->reply_type, text.p, text.n);
    if (e != ERR_NOT_FOUND)
        return e;
    e = resolve_get(r, in, &id);
    return e == ERR_OK ? fail_get(r, in, id) : e;
}

/* ---- all of an instance ---- */

static enum err
get_all(struct req *r, const struct doris_get_cluster *in)
{
    struct doris_cluster_list *list = arena_alloc(r->arena, sizeof(*list));
    struct doris_instance i;
    bool any = false;
    const char *id;
    enum err e;

    if (list == NULL)
        return ERR_NOMEM;
    e = resolve_get(r, in, &id);
    if (e == ERR_OK)
        e = doris_store_has_clusters(r->db, id, &any);
    if (e == ERR_OK && !any)
        return fail_get(r, in, id);
    if (e == ERR_OK)
        e = doris_store_instance(r->db, r->arena, id, &i);
    if (e != ERR_OK)
        return e;
    PUT(list, doris_cluster_list, enable_storage_vault, i.enable_storage_vault);
    e = doris_store_cluster_rows(r->db, r->arena, id, &list->cluster);
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
