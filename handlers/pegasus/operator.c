/* What an operator asks of the leader: another level, one replica moved, one
 * change proposed. The leader's loop carries it out. */
#include <stdio.h>
#include <string.h>

#include "addresses.h"
#include "audit.h"

TABLE(pegasus_set_level, PEGASUS_SET_LEVEL);
TABLE(pegasus_balance, PEGASUS_BALANCE);
TABLE(pegasus_propose, PEGASUS_PROPOSE);

CHECKS(pegasus_set_level, NEED(level, PEGASUS_EMPTY));
CHECKS(pegasus_balance, NEED(gpid, PEGASUS_EMPTY), NEED(type, PEGASUS_EMPTY),
       NEED(from, PEGASUS_EMPTY), NEED(to, PEGASUS_EMPTY));
CHECKS(pegasus_propose, NEED(gpid, PEGASUS_EMPTY), NEED(type, PEGASUS_EMPTY),
       NEED(target, PEGASUS_EMPTY), NEED(node, PEGASUS_EMPTY));

static void
audit_level(struct req *r, const char *level, pg_audit_fn *say)
{
    const struct pegasus_level_kept l = { .has = UINT64_MAX, .level = level };

    req_audit(r, "cluster", NULL, NULL);
    say(r, &pegasus_level_kept_rec, &l);
}

enum err
pegasus_cluster_level(struct req *r, const struct pegasus_set_level *in)
{
    struct pegasus_outcome *out = pegasus_done(r);
    struct pegasus_cluster_row c;
    enum pg_level level;
    int64_t version;
    enum err e;

    e = req_check(r, in);
    if (e != ERR_OK || out == NULL)
        return e != ERR_OK ? e : ERR_NOMEM;
    level = pg_level_by_name(in->level);
    if (level == 0)
        return pegasus_invalid(
            r, "level must be stopped, blind, freezed, steady or lively");
    e = pegasus_store_lock(r->db, &version);
    if (e == ERR_OK)
        e = pegasus_store_cluster(r->db, r->arena, &c);
    if (e == ERR_OK)
        e = pegasus_store_level(r->db, in->level);
    if (e == ERR_OK && level <= PG_STEADY)
        e = pegasus_store_balance_drop(r->db);
    if (e != ERR_OK)
        return e;
    PUT(out, pegasus_outcome, old_level,
        pg_level_name(pegasus_stored_level(&c)));
    audit_level(r, out->old_level, req_audit_before);
    audit_level(r, in->level, req_audit_after);
    req_wake(r);
    return pegasus_send(r, out);
}

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
