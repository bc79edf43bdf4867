/* What a Pegasus leader knows, and what it decides. Everything declared here
 * is a function of (state, event, now) without I/O: the loop around it is
 * leader.c, and the unit test core/simulation_test.c runs the same functions
 * under lost, late and repeated events. */
#ifndef PEGASUS_STATE_H
#define PEGASUS_STATE_H

#include "base.h"

#define PG_SECONDARIES_MAX 6 /* five replicas, and two while one moves */
#define PG_DROPS_MAX       3
#define PG_ACTIONS_MAX     4
#define PG_ADDRESS_BYTES   128

/* An index into pg_state.node. */
enum { PG_NONE = -1 };

/* Changes of a partition's configuration, and the two proposals that lead to
 * one. The order is that of type_names in reconfigure.c. */
enum pg_type {
    PG_ASSIGN_PRIMARY,
    PG_UPGRADE_TO_PRIMARY,
    PG_ADD_SECONDARY,        /* proposal: the node learns */
    PG_ADD_SECONDARY_FOR_LB, /* the same, for the balancer */
    PG_UPGRADE_TO_SECONDARY,
    PG_DOWNGRADE_TO_SECONDARY,
    PG_DOWNGRADE_TO_INACTIVE,
    PG_REMOVE,
    PG_DROP_PARTITION,
    PG_FORCE_UPDATE_BALLOT,
    PG_TYPE__MAX
};

enum pg_level {
    PG_STOPPED = 100,
    PG_BLIND = 200,
    PG_FREEZED = 300,
    PG_STEADY = 400,
    PG_LIVELY = 500,
};

/* A node that left the partition, and what it had then. */
struct pg_drop {
    int node;
    int64_t ballot;
    int64_t at_ms;
    int64_t committed, prepared;
    bool present; /* it still has the replica, as far as it has said */
};

/* The stored configuration of a partition. */
struct pg_config {
    int64_t ballot;
    int64_t committed; /* last decree known to be committed */
    int max_replica_count;
    int primary;
    int n_secondaries;
    int secondary[PG_SECONDARIES_MAX];
    int n_drops;
    struct pg_drop drop[PG_DROPS_MAX]; /* oldest first */
};

struct pg_action {
    enum pg_type type;
    int target; /* the primary that is told; PG_NONE: whoever it is */
    int node;
    bool balancer; /* planned by the balancer: dropped when frozen */
};

struct pg_partition {
    struct pg_config c;
    struct pg_action act[PG_ACTIONS_MAX]; /* what is under way, in order */
    int n_acts;
    int64_t acts_since_ms;
    int disk[1 + PG_SECONDARIES_MAX]; /* of the primary and each secondary */
    bool dirty; /* changed in this tick: its cure runs again */
};

enum pg_app_status {
    PG_APP_AVAILABLE,
    PG_APP_CREATING,
    PG_APP_DROPPING,
    PG_APP_DROPPED,
    PG_APP_RECALLING,
    PG_APP__MAX
};

struct pg_app {
    int32_t id;
    enum pg_app_status status;
    int n;
    struct pg_partition *p;
    bool stale;             /* a change was refused: the store knows better */
    int64_t fresh_until_ms; /* until then, or until it is whole: a new table,
                             * whose replicas need not wait for ticks */
};

struct pg_node {
    char address[PG_ADDRESS_BYTES];
    bool alive;
    bool collected;      /* has reported its replicas */
    bool managed;        /* kept by a supervise: it has no data to copy */
    int64_t beacon;      /* last beacon's stamp, as stored */
    int64_t seen_ms;     /* when the leader saw that stamp change, its clock */
    int64_t start_ms;    /* the replica server's own start time */
    int64_t up_since_ms; /* when this start was first seen, leader's clock */
    int unstable;        /* restarts in quick succession */
    int primaries, partitions; /* of all tables; kept by pg_state_count */
};

/* Numbers of the policy; the defaults are Pegasus' shipped ones. */
struct pg_policy {
    int64_t grace_ms;
    int64_t stable_ms;  /* a server that runs so long is stable */
    int max_unstable;   /* restarts before its beacons are ignored */
    int min_2pc;        /* replicas that a write needs */
    int min_live_nodes; /* fewer alive: frozen */
    int min_live_percent;
    int64_t assign_delay_ms; /* a lost secondary is waited for so long */
    int learners_per_node;   /* new ones per target and step */
    int64_t action_ms;       /* a proposal nobody fulfils is given up */
};

struct pg_state {
    struct pg_policy policy;
    enum pg_level level; /* as stored */
    int n_nodes;
    struct pg_node *node;
    int n_apps;
    struct pg_app *app;
};

/* ---- state.c ---- */

/* Counts primaries and partitions of every node over AVAILABLE tables. */
void pg_state_count(struct pg_state *s);
bool pg_state_alive(const struct pg_state *s, int node);
/* A partition of a policy's defaults: no member, ballot 0. */
void pg_config_init(struct pg_config *c, int max_replica_count);
int pg_config_members(const struct pg_config *c);
/* 0: the primary; 1...: the secondaries, in order. */
int pg_config_member(const struct pg_config *c, int i);
bool pg_config_has(const struct pg_config *c, int node);
int pg_config_secondary_index(const struct pg_config *c, int node);

/* ---- health.c ---- */

struct pg_health {
    bool fully, write_unhealthy, read_unhealthy;
};

/* A partition with n members, `primary` among them or not, wanted max. */
struct pg_health pg_health_of(bool primary, int n, int max, int min_2pc);
/* min_2pc of a configured mutation_2pc_min_replica_count. */
int pg_health_min_2pc(int configured, int max_replica_count);

struct pg_load {
    bool alive;
    int64_t primaries, partitions;
};

struct pg_stddev {
    double primary, total;
};

/* Over the alive nodes that hold something. */
struct pg_stddev pg_health_stddev(const struct pg_load *load, size_t n);

/* ---- level.c ---- */

/* The stored level, lowered while too few nodes live. */
enum pg_level pg_level_effective(enum pg_level stored, int alive, int dead,
                                 int min_live, int min_live_percent);
enum pg_level pg_level_of_state(const struct pg_state *s);
/* "stopped" ... "lively"; 0 for an unknown name. */
const char *pg_level_name(enum pg_level l);
enum pg_level pg_level_by_name(const char *name);
bool pg_level_removes_dead(enum pg_level l);  /* a dead primary is taken out */
bool pg_level_takes_updates(enum pg_level l); /* and cures */

/* ---- detector.c ---- */

enum pg_detector_event { PG_NODE_SAME, PG_NODE_CAME, PG_NODE_WENT };

/* What the store says of the node now: a changed stamp is a beacon. */
enum pg_detector_event
pg_detector_beacon(struct pg_node *n, const struct pg_policy *policy,
                   int64_t stamp, int64_t start_ms, int64_t now_ms);
/* Silence: alive nodes that were not heard for the grace period. */
enum pg_detector_event
pg_detector_check(struct pg_node *n, const struct pg_policy *policy,
                  int64_t now_ms);
/* After the leader's own absence: silence starts anew for everybody. */
void pg_detector_grace(struct pg_state *s, int64_t now_ms);

/* ---- reconfigure.c ---- */

/* A change asked for at ballot `ballot` (the one before it). */
struct pg_change {
    enum pg_type type;
    int node;
    int64_t ballot;
};

const char *pg_type_name(enum pg_type t);
/* PG_TYPE__MAX for an unknown name; CT_ in front is taken too. */
enum pg_type pg_type_by_name(const char *name);

/* Applies it: ballot + 1. STATE when it does not fit the configuration, which
 * is then unchanged; EXISTS when the ballot is another. */
enum err pg_config_apply(struct pg_config *c, const struct pg_change *change,
                         int64_t now_ms) MUST_USE;

/* Whether the configuration is what the change wanted to reach. */
bool pg_config_reached(const struct pg_config *c, enum pg_type type, int node);

enum pg_update_verdict {
    PG_UPDATE_DONE,
    PG_UPDATE_DUPLICATE,
    PG_UPDATE_VERSION
};

/* A primary's request, carrying the ballot it wants to reach. */
enum pg_update_verdict
pg_config_update(struct pg_config *c, enum pg_type type, int node,
                 int64_t ballot, int64_t now_ms);

/* What the death of a node does to one partition: whether *out must be done
 * now. The first call may ask for the primary, the next for nothing more. */
bool pg_config_bury(const struct pg_state *s, const struct pg_config *c,
                    int dead, struct pg_change *out);

/* ---- cure.c ---- */

/* Counts of one table while it is cured: choices made in this round count. */
struct pg_tally {
    int n_nodes;
    int *primaries, *partitions; /* of this table, per node */
    int *learners;               /* started in this step, per node */
};

/* Fills the first two for the table; learners are the caller's. */
void pg_cure_tally(struct pg_tally *t, const struct pg_app *app);

/* The one thing that the partition needs now; false when nothing can or need
 * be done. *out is a change, or ADD_SECONDARY. Pending actions go first; the
 * ones that no longer fit are dropped here. may_learn: learners are started
 * in this round (a tick's first, or a fresh table's). */
bool pg_cure_partition(struct pg_state *s, struct pg_partition *p,
                       struct pg_tally *t, bool may_learn, int64_t now_ms,
                       struct pg_action *out);

/* The change that *a means for the partition as it is, once its node has
 * learnt; false when a has become impossible. */
bool pg_cure_change(const struct pg_state *s, const struct pg_config *c,
                    const struct pg_action *a, struct pg_change *out);

/* Whether the leader itself carries the action out: it does for everything
 * but learning on a primary that is not ours. */
bool pg_cure_is_ours(const struct pg_state *s, const struct pg_config *c,
                     const struct pg_action *a);

/* ---- balance.c ---- */

enum pg_balance_kind {
    PG_BALANCE_MOVE_PRI,
    PG_BALANCE_COPY_PRI,
    PG_BALANCE_COPY_SEC
};

struct pg_operation {
    int app, pidx; /* indices */
    enum pg_balance_kind kind;
    int from, to;
};

struct pg_counters {
    int move_pri, copy_pri, copy_sec, total;
};

/* Whether every precondition but the nodes' reports holds. */
bool pg_balance_may_plan(const struct pg_state *s);
bool pg_balance_all_collected(const struct pg_state *s);

/* One round over all tables: writes at most max operations, counts all of
 * them. NOMEM leaves *out_n as far as it came. */
enum err
pg_balance_plan(const struct pg_state *s, struct pg_operation *out, size_t max,
                size_t *out_n, struct pg_counters *count) MUST_USE;

/* The actions of an operation; returns how many. */
int pg_balance_actions(const struct pg_operation *op,
                       struct pg_action out[PG_ACTIONS_MAX]);

/* ---- tick.c ---- */

/* A change to be stored, or (publish) a proposal that a primary fulfils. */
struct pg_work {
    int app, pidx;
    bool publish;
    struct pg_change change;
    struct pg_config next;
    enum err result; /* set by whoever stores it */
};

/* Each fills work[] (room for every partition of the table) and returns how
 * many there are. After they were stored, pg_tick_accept takes the results. */

/* Dead nodes leave the partitions of the table. */
size_t
pg_tick_bury(struct pg_state *s, int app, int64_t now_ms, struct pg_work *work);

/* A table as it was read: one that no partition of has had a member yet is
 * fresh for a while. There is nothing to be waited for or copied. */
void pg_tick_note_fresh(struct pg_app *app, int64_t now_ms);
/* Whether all its partitions are to be cured in a step that is no tick. */
bool pg_tick_is_fresh(struct pg_app *app, int64_t now_ms);

/* What the partitions need: all of them, or those changed in this tick. */
size_t pg_tick_cure(struct pg_state *s, int app, struct pg_tally *t, bool all,
                    int64_t now_ms, struct pg_work *work);

void pg_tick_accept(struct pg_state *s, const struct pg_work *work, size_t n);

/* A round of the balancer, as far as the level and the state allow: counts
 * (unchanged when it did not come that far); at lively its operations become
 * pending actions of partitions that are dirty: pg_tick_cure starts them. */
enum err pg_tick_balance(struct pg_state *s, int64_t now_ms,
                         struct pg_counters *count) MUST_USE;

/* Pending actions of the balancer are dropped (the level fell). */
void pg_tick_drop_balance(struct pg_state *s);

#endif
