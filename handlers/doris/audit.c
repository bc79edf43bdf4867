/* What the audit rows of this dialect say. A cluster is its document, which
 * the store has at hand; all else is printed by its record. */
#include "doris.h"

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
