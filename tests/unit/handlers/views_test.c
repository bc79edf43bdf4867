/* What dialects tell operators of themselves: each statement of their views
 * fits the migrated schema, kinds lie below kinds that there are, and a page
 * reads what is on it, however much there is before and behind. */
#include "statements.h"

#include <string.h>

#include "console/things.h"
#include "dialect.h"
#include "view.h"

#define PAGE 20
/* For each thing of a page: its row, those that tell more of it. */
#define READS_PER_THING 30
/* Others use the tables of that schema meanwhile: this one has copies. */
#define META        "Kunlun_Metadata_DB."
#define COPY(table) "CREATE TABLE " table " LIKE " META table

static void
check(struct db *db, const struct view *all, const struct view *v)
{
    const char *const all_of[] = { v->page, v->events ? v->page : v->below,
                                   v->count, v->worst };
    bool found = v->above == NULL;

    statements_prepare(db, all_of, COUNT(all_of));
    for (const struct view *o = all; o->kind != NULL; o++)
        if (v->above != NULL && strcmp(o->kind, v->above) == 0)
            found = true;
    if (!found)
        fail_msg("%s lies below %s, which is no kind", v->kind, v->above);
}

static void
each_view_fits_the_schema(void **state)
{
    size_t n = 0;

    for (size_t i = 0; dialects[i] != NULL; i++) {
        const struct view *v = dialects[i]->views;

        for (; v != NULL && v->kind != NULL; v++, n++)
            check(*state, dialects[i]->views, v);
    }
    assert_true(n > 10);
}

/* Much of everything. */
static const char *const much[] = {
    "SET foreign_key_checks = 0",
    COPY("server_nodes"),
    COPY("db_clusters"),
    COPY("shards"),
    COPY("shard_nodes"),
    COPY("comp_nodes"),
    "INSERT INTO doris_instance (instance_id, name, user_id, status,"
    " sse_enabled, enable_storage_vault, ctime, mtime)"
    " SELECT CONCAT('i', seq), 'n', 'u', 'NORMAL', 0, 0, 1, 1"
    " FROM seq_0_to_999",
    "INSERT INTO doris_cluster (instance_id, seq, cluster_id, cluster_name,"
    " type, ctime, mtime, doc) SELECT CONCAT('i', MOD(seq, 20)), seq,"
    " CONCAT('c', seq), CONCAT('n', seq), 'COMPUTE', 1, 1, '{}'"
    " FROM seq_0_to_999",
    "INSERT INTO doris_node (instance_id, seq, ord, kind, addr, port)"
    " SELECT c.instance_id, c.seq, n.seq, 'COMPUTE', CONCAT('h', c.seq), n.seq"
    " FROM doris_cluster c JOIN seq_1_to_3 n",
    "INSERT INTO doris_heartbeat SELECT addr, port, 1, 1, 1, 1, 1, 1"
    " FROM doris_node WHERE MOD(ord, 2) = 1",
    "INSERT INTO doris_vault (instance_id, id, name)"
    " SELECT CONCAT('i', MOD(seq, 20)), seq, CONCAT('v', seq)"
    " FROM seq_1_to_1000",
    "INSERT INTO pegasus_node SELECT CONCAT('h:', seq), 1, 0, 1, 1, 1, 0"
    " FROM seq_1_to_1000",
    "INSERT INTO pegasus_app SELECT seq, CONCAT('t', seq), CONCAT('t', seq),"
    " 'pegasus', 'AVAILABLE', 4, 3, 1, 1, 0, 0, 1, 0 FROM seq_1_to_1000",
    "INSERT INTO pegasus_partition SELECT a.seq, p.seq, 1, 'x', '', 3, 3, 1,"
    " '', 0, 1 FROM seq_1_to_1000 a JOIN seq_0_to_3 p",
    "INSERT INTO ticdc_capture SELECT CONCAT('c', seq), 'c1', 'o', 'a', 'v',"
    " 'g', 1, 1, 0, '', 1 FROM seq_1_to_1000",
    "INSERT INTO ticdc_changefeed (feed, namespace, id, version, epoch,"
    " scheduled_epoch, state, sink_uri, config, server_id, start_ts, target_ts,"
    " checkpoint_ts, resolved_ts, gtid, file, pos, anchor_ts, error_code,"
    " error_message, error_addr, error_ms, tries, since_ms, again_ms,"
    " failed_at, rebalance, balanced_ms, creator_version, create_ms,"
    " changed_ms) SELECT seq, 'default', CONCAT('f', seq), 1, 1, 1, 'normal',"
    " '', '', seq, 1, 0, 1, 1, '', '', 0, 1, '', '', '', 0, 0, 0, 0, 0, 0, 0,"
    " '', 0, 0 FROM seq_1_to_1000",
    "INSERT INTO ticdc_table (feed, table_id, schema_name, table_name, state,"
    " writer, next_writer, order_no, writer_term, next_term, checkpoint_ts,"
    " dropped) SELECT f.seq, t.seq, 's', CONCAT('t', t.seq), 'r', 'c1', '', 1,"
    " 1, 1, 1, 0 FROM seq_1_to_400 f JOIN seq_1_to_4 t",
    "INSERT INTO server_nodes (hostaddr, machine_type)"
    " SELECT CONCAT('h', s.seq), t.seq FROM seq_1_to_1000 s JOIN seq_1_to_2 t",
    "INSERT INTO db_clusters (name, ha_mode)"
    " SELECT CONCAT('k', MOD(seq * 7, 1000)), 'rbr' FROM seq_1_to_1000",
    "INSERT INTO shards (name, db_cluster_id)"
    " SELECT CONCAT('s', n.seq), c.id FROM db_clusters c"
    " JOIN seq_1_to_2 n",
    "INSERT INTO shard_nodes (hostaddr, port, user_name, shard_id,"
    " db_cluster_id, svr_node_id) SELECT CONCAT('h', n.seq), s.id, 'u', s.id,"
    " s.db_cluster_id, n.seq FROM shards s JOIN seq_1_to_3 n",
    "INSERT INTO comp_nodes (id, name, hostaddr, port, db_cluster_id,"
    " user_name, svr_node_id) SELECT c.id * 2 + n.seq, CONCAT('c', n.seq),"
    " 'h9', c.id * 2 + n.seq, c.id, 'u', 1 FROM db_clusters c"
    " JOIN seq_1_to_2 n",
    "INSERT INTO kept_instance (machine, uuid, port, root, class, driver, kind,"
    " seq, to_run, held_by, state, since_ms, pid, restarts, paused_until_ms,"
    " why, told_ms) SELECT CONCAT('h', m.seq), CONCAT('u', p.seq), p.seq, '/',"
    " 'c', 'mariadb', 'storage', 1, 1, 0, 'running', 1, 1, 0, 0, '', 1"
    " FROM seq_1_to_3 m JOIN seq_1_to_1000 p",
    "INSERT INTO kunlun_shard (cluster, shard, orders, state, verdict,"
    " sentence, since_ms) SELECT c.name, s.name, 1, '', 'fine', '', 1"
    " FROM shards s JOIN db_clusters c"
    " ON c.id = s.db_cluster_id",
    "INSERT INTO kunlun_failover (shard_id, cluster, shard, epoch, kind, was,"
    " `is`, why, seen, suspected_ms, decided_ms) SELECT seq, 'k', 's', 1, 'f',"
    " '', '', '', '{}', 1, 1 FROM seq_1_to_1000",
    "ANALYZE TABLE doris_instance, doris_cluster, doris_node, doris_heartbeat,"
    " doris_vault, pegasus_node, pegasus_app, pegasus_partition, ticdc_capture,"
    " ticdc_changefeed, ticdc_table, kept_instance, kunlun_shard,"
    " kunlun_failover, server_nodes, db_clusters, "
    "shards, shard_nodes, comp_nodes",
};

/* How many rows this session has read. */
static int64_t
reads(struct db *db)
{
    int64_t n = 0;

    assert_int_equal(db_one_i64(db,
                                "SELECT CAST(SUM(VARIABLE_VALUE) AS SIGNED)"
                                " FROM information_schema.SESSION_STATUS"
                                " WHERE VARIABLE_NAME LIKE 'HANDLER_READ%'",
                                DB_NO_ARGS, &n),
                     ERR_OK);
    return n;
}

/* A page behind `last`; what it has read is little. */
static struct list_of_console_thing
page_of(struct db *db, struct arena *a, const struct view *v,
        const struct console_above *above, const char *const *last)
{
    struct list_of_console_thing out = { 0 };
    int64_t before = reads(db), own = reads(db) - before, n;

    assert_int_equal(
        console_store_things(db, a, v, above, "", last, PAGE, &out), ERR_OK);
    n = reads(db) - before - 2 * own;
    if (n > PAGE * READS_PER_THING)
        fail_msg("a page of %s reads %lld rows", v->kind, (long long)n);
    return out;
}

static const char *
of_copies(struct arena *a, const char *sql)
{
    char *out = arena_strdup(a, or_empty(sql)), *at;

    assert_non_null(out);
    while ((at = strstr(out, META)) != NULL)
        memmove(at, at + strlen(META), strlen(at + strlen(META)) + 1);
    return out;
}

/* The first page, one in the middle, what lies below one thing. */
static void
check_pages(struct db *db, struct arena *a, const struct view *v)
{
    struct console_above anywhere = { "", "" };
    struct list_of_console_thing all = { 0 }, some;
    const char *const *none = NULL;
    size_t n;

    assert_int_equal(
        console_store_things(db, a, v, &anywhere, "", none, 5000, &all),
        ERR_OK);
    if (all.n < 900)
        fail_msg("%zu of %s", all.n, v->kind);
    n = all.n / 2;
    some = page_of(db, a, v, &anywhere, NULL);
    assert_int_equal(some.n, PAGE);
    some = page_of(db, a, v, &anywhere,
                   (const char *[]){ all.v[n].o1, all.v[n].o2, all.v[n].o3 });
    assert_int_equal(some.n, PAGE);
    assert_string_equal(some.v[0].k1, all.v[n + 1].k1);
    assert_string_equal(some.v[0].k2, all.v[n + 1].k2);
    if (v->above == NULL || v->events)
        return;
    some = page_of(db, a, v,
                   &(struct console_above){ all.v[n].a1, all.v[n].a2 }, NULL);
    assert_true(some.n > 0);
}

static void
a_page_reads_what_is_on_it(void **state)
{
    struct db *db = *state;
    struct arena *a = arena_new(1 << 26);

    for (size_t i = 0; i < COUNT(much); i++)
        if (db_exec_text(db, much[i]) != ERR_OK)
            fail_msg("%s: %s", much[i], db_error(db));
    for (size_t i = 0; dialects[i] != NULL; i++) {
        const struct view *v = dialects[i]->views;

        for (; v != NULL && v->kind != NULL; v++) {
            struct view copy = *v;

            copy.page = of_copies(a, v->page);
            copy.below = of_copies(a, v->below);
            check_pages(db, a, &copy);
        }
    }
    arena_free(a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_view_fits_the_schema),
        cmocka_unit_test(a_page_reads_what_is_on_it),
    };

    return cmocka_run_group_tests(tests, statements_setup, statements_teardown);
}
