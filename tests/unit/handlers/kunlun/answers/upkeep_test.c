/* What is kept up to date for XPanel: servers of the metadata, managers, the
 * first place for backups. Each test in a transaction that is taken back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kunlun/answers/store_upkeep.h"
#include "store_fixture.h"

#define METAS    "Kunlun_Metadata_DB.meta_db_nodes"
#define MANAGERS "Kunlun_Metadata_DB.cluster_mgr_nodes"

/* All rows as one text, in order. */
static const char *
rows(struct fixture *f, const char *from)
{
    const char *out,
        *sql = arena_printf(
            f->a,
            "SELECT COALESCE(GROUP_CONCAT(CONCAT(hostaddr, ':', port, '=',"
            " COALESCE(member_state, '-')) ORDER BY hostaddr, port), '') FROM "
            "%s",
            from);

    assert_non_null(sql);
    ok(db_one_str(f->db, f->a, sql, DB_NO_ARGS, &out));
    return out;
}

static void
the_servers_are_these_and_no_others(void **state)
{
    struct fixture *f = *state;
    struct cluster_meta_server v[] = {
        { "10.9.9.1", 3306, "source" },
        { "10.9.9.2", 3306, "replica" },
        { "10.9.9.2", 3307, NULL },
        { "10.9.9.4", 0, "replica" },
    };

    ok(db_begin(f->db));
    ok(db_exec_text(f->db, "DELETE FROM " METAS));
    ok(cluster_store_meta_servers(f->db, f->a, v, 4, "pgx"));
    assert_string_equal(rows(f, METAS),
                        "10.9.9.1:3306=source,10.9.9.2:3306=replica,"
                        "10.9.9.2:3307=-,10.9.9.4:0=replica");
    assert_int_equal(
        number(f->db, "SELECT COUNT(*) FROM " METAS " WHERE user_name = 'pgx'"),
        4);
    /* each state is followed, and nothing else is written */
    v[0].state = NULL;
    v[1].state = "source";
    v[2].state = "replica";
    ok(cluster_store_meta_servers(f->db, f->a, v, 4, "other"));
    assert_string_equal(rows(f, METAS),
                        "10.9.9.1:3306=-,10.9.9.2:3306=source,"
                        "10.9.9.2:3307=replica,10.9.9.4:0=replica");
    assert_int_equal(
        number(f->db, "SELECT COUNT(*) FROM " METAS " WHERE user_name = 'pgx'"),
        4);
    ok(cluster_store_meta_servers(f->db, f->a, v + 2, 1, "pgx"));
    assert_string_equal(rows(f, METAS), "10.9.9.2:3307=replica");
    ok(cluster_store_meta_servers(f->db, f->a, v, 0, "pgx"));
    assert_string_equal(rows(f, METAS), "");
    (void)!db_end(f->db, ERR_STATE);
}

static void
of_managers_one_is_the_source(void **state)
{
    struct fixture *f = *state;

    ok(db_begin(f->db));
    ok(db_exec_text(f->db, "DELETE FROM " MANAGERS));
    ok(cluster_store_manager(f->db, "10.9.9.1", 57000));
    ok(cluster_store_manager(f->db, "10.9.9.2", 57000));
    assert_string_equal(rows(f, MANAGERS),
                        "10.9.9.1:57000=replica,10.9.9.2:57000=source");
    /* it has moved, and leads */
    ok(cluster_store_manager(f->db, "10.9.9.1", 57001));
    assert_string_equal(rows(f, MANAGERS),
                        "10.9.9.1:57001=source,10.9.9.2:57000=replica");
    ok(cluster_store_manager(f->db, "10.9.9.1", 57001));
    assert_string_equal(rows(f, MANAGERS),
                        "10.9.9.1:57001=source,10.9.9.2:57000=replica");
    (void)!db_end(f->db, ERR_STATE);
}

static void
a_place_for_backups_is_made_when_there_is_none(void **state)
{
    struct fixture *f = *state;
    static const char count[] =
        "SELECT COUNT(*) FROM Kunlun_Metadata_DB.backup_storage";

    ok(db_begin(f->db));
    ok(db_exec_text(f->db, "DELETE FROM Kunlun_Metadata_DB.backup_storage"));
    ok(cluster_store_first_storage(f->db));
    assert_int_equal(number(f->db, count), 1);
    ok(cluster_store_first_storage(f->db));
    assert_int_equal(number(f->db, count), 1);
    assert_int_equal(
        number(f->db, "SELECT COUNT(*) FROM Kunlun_Metadata_DB.backup_storage"
                      " WHERE id = 1 AND name = 'local'"),
        1);
    ok(db_exec_text(f->db, "UPDATE Kunlun_Metadata_DB.backup_storage"
                           " SET name = 'another'"));
    ok(cluster_store_first_storage(f->db));
    assert_int_equal(number(f->db, count), 1);
    (void)!db_end(f->db, ERR_STATE);
}

static int
begin(void **state)
{
    if (!server_init(10, 2) || !fixture_key() || !server_migrate())
        return -1;
    *state = fixture_open();
    return *state != NULL ? 0 : -1;
}

static int
end(void **state)
{
    return teardown(state) == 0 && server_fini() ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_servers_are_these_and_no_others),
        cmocka_unit_test(of_managers_one_is_the_source),
        cmocka_unit_test(a_place_for_backups_is_made_when_there_is_none),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
