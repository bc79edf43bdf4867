/* What an operator looks for and asks of the leader: partitions that wait for
 * one, one replica moved, one change proposed. The leader's loop carries it
 * out. */
#include <stdio.h>
#include <string.h>

#include "addresses.h"
#include "partition.h"
#include "pegasus/audit.h"
#include "pegasus/node/cluster.h"
#include "pegasus/pegasus.h"
#include "pegasus/table/table.h"

TABLE(pegasus_ddd_ref, PEGASUS_DDD_REF);
TABLE(pegasus_ddd_line, PEGASUS_DDD_LINE);
TABLE(pegasus_ddd, PEGASUS_DDD);
TABLE(pegasus_balance, PEGASUS_BALANCE);
TABLE(pegasus_propose, PEGASUS_PROPOSE);

NO_CHECKS(pegasus_ddd_ref);
CHECKS(pegasus_balance, NEED(gpid, PEGASUS_EMPTY), NEED(type, PEGASUS_EMPTY),
       NEED(from, PEGASUS_EMPTY), NEED(to, PEGASUS_EMPTY));
CHECKS(pegasus_propose, NEED(gpid, PEGASUS_EMPTY), NEED(type, PEGASUS_EMPTY),
       NEED(target, PEGASUS_EMPTY), NEED(node, PEGASUS_EMPTY));

/* ---- partitions that wait for an operator ---- */

/* The id of a table; 0 for "-1", which means all of them. */
static bool
is_id(const char *text, int32_t *out)
{
    int64_t v;

    if (json_to_i64(text, false, &v) != ERR_OK || v < -1 || v == 0 ||
        v > INT32_MAX)
        return false;
    *out = v == -1 ? 0 : (int32_t)v;
    return true;
}

enum err
pegasus_ddd_list(struct req *r, const struct pegasus_ddd_ref *ref)
{
    struct pegasus_ddd *out = arena_alloc(r->arena, sizeof(*out));
    struct list_of_pegasus_ddd_line lines = { 0 };
    int32_t app_id = 0;
    enum err e;

    if (out == NULL)
        return ERR_NOMEM;
    if (HAS(ref, pegasus_ddd_ref, app_id) && !is_id(ref->app_id, &app_id))
        return req_fail(r, PEGASUS_BAD_ID, ARGS());
    e = pegasus_store_ddd(r->db, r->arena, app_id, &lines);
    out->partitions.n = lines.n;
    out->partitions.v = lines.v;
    out->count = arena_printf(r->arena, "%zu", lines.n);
    out->has = UINT64_MAX;
    return out->count == NULL ? ERR_NOMEM
                              : req_send_or_fail(r, e, &pegasus_ddd_rec, out);
}

/* ---- one partition ---- */

/* The partition, locked, with nothing under way. */
struct subject {
    struct pegasus_partition row;
    int64_t version;
    struct pg_addresses addresses;
    struct pg_config config;
};

/* What is under way is told before it goes. */
static enum err
check_pending(struct req *r, bool force, const struct subject *s)
{
    struct list_of_pegasus_action pending;
    enum err e;

    e = pegasus_store_actions_of(r->db, r->arena, s->row.app_id, s->row.pidx,
                                 &pending);
    if (e != ERR_OK)
        return e;
    if (!force && pending.n > 0)
        return pegasus_invalid(r, "another change of the partition is pending");
    pg_audit_partition(r, &s->row, &pending, req_audit_before);
    return force ? pegasus_store_actions_drop(r->db, s->row.app_id, s->row.pidx)
                 : ERR_OK;
}

static enum err
lock_partition(struct req *r, const char *gpid, bool force, struct subject *out)
{
    int32_t app_id, pidx;
    enum err e;

    if (!pegasus_gpid(gpid, &app_id, &pidx))
        return pegasus_invalid(r, "gpid must be <table id>.<partition>");
    pg_audit_target(r, "partition", gpid);
    e = pegasus_store_lock(r->db, &out->version);
    if (e == ERR_OK)
        e = pegasus_store_partition(r->db, r->arena, app_id, pidx, &out->row);
    if (e == ERR_NOT_FOUND)
        return pegasus_invalid(r, "no such partition of an available table");
    if (e == ERR_OK)
        e = pg_addresses_read(&out->addresses, &out->row, &out->config);
    return e == ERR_OK ? check_pending(r, force, out) : e;
}

/* As it is stored. */
static struct pegasus_action
action_row(const struct subject *s, const struct pg_action *act)
{
    return (struct pegasus_action){
        .has = UINT64_MAX,
        .type = pg_type_name(act->type),
        .target = act->target == PG_NONE
                      ? ""
                      : pg_addresses_text(&s->addresses, act->target),
        .node = pg_addresses_text(&s->addresses, act->node),
        .balancer = act->balancer,
    };
}

static enum err
store_actions(struct req *r, const struct subject *s,
              const struct pg_action *act, int n)
{
    struct pegasus_action v[PG_ACTIONS_MAX];
    const struct list_of_pegasus_action made = { (size_t)n, v };
    enum err e = ERR_OK;

    for (int i = 0; i < n && e == ERR_OK; i++) {
        v[i] = action_row(s, &act[i]);
        e = pegasus_store_action_add(r->db, s->row.app_id, s->row.pidx, i,
                                     v[i].type, v[i].target, v[i].node,
                                     v[i].balancer);
    }
    if (e == ERR_OK)
        e = pegasus_store_touch(r->db, s->row.app_id, s->version);
    if (e != ERR_OK)
        return e;
    pg_audit_partition(r, &s->row, &made, req_audit_after);
    req_wake(r);
    return pegasus_send(r, pegasus_done(r));
}

/* ---- /meta/balance ---- */

static bool
kind_by_name(const char *name, enum pg_balance_kind *out)
{
    static const char *const names[] = {
        [PG_BALANCE_MOVE_PRI] = "move_pri",
        [PG_BALANCE_COPY_PRI] = "copy_pri",
        [PG_BALANCE_COPY_SEC] = "copy_sec",
    };

    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(names[i], name) == 0) {
            *out = (enum pg_balance_kind)i;
            return true;
        }
    return false;
}

/* Why the operation does not fit the partition as it is; NULL: it does. */
static const char *
misfit(const struct pg_config *c, const struct pg_operation *op)
{
    if (c->primary == PG_NONE)
        return "the partition has no primary";
    if (op->kind == PG_BALANCE_COPY_SEC
            ? pg_config_secondary_index(c, op->from) == PG_NONE
            : c->primary != op->from)
        return op->kind == PG_BALANCE_COPY_SEC ? "from is not a secondary of it"
                                               : "from is not its primary";
    if (op->kind == PG_BALANCE_MOVE_PRI)
        return pg_config_secondary_index(c, op->to) == PG_NONE
                   ? "to is not a secondary of it"
                   : NULL;
    return pg_config_has(c, op->to) ? "to is a member of it already" : NULL;
}

enum err
pegasus_balance_one(struct req *r, const struct pegasus_balance *in)
{
    struct pg_action act[PG_ACTIONS_MAX];
    struct pg_operation op = { 0 };
    struct subject s;
    const char *why;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    if (!kind_by_name(in->type, &op.kind))
        return pegasus_invalid(r,
                               "type must be move_pri, copy_pri or copy_sec");
    if (!pegasus_is_address(in->from) || !pegasus_is_address(in->to))
        return pegasus_invalid(r, "from and to must be host:port");
    e = lock_partition(r, in->gpid, false, &s);
    if (e != ERR_OK)
        return e;
    op.from = pg_addresses_add(&s.addresses, in->from, strlen(in->from));
    op.to = pg_addresses_add(&s.addresses, in->to, strlen(in->to));
    why = misfit(&s.config, &op);
    if (why != NULL)
        return pegasus_invalid(r, why);
    return store_actions(r, &s, act, pg_balance_actions(&op, act));
}

/* ---- /meta/propose ---- */

static bool
may_be_proposed(enum pg_type t)
{
    return t == PG_ASSIGN_PRIMARY || t == PG_UPGRADE_TO_PRIMARY ||
           t == PG_ADD_SECONDARY || t == PG_ADD_SECONDARY_FOR_LB ||
           t == PG_DOWNGRADE_TO_SECONDARY || t == PG_DOWNGRADE_TO_INACTIVE ||
           t == PG_REMOVE;
}

enum err
pegasus_propose_one(struct req *r, const struct pegasus_propose *in)
{
    struct pg_action act = { .target = PG_NONE };
    struct subject s;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK)
        return e;
    act.type = pg_type_by_name(in->type);
    if (!may_be_proposed(act.type))
        return pegasus_invalid(r, "type cannot be proposed");
    if (!pegasus_is_address(in->target) || !pegasus_is_address(in->node))
        return pegasus_invalid(r, "target and node must be host:port");
    e = lock_partition(r, in->gpid, in->force, &s);
    if (e != ERR_OK)
        return e;
    act.node = pg_addresses_add(&s.addresses, in->node, strlen(in->node));
    if (act.type == PG_ADD_SECONDARY || act.type == PG_ADD_SECONDARY_FOR_LB)
        act.target =
            pg_addresses_add(&s.addresses, in->target, strlen(in->target));
    return store_actions(r, &s, &act, 1);
}
