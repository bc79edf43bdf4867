/* What the audit rows of this dialect say. A cluster is its document, which
 * the store has at hand; all else is printed by its record. */
#include "doris/meta/store.h"

TABLE(doris_storage, DORIS_STORAGE);

void
doris_audit_target(struct req *r, const char *kind, const char *instance_id,
                   const char *name)
{
    req_audit(r,
              name == NULL
                  ? arena_printf(r->arena, "%s %s", kind, instance_id)
                  : arena_printf(r->arena, "%s %s/%s", kind, instance_id, name),
              NULL, NULL);
}

void
doris_audit_id(struct req *r, const char *kind, const char *instance_id,
               int64_t id)
{
    doris_audit_target(r, kind, instance_id,
                       arena_printf(r->arena, "%lld", (long long)id));
}

void
doris_audit_cluster(struct req *r, const struct doris_place *place,
                    const char *cluster_id, const char *before,
                    const char *after)
{
    doris_audit_target(r, "cluster", place->instance_id, cluster_id);
    req_audit(r, NULL, before, after);
}

/* Its mtime is the lock's already: what it was is not known. */
void
doris_audit_instance(struct req *r, const struct doris_instance *i)
{
    struct doris_instance was = *i;

    UNSET(&was, doris_instance, mtime);
    doris_audit_target(r, "instance", i->instance_id, NULL);
    req_audit_before(r, &doris_instance_rec, &was);
}

enum err
doris_instance_changed(struct req *r, const struct doris_instance *i)
{
    req_audit_after(r, &doris_instance_rec, i);
    return req_ok(r);
}

static struct doris_storage
storage(uint64_t version)
{
    struct doris_storage s = { .version = version };

    SET(&s, doris_storage, version);
    return s;
}

struct doris_storage
doris_storage_objs(uint64_t version, size_t n, struct doris_obj *v)
{
    struct doris_storage s = storage(version);

    s.obj_info.n = n;
    s.obj_info.v = v;
    return s;
}

struct doris_storage
doris_storage_vault(uint64_t version, const struct doris_instance *i,
                    struct doris_vault *v)
{
    struct doris_storage s = storage(version);

    s.storage_vault = v;
    if (HAS(i, doris_instance, default_storage_vault_id)) {
        PUT(&s, doris_storage, default_storage_vault_id,
            i->default_storage_vault_id);
    }
    return s;
}
