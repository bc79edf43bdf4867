/* A server's binlog kept in pieces and played again behind a backup, with real
 * servers: what comes back is what was there at the moment that was asked for.
 * Clients say what time it is (SET TIMESTAMP), so that no test waits for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "instance/real.h"
#include "journal.h"
#include "ok.h"

#define KEY    "c1/s1/base.tgz"
#define PIECES 64
#define T0     1700000000 /* when it all begins */
#define MS(s)  ((int64_t)(T0 + (s)) * 1000)

static struct instance_spec one, two;
static struct blob_store *target;
static struct instance_backup base;
static struct journal_stored piece[PIECES];
static size_t n_pieces;
static struct journal_position position;

static void
run_sql(const struct instance_spec *s, const char *const *sql)
{
    struct my *my;

    OK(instance_connect(s, REAL_WAIT_MS, &my, why));
    my_until(my, 0);
    for (; *sql != NULL; sql++)
        if (my_do(my, *sql) != ERR_OK)
            fail_msg("%s: %s", *sql, my_failure(my)->text);
    my_close(my);
}

#define SQL(s, ...) run_sql(s, (const char *const[]){ __VA_ARGS__, NULL })

static const char *
value(const struct instance_spec *s, const char *sql)
{
    static char text[4][2048];
    static unsigned i;
    char *out = text[i++ % 4];
    struct my *my;

    OK(instance_connect(s, REAL_WAIT_MS, &my, why));
    if (my_value_of(my, sql, out, sizeof(text[0])) != ERR_OK)
        (void)snprintf(out, sizeof(text[0]), "%s", my_failure(my)->text);
    my_close(my);
    return out;
}

/* ---- kept ---- */

/* Whatever there is by now, read at that second. */
static void
keep(int64_t most, int second)
{
    int64_t after_ms = n_pieces > 0 ? piece[n_pieces - 1].read_ms : MS(0);
    struct journal_piece p;
    struct blob_sum sum;
    enum err e;

    while ((e = journal_next(&one, &position, most, UINT64_MAX, &p, why)) ==
           ERR_OK) {
        struct journal_stored *s = &piece[n_pieces];

        assert_true(n_pieces < PIECES);
        *s = (struct journal_stored){ .from = target,
                                      .after = p.after,
                                      .upto = p.upto,
                                      .after_ms = after_ms,
                                      .read_ms = MS(second) };
        s->key = arena_printf(real_arena, "c1/s1/binlog/%zu.gz", n_pieces++);
        OK(journal_put(&one, &p, target, s->key, &sum, why));
        s->sha256 = arena_strdup(real_arena, sum.sha256);
    }
    if (e != ERR_NOT_FOUND)
        fail_msg("%s: %s", err_name(e), why);
}

static void
what_a_server_writes_is_kept(void **state)
{
    struct instance_gtid at;

    (void)state;
    OK(instance_install(real_arena, &one, why));
    assert_true(real_start(1, &one));
    OK(instance_settle(real_arena, &one, REAL_WAIT_MS, why));
    SQL(&one, "CREATE DATABASE app",
        "CREATE TABLE app.t (id INT PRIMARY KEY, v LONGBLOB)",
        "INSERT INTO app.t VALUES (1, 'in the backup')");
    OK(instance_backup(real_arena, &one, target, KEY, NULL, &base, why));
    assert_int_equal(base.domain, one.domain_id);
    assert_true(instance_gtid_of(base.gtid, base.domain, &at));
    OK(journal_seek(&one, at, &position, why));
    keep(1 << 20, 1);
    assert_int_equal(n_pieces, 0);
    SQL(&one, "SET TIMESTAMP = 1700000010",
        "INSERT INTO app.t VALUES (2, 'ten')", "SET TIMESTAMP = 1700000011",
        "UPDATE app.t SET v = 'eleven' WHERE id = 2",
        "SET TIMESTAMP = 1700000012", "ALTER TABLE app.t ADD w INT DEFAULT 7",
        "BEGIN", "INSERT INTO app.t (id, v) VALUES (3, 'twelve')",
        "SET TIMESTAMP = 1700000013",
        "INSERT INTO app.t (id, v) VALUES (4, 'thirteen')", "COMMIT");
    keep(1 << 20, 20);
    assert_int_equal(n_pieces, 1);
    /* an event larger than what is looked at as a whole, a new file, a table
     * whose engine knows no transactions, a rollback of what cannot be */
    SQL(&one, "SET TIMESTAMP = 1700000021",
        "INSERT INTO app.t (id, v) SELECT 5, REPEAT('x', 3000000)",
        "FLUSH BINARY LOGS", "CREATE TABLE app.a (id INT) ENGINE=Aria",
        "INSERT INTO app.a VALUES (1)", "BEGIN", "INSERT INTO app.a VALUES (2)",
        "INSERT INTO app.t (id, v) VALUES (6, 'never')", "ROLLBACK",
        "CREATE USER reporter@'%' IDENTIFIED BY 'hers'");
    keep(100, 30);
    assert_true(n_pieces > 4); /* small ones, and one of a large transaction */
    /* begun long before it was committed: when, only the readings say */
    SQL(&one, "SET TIMESTAMP = 1700000015",
        "INSERT INTO app.t (id, v) VALUES (7, 'slow')");
    keep(1 << 20, 40);
    /* a crash, and what comes after it */
    real_stop(1, SIGKILL);
    assert_true(real_start(1, &one));
    SQL(&one, "SET TIMESTAMP = 1700000041",
        "INSERT INTO app.t (id, v) VALUES (8, 'late')");
    keep(1 << 20, 50);
    for (size_t i = 1; i < n_pieces; i++)
        assert_true(piece[i].after.seq == piece[i - 1].upto.seq);
    assert_true(
        instance_gtid_of(value(&one, "SELECT @@gtid_binlog_pos"), 7, &at));
    assert_true(piece[n_pieces - 1].upto.seq == at.seq);
}

/* By its own tools, too. */
static void
a_piece_is_a_binlog(void **state)
{
    const char *const sh[] = {
        "sh", "-c",
        arena_printf(real_arena,
                     "gunzip -c %s/target/c1/s1/binlog/0.gz | mariadb-binlog"
                     " --verify-binlog-checksum - | grep -c 'GTID 7-2-'",
                     real_dir),
        NULL
    };
    struct proc_result r;

    (void)state;
    assert_int_equal(proc_run(sh, REAL_WAIT_MS, &r), ERR_OK);
    assert_string_equal(r.output, "4\n");
}

/* ---- positions ---- */

static void
a_place_is_found_by_its_transaction(void **state)
{
    struct instance_gtid at = piece[2].upto;
    struct journal_position found;
    struct journal_piece p;

    (void)state;
    OK(journal_seek(&one, at, &found, why));
    OK(journal_next(&one, &found, 1, UINT64_MAX, &p, why));
    assert_true(p.after.seq == at.seq && p.upto.seq == at.seq + 1);
    /* what nobody else has yet is left */
    OK(journal_seek(&one, at, &found, why));
    OK(journal_next(&one, &found, 1 << 20, at.seq + 2, &p, why));
    assert_true(p.upto.seq <= at.seq + 2);
    while (journal_next(&one, &found, 1 << 20, at.seq + 2, &p, why) == ERR_OK)
        assert_true(p.upto.seq <= at.seq + 2);
    assert_true(found.after.seq == at.seq + 2);
    assert_int_equal(journal_next(&one, &found, 1 << 20, at.seq + 2, &p, why),
                     ERR_NOT_FOUND);
    at.server++;
    assert_int_equal(journal_seek(&one, at, &found, why), ERR_NOT_FOUND);
    at = piece[n_pieces - 1].upto;
    at.seq++;
    assert_int_equal(journal_seek(&one, at, &found, why), ERR_NOT_FOUND);
    at = (struct instance_gtid){ 0 };
    OK(journal_seek(&one, at, &found, why));
    OK(journal_next(&one, &found, 1, UINT64_MAX, &p, why));
    assert_true(p.after.seq == 0 && p.upto.seq == 1);
}

static void
what_was_purged_is_not_found(void **state)
{
    struct journal_position old = { .at = 0 };
    struct journal_piece p;
    char file[64];
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;

    (void)state;
    OK(journal_seek(&one, piece[0].after, &old, why));
    (void)snprintf(file, sizeof(file), "%s",
                   value(&one, "SELECT @@gtid_binlog_pos"));
    SQL(&one, "FLUSH BINARY LOGS");
    do {
        SQL(&one, "PURGE BINARY LOGS BEFORE NOW() + INTERVAL 1 DAY");
        (void)usleep(20000);
    } while (journal_next(&one, &old, 1, UINT64_MAX, &p, why) == ERR_OK &&
             clock_mono_ms() < until);
    assert_int_equal(journal_next(&one, &old, 1, UINT64_MAX, &p, why),
                     ERR_STATE);
    assert_int_equal(journal_seek(&one, piece[0].after, &old, why), ERR_STATE);
    /* what is behind it goes on */
    OK(journal_seek(&one, piece[n_pieces - 1].upto, &old, why));
    assert_int_equal(journal_next(&one, &old, 1, UINT64_MAX, &p, why),
                     ERR_NOT_FOUND);
}

/* ---- played ---- */

/* The rows of the other instance once it has been restored to that moment. */
static const char *
rows_at(int64_t until_ms, struct journal_played *out)
{
    struct instance_backup b;
    const char *rows;

    OK(instance_load(arena, &two, target, KEY, NULL, &b, why));
    OK(journal_play(arena, &two, &b, piece, n_pieces, until_ms, NULL, out,
                    why));
    real_stop(2, SIGTERM);
    OK(instance_load_place(arena, &two, why));
    assert_true(real_start(2, &two));
    OK(instance_settle(arena, &two, REAL_WAIT_MS, why));
    OK(instance_load_keep(arena, &two, why));
    rows = value(&two, "SELECT GROUP_CONCAT(id, ':', LEFT(v, 8) ORDER BY id)"
                       " FROM app.t");
    if (out->groups > 0)
        assert_string_equal(value(&two, "SELECT @@gtid_slave_pos"),
                            arena_printf(arena, "7-%u-%llu", out->upto.server,
                                         (unsigned long long)out->upto.seq));
    return rows;
}

static void
each_moment_comes_back(void **state)
{
    struct journal_played got;

    (void)state;
    OK(instance_install(real_arena, &two, why));
    assert_true(real_start(2, &two));
    OK(instance_settle(real_arena, &two, REAL_WAIT_MS, why));
    assert_string_equal(rows_at(MS(10), &got), "1:in the b");
    assert_int_equal(got.groups, 0);
    assert_string_equal(rows_at(MS(12), &got), "1:in the b,2:eleven");
    assert_int_equal(got.groups, 2);
    /* the slow one is not before the others that came first */
    assert_string_equal(rows_at(MS(30), &got),
                        "1:in the b,2:eleven,3:twelve,4:thirteen,5:xxxxxxxx");
    assert_string_equal(value(&two, "SELECT GROUP_CONCAT(id) FROM app.a"),
                        "1,2");
    assert_string_equal(value(&two, "SELECT SUM(w) FROM app.t"), "35");
    assert_string_equal(value(&two, "SELECT COUNT(*) FROM mysql.global_priv"
                                    " WHERE User = 'reporter'"),
                        "1");
    assert_string_equal(rows_at(MS(60), &got),
                        "1:in the b,2:eleven,3:twelve,4:thirteen,5:xxxxxxxx,"
                        "7:slow,8:late");
    assert_true(got.upto.seq == piece[n_pieces - 1].upto.seq);
}

static struct instance_backup loaded;

static void
refused(const struct journal_stored *v, size_t n, const char *words)
{
    struct journal_played got;

    assert_int_equal(
        journal_play(arena, &two, &loaded, v, n, MS(60), NULL, &got, why),
        ERR_BAD_PARAM);
    if (strstr(why, words) == NULL)
        fail_msg("%s", why);
}

static void
flip(const char *key, long at)
{
    FILE *f = fopen(real_path(arena_printf(arena, "target/%s", key)), "r+");
    int c;

    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    c = fgetc(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_not_equal(fputc(c ^ 1, f), EOF);
    assert_int_equal(fclose(f), 0);
}

static void
nothing_less_is_played(void **state)
{
    struct journal_stored v[PIECES];
    struct journal_played got;

    (void)state;
    OK(instance_load(arena, &two, target, KEY, NULL, &loaded, why));
    refused(&piece[1], n_pieces - 1, "does not follow");
    memcpy(v, piece, sizeof(v));
    v[1] = v[2];
    refused(v, n_pieces, "does not follow");
    memcpy(v, piece, sizeof(v));
    v[1].key = v[2].key;
    refused(v, n_pieces, "is not what was stored");
    memcpy(v, piece, sizeof(v));
    v[1].upto.server++;
    refused(v, 2, "does not end where it should");
    flip(piece[0].key, 300);
    refused(piece, n_pieces, piece[0].key);
    flip(piece[0].key, 300);
    memcpy(v, piece, sizeof(v));
    v[0].key = "c1/s1/binlog/none.gz";
    assert_int_equal(
        journal_play(arena, &two, &loaded, v, 1, MS(60), NULL, &got, why),
        ERR_NOT_FOUND);
    /* the backup is of another history */
    loaded.gtid = arena_printf(arena, "7-99-%llu",
                               (unsigned long long)piece[0].after.seq + 1);
    refused(piece, 1, "another history");
    OK(instance_load_back(arena, &two, why));
    assert_int_equal(access(real_path("data/instance_data/data_dir_path/6002/"
                                      "data.relay"),
                            F_OK),
                     -1);
    /* what runs was not touched by any of it */
    assert_string_equal(value(&two, "SELECT COUNT(*) FROM app.t"), "7");
}

static int
begin(void **state)
{
    struct blob_config cfg = { 0 };

    (void)state;
    if (!real_begin())
        return -1;
    one = real_storage(1);
    two = real_storage(2);
    PUT(&one, instance_spec, lone, true);
    PUT(&two, instance_spec, lone, true);
    cfg.url = arena_printf(real_arena, "file://%s/target", real_dir);
    return mkdir(real_path("target"), 0750) == 0 && one.uuid != NULL &&
                   two.uuid != NULL &&
                   blob_open(real_arena, &cfg, &target, why) == ERR_OK
               ? 0
               : -1;
}

static int
end(void **state)
{
    (void)state;
    real_end();
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_server_writes_is_kept),
        TEST(a_piece_is_a_binlog),
        TEST(a_place_is_found_by_its_transaction),
        TEST(each_moment_comes_back),
        TEST(nothing_less_is_played),
        TEST(what_was_purged_is_not_found),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
