/* The user of a cloud in whose name an instance reaches its object stores. */
#include "doris/doris.h"
#include "instance.h"
#include "object.h"

TABLE(doris_alter_ram_user, DORIS_ALTER_RAM_USER);

CHECKS(doris_alter_ram_user, NEED(instance_id, DORIS_IID_EMPTY),
       NEED(ram_user.user_id, DORIS_RAM_INFO),
       NEED(ram_user.ak, DORIS_RAM_INFO), NEED(ram_user.sk, DORIS_RAM_INFO));

static void
audit_before(struct req *r, const struct doris_instance *i, uint64_t version)
{
    struct doris_storage s = doris_storage_objs(version - 1, 0, NULL);

    s.ram_user = i->ram_user;
    req_audit_before(r, &doris_storage_rec, &s);
}

static void
audit_after(struct req *r, struct doris_user *u, uint64_t version)
{
    struct doris_storage s = doris_storage_objs(version, 0, NULL);

    s.ram_user = u;
    req_audit_after(r, &doris_storage_rec, &s);
}

enum err
doris_ram_user_alter(struct req *r, const struct doris_alter_ram_user *in)
{
    struct doris_instance i;
    uint64_t version;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    e = doris_instance_lock(r, in->instance_id, doris_now(), &version, &i);
    if (e != ERR_OK)
        return e;
    audit_before(r, &i, version);
    e = doris_store_instance_ram_user(r->db, in->instance_id, in->ram_user);
    audit_after(r, in->ram_user, version);
    return e == ERR_OK ? req_ok(r) : e;
}
