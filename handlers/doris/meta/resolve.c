/* From a cloud_unique_id to an instance; small texts. */
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* The next part between colons that is not empty; NULL at the end. */
static const char *
next_part(struct arena *a, const char **p)
{
    const char *part;
    size_t n;

    *p += strspn(*p, ":");
    n = strcspn(*p, ":");
    part = n == 0 ? NULL : arena_strndup(a, *p, n);
    *p += n;
    return part;
}

const char *
doris_degraded(struct arena *a, const char *cloud_unique_id)
{
    const char *p = cloud_unique_id == NULL ? "" : cloud_unique_id;
    const char *version = next_part(a, &p);
    const char *instance_id = next_part(a, &p);
    const char *rest = next_part(a, &p);

    if (version == NULL || instance_id == NULL || rest == NULL ||
        next_part(a, &p) != NULL)
        return NULL;
    return strtol(version, NULL, 10) == 1 ? instance_id : NULL;
}

enum err
doris_resolve(struct req *r, const char *cloud_unique_id, const char **out)
{
    enum err e;

    e = doris_store_resolve(r->db, r->arena, cloud_unique_id, out);
    if (e != ERR_NOT_FOUND)
        return e;
    *out = doris_degraded(r->arena, cloud_unique_id);
    return *out == NULL ? ERR_NOT_FOUND : ERR_OK;
}

bool
doris_given(const char *s)
{
    return s != NULL && *s != '\0';
}

const char *
doris_trim(struct arena *a, const char *text)
{
    static const char blanks[] = "/ \t";
    size_t n;
    const char *s;

    if (text == NULL)
        return NULL;
    text += strspn(text, blanks);
    n = strlen(text);
    while (n > 0 && strchr(blanks, text[n - 1]) != NULL)
        n--;
    s = arena_strndup(a, text, n);
    return s == NULL ? "" : s;
}

const char *
doris_node_addr(const struct doris_node *n)
{
    if (n->host != NULL && *n->host != '\0')
        return n->host;
    return n->ip == NULL ? "" : n->ip;
}

int32_t
doris_node_port(const struct doris_node *n, int type)
{
    return type == DORIS_SQL ? n->edit_log_port : n->heartbeat_port;
}

enum err
doris_fail_instance(struct req *r, enum err e, const char *instance_id)
{
    if (e == ERR_STATE)
        return req_fail(r, DORIS_DELETED_404, ARGS());
    if (e != ERR_NOT_FOUND)
        return e;
    return req_fail(r, DORIS_READ_UNKNOWN,
                    ARGS(arg("instance_id", instance_id)));
}

enum err
doris_instance_lock(struct req *r, const char *id, int64_t now,
                    uint64_t *version, struct doris_instance *out)
{
    enum err e;

    doris_audit_target(r, "instance", id, NULL);
    e = doris_store_lock_live(r->db, id, now, version);
    if (e != ERR_OK)
        return doris_fail_instance(r, e, id);
    return doris_store_instance(r->db, r->arena, id, out);
}
