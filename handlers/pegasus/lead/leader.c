/* The leader's loop: it reads what has changed, lets the pure functions of
 * state.h decide, and stores what they decided, compared by ballot and fenced
 * by its lease. Everything it knows can be read again; nothing is lost with
 * it but the time since beacons were heard. */
#include "leader.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "leader_state.h"
#include "log.h"
#include "pegasus/node/cluster.h"
#include "pegasus/node/counts.h"
#include "pegasus/node/node.h"
#include "pegasus/partition/partition.h"
#include "pegasus/settings.h"
#include "pegasus/table/table.h"

/* A pause of the leader itself (stopped, no store): silence meanwhile is
 * nobody's fault. */
#define ABSENCE_MS 4000
#define BATCH      256
#define PURGE_MS   10000

static struct pg_policy
policy_of_config(void)
{
    const struct pegasus_settings *c = pegasus_settings();

    return (struct pg_policy){
        .grace_ms = c->fd_grace_seconds * 1000,
        .stable_ms = c->stable_rs_min_running_seconds * 1000,
        .max_unstable = (int)c->max_succssive_unstable_restart,
        .min_2pc = pg_health_min_2pc((int)c->mutation_2pc_min_replica_count, 3),
        .min_live_nodes = (int)c->min_live_node_count_for_unfreeze,
        .min_live_percent = (int)c->node_live_percentage_threshold_for_update,
        .assign_delay_ms = c->replica_assign_delay_ms_for_dropouts,
        .learners_per_node = (int)c->add_secondary_max_count_for_one_node,
        .action_ms = 600000,
    };
}

/* ---- storing ---- */

static enum err
store_one(struct duty_run *run, struct pg_leader *l, struct pg_work *w)
{
    const struct pg_app *app = &l->s.app[w->app];

    if (!w->publish)
        return pegasus_store_config(run->db, app->id, w->pidx, &w->next,
                                    l->s.node);
    /* a proposal: pg_leader_drop_done stores what is under way */
    return pg_leader_note(l, app->id, w->pidx) ? ERR_OK : ERR_NOMEM;
}

/* One that was refused by its ballot holds up none of the others. */
static enum err
store_batch(struct duty_run *run, struct pg_leader *l, struct pg_work *w,
            size_t n)
{
    const struct pg_app *app = &l->s.app[w[0].app]; /* of all of a batch */
    struct pg_counts counts;
    enum err e = lease_begin(run->db, run->lease);

    pg_counts_init(&counts, run->arena, app->id);
    if (e == ERR_OK)
        e = pegasus_store_configs(run->db, app->id);
    for (size_t i = 0; i < n && e == ERR_OK; i++) {
        w[i].result = store_one(run, l, &w[i]);
        if (w[i].result == ERR_OK && !w[i].publish)
            pg_counts_change(&counts, &app->p[w[i].pidx].c, &w[i].next,
                             l->s.node);
        if (w[i].result != ERR_NOT_FOUND && w[i].result != ERR_EXISTS)
            e = w[i].result;
    }
    if (e == ERR_OK)
        e = pegasus_store_counts(run->db, &counts);
    e = db_end(run->db, e);
    for (size_t i = 0; i < n && e != ERR_OK; i++)
        w[i].result = e;
    return e;
}

static enum err
store_work(struct duty_run *run, struct pg_leader *l, struct pg_work *w,
           size_t n)
{
    enum err e = ERR_OK;

    for (size_t i = 0; i < n && e == ERR_OK; i += BATCH) {
        size_t k = n - i < BATCH ? n - i : BATCH;

        e = store_batch(run, l, w + i, k);
        pg_tick_accept(&l->s, w + i, k);
    }
    l->changes += (int64_t)n;
    return e;
}

/* ---- the failure detector ---- */

static void
tell_node(const struct pg_node *n, enum pg_detector_event event)
{
    if (event == PG_NODE_CAME)
        log_info("pegasus.node_alive address=%s", n->address);
    else
        log_warn("pegasus.node_unalive address=%s", n->address);
}

/* Whether what is stored of the node must be written anew. */
static bool
hear(struct pg_leader *l, const struct pegasus_node *row, struct pg_node *n,
     bool check)
{
    int64_t now = clock_mono_ms();
    int unstable = n->unstable;
    enum pg_detector_event event;

    n->managed = row->managed;
    event = pg_detector_beacon(n, &l->s.policy, row->last_beacon_ms,
                               row->start_ms, now);
    if (event == PG_NODE_SAME && check)
        event = pg_detector_check(n, &l->s.policy, now);
    if (n->alive && row->collected && !n->collected)
        l->reports_stale = true;
    n->collected = n->alive && row->collected;
    if (event != PG_NODE_SAME)
        tell_node(n, event);
    return row->alive != n->alive || unstable != n->unstable;
}

static enum err
store_node(struct duty_run *run, const struct pg_node *n)
{
    enum err e = lease_begin(run->db, run->lease);

    if (e == ERR_OK)
        e = pegasus_store_node_state(run->db, n);
    return db_end(run->db, e);
}

static enum err
detect(struct duty_run *run, struct pg_leader *l,
       const struct list_of_pegasus_node *rows)
{
    bool check = clock_mono_ms() >= l->next_check_ms;
    enum err e = ERR_OK;

    for (size_t i = 0; i < rows->n && e == ERR_OK; i++) {
        struct pg_node *n = pg_leader_node(l, rows->v[i].address);

        if (n == NULL)
            return ERR_NOMEM;
        if (hear(l, &rows->v[i], n, check))
            e = store_node(run, n);
    }
    if (check)
        l->next_check_ms = clock_mono_ms() +
                           pegasus_settings()->fd_check_interval_seconds * 1000;
    return e;
}

/* ---- curing ---- */

static bool
any_dead_member(const struct pg_leader *l)
{
    for (int i = 0; i < l->s.n_nodes; i++)
        if (!l->s.node[i].alive && l->s.node[i].partitions > 0)
            return true;
    return false;
}

static enum err
bury(struct duty_run *run, struct pg_leader *l, int app)
{
    struct pg_app *a = &l->s.app[app];
    enum err e = ERR_OK;
    size_t n;

    while (e == ERR_OK && !a->stale &&
           (n = pg_tick_bury(&l->s, app, l->now_ms, l->work)) > 0)
        e = store_work(run, l, l->work, n);
    return e;
}

/* A change may make the next one possible: until nothing follows. */
static enum err
cure(struct duty_run *run, struct pg_leader *l, int app, bool all)
{
    struct pg_app *a = &l->s.app[app];
    enum err e = ERR_OK;
    size_t n;

    while (e == ERR_OK && !a->stale &&
           (n = pg_tick_cure(&l->s, app, &l->tally, all, l->now_ms, l->work)) >
               0) {
        e = store_work(run, l, l->work, n);
        all = false;
    }
    return e;
}

static enum err
work_on_apps(struct duty_run *run, struct pg_leader *l, bool tick)
{
    enum pg_level level = pg_level_of_state(&l->s);
    bool dead, chained = l->operator_asks;
    enum err e = ERR_OK;

    pg_state_count(&l->s);
    dead = pg_level_removes_dead(level) && any_dead_member(l);
    if (l->s.n_nodes > 0)
        memset(l->tally.learners, 0,
               (size_t)l->s.n_nodes * sizeof(*l->tally.learners));
    for (int a = 0; a < l->s.n_apps && e == ERR_OK; a++) {
        bool all = tick || pg_tick_is_fresh(&l->s.app[a], l->now_ms);

        if (dead)
            e = bury(run, l, a);
        if (e == ERR_OK && pg_level_takes_updates(level) &&
            (all || dead || chained))
            e = cure(run, l, a, all);
    }
    l->operator_asks = false;
    return e;
}

static bool
same_counters(const struct pg_counters *a, const struct pg_counters *b)
{
    return a->move_pri == b->move_pri && a->copy_pri == b->copy_pri &&
           a->copy_sec == b->copy_sec && a->total == b->total;
}

static enum err
balance(struct duty_run *run, struct pg_leader *l)
{
    struct pg_counters count = l->count;
    enum err e;

    if (pg_level_of_state(&l->s) <= PG_STEADY)
        pg_tick_drop_balance(&l->s);
    e = pg_tick_balance(&l->s, l->now_ms, &count);
    if (e == ERR_OK && !same_counters(&count, &l->count)) {
        e = lease_begin(run->db, run->lease);
        if (e == ERR_OK)
            e = pegasus_store_counters(run->db, &count);
        e = db_end(run->db, e);
    }
    if (e != ERR_OK)
        return e;
    l->count = count;
    if (pg_level_of_state(&l->s) != PG_LIVELY || count.total <= 0)
        return ERR_OK;
    log_info("pegasus.balance move_pri=%d copy_pri=%d copy_sec=%d",
             count.move_pri, count.copy_pri, count.copy_sec);
    for (int a = 0; a < l->s.n_apps && e == ERR_OK; a++)
        e = cure(run, l, a, false);
    return e;
}

/* Replicas of tables that can no longer be recalled, at level lively only. */
static enum err
purge(struct duty_run *run, struct pg_leader *l)
{
    uint64_t n = 0;
    enum err e;

    if (clock_mono_ms() < l->next_purge_ms ||
        pg_level_of_state(&l->s) != PG_LIVELY)
        return ERR_OK;
    e = lease_begin(run->db, run->lease);
    if (e == ERR_OK)
        e = pegasus_store_purge(run->db, &n);
    e = db_end(run->db, e);
    if (e == ERR_OK && n == 0)
        l->next_purge_ms = clock_mono_ms() + PURGE_MS;
    return e;
}

/* ---- a new leader ---- */

static enum err
make_default_table(struct duty_run *run)
{
    const struct pegasus_settings *c = pegasus_settings();
    int64_t version;
    int32_t app_id;
    enum err e = pegasus_store_lock(run->db, &version);

    if (e == ERR_OK)
        e = pegasus_store_app_add(run->db, c->default_table, "pegasus",
                                  (int32_t)c->default_table_partitions, 3,
                                  version, &app_id);
    return e;
}

/* Before it answers, and whenever somebody has changed something without
 * counting. Nobody else writes meanwhile. */
static enum err
count_all(struct duty_run *run)
{
    int64_t version;
    enum err e = lease_begin(run->db, run->lease);

    if (e == ERR_OK)
        e = pegasus_store_lock(run->db, &version);
    if (e == ERR_OK)
        e = pegasus_store_counts_all(run->db, run->arena, run->lease->epoch);
    return db_end(run->db, e);
}

/* A deployment that never had a table starts with one. */
static enum err
open_for_requests(struct duty_run *run, const struct pegasus_cluster_row *c)
{
    enum err e = lease_begin(run->db, run->lease);

    if (e == ERR_OK && c->next_app_id == 1 &&
        !str_empty(pegasus_settings()->default_table))
        e = make_default_table(run);
    if (e == ERR_OK)
        e = pegasus_store_ready(run->db, run->lease->epoch);
    e = db_end(run->db, e);
    if (e == ERR_OK)
        log_info("pegasus.leads id=%s epoch=%llu", run->id,
                 (unsigned long long)run->lease->epoch);
    return e;
}

/* ---- a step ---- */

static enum err
read_all(struct duty_run *run, struct pg_leader *l,
         struct pegasus_cluster_row *c, struct list_of_pegasus_node *rows)
{
    enum err e = pegasus_store_cluster(run->db, run->arena, c);

    if (e == ERR_OK)
        e = pegasus_store_nodes(run->db, run->arena, rows);
    if (e == ERR_OK)
        e = pg_leader_read_nodes(l, rows);
    if (e == ERR_OK)
        e = pg_leader_read_apps(l, run->db, run->arena, c);
    return e;
}

static enum err
step(struct duty_run *run, struct pg_leader *l)
{
    struct pegasus_cluster_row c;
    struct list_of_pegasus_node rows;
    bool tick;
    enum err e = read_all(run, l, &c, &rows);

    if (e == ERR_OK && (!l->open || !c.counted))
        e = count_all(run);
    if (e == ERR_OK && !l->open) {
        e = open_for_requests(run, &c);
        l->open = e == ERR_OK;
    }
    if (e == ERR_OK)
        e = detect(run, l, &rows);
    if (e == ERR_OK && l->reports_stale)
        e = pg_leader_read_reports(l, run->db, run->arena);
    l->now_ms = clock_unix_ms();
    tick = clock_mono_ms() >= l->next_tick_ms;
    if (e == ERR_OK)
        e = work_on_apps(run, l, tick);
    if (e == ERR_OK && tick) {
        e = balance(run, l);
        l->next_tick_ms = clock_mono_ms() + pegasus_settings()->lb_interval_ms;
    }
    if (e == ERR_OK)
        e = pg_leader_drop_done(l, run);
    return e == ERR_OK ? purge(run, l) : e;
}

/* Whoever was silent while we did not listen gets its full time again. */
static void
notice_absence(struct pg_leader *l)
{
    int64_t now = clock_mono_ms();

    if (l->failed || now - l->stepped_ms > ABSENCE_MS)
        pg_detector_grace(&l->s, now);
    if (l->failed)
        pg_leader_forget_versions(l);
}

enum turn
pegasus_lead(struct duty_run *run)
{
    struct pg_leader *l = run->memory;
    enum err e;

    if (l == NULL) {
        l = run->memory = pg_leader_new(policy_of_config());
        if (l == NULL)
            return TURN_FAILED;
    }
    notice_absence(l);
    e = step(run, l);
    if (e != ERR_OK && e != ERR_STATE)
        log_warn("pegasus.step err=%s errno=%u why=\"%s\"", err_name(e),
                 db_errno(run->db), db_error(run->db));
    l->failed = e != ERR_OK;
    l->stepped_ms = clock_mono_ms();
    return turn_of(e, false);
}

void
pegasus_lead_end(void *memory)
{
    pg_leader_free(memory);
}
