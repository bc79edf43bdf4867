/* Changes of a partition's configuration. Each one raises the ballot by one;
 * whoever stores it compares the ballot before. */
#include <string.h>

#include "state.h"

static const char *const type_names[PG_TYPE__MAX] = {
    [PG_ASSIGN_PRIMARY] = "ASSIGN_PRIMARY",
    [PG_UPGRADE_TO_PRIMARY] = "UPGRADE_TO_PRIMARY",
    [PG_ADD_SECONDARY] = "ADD_SECONDARY",
    [PG_ADD_SECONDARY_FOR_LB] = "ADD_SECONDARY_FOR_LB",
    [PG_UPGRADE_TO_SECONDARY] = "UPGRADE_TO_SECONDARY",
    [PG_DOWNGRADE_TO_SECONDARY] = "DOWNGRADE_TO_SECONDARY",
    [PG_DOWNGRADE_TO_INACTIVE] = "DOWNGRADE_TO_INACTIVE",
    [PG_REMOVE] = "REMOVE",
    [PG_DROP_PARTITION] = "DROP_PARTITION",
    [PG_FORCE_UPDATE_BALLOT] = "PRIMARY_FORCE_UPDATE_BALLOT",
};

const char *
pg_type_name(enum pg_type t)
{
    return type_names[t];
}

enum pg_type
pg_type_by_name(const char *name)
{
    if (strncmp(name, "CT_", 3) == 0)
        name += 3;
    for (size_t i = 0; i < COUNT(type_names); i++)
        if (strcmp(type_names[i], name) == 0)
            return (enum pg_type)i;
    return PG_TYPE__MAX;
}

static void
forget_drop(struct pg_config *c, int node)
{
    int kept = 0;

    for (int i = 0; i < c->n_drops; i++)
        if (c->drop[i].node != node)
            c->drop[kept++] = c->drop[i];
    c->n_drops = kept;
}

/* The oldest falls off. */
static void
note_drop(struct pg_config *c, int node, int64_t now_ms)
{
    forget_drop(c, node);
    if (c->n_drops == PG_DROPS_MAX) {
        memmove(&c->drop[0], &c->drop[1],
                (PG_DROPS_MAX - 1) * sizeof(c->drop[0]));
        c->n_drops--;
    }
    c->drop[c->n_drops++] = (struct pg_drop){
        .node = node,
        .ballot = c->ballot,
        .at_ms = now_ms,
        .committed = c->committed,
        .prepared = c->committed,
        .present = true,
    };
}

static void
take_secondary(struct pg_config *c, int node)
{
    int kept = 0;

    for (int i = 0; i < c->n_secondaries; i++)
        if (c->secondary[i] != node)
            c->secondary[kept++] = c->secondary[i];
    c->n_secondaries = kept;
}

static bool
add_secondary(struct pg_config *c, int node)
{
    if (pg_config_has(c, node) || c->n_secondaries == PG_SECONDARIES_MAX)
        return false;
    c->secondary[c->n_secondaries++] = node;
    forget_drop(c, node);
    return true;
}

static bool
assign_primary(struct pg_config *c, int node)
{
    if (c->primary != PG_NONE || c->n_secondaries != 0)
        return false;
    c->primary = node;
    forget_drop(c, node);
    return true;
}

static bool
upgrade_to_primary(struct pg_config *c, int node)
{
    if (c->primary != PG_NONE || pg_config_secondary_index(c, node) == PG_NONE)
        return false;
    take_secondary(c, node);
    c->primary = node;
    forget_drop(c, node);
    return true;
}

static bool
downgrade_to_secondary(struct pg_config *c, int node)
{
    if (c->primary != node || c->n_secondaries == PG_SECONDARIES_MAX)
        return false;
    c->primary = PG_NONE;
    c->secondary[c->n_secondaries++] = node;
    return true;
}

static bool
remove_member(struct pg_config *c, int node, int64_t now_ms)
{
    if (!pg_config_has(c, node))
        return false;
    if (c->primary == node)
        c->primary = PG_NONE;
    take_secondary(c, node);
    note_drop(c, node, now_ms);
    return true;
}

static bool
drop_all(struct pg_config *c, int64_t now_ms)
{
    while (c->n_secondaries > 0)
        (void)remove_member(c, c->secondary[0], now_ms);
    if (c->primary != PG_NONE)
        (void)remove_member(c, c->primary, now_ms);
    return true;
}

static bool
apply(struct pg_config *c, const struct pg_change *ch, int64_t now_ms)
{
    switch (ch->type) {
    case PG_ASSIGN_PRIMARY:
        return assign_primary(c, ch->node);
    case PG_UPGRADE_TO_PRIMARY:
        return upgrade_to_primary(c, ch->node);
    case PG_UPGRADE_TO_SECONDARY:
        return c->primary != PG_NONE && add_secondary(c, ch->node);
    case PG_DOWNGRADE_TO_SECONDARY:
        return downgrade_to_secondary(c, ch->node);
    case PG_DOWNGRADE_TO_INACTIVE:
        return remove_member(c, ch->node, now_ms);
    case PG_REMOVE:
        return c->primary != ch->node && remove_member(c, ch->node, now_ms);
    case PG_DROP_PARTITION:
        return drop_all(c, now_ms);
    case PG_FORCE_UPDATE_BALLOT:
        return c->primary == ch->node;
    case PG_ADD_SECONDARY:
    case PG_ADD_SECONDARY_FOR_LB:
    case PG_TYPE__MAX:
        break; /* proposals change nothing */
    }
    return false;
}

enum err
pg_config_apply(struct pg_config *c, const struct pg_change *change,
                int64_t now_ms)
{
    struct pg_config next = *c;

    if (change->ballot != c->ballot)
        return ERR_EXISTS;
    if (change->node == PG_NONE && change->type != PG_DROP_PARTITION)
        return ERR_STATE;
    if (!apply(&next, change, now_ms))
        return ERR_STATE;
    next.ballot++;
    *c = next;
    return ERR_OK;
}

bool
pg_config_reached(const struct pg_config *c, enum pg_type type, int node)
{
    switch (type) {
    case PG_ASSIGN_PRIMARY:
    case PG_UPGRADE_TO_PRIMARY:
    case PG_FORCE_UPDATE_BALLOT:
        return c->primary == node;
    case PG_ADD_SECONDARY:
    case PG_ADD_SECONDARY_FOR_LB:
    case PG_UPGRADE_TO_SECONDARY:
    case PG_DOWNGRADE_TO_SECONDARY:
        return pg_config_secondary_index(c, node) != PG_NONE;
    case PG_DOWNGRADE_TO_INACTIVE:
    case PG_REMOVE:
        return !pg_config_has(c, node);
    default:
        return false;
    }
}

enum pg_update_verdict
pg_config_update(struct pg_config *c, enum pg_type type, int node,
                 int64_t ballot, int64_t now_ms)
{
    struct pg_change change = { type, node, c->ballot };

    if (ballot == c->ballot && pg_config_reached(c, type, node))
        return PG_UPDATE_DUPLICATE; /* the reply to it was lost */
    if (ballot != c->ballot + 1 ||
        pg_config_apply(c, &change, now_ms) != ERR_OK)
        return PG_UPDATE_VERSION;
    return PG_UPDATE_DONE;
}

bool
pg_config_bury(const struct pg_state *s, const struct pg_config *c, int dead,
               struct pg_change *out)
{
    *out = (struct pg_change){ PG_DOWNGRADE_TO_INACTIVE, dead, c->ballot };
    if (c->primary == dead)
        return true;
    /* Without a primary a secondary stays: it may be the last good copy. */
    return pg_config_secondary_index(c, dead) != PG_NONE &&
           pg_state_alive(s, c->primary);
}
