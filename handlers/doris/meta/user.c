/* The user of a cloud in whose name an instance reaches its object stores. */
#include "doris/doris.h"
#include "instance.h"
#include "object.h"

TABLE(doris_alter_ram_user, DORIS_ALTER_RAM_USER);

CHECKS(doris_alter_ram_user, NEED(instance_id, DORIS_IID_EMPTY),
       NEED(ram_user.user_id, DORIS_RAM_INFO),
       NEED(ram_user.ak, DORIS_RAM_INFO), NEED(ram_user.sk, DORIS_RAM_INFO));

enum err
doris_ram_user_alter(struct req *r, const struct doris_alter_ram_user *in)
{
    struct doris_storage s = doris_storage_objs(0, NULL);
    struct doris_change ch;
    enum err e;

    e = req_check(r, in);
    if (e == ERR_OK)
        e = doris_change_begin(r, in->instance_id, &ch);
    if (e != ERR_OK)
        return e;
    s.ram_user = ch.i.ram_user;
    doris_change_was(r, &ch, &s);
    e = doris_store_instance_ram_user(r->db, in->instance_id, in->ram_user);
    s.ram_user = in->ram_user;
    return e == ERR_OK ? doris_change_save(r, &ch, NULL, NULL, &s) : e;
}
