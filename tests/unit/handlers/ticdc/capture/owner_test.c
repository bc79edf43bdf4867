/* How far a changefeed is, as its owner reads it from what captures report. */
#include "statements.h"

#include "ticdc/capture/owner.c"

#define FEED    1
#define EPOCH   1
#define CAPTURE "c"

static const char feed_sql[] =
    "INSERT INTO ticdc_changefeed SELECT 1, 'default', 'f', 1, 1, 1, 'normal',"
    " '', '', 1, 10, 0, 10, 10, '0-1-1', '', 0, 0, '', '', '', 0, 0, 0, 0, 0,"
    " 0, 0, '', 0, 0, 0";

static const char table_sql[] =
    "INSERT INTO ticdc_table (feed, table_id, schema_name, table_name, state,"
    " writer, next_writer, order_no, writer_term, next_term, checkpoint_ts,"
    " dropped, gtid) VALUES (1, ?, 's', ?, 'replicating', 'c', '', 1, 1, 0, ?,"
    " 0, ?)";

struct fixture {
    struct db *db;
    struct arena *a;
    struct ticdc_feed f;
    struct turn_of_feed t;
};

static void
must(struct db *db, enum err e)
{
    if (e != ERR_OK)
        fail_msg("%s: %s", err_name(e), db_error(db));
}

static void
exec(struct fixture *x, const char *sql)
{
    must(x->db, db_exec(x->db, sql, DB_NO_ARGS));
}

/* Given to the capture from there on. */
static void
give_table(struct fixture *x, int64_t id, uint64_t ts, const char *gtid)
{
    char name[24];

    (void)snprintf(name, sizeof(name), "t%lld", (long long)id);
    must(x->db,
         db_exec(x->db, table_sql,
                 DB_ARGS(db_i64(id), db_str(name), db_u64(ts), db_str(gtid))));
}

/* As processor_look() does: a stream of all that it was given begins. */
static void
take_up(struct fixture *x)
{
    struct list_of_table_row rows;

    must(x->db, rows_work_anew(x->db, FEED, CAPTURE));
    must(x->db, rows_tables(x->db, x->a, FEED, &rows));
    for (size_t i = 0; i < rows.n; i++) {
        const struct report_row r = { .table_id = rows.v[i].table_id,
                                      .term = 1,
                                      .progress = "writes",
                                      .checkpoint_ts = rows.v[i].checkpoint_ts,
                                      .gtid = rows.v[i].gtid };

        must(x->db, rows_report(x->db, FEED, CAPTURE, &r));
    }
}

static void
has_written(struct fixture *x, uint64_t ts, const char *gtid)
{
    const struct work_row w = { .feed = FEED,
                                .epoch = EPOCH,
                                .capture_id = CAPTURE,
                                .checkpoint_ts = ts,
                                .resolved_ts = ts,
                                .gtid = gtid };

    must(x->db, rows_work_advance(x->db, &w));
}

static void
check_advance(struct fixture *x, uint64_t ts, const char *gtid)
{
    const char *text;
    int64_t at;

    must(x->db, read_feed(&x->t));
    must(x->db, advance(&x->t));
    must(x->db, db_one_i64(x->db, "SELECT checkpoint_ts FROM ticdc_changefeed",
                           DB_NO_ARGS, &at));
    must(x->db, db_one_str(x->db, x->a, "SELECT gtid FROM ticdc_changefeed",
                           DB_NO_ARGS, &text));
    assert_int_equal(at, (int64_t)ts);
    assert_string_equal(text, gtid);
}

static void
begin_feed(struct fixture *x, struct db *db)
{
    uint64_t server_id;

    *x = (struct fixture){ .db = db, .a = arena_new((size_t)1 << 20) };
    x->f = (struct ticdc_feed){ .feed = FEED,
                                .epoch = EPOCH,
                                .checkpoint_ts = 10 };
    x->t = (struct turn_of_feed){ .db = db, .a = x->a, .f = &x->f };
    exec(x, "DELETE FROM ticdc_changefeed");
    exec(x, "DELETE FROM ticdc_table");
    exec(x, "DELETE FROM ticdc_report");
    exec(x, "DELETE FROM ticdc_work");
    exec(x, feed_sql);
    must(db, rows_work_begin(db, FEED, EPOCH, CAPTURE, &server_id));
}

static void
it_is_as_far_as_its_capture(void **state)
{
    struct fixture x;

    begin_feed(&x, *state);
    give_table(&x, 1, 20, "0-1-2");
    give_table(&x, 2, 30, "0-1-3");
    take_up(&x);
    check_advance(&x, 20, "0-1-2");
    has_written(&x, 50, "0-1-5");
    check_advance(&x, 50, "0-1-5");
    arena_free(x.a);
}

/* Its stream has not written that one yet, however far the one before was. */
static void
it_does_not_pass_a_table_that_was_just_taken_up(void **state)
{
    struct fixture x;

    begin_feed(&x, *state);
    give_table(&x, 1, 20, "0-1-2");
    take_up(&x);
    has_written(&x, 50, "0-1-5");
    give_table(&x, 2, 30, "0-1-3");
    take_up(&x);
    check_advance(&x, 30, "0-1-3");
    has_written(&x, 60, "0-1-6");
    check_advance(&x, 60, "0-1-6");
    arena_free(x.a);
}

/* A capture that has only begun says nothing of how far it is; what the table
 * had reached with the one before counts. */
static void
it_stays_where_a_writer_has_only_begun(void **state)
{
    struct fixture x;

    begin_feed(&x, *state);
    give_table(&x, 1, 20, "0-1-2");
    take_up(&x);
    must(x.db,
         db_exec(x.db, "UPDATE ticdc_table SET writer_term = 2", DB_NO_ARGS));
    has_written(&x, 50, "0-1-5");
    check_advance(&x, 20, "0-1-2");
    arena_free(x.a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_as_far_as_its_capture),
        cmocka_unit_test(it_does_not_pass_a_table_that_was_just_taken_up),
        cmocka_unit_test(it_stays_where_a_writer_has_only_begun),
    };

    return cmocka_run_group_tests(tests, statements_setup, statements_teardown);
}
