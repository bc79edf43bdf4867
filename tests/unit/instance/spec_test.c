/* What an instance is to be: what is refused, and that nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena_fixture.h"
#include "config.h"
#include "instance.h"

static struct instance_spec
good(void)
{
    return (struct instance_spec){
        .uuid = "0b0e6d1c-1111-4222-8333-444455556666",
        .driver = "mariadb",
        .kind = INSTANCE_STORAGE,
        .address = "127.0.0.2",
        .port = 6001,
        .data_root = "/srv/data",
        .log_root = "/srv/log",
        .wal_root = "/srv/wal",
        .memory_bytes = (int64_t)64 << 20,
        .max_connections = 100,
        .server_id = 4294967295,
        .domain_id = 7,
        .cluster = "cluster_1",
        .shard = "shard \"1\"",
        .admin_user = "clustmgr",
        .repl_user = "repl",
        .client_user = "pgx",
    };
}

static void
secrets_are_made_once(void **state)
{
    struct instance_spec s = good(), t;
    char why[WHY_BYTES];

    (void)state;
    assert_int_equal(instance_check(&s, why), ERR_BAD_PARAM);
    assert_int_equal(instance_secrets(arena, &s), ERR_OK);
    assert_int_equal(instance_check(&s, why), ERR_OK);
    assert_string_equal(s.uuid, good().uuid);
    assert_string_not_equal(s.admin_secret, s.repl_secret);
    assert_string_not_equal(s.admin_secret, s.client_secret);
    t = s;
    assert_int_equal(instance_secrets(arena, &t), ERR_OK);
    assert_string_equal(t.repl_secret, s.repl_secret);
    t.uuid = NULL;
    assert_int_equal(instance_secrets(arena, &t), ERR_OK);
    assert_int_equal(strlen(t.uuid), 36);
    assert_int_equal(instance_check(&t, why), ERR_OK);
}

static void
a_text_holds_all_of_it(void **state)
{
    struct instance_spec s = good(), t;
    const char *text, *again;

    (void)state;
    assert_int_equal(instance_secrets(arena, &s), ERR_OK);
    assert_int_equal(instance_spec_text(arena, &s, &text), ERR_OK);
    assert_int_equal(instance_spec_read(arena, text, &t), ERR_OK);
    assert_string_equal(t.shard, "shard \"1\"");
    assert_string_equal(t.client_secret, s.client_secret);
    assert_true(t.server_id == 4294967295);
    assert_int_equal(instance_spec_text(arena, &t, &again), ERR_OK);
    assert_string_equal(text, again);
    assert_int_equal(instance_spec_read(arena, "{\"port\":0}", &t),
                     ERR_BAD_PARAM);
    assert_int_equal(instance_spec_read(arena, "{\"port", &t), ERR_BAD_PARAM);
}

/* What reaches option files, SQL and paths is of a known alphabet. */
static void
what_is_not_well_formed_is_refused(void **state)
{
    static const struct {
        size_t at; /* of a text */
        const char *value;
    } bad[] = {
#define BAD(member, value) { offsetof(struct instance_spec, member), value }
        BAD(uuid, ""),
        BAD(uuid, "../../etc"),
        BAD(driver, "oracle"),
        BAD(driver, NULL),
        BAD(address, "localhost"),
        BAD(address, "127.0.0.1\nport=1"),
        BAD(data_root, "srv"),
        BAD(data_root, NULL),
        BAD(log_root, "/srv/a b"),
        BAD(wal_root, "/srv/\nuser=root"),
        BAD(wal_root, "/srv/#x"),
        BAD(cluster, "a\nb"),
        BAD(admin_user, "root'@'%"),
        BAD(repl_user, ""),
        BAD(client_secret, "short"),
        BAD(client_secret, "0123456789abcdef' OR '1"),
    };
    struct instance_spec s = good(), t;
    char why[WHY_BYTES];

    (void)state;
    assert_int_equal(instance_secrets(arena, &s), ERR_OK);
    for (size_t i = 0; i < COUNT(bad); i++) {
        t = s;
        memcpy((char *)&t + bad[i].at, &bad[i].value, sizeof(bad[i].value));
        why[0] = '\0';
        assert_int_equal(instance_check(&t, why), ERR_BAD_PARAM);
        assert_true(why[0] != '\0');
    }
    t = s;
    t.kind = INSTANCE_COMPUTER;
    assert_int_equal(instance_check(&t, why), ERR_BAD_PARAM);
    t = s;
    t.server_id = 0;
    assert_int_equal(instance_check(&t, why), ERR_BAD_PARAM);
    t = s;
    t.memory_bytes = 1;
    assert_int_equal(instance_check(&t, why), ERR_BAD_PARAM);
}

/* One that has everything wrong is told of one thing after the other, always in
 * that order, until nothing is left. */
static void
the_first_that_is_wrong_is_told(void **state)
{
    struct instance_spec right = good(), s = { .kind = INSTANCE_STORAGE };
    char why[WHY_BYTES];

#define TELLS(word)                                               \
    do {                                                          \
        assert_int_equal(instance_check(&s, why), ERR_BAD_PARAM); \
        if (strstr(why, word) == NULL)                            \
            fail_msg("\"%s\" is not told: %s", word, why);        \
    } while (0)
    (void)state;
    assert_int_equal(instance_secrets(arena, &right), ERR_OK);
    s.cluster = s.shard = "a\nb";
    TELLS("no driver");
    s.driver = "postgres";
    TELLS("no driver");
    s.driver = right.driver;
    TELLS("uuid");
    s.uuid = right.uuid;
    TELLS("address");
    s.address = right.address;
    TELLS("data_root");
    s.data_root = "/";
    TELLS("data_root");
    s.data_root = "/d";
    TELLS("account is");
    s.admin_user = right.admin_user;
    s.admin_secret = right.admin_secret;
    TELLS("account is");
    s.client_user = right.client_user;
    TELLS("account is");
    s.client_secret = "0123456789abcde";
    TELLS("account is");
    s.client_secret = "0123456789abcdef";
    TELLS("cluster or shard");
    s.cluster = right.cluster;
    TELLS("cluster or shard");
    s.shard = NULL;
    s.memory_bytes = ((int64_t)8 << 20) - 1;
    TELLS("8 MiB");
    s.memory_bytes++;
    s.max_connections = 9;
    TELLS("connections");
    s.max_connections++;
    TELLS("log_root");
    s.log_root = right.log_root;
    TELLS("wal_root");
    s.wal_root = right.wal_root;
    TELLS("server_id");
    s.server_id = (int64_t)UINT32_MAX + 1;
    TELLS("server_id");
    s.server_id = 1;
    s.domain_id = -1;
    TELLS("server_id");
    s.domain_id = (int64_t)UINT32_MAX + 1;
    TELLS("server_id");
    s.domain_id = UINT32_MAX;
    TELLS("replication");
    s.repl_user = "r";
    TELLS("replication");
    s.repl_secret = right.repl_secret;
    s.port = 6001;
    assert_int_equal(instance_check(&s, why), ERR_OK);
    s.domain_id = 0;
    s.server_id = UINT32_MAX;
    s.repl_user = "u123456789012345678901234567890_";
    assert_int_equal(instance_check(&s, why), ERR_OK);
    s.repl_user = "u123456789012345678901234567890_3";
    TELLS("replication");
#undef TELLS
}

static void
keys_limit_what_can_be_asked_for(void **state)
{
    struct instance_spec s = good(), t;
    char why[WHY_BYTES];

    (void)state;
    assert_int_equal(instance_secrets(arena, &s), ERR_OK);
    t = s;
    t.port = 80;
    assert_int_equal(instance_check(&t, why), ERR_LIMIT);
    assert_non_null(strstr(why, "port_min"));
    t = s;
    t.max_connections = 10001;
    assert_int_equal(instance_check(&t, why), ERR_LIMIT);
    t.max_connections = 10000;
    assert_int_equal(instance_check(&t, why), ERR_OK);
    t.port = 1024;
    assert_int_equal(instance_check(&t, why), ERR_OK);
    t.port = 1023;
    assert_int_equal(instance_check(&t, why), ERR_LIMIT);
    assert_int_equal(instance_port_check(65535, why), ERR_OK);
    assert_int_equal(instance_port_check(65536, why), ERR_LIMIT);
    (void)setenv("METAGATE_INSTANCE_MEMORY_MAX_MIB", "64", 1);
    assert_int_equal(config_load(NULL, why), ERR_OK);
    t = s;
    assert_int_equal(instance_check(&t, why), ERR_OK);
    t.memory_bytes++;
    assert_int_equal(instance_check(&t, why), ERR_LIMIT);
    assert_non_null(strstr(why, "memory_max_mib"));
    (void)unsetenv("METAGATE_INSTANCE_MEMORY_MAX_MIB");
    assert_int_equal(config_load(NULL, why), ERR_OK);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(secrets_are_made_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_text_holds_all_of_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_not_well_formed_is_refused,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_that_is_wrong_is_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(keys_limit_what_can_be_asked_for, setup,
                                        teardown),
    };
    char why[WHY_BYTES];

    if (config_load(NULL, why) != ERR_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
