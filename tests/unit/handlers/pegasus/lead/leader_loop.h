/* pegasus/lead/leader.c above a store that is a list of what was written. What
 * decides is the real thing. Included once per program. */
#ifndef MG_TEST_LEADER_LOOP_H
#define MG_TEST_LEADER_LOOP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "pegasus/lead/leader_state.h"
#include "pegasus/node/counts.h"
#include "pegasus/partition/partition.h"
#include "pegasus/settings.h"
#include "pegasus/table/table.h"

static const struct pegasus_settings *some_settings(void);
static enum err
note_config(struct db *db, int32_t app_id, int32_t pidx,
            const struct pg_config *c, const struct pg_node *nodes);
static enum err note_configs(struct db *db, int32_t app_id);
static enum err note_counts(struct db *db, struct pg_counts *c);
static enum err note_begin(struct db *db, const struct lease *l);
static enum err note_end(struct db *db, enum err e);
static enum err note_node(struct db *db, const struct pg_node *n);
static enum err note_counters(struct db *db, const struct pg_counters *c);
static enum err some_purge(struct db *db, uint64_t *n);
static enum err note_lock(struct db *db, int64_t *version);
static enum err
note_app(struct db *db, const char *name, const char *type, int32_t partitions,
         int32_t replicas, int64_t version, int32_t *app_id);
static enum err note_count_all(struct db *db, struct arena *a, uint64_t epoch);
static enum err note_ready(struct db *db, uint64_t epoch);
static enum err
some_cluster(struct db *db, struct arena *a, struct pegasus_cluster_row *out);
static enum err
some_nodes(struct db *db, struct arena *a, struct list_of_pegasus_node *out);
static enum err some_apps(struct pg_leader *l, struct db *db, struct arena *a,
                          const struct pegasus_cluster_row *c);
static enum err
note_reports(struct pg_leader *l, struct db *db, struct arena *a);
static enum err note_drop_done(struct pg_leader *l, struct duty_run *run);

#define pegasus_settings()       some_settings()
#define pegasus_store_config     note_config
#define pegasus_store_configs    note_configs
#define pegasus_store_counts     note_counts
#define lease_begin              note_begin
#define db_end                   note_end
#define pegasus_store_node_state note_node
#define pegasus_store_counters   note_counters
#define pegasus_store_purge      some_purge
#define pegasus_store_lock       note_lock
#define pegasus_store_app_add    note_app
#define pegasus_store_counts_all note_count_all
#define pegasus_store_ready      note_ready
#define pegasus_store_cluster    some_cluster
#define pegasus_store_nodes      some_nodes
#define pg_leader_read_apps      some_apps
#define pg_leader_read_reports   note_reports
#define pg_leader_drop_done      note_drop_done
#define db_errno(db)             0u
#define db_error(db)             ""
#include "pegasus/lead/leader.c"

/* ---- the store ---- */

static struct pegasus_settings settings;
static struct pegasus_cluster_row cluster;
static struct pegasus_node node_rows[3];
static enum err cluster_says, configs_say, config_says, ready_says;
static int32_t refused_pidx; /* its ballot is another */
static uint64_t to_purge;
static struct pg_counters stored;
static char told[4096];

__attribute__((format(printf, 1, 2))) static void
note(const char *fmt, ...)
{
    size_t n = strlen(told);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(told + n, sizeof(told) - n, fmt, ap);
    va_end(ap);
}

static const struct pegasus_settings *
some_settings(void)
{
    return &settings;
}

static int n_configs; /* of the present transaction */

static enum err
note_config(struct db *db, int32_t app_id, int32_t pidx,
            const struct pg_config *c, const struct pg_node *nodes)
{
    (void)db;
    (void)c;
    (void)nodes;
    assert_int_equal(app_id, 7);
    n_configs++;
    return pidx == refused_pidx ? ERR_EXISTS : config_says;
}

static enum err
note_configs(struct db *db, int32_t app_id)
{
    (void)db;
    assert_int_equal(app_id, 7);
    return configs_say;
}

static enum err
note_counts(struct db *db, struct pg_counts *c)
{
    (void)db;
    (void)c;
    note("%d configs; ", n_configs);
    return ERR_OK;
}

static enum err
note_begin(struct db *db, const struct lease *l)
{
    (void)db;
    (void)l;
    n_configs = 0;
    return ERR_OK;
}

static enum err
note_end(struct db *db, enum err e)
{
    (void)db;
    note("end %s; ", err_name(e));
    return e;
}

static enum err
note_node(struct db *db, const struct pg_node *n)
{
    (void)db;
    note("%s %s; ", n->address, n->alive ? "lives" : "is dead");
    return ERR_OK;
}

static enum err
note_counters(struct db *db, const struct pg_counters *c)
{
    (void)db;
    stored = *c;
    note("counters; ");
    return ERR_OK;
}

static enum err
some_purge(struct db *db, uint64_t *n)
{
    (void)db;
    *n = to_purge;
    note("purge; ");
    return ERR_OK;
}

static enum err
note_lock(struct db *db, int64_t *version)
{
    (void)db;
    *version = 5;
    note("lock; ");
    return ERR_OK;
}

static enum err
note_app(struct db *db, const char *name, const char *type, int32_t partitions,
         int32_t replicas, int64_t version, int32_t *app_id)
{
    (void)db;
    assert_int_equal(version, 5);
    *app_id = 1;
    note("make %s %s %d %d; ", name, type, partitions, replicas);
    return ERR_OK;
}

static enum err
note_count_all(struct db *db, struct arena *a, uint64_t epoch)
{
    (void)db;
    (void)a;
    note("count all as %d; ", (int)epoch);
    return ERR_OK;
}

static enum err
note_ready(struct db *db, uint64_t epoch)
{
    (void)db;
    note("ready as %d; ", (int)epoch);
    return ready_says;
}

static enum err
some_cluster(struct db *db, struct arena *a, struct pegasus_cluster_row *out)
{
    (void)db;
    (void)a;
    *out = cluster;
    return cluster_says;
}

static enum err
some_nodes(struct db *db, struct arena *a, struct list_of_pegasus_node *out)
{
    (void)db;
    (void)a;
    *out =
        (struct list_of_pegasus_node){ .n = COUNT(node_rows), .v = node_rows };
    return ERR_OK;
}

/* The level alone, and the version as read. */
static enum err
some_apps(struct pg_leader *l, struct db *db, struct arena *a,
          const struct pegasus_cluster_row *c)
{
    (void)db;
    (void)a;
    l->s.level = pg_level_by_name(c->level);
    l->version = 1;
    return ERR_OK;
}

static enum err
note_reports(struct pg_leader *l, struct db *db, struct arena *a)
{
    (void)db;
    (void)a;
    l->reports_stale = false;
    note("reports; ");
    return ERR_OK;
}

static enum err
note_drop_done(struct pg_leader *l, struct duty_run *run)
{
    (void)l;
    (void)run;
    return ERR_OK;
}

/* ---- a leader ---- */

static const struct lease lease = { .epoch = 3 };
static struct duty_run run;

static int
begin(void **state)
{
    (void)state;
    settings = (struct pegasus_settings){
        .default_table = "stat",
        .default_table_partitions = 4,
        .fd_check_interval_seconds = 2,
        .fd_grace_seconds = 22,
        .lb_interval_ms = 10000,
        .mutation_2pc_min_replica_count = 2,
        .min_live_node_count_for_unfreeze = 1,
        .add_secondary_max_count_for_one_node = 20,
        .replica_assign_delay_ms_for_dropouts = 600000,
    };
    cluster = (struct pegasus_cluster_row){ .next_app_id = 2,
                                            .level = "steady",
                                            .counted = true };
    for (size_t i = 0; i < COUNT(node_rows); i++)
        node_rows[i] = (struct pegasus_node){
            .address = i == 0   ? "a:1"
                       : i == 1 ? "b:1"
                                : "c:1",
            .alive = true,
            .collected = true,
            .managed = true,
            .last_beacon_ms = 1,
        };
    cluster_says = configs_say = config_says = ready_says = ERR_OK;
    refused_pidx = -1;
    to_purge = 0;
    told[0] = '\0';
    run = (struct duty_run){ .arena = arena_new(1 << 20),
                             .id = "m1",
                             .lease = &lease };
    return run.arena == NULL ? -1 : 0;
}

static int
end(void **state)
{
    (void)state;
    if (run.memory != NULL)
        pegasus_lead_end(run.memory);
    arena_free(run.arena);
    return 0;
}

static struct pg_leader *
memory(void)
{
    return run.memory;
}

/* One step, and what it has written. */
static const char *
step_says(enum turn turn)
{
    told[0] = '\0';
    assert_int_equal(pegasus_lead(&run), turn);
    return told;
}

static void
later(int64_t ms)
{
    fake_mono_us += ms * 1000;
    fake_unix_ms += ms;
}

/* Each node that lives has spoken just now. */
static void
all_speak(void)
{
    for (size_t i = 0; i < COUNT(node_rows); i++)
        node_rows[i].last_beacon_ms++;
}

/* A table of n partitions, each whole on the three nodes. */
static struct pg_app *
table_of(int n)
{
    struct pg_leader *l = memory();
    struct pg_app *app = calloc(1, sizeof(*app));

    assert_non_null(app);
    *app = (struct pg_app){ .id = 7,
                            .n = n,
                            .p = calloc((size_t)n, sizeof(*app->p)) };
    l->s.app = app;
    l->s.n_apps = l->apps_cap = 1;
    l->work = calloc((size_t)n, sizeof(*l->work));
    l->work_cap = n;
    for (int i = 0; i < n; i++) {
        struct pg_config *c = &app->p[i].c;

        pg_config_init(c, 3);
        c->ballot = 1;
        c->primary = i % 3;
        c->secondary[c->n_secondaries++] = (i + 1) % 3;
        c->secondary[c->n_secondaries++] = (i + 2) % 3;
    }
    return app;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
