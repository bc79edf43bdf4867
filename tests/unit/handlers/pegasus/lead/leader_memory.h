/* pegasus/lead/leader_state.c above a store of the test's own: rows in arrays,
 * and a list of what was written. Included once per program. */
#ifndef MG_TEST_LEADER_MEMORY_H
#define MG_TEST_LEADER_MEMORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_clock.h"
#include "pegasus/lead/leader_state.h"
#include "pegasus/partition/partition.h"

static enum err some_apps(struct db *db, struct arena *a, int64_t version,
                          struct list_of_pegasus_app_state *out);
static enum err some_partitions(struct db *db, struct arena *a, int64_t version,
                                struct rows *out);
static enum err some_replicas(struct db *db, struct arena *a, struct rows *out);
static enum err some_actions(struct db *db, struct arena *a,
                             struct list_of_pegasus_action *out);
static enum err note_drop(struct db *db, int32_t app_id, int32_t pidx);
static enum err
note_add(struct db *db, int32_t app_id, int32_t pidx, int ord, const char *type,
         const char *target, const char *node, bool balancer);
static enum err note_begin(struct db *db, const struct lease *l);
static enum err note_end(struct db *db, enum err e);

#define pegasus_store_changed            some_apps
#define pegasus_store_changed_partitions some_partitions
#define pegasus_store_replicas           some_replicas
#define pegasus_store_actions            some_actions
#define pegasus_store_actions_drop       note_drop
#define pegasus_store_action_add         note_add
#define lease_begin                      note_begin
#define db_end                           note_end
#include "pegasus/lead/leader_state.c"

/* ---- what is stored ---- */

static struct pegasus_app_state app_rows[200];
static size_t n_app_rows;
static struct pegasus_partition partition_rows[16];
static size_t n_partition_rows;
static struct pegasus_replica replica_rows[16];
static size_t n_replica_rows;
static struct pegasus_action action_rows[16];
static size_t n_action_rows;

static enum err apps_say, partitions_say, replicas_say, actions_say, drop_says;
static int64_t asked_version; /* -1: nothing was read */
static char written[1024];

static enum err
some_apps(struct db *db, struct arena *a, int64_t version,
          struct list_of_pegasus_app_state *out)
{
    (void)db;
    (void)a;
    asked_version = version;
    *out = (struct list_of_pegasus_app_state){ .n = n_app_rows, .v = app_rows };
    return apps_say;
}

/* Rows one after the other, and then what `say` is. */
static size_t at;

static enum err
next_partition(struct rows *rows, struct arena *a, const void **row)
{
    (void)rows;
    (void)a;
    if (at == n_partition_rows)
        return partitions_say;
    *row = &partition_rows[at++];
    return ERR_OK;
}

static enum err
some_partitions(struct db *db, struct arena *a, int64_t version,
                struct rows *out)
{
    (void)db;
    (void)a;
    assert_int_equal(version, asked_version);
    at = 0;
    *out = (struct rows){ .next = next_partition };
    return ERR_OK;
}

static enum err
next_replica(struct rows *rows, struct arena *a, const void **row)
{
    (void)rows;
    (void)a;
    if (at == n_replica_rows)
        return replicas_say;
    *row = &replica_rows[at++];
    return ERR_OK;
}

static enum err
some_replicas(struct db *db, struct arena *a, struct rows *out)
{
    (void)db;
    (void)a;
    at = 0;
    *out = (struct rows){ .next = next_replica };
    return ERR_OK;
}

static enum err
some_actions(struct db *db, struct arena *a, struct list_of_pegasus_action *out)
{
    (void)db;
    (void)a;
    *out =
        (struct list_of_pegasus_action){ .n = n_action_rows, .v = action_rows };
    return actions_say;
}

/* ---- what is written ---- */

__attribute__((format(printf, 1, 2))) static void
note(const char *fmt, ...)
{
    size_t n = strlen(written);
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(written + n, sizeof(written) - n, fmt, ap);
    va_end(ap);
}

static enum err
note_drop(struct db *db, int32_t app_id, int32_t pidx)
{
    (void)db;
    note("drop %d.%d; ", app_id, pidx);
    return drop_says;
}

static enum err
note_add(struct db *db, int32_t app_id, int32_t pidx, int ord, const char *type,
         const char *target, const char *node, bool balancer)
{
    (void)db;
    note("add %d.%d/%d %s %s>%s%s; ", app_id, pidx, ord, type, target, node,
         balancer ? " balancer" : "");
    return ERR_OK;
}

static enum err
note_begin(struct db *db, const struct lease *l)
{
    (void)db;
    (void)l;
    note("begin; ");
    return ERR_OK;
}

static enum err
note_end(struct db *db, enum err e)
{
    (void)db;
    note("end %s; ", err_name(e));
    return e;
}

/* ---- a leader ---- */

static struct pg_leader *l;
static struct pegasus_cluster_row cluster;

static int
begin(void **state)
{
    const struct pg_policy policy = { .min_2pc = 2, .grace_ms = 5 };

    (void)state;
    n_app_rows = n_partition_rows = n_replica_rows = n_action_rows = 0;
    apps_say = actions_say = drop_says = ERR_OK;
    partitions_say = replicas_say = ERR_NOT_FOUND;
    asked_version = -1;
    written[0] = '\0';
    cluster = (struct pegasus_cluster_row){ .version = 1, .level = "lively" };
    l = pg_leader_new(policy);
    return l == NULL ? -1 : 0;
}

static int
end(void **state)
{
    (void)state;
    pg_leader_free(l);
    return 0;
}

/* It reads what was changed, as version v. */
static enum err
read_as(int64_t v)
{
    cluster.version = v;
    return pg_leader_read_apps(l, NULL, NULL, &cluster);
}

static void
app_row(int32_t id, const char *status, int32_t partitions)
{
    app_rows[n_app_rows++] = (struct pegasus_app_state){
        .app_id = id, .status = status, .partition_count = partitions
    };
}

static void
partition_row(int32_t app_id, int32_t pidx, int64_t ballot, const char *primary,
              const char *secondaries, const char *drops)
{
    partition_rows[n_partition_rows++] =
        (struct pegasus_partition){ .app_id = app_id,
                                    .pidx = pidx,
                                    .ballot = ballot,
                                    .max_replica_count = 3,
                                    .primary_node = primary,
                                    .secondaries = secondaries,
                                    .last_drops = drops };
}

static const char *
address_of(int node)
{
    return node == PG_NONE ? "none" : l->s.node[node].address;
}

static struct pg_partition *
partition(int32_t app_id, int32_t pidx)
{
    struct pg_partition *p = find_partition(l, app_id, pidx);

    assert_non_null(p);
    return p;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
