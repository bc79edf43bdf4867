/* The leader's memory, and how it is filled from the store. */
#ifndef PEGASUS_LEADER_STATE_H
#define PEGASUS_LEADER_STATE_H

#include "duty.h"
#include "pegasus/core/state.h"
#include "pegasus/node/cluster.h"
#include "pegasus/node/node.h"
#include "leader.h"

struct pg_leader {
    struct pg_state s;
    int nodes_cap, apps_cap;
    struct pg_tally tally;
    struct pg_work *work; /* room for the largest table */
    int work_cap;
    int64_t version; /* of the cluster, as last read */
    int64_t now_ms;  /* wall clock of this step */
    int64_t stepped_ms, next_check_ms, next_tick_ms, next_purge_ms;
    int64_t changes; /* stored so far */
    struct pg_counters count;
    bool open;          /* requests are answered */
    bool failed;        /* the last step did */
    bool operator_asks; /* actions came from outside */
    bool reports_stale;
    /* What stands in pegasus_action, by partition. */
    struct pg_noted {
        int32_t app_id, pidx;
        int rows;
    } * noted;
    size_t n_noted, noted_cap;
};

struct pg_leader *pg_leader_new(struct pg_policy policy);
void pg_leader_free(struct pg_leader *l);

/* The node of that address, made when new; NULL without memory. */
struct pg_node *pg_leader_node(struct pg_leader *l, const char *address);

/* Nodes that are new to us, as they are stored. */
enum err pg_leader_read_nodes(struct pg_leader *l,
                              const struct list_of_pegasus_node *rows) MUST_USE;

/* Tables that were changed by others, or refused a change of ours; with the
 * actions that are asked for. */
enum err
pg_leader_read_apps(struct pg_leader *l, struct db *db, struct arena *a,
                    const struct pegasus_cluster_row *c) MUST_USE;

/* Reports of foreign replica servers, into the drops and disks. */
enum err pg_leader_read_reports(struct pg_leader *l, struct db *db,
                                struct arena *a) MUST_USE;

/* Everything is read again at the next step. */
void pg_leader_forget_versions(struct pg_leader *l);

/* A proposal of ours was stored there; false without memory. */
bool pg_leader_note(struct pg_leader *l, int32_t app_id, int32_t pidx) MUST_USE;

/* Rows of pegasus_action become what is still under way. */
enum err
pg_leader_drop_done(struct pg_leader *l, struct duty_run *run) MUST_USE;

#endif
