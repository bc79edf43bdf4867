/* Every statement of archive/store.c fits the migrated schema; what tells of
 * backups goes with them, and nothing else does. */
#include "statements.h"

#include "kunlun/archive/store.c"

static void
each_statement_fits_the_schema(void **state)
{
    statements_prepare(*state, sql, COUNT(sql));
}

#define META "Kunlun_Metadata_DB."
#define LOG  META "cluster_shard_backup_restore_log"

static void
put(struct db *db, const char *statement)
{
    if (db_exec(db, statement, DB_NO_ARGS) != ERR_OK)
        fail_msg("%s\n%s", db_error(db), statement);
}

static int64_t
number(struct db *db, const char *statement)
{
    int64_t n;

    assert_int_equal(db_one_i64(db, statement, DB_NO_ARGS, &n), ERR_OK);
    return n;
}

static void
rows_of_what_is_gone_go(void **state)
{
    struct db *db = *state;

    /* of two copies of a cluster one has a backup; a row is another's */
    put(db, "INSERT INTO kunlun_copy (job_id, cluster, ended_ms, doc) VALUES"
            " (1, 'c', 1000, '{\"n\":1}'), (2, 'c', 5001, '{\"n\":2}')");
    put(db, "INSERT INTO kunlun_backup (job_id, kind, cluster, shard, machine,"
            " target, path, gtid, domain, seq, begun_ms, ended_ms, bytes,"
            " sha256) VALUES (7, 'storage', 'c', 's', 'm', 't', 'p', '', 1, 1,"
            " 3000, 4000, 1, '')");
    put(db, "INSERT INTO " META "cluster_backups (storage_id, cluster_id,"
            " name, memo, end_ts) VALUES"
            " (1, 1, 's', '{\"n\":1}', FROM_UNIXTIME(1000 / 1000)),"
            " (1, 1, 's', '{\"n\":2}', FROM_UNIXTIME(5001 / 1000)),"
            " (1, 1, 's', NULL, FROM_UNIXTIME(1000 / 1000))");
    put(db, "INSERT INTO " LOG " (storage_id, cluster_id, shard_id, optype,"
            " status, when_ended) VALUES"
            " (1, 1, 1, 'backup', 'done', FROM_UNIXTIME(10)),"
            " (1, 1, 1, 'backup', 'done', FROM_UNIXTIME(30)),"
            " (1, 1, 1, 'backup', 'ongoing', NULL)");
    put(db, "INSERT INTO kunlun_archive (id, cluster, shard, open, domain,"
            " after_server, after_seq, pieces, covered_ms, wanted_ms,"
            " begun_ms, why) VALUES (3, 'c', 's', NULL, 1, 1, 1, 0, 0, 0,"
            " 90000, ''), (4, 'c', 's', 1, 1, 1, 1, 0, 0, 0, 90000, '')");
    put(db, "INSERT INTO lease (name, owner, epoch, expires_ms) VALUES"
            " ('kunlun.archive/3', 'o', 5, 0),"
            " ('kunlun.archive/4', 'o', 6, 0),"
            " ('kunlun.archive/9', 'o', 7, 9999999999999),"
            " ('cluster.meta', 'o', 8, 0)");
    assert_int_equal(archive_drop_empty(db, 20000), ERR_OK);
    assert_int_equal(number(db, "SELECT SUM(job_id) FROM kunlun_copy"), 2);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM " META "cluster_backups"),
                     2);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM " META "cluster_backups"
                                " WHERE memo = '{\"n\":1}'"),
                     0);
    assert_int_equal(number(db, "SELECT COUNT(*) FROM " LOG), 2);
    assert_int_equal(number(db, "SELECT SUM(id) FROM kunlun_archive"), 4);
    /* one that is held is nobody's to remove */
    assert_int_equal(number(db, "SELECT SUM(epoch) FROM lease"
                                " WHERE owner = 'o'"),
                     6 + 7 + 8);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement_fits_the_schema),
        cmocka_unit_test(rows_of_what_is_gone_go),
    };

    return cmocka_run_group_tests(tests, statements_setup, statements_teardown);
}
