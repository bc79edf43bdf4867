/* What a request to install asks for: sizes, the directory that is meant, and
 * whether the server is one by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kunlun/node_mgr/install.c"

#include "arena_fixture.h"

static void
sizes_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } rows[] = {
        { "134217728", 134217728 },
        { "1", 1 },
        { "1K", 1 << 10 },
        { "512m", 512 * MIB },
        { "64MB", 64 * MIB },
        { "64mb", 64 * MIB },
        { "2GB", 2048 * MIB },
        { "3T", 3 * (MIB << 20) },
        { "7B", 7 },
        { "", 0 },
        { "0", 0 },
        { "-1", 0 },
        { "MB", 0 },
        { "1X", 0 },
        { "1MBB", 0 },
        { "1M ", 0 },
        { "1MiB", 0 },
        { "many", 0 },
        { "8796093018112", INT32_MAX * (int64_t)4096 },
        { "8796093018113", 0 },
        { "8388607T", 8388607 * (MIB << 20) },
        { "8388608T", 0 },
        { "99999999999999999999", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (bytes_of(rows[i].text) != rows[i].bytes)
            fail_msg("%s: %lld", rows[i].text,
                     (long long)bytes_of(rows[i].text));
}

static void
the_nearest_word_about_memory_counts(void **state)
{
    struct node_install in = { 0 };
    struct node_place at = { 0 };

    (void)state;
    assert_int_equal(memory_of(&in, &at), 128 * MIB);
    PUT(&in, node_install, innodb_size, 3); /* GB */
    assert_int_equal(memory_of(&in, &at), 3072 * MIB);
    PUT(&in, node_install, buffer_pool, "2MB");
    assert_int_equal(memory_of(&in, &at), 2 * MIB);
    PUT(&at, node_place, buffer_pool, "1MB");
    assert_int_equal(memory_of(&in, &at), MIB);
    PUT(&at, node_place, buffer_pool, "none");
    assert_int_equal(memory_of(&in, &at), 0);
}

static void
one_by_itself_is_no_replica(void **state)
{
    struct node_install in = { 0 };

    (void)state;
    assert_true(is_alone(&in));
    PUT(&in, node_install, ha_mode, "");
    assert_true(is_alone(&in));
    PUT(&in, node_install, ha_mode, "no_rep");
    assert_true(is_alone(&in) && check_mode(NULL, &in));
    PUT(&in, node_install, ha_mode, "mgr");
    assert_true(!is_alone(&in) && check_mode(NULL, &in));
    PUT(&in, node_install, ha_mode, "rbr");
    assert_true(!is_alone(&in) && check_mode(NULL, &in));
}

/* Managers send the root, or what lies below it for the instance. */
static void
a_directory_means_its_root(void **state)
{
    static const struct {
        const char *path, *root;
    } rows[] = {
        { "/d", "/d" },
        { "/d///", "/d" },
        { "/", "/" },
        { "/d/instance_data/data_dir_path/6001", "/d" },
        { "/d/instance_data/data_dir_path/6001/", "/d" },
        { "/d/instance_data/data_dir_path/6002",
          "/d/instance_data/data_dir_path/6002" },
        { "/d/instance_data/log_dir_path/6001",
          "/d/instance_data/log_dir_path/6001" },
        { "/instance_data/data_dir_path/6001",
          "/instance_data/data_dir_path/6001" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_string_equal(
            root_part(arena, rows[i].path, PLACEMENT_DATA, 6001), rows[i].root);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(the_nearest_word_about_memory_counts),
        cmocka_unit_test(one_by_itself_is_no_replica),
        cmocka_unit_test_setup_teardown(a_directory_means_its_root, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
