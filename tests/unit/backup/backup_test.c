/* Backups and restores of real storage instances: what comes back is what was
 * there, and what fails leaves the old data as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "backup.h"
#include "instance/real_ask.h"

static struct instance_spec one, two;
static struct blob_store *target;

#define KEY "coldbackup/c1/s1/coldback_1.tgz"

static void
run_sql(const struct instance_spec *s, const char *const *sql)
{
    for (; *sql != NULL; sql++)
        real_do(s, *sql);
}

#define ROWS "SELECT CONCAT(COUNT(*), ' ', MAX(v)) FROM app.t"

static bool
is_there(const char *rest)
{
    struct stat st;

    return stat(real_path(rest), &st) == 0;
}

static void
clear_of_traces(void)
{
    static const char *const gone[] = {
        "data/instance_data/data_dir_path/6001/data.load",
        "data/instance_data/data_dir_path/6001/data.old",
        "data/instance_data/data_dir_path/6001/load.sql",
        "data/instance_data/data_dir_path/6001/backup.cnf",
        "log/instance_data/log_dir_path/6001/binlog.old",
        "wal/instance_data/innodb_log_dir_path/6001/redo.old",
    };

    for (size_t i = 0; i < COUNT(gone); i++) {
        if (is_there(gone[i]))
            fail_msg("%s is left behind", gone[i]);
    }
}

static int64_t seen; /* the progress that was told */

static void
progress(void *ctx, int64_t bytes)
{
    (void)ctx;
    assert_true(bytes >= seen);
    seen = bytes;
}

static void
a_backup_is_made(void **state)
{
    static const char *const sql[] = {
        "SET GLOBAL read_only = 0",
        "CREATE DATABASE app",
        "CREATE TABLE app.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(20))",
        "INSERT INTO app.t (v) VALUES ('a'), ('b'), ('c')",
        "CREATE USER reporter@'%' IDENTIFIED BY 'hers'",
        NULL,
    };
    struct instance_watch w = { .progress = progress };
    struct instance_backup b;
    int64_t bytes;

    (void)state;
    run_sql(&one, sql);
    OK(instance_backup(arena, &one, target, KEY, &w, &b, why));
    assert_string_equal(b.engine, "mariadb");
    assert_string_equal(b.gtid, real_value(&one, "SELECT @@gtid_binlog_pos"));
    assert_true(b.completed && b.payload_bytes > 1 << 20);
    assert_int_equal(seen, b.payload_bytes);
    OK(blob_size(target, KEY, &bytes, why));
    assert_int_equal(bytes, b.bytes);
    assert_int_equal(strlen(b.sha256), 64);
    clear_of_traces();
}

/* Whoever holds its process in a real restore. */
static void
restore(unsigned slot, const struct instance_spec *s)
{
    struct instance_backup b;

    OK(instance_load(arena, s, target, KEY, NULL, &b, why));
    real_stop(slot, SIGTERM);
    OK(instance_load_place(arena, s, why));
    OK(instance_load_place(arena, s, why)); /* called again */
    assert_true(real_start(slot, s));
    OK(instance_settle(arena, s, REAL_WAIT_MS, why));
    assert_string_equal(b.gtid, real_value(s, "SELECT @@gtid_slave_pos"));
}

static void
what_comes_back_is_what_was_there(void **state)
{
    static const char *const later[] = {
        "INSERT INTO app.t (v) VALUES ('later')",
        "DROP USER reporter@'%'",
        NULL,
    };

    (void)state;
    run_sql(&one, later);
    restore(1, &one);
    OK(instance_load_keep(arena, &one, why));
    OK(instance_load_keep(arena, &one, why));
    clear_of_traces();
    assert_string_equal(real_value(&one, ROWS), "3 c");
    assert_string_equal(real_value(&one,
                                   "SELECT COUNT(*) FROM mysql.global_priv "
                                   "WHERE User = 'reporter'"),
                        "1");
    /* its next transaction follows those of the backup */
    run_sql(&one, (const char *const[]){ "SET GLOBAL read_only = 0",
                                         "INSERT INTO app.t (v) VALUES ('d')",
                                         NULL });
    assert_string_equal(real_value(&one, ROWS), "4 d");
}

static void
what_was_taken_back_is_as_before(void **state)
{
    char pos[512];

    (void)state;
    (void)snprintf(pos, sizeof(pos), "%s",
                   real_value(&one, "SELECT @@gtid_binlog_pos"));
    restore(1, &one);
    assert_string_equal(real_value(&one, ROWS), "3 c");
    real_stop(1, SIGKILL);
    OK(instance_load_back(arena, &one, why));
    OK(instance_load_back(arena, &one, why));
    clear_of_traces();
    assert_true(real_start(1, &one));
    assert_string_equal(real_value(&one, ROWS), "4 d");
    assert_string_equal(real_value(&one, "SELECT @@gtid_binlog_pos"), pos);
}

/* Into another instance: with that one's accounts. */
static void
another_instance_takes_it(void **state)
{
    (void)state;
    OK(instance_install(arena, &two, why));
    assert_true(real_start(2, &two));
    OK(instance_settle(arena, &two, REAL_WAIT_MS, why));
    restore(2, &two);
    OK(instance_load_keep(arena, &two, why));
    assert_string_equal(real_value(&two, ROWS), "3 c");
    real_stop(2, SIGTERM);
    OK(instance_remove(&two, why));
}

/* As a runner that is killed leaves it: after each directory that moves. */
static void
one_that_was_broken_off_goes_on_or_back(void **state)
{
    static const char *const moves[][2] = {
        { "log/instance_data/log_dir_path/6001/binlog",
          "log/instance_data/log_dir_path/6001/binlog.old" },
        { "wal/instance_data/innodb_log_dir_path/6001/redo",
          "wal/instance_data/innodb_log_dir_path/6001/redo.old" },
        { "data/instance_data/data_dir_path/6001/data",
          "data/instance_data/data_dir_path/6001/data.old" },
    };
    struct instance_backup b;

    (void)state;
    for (size_t n = 0; n <= COUNT(moves); n++) {
        OK(instance_load(arena, &one, target, KEY, NULL, &b, why));
        real_stop(1, SIGTERM);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(
                rename(real_path(moves[i][0]), real_path(moves[i][1])), 0);
        if (n % 2 == 0) { /* another runner undoes it */
            OK(instance_load_back(arena, &one, why));
        } else { /* another runner does the step again; then it is undone */
            OK(instance_load_place(arena, &one, why));
            assert_true(real_start(1, &one));
            assert_string_equal(real_value(&one, ROWS), "3 c");
            real_stop(1, SIGTERM);
            OK(instance_load_back(arena, &one, why));
        }
        clear_of_traces();
        assert_true(real_start(1, &one));
        assert_string_equal(real_value(&one, ROWS), "4 d");
    }
}

/* ---- what is refused ---- */

static char *bytes;
static size_t n_bytes, at_byte;

static bool
take(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    memcpy(bytes + n_bytes, p, n);
    n_bytes += n;
    return true;
}

static int64_t
give(void *ctx, char *p, size_t n)
{
    size_t left = n_bytes - at_byte;

    (void)ctx;
    n = n < left ? n : left;
    memcpy(p, bytes + at_byte, n);
    at_byte += n;
    return (int64_t)n;
}

/* And back. A single bit may be one that says nothing. */
static void
damage(size_t at)
{
    for (size_t i = at; i < at + 64 && i < n_bytes; i++)
        bytes[i] ^= 0x55;
}

static void
refused(const char *key)
{
    struct instance_backup b;
    enum err e;

    why[0] = '\0';
    e = instance_load(arena, &one, target, key, NULL, &b, why);
    assert_true(e == ERR_BAD_PARAM || e == ERR_NOT_FOUND);
    assert_true(why[0] != '\0');
    clear_of_traces();
    assert_string_equal(real_value(&one, ROWS),
                        "4 d"); /* it runs all the while */
}

static void
a_damaged_archive_is_refused_before_anything_is_touched(void **state)
{
    struct blob_sum sum;
    int64_t size;

    (void)state;
    OK(blob_size(target, KEY, &size, why));
    bytes = malloc((size_t)size);
    OK(blob_get(target, KEY, 0, take, NULL, why));
    for (size_t i = 1; i < 8; i++) { /* in each region, and cut there */
        size_t at = n_bytes / 8 * i, all = n_bytes;

        damage(at);
        at_byte = 0;
        OK(blob_put(target, "damaged.tgz", give, NULL, &sum, why));
        damage(at);
        refused("damaged.tgz");
        n_bytes = at;
        at_byte = 0;
        OK(blob_put(target, "cut.tgz", give, NULL, &sum, why));
        n_bytes = all;
        refused("cut.tgz");
    }
    free(bytes);
    refused("nowhere.tgz");
}

static bool
not_on(void *ctx)
{
    int *left = ctx;

    return (*left)-- > 0;
}

static void
what_is_broken_off_leaves_nothing(void **state)
{
    for (int n = 0; n < 200; n = n * 3 + 1) {
        int left = n;
        struct instance_watch w = { .go_on = not_on, .ctx = &left };
        struct instance_backup b;
        int64_t size;
        enum err e;

        (void)state;
        e = instance_backup(arena, &one, target, "half.tgz", &w, &b, why);
        if (e == ERR_OK)
            OK(blob_drop(target, "half.tgz", why));
        else
            assert_int_equal(e, ERR_STATE);
        assert_int_equal(blob_size(target, "half.tgz", &size, why),
                         ERR_NOT_FOUND);
        left = n;
        e = instance_load(arena, &one, target, KEY, &w, &b, why);
        if (e == ERR_OK)
            OK(instance_load_back(arena, &one, why));
        else
            assert_int_equal(e, ERR_STATE);
        clear_of_traces();
    }
}

static void
a_tool_that_fails_leaves_nothing(void **state)
{
    struct instance_spec s = one;
    struct instance_backup b;
    int64_t size;

    (void)state;
    s.admin_secret = s.repl_secret; /* it cannot log in */
    assert_int_equal(instance_backup(arena, &s, target, "f.tgz", NULL, &b, why),
                     ERR_STATE);
    assert_null(strstr(why, s.repl_secret));
    assert_int_equal(blob_size(target, "f.tgz", &size, why), ERR_NOT_FOUND);
    clear_of_traces();
}

static int
begin(void **state)
{
    static struct blob_config cfg;

    (void)state;
    if (!real_begin() || mkdir(real_path("target"), 0750) != 0)
        return -1;
    two = real_storage(2);
    cfg.url = arena_printf(real_arena, "file://%s/target", real_dir);
    return two.uuid != NULL &&
                   blob_open(real_arena, &cfg, &target, why) == ERR_OK &&
                   real_up(1, &one)
               ? 0
               : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_backup_is_made),
        TEST(what_comes_back_is_what_was_there),
        TEST(what_was_taken_back_is_as_before),
        TEST(another_instance_takes_it),
        TEST(one_that_was_broken_off_goes_on_or_back),
        TEST(a_damaged_archive_is_refused_before_anything_is_touched),
        TEST(what_is_broken_off_leaves_nothing),
        TEST(a_tool_that_fails_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, begin, real_over);
}
