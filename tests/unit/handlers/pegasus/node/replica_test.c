/* What replica servers of others send: who may beacon, what a report leads to,
 * which changes of a configuration are taken. */
#include <stdio.h>

#include "pegasus/audit.h"
#include "pegasus/node/cluster.h"
#include "pegasus/node/counts.h"
#include "pegasus/node/metas.h"
#include "pegasus/node/node.h"
#include "pegasus/pegasus.h"
#include "pegasus/settings.h"
#include "pegasus/table/table.h"

static const struct pegasus_settings *some_settings(void);
static enum err
some_leader(struct db *db, struct arena *a, struct pegasus_leader *out);
static const char *some_meta(struct arena *a, size_t i);
static enum err note_beacon(struct db *db, const char *address, int64_t start);
static enum err note_clear(struct db *db, const char *address, uint64_t *n);
static enum err note_report(struct db *db, const char *address, int32_t app_id,
                            int32_t pidx, const struct pegasus_report *rep);
static void
note_server(struct req *req, const char *address, uint64_t n, pg_audit_fn *say);
static enum err some_actions(struct db *db, struct arena *a,
                             struct list_of_pegasus_action *out);
static enum err some_of_node(struct db *db, struct arena *a,
                             const char *address, struct rows *out);
static enum err note_lock(struct db *db, int64_t *version);
static enum err some_collected(struct db *db, const char *address);
static enum err
some_cluster(struct db *db, struct arena *a, struct pegasus_cluster_row *out);
static enum err
some_nodes(struct db *db, struct arena *a, struct list_of_pegasus_node *out);
static enum err some_partition(struct db *db, struct arena *a, int32_t app_id,
                               int32_t pidx, struct pegasus_partition *out);
static enum err
note_config(struct db *db, int32_t app_id, int32_t pidx,
            const struct pg_config *c, const struct pg_node *nodes);
static enum err note_counts(struct db *db, struct pg_counts *c);
static enum err note_touch(struct db *db, int32_t app_id, int64_t version);
static enum err note_invalid(struct req *req, const char *why);
static enum err note_fail(struct req *req, int id, struct args args);
static enum err note_sent(struct req *req, struct pegasus_outcome *out);
static enum err no_check(struct req *req, const void *in);

#undef req_check
#define req_check                  no_check
#define pegasus_settings()         some_settings()
#define pegasus_store_leader       some_leader
#define pegasus_meta_address       some_meta
#define pegasus_store_beacon       note_beacon
#define pegasus_store_report_clear note_clear
#define pegasus_store_report       note_report
#define pg_audit_server            note_server
#define pegasus_store_actions      some_actions
#define pegasus_store_of_node      some_of_node
#define pegasus_store_lock         note_lock
#define pegasus_store_collected    some_collected
#define pegasus_store_cluster      some_cluster
#define pegasus_store_nodes        some_nodes
#define pegasus_store_partition    some_partition
#define pegasus_store_config       note_config
#define pegasus_store_counts       note_counts
#define pegasus_store_touch        note_touch
#define pegasus_invalid            note_invalid
#define req_fail                   note_fail
#define pegasus_send               note_sent
#include "pegasus/node/replica.c"

#include "request/request.h"

/* ---- what there is, and what happens ---- */

static struct pegasus_settings settings;
static struct pegasus_leader leader;
static struct pegasus_partition rows[4];
static struct pegasus_action actions[4];
static size_t n_actions;
static struct pegasus_node nodes[3];
static const char *level;
static enum err collected_says;
static struct pegasus_outcome *sent_out;
static char told[2048];

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

static enum err
some_leader(struct db *db, struct arena *a, struct pegasus_leader *out)
{
    (void)db;
    (void)a;
    *out = leader;
    return ERR_OK;
}

static const char *
some_meta(struct arena *a, size_t i)
{
    return arena_printf(a, "meta:%zu", i + 1);
}

static enum err
note_beacon(struct db *db, const char *address, int64_t start)
{
    (void)db;
    note("beacon %s %d; ", address, (int)start);
    return ERR_OK;
}

static enum err
note_clear(struct db *db, const char *address, uint64_t *n)
{
    (void)db;
    *n = 9;
    note("clear %s; ", address);
    return ERR_OK;
}

static enum err
note_report(struct db *db, const char *address, int32_t app_id, int32_t pidx,
            const struct pegasus_report *rep)
{
    (void)db;
    note("%s has %d.%d at %d; ", address, app_id, pidx, (int)rep->ballot);
    return ERR_OK;
}

static void
note_server(struct req *req, const char *address, uint64_t n, pg_audit_fn *say)
{
    (void)req;
    (void)address;
    note("%s %d; ", say == req_audit_before ? "before" : "after", (int)n);
}

static enum err
some_actions(struct db *db, struct arena *a, struct list_of_pegasus_action *out)
{
    (void)db;
    (void)a;
    *out = (struct list_of_pegasus_action){ .n = n_actions, .v = actions };
    return ERR_OK;
}

static size_t at;

static enum err
next_row(struct rows *r_, struct arena *a, const void **row)
{
    (void)r_;
    (void)a;
    if (at == COUNT(rows))
        return ERR_NOT_FOUND;
    *row = &rows[at++];
    return ERR_OK;
}

static enum err
some_of_node(struct db *db, struct arena *a, const char *address,
             struct rows *out)
{
    (void)db;
    (void)a;
    (void)address;
    at = 0;
    *out = (struct rows){ .next = next_row };
    return ERR_OK;
}

static enum err
note_lock(struct db *db, int64_t *version)
{
    (void)db;
    *version = 5;
    return ERR_OK;
}

static enum err
some_collected(struct db *db, const char *address)
{
    (void)db;
    (void)address;
    return collected_says;
}

static enum err
some_cluster(struct db *db, struct arena *a, struct pegasus_cluster_row *out)
{
    (void)db;
    (void)a;
    *out = (struct pegasus_cluster_row){ .level = level };
    return ERR_OK;
}

static enum err
some_nodes(struct db *db, struct arena *a, struct list_of_pegasus_node *out)
{
    (void)db;
    (void)a;
    *out = (struct list_of_pegasus_node){ .n = COUNT(nodes), .v = nodes };
    return ERR_OK;
}

static enum err
some_partition(struct db *db, struct arena *a, int32_t app_id, int32_t pidx,
               struct pegasus_partition *out)
{
    (void)db;
    (void)a;
    if (app_id != 1 || pidx != 0)
        return ERR_NOT_FOUND;
    *out = rows[0];
    return ERR_OK;
}

static enum err
note_config(struct db *db, int32_t app_id, int32_t pidx,
            const struct pg_config *c, const struct pg_node *n)
{
    (void)db;
    note("%d.%d is led by %s at %d; ", app_id, pidx,
         c->primary == PG_NONE ? "nobody" : n[c->primary].address,
         (int)c->ballot);
    return ERR_OK;
}

static enum err
note_counts(struct db *db, struct pg_counts *c)
{
    (void)db;
    note("counts of %d; ", c->app_id);
    return ERR_OK;
}

static enum err
note_touch(struct db *db, int32_t app_id, int64_t version)
{
    (void)db;
    note("touch %d as %d; ", app_id, (int)version);
    return ERR_OK;
}

static enum err
note_invalid(struct req *req, const char *why)
{
    (void)req;
    note("%s", why);
    return ERR_BAD_PARAM;
}

static enum err
note_fail(struct req *req, int id, struct args args)
{
    (void)req;
    (void)args;
    note("%s", id == PEGASUS_VERSION ? "version" : "frozen");
    return ERR_STATE;
}

static enum err
note_sent(struct req *req, struct pegasus_outcome *out)
{
    (void)req;
    sent_out = out;
    return ERR_OK;
}

static enum err
no_check(struct req *req, const void *in)
{
    (void)req;
    (void)in;
    return ERR_OK;
}

static int
begin(void **state)
{
    int status = setup(state);

    settings = (struct pegasus_settings){
        .node_white_list = "",
        .min_live_node_count_for_unfreeze = 1,
        .node_live_percentage_threshold_for_update = 50,
    };
    leader = (struct pegasus_leader){
        .owner = "m1", .held = true, .ready = true, .now_ms = 77
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        rows[i] = (struct pegasus_partition){
            .app_id = 1 + (int32_t)(i / 3),
            .pidx = (int32_t)(i % 3),
            .ballot = 5,
            .max_replica_count = 3,
            .primary_node = i == 2 ? NULL : "a:1",
            .secondaries = "b:1,c:1",
            .last_drops = "",
        };
    for (size_t i = 0; i < COUNT(nodes); i++)
        nodes[i] = (struct pegasus_node){ .alive = true };
    n_actions = 0;
    level = "steady";
    collected_says = ERR_OK;
    sent_out = NULL;
    told[0] = '\0';
    r.listener_tail = "m1";
    return status;
}
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)

/* ---- beacons ---- */

static enum err
beacon(const char *address, int64_t start)
{
    const struct pegasus_beacon in = { .address = address,
                                       .start_time = start };

    sent_out = NULL;
    told[0] = '\0';
    return pegasus_node_beacon(&r, &in);
}

static void
the_leader_takes_beacons_and_others_name_it(void **state)
{
    (void)state;
    assert_int_equal(beacon("a:1", 3), ERR_OK);
    assert_string_equal(told, "beacon a:1 3; ");
    assert_true(sent_out->is_master && sent_out->allowed);
    assert_string_equal(sent_out->primary_node, "meta:1");
    assert_int_equal(sent_out->time, 77);
    r.listener_tail = "m2";
    assert_int_equal(beacon("a:1", 0), ERR_OK);
    assert_string_equal(told, "");
    assert_true(!sent_out->is_master && sent_out->allowed);
    assert_string_equal(sent_out->primary_node, "meta:1");
    leader.held = false; /* nobody leads */
    r.listener_tail = "m1";
    assert_int_equal(beacon("a:1", 0), ERR_OK);
    assert_string_equal(told, "");
    assert_false(sent_out->is_master);
    assert_string_equal(sent_out->primary_node, "");
    assert_int_equal(beacon("a", 0), ERR_BAD_PARAM);
    assert_string_equal(told, "address must be host:port");
    assert_int_equal(beacon("a:1", -1), ERR_BAD_PARAM);
    assert_string_equal(told, "start_time must not be negative");
}

static void
who_is_on_the_list_may_come(void **state)
{
    (void)state;
    settings.node_white_list = "a:1, b:1,c:12";
    assert_int_equal(beacon("b:1", 0), ERR_OK);
    assert_true(sent_out->allowed);
    assert_string_equal(told, "beacon b:1 0; ");
    assert_int_equal(beacon("c:12", 0), ERR_OK);
    assert_true(sent_out->allowed);
    assert_int_equal(beacon("c:1", 0), ERR_OK);
    assert_false(sent_out->allowed);
    assert_string_equal(told, "");
}

/* ---- reports ---- */

static struct pegasus_report reports[4] = {
    { .gpid = "1.0", .ballot = 1 },
    { .gpid = "1.1", .ballot = 2 },
    { .gpid = "1.2", .ballot = 3 },
    { .gpid = "2.0", .ballot = 4 },
};

static enum err
sync_of(size_t n)
{
    struct pegasus_sync in = { .address = "b:1" };

    in.replicas.n = n;
    in.replicas.v = reports;
    told[0] = '\0';
    sent_out = NULL;
    return pegasus_node_sync(&r, &in);
}

#define PARTITION(gpid, primary)                                     \
    "{\"gpid\":\"" gpid "\",\"ballot\":\"5\",\"max_replica_count\":" \
    "\"3\",\"primary\":\"" primary "\",\"secondaries\":\"b:1,c:1\""

static void
each_replica_is_reported_and_each_partition_told(void **state)
{
    (void)state;
    assert_int_equal(sync_of(4), ERR_OK);
    assert_string_equal(told, "clear b:1; before 9; after 4; "
                              "b:1 has 1.0 at 1; b:1 has 1.1 at 2; "
                              "b:1 has 1.2 at 3; b:1 has 2.0 at 4; ");
    assert_string_equal(
        sent_out->partitions,
        "[" PARTITION("1.0", "a:1") "}," PARTITION("1.1", "a:1") "}," PARTITION(
            "1.2", "-") "}," PARTITION("2.0", "a:1") "}]");
    assert_int_equal(sync_of(0), ERR_OK);
    assert_string_equal(told, "clear b:1; before 9; after 0; ");
}

/* What is under way elsewhere is passed over; the first of several is told. */
static void
a_proposal_stands_with_its_partition(void **state)
{
    static const struct pegasus_action some[] = {
        { .app_id = 1, .pidx = 1, .type = "ADD_SECONDARY", .node = "d:1" },
        { .app_id = 1, .pidx = 1, .type = "REMOVE", .node = "e:1" },
        { .app_id = 1, .pidx = 7, .type = "REMOVE", .node = "f:1" },
        { .app_id = 2, .pidx = 0, .type = "ASSIGN_PRIMARY", .node = "g:1" },
    };

    (void)state;
    memcpy(actions, some, sizeof(actions));
    n_actions = COUNT(some);
    assert_int_equal(sync_of(0), ERR_OK);
    assert_string_equal(
        sent_out->partitions,
        "[" PARTITION("1.0", "a:1") "}," PARTITION(
            "1.1", "a:1") ",\"proposal\":\"ADD_SECONDARY\",\"node\":\"d:1\"}"
                          "," PARTITION("1.2", "-") "}," PARTITION(
                              "2.0", "a:1") ",\"proposal\":"
                                            "\"ASSIGN_"
                                            "PRIMARY\","
                                            "\"node\":\"g:1\"}"
                                            "]");
}

static void
a_report_is_of_who_has_spoken_and_of_partitions(void **state)
{
    (void)state;
    collected_says = ERR_NOT_FOUND;
    assert_int_equal(sync_of(1), ERR_BAD_PARAM);
    assert_string_equal(told, "no beacon has come from this address");
    collected_says = ERR_OK;
    reports[2].gpid = "x";
    assert_int_equal(sync_of(4), ERR_BAD_PARAM);
    assert_non_null(strstr(told, "a replica has no gpid"));
    assert_null(sent_out);
    reports[2].gpid = NULL;
    assert_int_equal(sync_of(4), ERR_BAD_PARAM);
    reports[2].gpid = "1.2";
    collected_says = ERR_STORE;
    assert_int_equal(sync_of(1), ERR_STORE);
    assert_string_equal(told, "");
}

/* ---- changes of a configuration ---- */

static const char *
update(const char *gpid, const char *type, const char *node, int64_t ballot)
{
    const struct pegasus_update in = {
        .gpid = gpid, .type = type, .node = node, .ballot = ballot
    };

    told[0] = '\0';
    sent_out = NULL;
    (void)!pegasus_node_update(&r, &in);
    return told;
}

static void
a_change_is_stored_by_its_ballot(void **state)
{
    (void)state;
    assert_string_equal(update("1.0", "DOWNGRADE_TO_INACTIVE", "c:1", 6),
                        "1.0 is led by a:1 at 6; counts of 1; touch 1 as 5; ");
    assert_int_equal(sent_out->ballot, 6);
    assert_true(io.wake);
    assert_string_equal(update("1.0", "DOWNGRADE_TO_INACTIVE", "c:1", 7),
                        "version");
    assert_null(sent_out);
    assert_string_equal(update("1.0", "DOWNGRADE_TO_INACTIVE", "c:1", 4),
                        "version");
    /* it is so already: the answer was lost */
    assert_string_equal(update("1.0", "UPGRADE_TO_SECONDARY", "c:1", 5), "");
    assert_int_equal(sent_out->ballot, 5);
}

static void
what_is_no_change_is_refused(void **state)
{
    static const char *const types[] = { "ADD_SECONDARY",
                                         "ADD_SECONDARY_FOR_LB",
                                         "DROP_PARTITION", "x" };

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++)
        assert_string_equal(update("1.0", types[i], "c:1", 6),
                            "type is no change of a configuration");
    assert_string_equal(update("1", "REMOVE", "c:1", 6),
                        "gpid must be <table id>.<partition>");
    assert_string_equal(update("1.0", "REMOVE", "c", 6),
                        "node must be host:port");
    assert_string_equal(update("1.1", "REMOVE", "c:1", 6),
                        "no such partition of an available table");
}

/* Half of the nodes must live; a level below takes none. */
static void
a_frozen_cluster_takes_no_change(void **state)
{
    (void)state;
    nodes[0].alive = false;
    assert_memory_equal(update("1.0", "REMOVE", "c:1", 6), "1.0 is led", 10);
    nodes[1].alive = false;
    assert_string_equal(update("1.0", "REMOVE", "c:1", 6), "frozen");
    nodes[0].alive = nodes[1].alive = true;
    level = "freezed";
    assert_string_equal(update("1.0", "REMOVE", "c:1", 6), "frozen");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_leader_takes_beacons_and_others_name_it),
        TEST(who_is_on_the_list_may_come),
        TEST(each_replica_is_reported_and_each_partition_told),
        TEST(a_proposal_stands_with_its_partition),
        TEST(a_report_is_of_who_has_spoken_and_of_partitions),
        TEST(a_change_is_stored_by_its_ballot),
        TEST(what_is_no_change_is_refused),
        TEST(a_frozen_cluster_takes_no_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
