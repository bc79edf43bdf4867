/* A table moves from one real server to another: the same rows, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "backup.h"
#include "instance/real_ask.h"

static struct instance_spec one, two, three; /* three follows two */
static int box;

#define DB "app_$$_public"

/* As pgx: what a client's login may do is enough. */
static struct my *
login(const struct instance_spec *s)
{
    struct instance_spec client = *s;
    struct my *my;

    client.admin_user = s->client_user;
    client.admin_secret = s->client_secret;
    OK(instance_connect(&client, REAL_WAIT_MS, &my, why));
    return my;
}

static void
run_sql(const struct instance_spec *s, const char *sql)
{
    struct my *my = login(s);

    if (my_do(my, sql) != ERR_OK)
        fail_msg("%s: %s", sql, my_failure(my)->text);
    my_close(my);
}

static enum err
send_it(const char *table, struct instance_table *t)
{
    struct my *my = login(&one);
    enum err e =
        instance_table_export(my, arena, &one, DB, table, box, NULL, t, why);

    my_close(my);
    return e;
}

static enum err
take_it(const char *table, const struct instance_table *t)
{
    struct my *my = login(&two);
    enum err e =
        instance_table_import(my, arena, &two, DB, table, t, box, NULL, why);

    my_close(my);
    return e;
}

/* Nothing of the way is left: tables beside, files of them. The replica drops
 * its own a moment later. */
static void
no_traces(void)
{
    const char *const find[] = { "find", real_path("data"), "-name",
                                 "metagate_arriving*", NULL };
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;
    struct proc_result r;

    assert_int_equal(proc_run(find, REAL_WAIT_MS, &r), ERR_OK);
    while (!str_empty(r.output) && clock_mono_ms() < until) {
        (void)usleep(20000);
        assert_int_equal(proc_run(find, REAL_WAIT_MS, &r), ERR_OK);
    }
    assert_string_equal(r.output, "");
    assert_string_equal(real_value(&two, "SELECT COUNT(*) FROM "
                                         "information_schema.TABLES WHERE "
                                         "TABLE_NAME LIKE 'metagate%'"),
                        "0");
}

/* Every row, as it is read there and here. */
static void
same(const char *table)
{
    const char *sql =
        arena_printf(arena, "SELECT * FROM `" DB "`.`%s` ORDER BY id", table);
    struct my *a = login(&one), *b = login(&two);
    struct my_table x, y;

    assert_int_equal(my_query(a, arena, sql, 5000, &x), ERR_OK);
    assert_int_equal(my_query(b, arena, sql, 5000, &y), ERR_OK);
    assert_int_equal(x.n, y.n);
    for (size_t i = 0; i < x.n * x.n_columns; i++) {
        assert_int_equal(x.cell[i].p == NULL, y.cell[i].p == NULL);
        assert_int_equal(x.cell[i].n, y.cell[i].n);
        if (x.cell[i].p != NULL)
            assert_memory_equal(x.cell[i].p, y.cell[i].p, x.cell[i].n);
    }
    my_close(a);
    my_close(b);
}

/* What replicas get are rows. */
static void
the_replica_has_it(const char *table)
{
    const char *sql =
        arena_printf(arena, "SELECT COUNT(*) FROM `" DB "`.`%s`", table);
    int64_t until = clock_mono_ms() + REAL_WAIT_MS;
    struct instance_position p;

    while (strcmp(real_value(&three, sql), real_value(&two, sql)) != 0 &&
           clock_mono_ms() < until)
        (void)usleep(20000);
    assert_string_equal(real_value(&three, sql), real_value(&two, sql));
    OK(instance_position(arena, &three, REAL_WAIT_MS, &p, why));
    assert_true(p.applies);
}

static void
a_table_moves(void **state)
{
    struct instance_table t;

    (void)state;
    run_sql(&one, "CREATE TABLE `" DB "`.`a-b` (id INT PRIMARY KEY "
                  "AUTO_INCREMENT, v VARCHAR(40), twice INT AS (LENGTH(v)) "
                  "STORED, KEY (v))");
    run_sql(&one, "INSERT INTO `" DB "`.`a-b` (v) SELECT CONCAT('row ', seq) "
                  "FROM `" DB "`.seq_1_to_3000");
    run_sql(&one, "INSERT INTO `" DB "`.`a-b` (v) VALUES (NULL), ('')");
    OK(send_it("a-b", &t));
    assert_int_equal(t.rows, 3002);
    assert_int_equal(t.files.n, 2);
    run_sql(&one, "INSERT INTO `" DB "`.`a-b` (v) VALUES ('unlocked')");
    run_sql(&one, "DELETE FROM `" DB "`.`a-b` WHERE v = 'unlocked'");
    OK(take_it("a-b", &t));
    OK(take_it("a-b", &t)); /* a runner was killed at its end */
    same("a-b");
    no_traces();
    the_replica_has_it("a-b");
}

static void
partitions_move_one_by_one(void **state)
{
    struct instance_table t;

    (void)state;
    run_sql(&one, "CREATE TABLE `" DB "`.p (id INT PRIMARY KEY, v INT "
                  "COMMENT 'no DATA DIRECTORY=') "
                  "PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN "
                  "(100), PARTITION `P-1` VALUES LESS THAN (200), PARTITION "
                  "pm VALUES LESS THAN MAXVALUE)");
    run_sql(&one, "INSERT INTO `" DB "`.p SELECT seq, seq FROM `" DB
                  "`.seq_1_to_500");
    OK(send_it("p", &t));
    assert_int_equal(t.files.n, 6);
    assert_string_equal(t.files.v[2].partition, "P-1");
    OK(take_it("p", &t));
    same("p");
    no_traces();
    the_replica_has_it("p");
}

static void
one_that_is_there_must_be_alike_and_empty(void **state)
{
    struct instance_table t;

    (void)state;
    run_sql(&one, "CREATE TABLE `" DB "`.e (id INT PRIMARY KEY)");
    run_sql(&one, "INSERT INTO `" DB "`.e VALUES (0), (1)");
    OK(send_it("e", &t));
    run_sql(&two, "CREATE TABLE `" DB "`.e (id BIGINT PRIMARY KEY)");
    assert_int_equal(take_it("e", &t), ERR_EXISTS);
    run_sql(&two, "DROP TABLE `" DB "`.e");
    run_sql(&two, "CREATE TABLE `" DB "`.e (id INT PRIMARY KEY)");
    run_sql(&two, "INSERT INTO `" DB "`.e VALUES (7)");
    assert_int_equal(take_it("e", &t), ERR_EXISTS);
    assert_string_equal(real_value(&two, "SELECT SUM(id) FROM `" DB "`.e"),
                        "7");
    run_sql(&two, "DELETE FROM `" DB "`.e");
    OK(take_it("e", &t));
    same("e");
}

static void
what_is_damaged_changes_nothing(void **state)
{
    struct instance_table t, u;
    char byte;
    int fd;

    (void)state;
    run_sql(&one, "CREATE TABLE `" DB "`.d (id INT PRIMARY KEY)");
    run_sql(&one,
            "INSERT INTO `" DB "`.d SELECT seq FROM `" DB "`.seq_1_to_500");
    OK(send_it("d", &t));
    fd = openat(box, "0.ibd", O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &byte, 1, 50000), 1);
    byte = (char)(byte ^ 1);
    assert_int_equal(pwrite(fd, &byte, 1, 50000), 1);
    assert_int_equal(take_it("d", &t), ERR_BAD_PARAM);
    byte = (char)(byte ^ 1);
    assert_int_equal(pwrite(fd, &byte, 1, 50000), 1);
    (void)close(fd);
    /* files that are whole, and not what they were said to be */
    u = t;
    u.rows++;
    assert_int_equal(take_it("d", &u), ERR_STATE);
    u = t;
    u.definition = "CREATE TABLE `d` (\n  `id` bigint(20) NOT NULL,\n  PRIMARY "
                   "KEY (`id`)\n) ENGINE=InnoDB";
    assert_int_not_equal(take_it("d", &u), ERR_OK);
    u.definition = "DROP TABLE x";
    assert_int_equal(take_it("d", &u), ERR_BAD_PARAM);
    u = t;
    u.version = "11.4.2-MariaDB";
    assert_int_equal(take_it("d", &u), ERR_STATE);
    assert_string_equal(real_value(&two,
                                   "SELECT COUNT(*) FROM "
                                   "information_schema.TABLES WHERE "
                                   "TABLE_SCHEMA = '" DB "' AND TABLE_NAME = "
                                   "'d'"),
                        "0");
    no_traces();
    OK(take_it("d", &t));
    same("d");
}

static const char *
datadir(const struct instance_spec *s)
{
    struct instance place;

    OK(instance_place(arena, s, &place, why));
    return place.datadir;
}

/* What an import of `k` that could not end has left: the table that it fills,
 * which the replica has too, one beside that has no files, and a file. */
static void
leave_behind(void)
{
    const char *const sum[] = {
        "sh", "-c",
        "printf '%s' '`app_$$_public`.`k`' | sha256sum | cut -c1-16", NULL
    };
    static const struct {
        const char *begin, *end;
    } sql[] = {
        { "CREATE TABLE ", " (x INT)" },
        { "", "" }, /* the binlog knows of no other */
        { "CREATE TABLE ", "_0 (x INT)" },
        { "ALTER TABLE ", "_0 DISCARD TABLESPACE" },
    };
    struct proc_result r;
    struct my *admin;
    char text[512];
    int fd;

    assert_int_equal(proc_run(sum, REAL_WAIT_MS, &r), ERR_OK);
    OK(instance_connect(&two, REAL_WAIT_MS, &admin, why));
    for (size_t i = 0; i < COUNT(sql); i++) {
        (void)snprintf(text, sizeof(text),
                       "%s`" DB "`.metagate_arriving_%.16s%s", sql[i].begin,
                       r.output, sql[i].end);
        assert_int_equal(my_do(admin, i == 1 ? "SET sql_log_bin = 0" : text),
                         ERR_OK);
    }
    my_close(admin);
    (void)snprintf(text, sizeof(text),
                   "%s/app_@0024@0024_public/metagate_arriving_%.16s_1.ibd",
                   datadir(&two), r.output);
    fd = open(text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void
what_a_killed_runner_left_is_in_nobodys_way(void **state)
{
    struct instance_table t;

    (void)state;
    run_sql(&one, "CREATE TABLE `" DB "`.k (id INT PRIMARY KEY)");
    run_sql(&one,
            "INSERT INTO `" DB "`.k SELECT seq FROM `" DB "`.seq_1_to_500");
    OK(send_it("k", &t));
    leave_behind();
    OK(take_it("k", &t));
    same("k");
    no_traces();
    the_replica_has_it("k");
    leave_behind();
    OK(instance_table_clear(arena, &two, DB, "k", why));
    no_traces();
    same("k"); /* what has arrived is no rest */
    OK(instance_table_clear(arena, &two, "mysql", "k", why));
    assert_int_equal(instance_table_clear(arena, &two, "nowhere", "k", why),
                     ERR_NOT_FOUND);
}

static void
a_box_is_one_stream(void **state)
{
    struct instance_table t, again;
    struct instance_stream *s;
    char list[1 << 16], byte, *at;
    int64_t n, total, i = 0;
    const char *home;
    int fd, file;

    (void)state;
    run_sql(&one, "CREATE TABLE `" DB "`.s (id INT PRIMARY KEY)");
    OK(instance_home(arena, &one, &home));
    home = arena_printf(arena, "%s/outbox.7", home);
    for (int twice = 0; twice < 2; twice++) {
        struct my *my = login(&one);

        OK(instance_box_open(&one, "outbox.7", true, &fd, why));
        assert_int_equal(instance_box_read(arena, fd, &again, why),
                         ERR_NOT_FOUND);
        assert_int_equal(instance_stream_open(arena, home, &s, why),
                         ERR_NOT_FOUND);
        OK(instance_table_export(my, arena, &one, DB, "s", fd, NULL, &t, why));
        OK(instance_box_seal(arena, fd, &t, why));
        my_close(my);
        if (twice == 0)
            (void)close(fd);
    }
    OK(instance_box_read(arena, fd, &again, why));
    assert_string_equal(again.files.v[1].sha256, t.files.v[1].sha256);
    OK(instance_stream_open(arena, home, &s, why));
    assert_int_equal(strlen(instance_stream_tag(s)), 64);
    total = instance_stream_bytes(s);
    n = instance_stream_read(s, 0, list, sizeof(list));
    at = memchr(list, '\n', (size_t)n);
    assert_non_null(at);
    assert_int_equal(total,
                     at + 1 - list + t.files.v[0].bytes + t.files.v[1].bytes);
    /* byte by byte over the border of the two files */
    i = at + 1 - list + t.files.v[0].bytes;
    file = openat(fd, "1.ibd", O_RDONLY);
    assert_int_equal(file, -1);
    file = openat(fd, "0.cfg", O_RDONLY | O_CLOEXEC);
    for (int k = 0; k < 20; k++) {
        char want;

        assert_int_equal(instance_stream_read(s, i + k, &byte, 1), 1);
        assert_int_equal(pread(file, &want, 1, k), 1);
        assert_int_equal(byte, want);
    }
    assert_int_equal(instance_stream_read(s, i - 5, list, 50), 5);
    assert_int_equal(instance_stream_read(s, total, list, 50), 0);
    assert_int_equal(instance_stream_read(s, -1, list, 50), 0);
    (void)close(file);
    file = openat(fd, "0.cfg", O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(instance_stream_read(s, total - 1, list, 50), -1);
    (void)close(file);
    (void)close(fd);
    OK(instance_box_clear(&one, "outbox.7", why));
    OK(instance_box_clear(&one, "outbox.7", why));
    assert_int_not_equal(access(home, F_OK), 0);
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
    struct instance_table t;

    (void)state;
    run_sql(&one, "CREATE TABLE `" DB "`.b (id INT PRIMARY KEY)");
    run_sql(&one,
            "INSERT INTO `" DB "`.b SELECT seq FROM `" DB "`.seq_1_to_500");
    for (int n = 0; n < 6; n++) {
        int left = n;
        struct instance_watch w = { .go_on = not_on, .ctx = &left };
        struct my *my = login(&one);
        enum err e =
            instance_table_export(my, arena, &one, DB, "b", box, &w, &t, why);

        assert_true(e == ERR_OK || e == ERR_STATE);
        /* it is not locked any more */
        run_sql(&one, "UPDATE `" DB "`.b SET id = id WHERE id = 1");
        my_close(my);
    }
    OK(send_it("b", &t));
    for (int n = 0; n < 4; n++) {
        int left = n;
        struct instance_watch w = { .go_on = not_on, .ctx = &left };
        struct my *my = login(&two);

        assert_int_equal(
            instance_table_import(my, arena, &two, DB, "b", &t, box, &w, why),
            ERR_STATE);
        my_close(my);
        no_traces();
        assert_string_equal(real_value(&two, "SELECT COUNT(*) FROM "
                                             "information_schema.TABLES WHERE "
                                             "TABLE_SCHEMA = '" DB "' AND "
                                             "TABLE_NAME = 'b'"),
                            "0");
    }
}

static void
what_cannot_be_moved_is_refused(void **state)
{
    static const struct {
        const char *make, *table, *why;
    } bad[] = {
        { "CREATE TABLE `" DB "`.parent (id INT PRIMARY KEY)", NULL, NULL },
        { "CREATE TABLE `" DB "`.child (id INT PRIMARY KEY, FOREIGN KEY (id) "
          "REFERENCES `" DB "`.parent (id))",
          "child", "foreign key" },
        { NULL, "parent", "foreign key" },
        { "CREATE TABLE `" DB "`.aria (id INT) ENGINE=Aria", "aria", "InnoDB" },
        { "CREATE VIEW `" DB "`.v AS SELECT 1", "v", "InnoDB" },
        { "CREATE TABLE `" DB "`.h (id INT) WITH SYSTEM VERSIONING", "h",
          "InnoDB" },
        { NULL, "away", "DATA DIRECTORY" },
        { NULL, "nowhere", "no such table" },
        { NULL, "t\xc3\xa4", "ASCII" },
        { NULL, "", "name" },
    };
    struct instance_table t;
    struct my *my;

    (void)state;
    /* the server may be of another account */
    assert_int_equal(mkdir(real_path("away"), 0700), 0);
    assert_int_equal(chmod(real_path("away"), 0777), 0);
    run_sql(&one,
            arena_printf(real_arena,
                         "CREATE TABLE `" DB "`.away (id INT) PARTITION BY"
                         " HASH (id) (PARTITION p DATA DIRECTORY = '%s')",
                         real_path("away")));
    for (size_t i = 0; i < COUNT(bad); i++) {
        if (bad[i].make != NULL)
            run_sql(&one, bad[i].make);
        if (bad[i].table == NULL)
            continue;
        why[0] = '\0';
        assert_int_not_equal(send_it(bad[i].table, &t), ERR_OK);
        if (strstr(why, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].table, why);
    }
    my = login(&one);
    assert_int_equal(instance_table_export(my, arena, &one, "mysql",
                                           "global_priv", box, NULL, &t, why),
                     ERR_STATE);
    my_close(my);
}

static int
begin(void **state)
{
    (void)state;
    if (!real_begin() || mkdir(real_path("box"), 0700) != 0 ||
        !real_up(1, &one) || !real_up(2, &two) || !real_up(3, &three))
        return -1;
    box = open(real_path("box"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (instance_promote(real_arena, &one, false, REAL_WAIT_MS, why) !=
            ERR_OK ||
        instance_promote(real_arena, &two, false, REAL_WAIT_MS, why) !=
            ERR_OK ||
        instance_follow(real_arena, &three, &two, NULL, REAL_WAIT_MS, why) !=
            ERR_OK)
        return -1;
    run_sql(&one, "CREATE DATABASE `" DB "`");
    run_sql(&two, "CREATE DATABASE `" DB "`");
    return box >= 0 ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    (void)close(box);
    real_end();
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_table_moves),
        TEST(partitions_move_one_by_one),
        TEST(one_that_is_there_must_be_alike_and_empty),
        TEST(what_is_damaged_changes_nothing),
        TEST(what_a_killed_runner_left_is_in_nobodys_way),
        TEST(a_box_is_one_stream),
        TEST(what_is_broken_off_leaves_nothing),
        TEST(what_cannot_be_moved_is_refused),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
