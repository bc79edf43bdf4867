/* Where an instance's files lie: below roots that are looked at, in homes that
 * are its own, all of them or none. */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "instance/copy.h"
#include "instance/paths.h"
#include "ok.h"
#include "root.h"
#include "run_dir_fixture.h"

#define UUID  "0b0e6d1c-1111-4222-8333-444455556666"
#define OTHER "ffffffff-1111-4222-8333-444455556666"

static const char *
below(const char *rest)
{
    return arena_printf(arena, "%s/%s", dir, rest);
}

static struct instance_spec
storage(void)
{
    struct instance_spec s = { .uuid = UUID,
                               .kind = INSTANCE_STORAGE,
                               .address = "127.0.0.2",
                               .port = 6001,
                               .data_root = below("d"),
                               .log_root = below("l"),
                               .wal_root = below("w") };

    (void)mkdir(s.data_root, 0750);
    (void)mkdir(s.log_root, 0750);
    (void)mkdir(s.wal_root, 0750);
    return s;
}

/* Its homes; each with a file of so many bytes. */
static void
make(const struct instance_spec *s, const char *wal_of, size_t bytes)
{
    struct home home[HOMES_MAX];
    struct home_error error;
    size_t n = instance_homes(s, home);
    char *text = arena_alloc(arena, bytes + 1);

    assert_int_equal(n, 3);
    assert_non_null(memset(text, 'x', bytes));
    home[2].uuid = wal_of;
    for (size_t i = 0; i < n; i++) {
        int fd, file;

        assert_int_equal(home_make(&home[i], &fd, &error), ERR_OK);
        file = openat(fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(file, text, bytes), bytes);
        (void)close(file);
        (void)close(fd);
    }
}

static bool
has(const char *rest)
{
    return access(below(rest), F_OK) == 0;
}

#define DATA "d/instance_data/data_dir_path/6001"
#define LOG  "l/instance_data/log_dir_path/6001"
#define WAL  "w/instance_data/innodb_log_dir_path/6001"

static void
all_homes_are_looked_at_before_one_is_touched(void **state)
{
    struct instance_spec s = storage();

    (void)state;
    make(&s, OTHER, 1);
    assert_int_equal(instance_remove(&s, why), ERR_DENIED);
    assert_true(has(DATA "/f") && has(LOG "/f") && has(WAL "/f"));
    assert_int_equal(instance_used_bytes(&s), -1);
    /* what was never its own is no hindrance to undo what was made */
    OK(instance_unmake(&s, why));
    assert_true(!has(DATA) && !has(LOG) && has(WAL "/f"));
    s.uuid = OTHER;
    OK(instance_remove(&s, why));
    assert_false(has(WAL));
    OK(instance_remove(&s, why));
    OK(instance_unmake(&s, why));
}

static void
what_it_uses_is_the_sum_of_its_homes(void **state)
{
    struct instance_spec s = storage();
    int64_t bytes;

    (void)state;
    assert_int_equal(instance_used_bytes(&s), -1);
    make(&s, UUID, 300000);
    bytes = instance_used_bytes(&s);
    assert_true(bytes >= 900000 && bytes < 1200000);
    OK(instance_remove(&s, why));
    assert_true(!has(DATA) && !has(LOG) && !has(WAL));
}

static void
a_storage_instance_has_its_places(void **state)
{
    struct instance_spec s = storage();
    struct instance at;
    const char *home;

    (void)state;
    OK(instance_home(arena, &s, &home));
    assert_string_equal(home, below(DATA));
    OK(instance_place(arena, &s, &at, why));
    assert_string_equal(at.datadir, below(DATA "/data"));
    assert_string_equal(at.tmpdir, below(DATA "/tmp"));
    assert_string_equal(at.config, below(DATA "/my.cnf"));
    assert_string_equal(at.log, below(LOG "/mariadb.log"));
    assert_string_equal(at.socket, below("s/db-127.0.0.2-6001.sock"));
    assert_string_equal(at.address, "127.0.0.2");
    assert_int_equal(at.port, 6001);
    assert_null(at.init_file);
    make(&s, UUID, 1);
    assert_int_equal(rename(below(DATA "/f"), below(DATA "/init.sql")), 0);
    OK(instance_place(arena, &s, &at, why));
    assert_string_equal(at.init_file, below(DATA "/init.sql"));
    OK(instance_remove(&s, why));
}

static void
a_computing_instance_has_one_home(void **state)
{
    struct instance_spec s = storage();
    struct home home[HOMES_MAX];
    struct instance at;

    (void)state;
    s.kind = INSTANCE_COMPUTER;
    assert_int_equal(instance_homes(&s, home), 1);
    OK(instance_place(arena, &s, &at, why));
    assert_string_equal(at.datadir,
                        below("d/instance_data/comp_datadir/6001/data"));
    assert_string_equal(at.tmpdir,
                        below("d/instance_data/comp_datadir/6001/tmp"));
    assert_string_equal(
        at.log, below("d/instance_data/comp_datadir/6001/postgres.log"));
    assert_non_null(strstr(at.program, "/postgres"));
    assert_null(at.socket);
    assert_null(at.config);
}

static void
a_path_that_is_too_long_is_told(void **state)
{
    struct instance_spec s = storage();
    char *deep = arena_alloc(arena, 4096);
    struct instance at;
    const char *home;

    (void)state;
    assert_non_null(memset(deep, 'd', 4095));
    deep[0] = '/';
    deep[4095] = '\0';
    s.data_root = deep;
    assert_int_equal(instance_place(arena, &s, &at, why), ERR_LIMIT);
    assert_int_equal(instance_home(arena, &s, &home), ERR_LIMIT);
    s.data_root = below("d");
    s.log_root = deep;
    assert_int_equal(instance_place(arena, &s, &at, why), ERR_LIMIT);
    s.kind = INSTANCE_COMPUTER;
    OK(instance_place(arena, &s, &at, why));
}

static void
a_root_is_ours_alone(void **state)
{
    char real[PATH_MAX];

    (void)state;
    config_place("/var/tmp/none-of-ours", "127.9.8");
    (void)storage();
    OK(root_check(below("d/../d/"), real, why));
    assert_string_equal(real, below("d"));
    assert_int_equal(chmod(below("d"), 0757), 0);
    assert_int_equal(root_check(below("d"), real, why), ERR_DENIED);
    assert_non_null(strstr(why, "by everybody"));
    assert_int_equal(chmod(below("d"), 0770), 0);
    OK(root_check(below("d"), real, why));
    assert_int_equal(root_check("d", real, why), ERR_BAD_PARAM);
    assert_non_null(strstr(why, "d is not an absolute path"));
    assert_int_equal(root_check(below("nowhere"), real, why), ERR_NOT_FOUND);
    assert_int_equal(root_check("/tmp", real, why), ERR_DENIED);
    config_place(dir, "127.9.8"); /* nor where the deployment is */
    assert_int_equal(root_check(below("d"), real, why), ERR_DENIED);
}

static void
the_room_of_a_root_is_measured(void **state)
{
    struct instance_spec s = storage();
    struct root_space space = { -1, -1 };

    (void)state;
    assert_int_equal(root_used(below("nowhere")), 0);
    make(&s, UUID, 300000);
    assert_true(root_used(below("d")) >= 300000);
    assert_true(root_used(below("d")) < 600000);
    assert_int_equal(root_used(below(DATA "/f")), -1); /* no directory */
    OK(instance_remove(&s, why));
    assert_int_equal(root_space(below("d"), &space), ERR_OK);
    assert_true(space.used > 0 && space.free > 0);
    assert_int_equal(root_space(below("nowhere"), &space), ERR_STATE);
    assert_string_equal(root_home(arena, "/r", "log_dir_path", 6001),
                        "/r/instance_data/log_dir_path/6001");
    assert_string_equal(root_home(arena, "/r", "log_dir_path", 0),
                        "/r/instance_data/log_dir_path");
}

/* The redo log may lie on another file system than the data. */
static void
a_file_is_moved_to_another_file_system(void **state)
{
    char other[] = "/dev/shm/paths-unit.XXXXXX", text[8] = "";
    const char *from = below("f"), *there;
    int fd = open(from, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    (void)state;
    assert_int_equal(write(fd, "redo", 4), 4);
    (void)close(fd);
    assert_int_equal(copy_move(below("nowhere"), below("g")), ERR_STATE);
    assert_int_equal(copy_move(from, below("g")), ERR_OK);
    assert_non_null(mkdtemp(other));
    there = arena_printf(arena, "%s/f", other);
    if (copy_move(below("g"), there) == ERR_OK) {
        fd = open(there, O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(fd, text, sizeof(text)), 4);
        (void)close(fd);
    }
    (void)unlink(there);
    assert_int_equal(rmdir(other), 0); /* nothing half is left */
    assert_string_equal(text, "redo");
    assert_false(has("f") || has("g"));
}

int
main(void)
{
#define ROW(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(all_homes_are_looked_at_before_one_is_touched),
        ROW(what_it_uses_is_the_sum_of_its_homes),
        ROW(a_storage_instance_has_its_places),
        ROW(a_computing_instance_has_one_home),
        ROW(a_path_that_is_too_long_is_told),
        ROW(a_root_is_ours_alone),
        ROW(the_room_of_a_root_is_measured),
        ROW(a_file_is_moved_to_another_file_system),
    };

    if (config_load(NULL, why) != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
