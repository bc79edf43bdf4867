/* Shards in the store: what is written is read again, and a change is made
 * only where nobody else has made one. */
#include "statements.h"

#include "arena.h"
#include "crypt.h"
#include "store_fixture.h"

#include "kunlun/shard/store_shard.c"

static void
each_statement_fits_the_schema(void **state)
{
    struct fixture *f = *state;

    statements_prepare(f->db, sql, COUNT(sql));
}

static struct kunlun_shard
make_shard(struct arena *a, const char *name)
{
    struct kunlun_shard sh = { .cluster = "c1", .name = name };

    sh.s = (struct fo_shard){
        .epoch = 3,
        .order = UINT64_MAX - 5,
        .n = 3,
        .primary = 1,
        .fencing = true,
        .fencing_ms = 17,
        .base = { 41, 4294967295u },
        .paused_until_ms = 18,
        .force = true,
        .switch_to = 2,
        .switch_order = 19,
        .switch_until_ms = 20,
        .failed_over_ms = 21,
        .failovers = 22,
    };
    for (unsigned i = 0; i < 3; i++) {
        sh.s.member[i] = (struct fo_member){
            .role = (enum fo_role)i,
            .start = UINT64_MAX - i,
            .ticket = 7 + i,
            .broken = i == 1,
            .evict = 8,
            .fence = 9,
            .floor = { 40, 2 },
            .leaving = i == 2,
        };
        sh.spec[i] = (struct instance_spec){
            .driver = "mariadb",
            .kind = INSTANCE_STORAGE,
            .address = "127.0.0.1",
            .port = 6000 + (int)i,
            .data_root = "/d",
            .log_root = "/l",
            .wal_root = "/w",
            .server_id = i + 1,
            .domain_id = 5,
            .cluster = "c1",
            .shard = name,
            .admin_user = "clustmgr",
            .repl_user = "repl",
            .client_user = "pgx",
        };
        ok(instance_secrets(a, &sh.spec[i]));
    }
    return sh;
}

static void
assert_same(const struct kunlun_shard *a, const struct kunlun_shard *b)
{
    assert_memory_equal(&a->s, &b->s, offsetof(struct fo_shard, member));
    for (unsigned i = 0; i < a->s.n; i++) {
        const struct fo_member *m = &a->s.member[i], *o = &b->s.member[i];

        assert_int_equal(m->role, o->role);
        assert_true(m->start == o->start && m->ticket == o->ticket);
        assert_int_equal(m->broken, o->broken);
        assert_true(m->evict == o->evict && m->fence == o->fence);
        assert_true(m->floor.seq == o->floor.seq &&
                    m->floor.server == o->floor.server);
        assert_int_equal(m->leaving, o->leaving);
        assert_string_equal(a->spec[i].uuid, b->spec[i].uuid);
        assert_string_equal(a->spec[i].admin_secret, b->spec[i].admin_secret);
        assert_int_equal(a->spec[i].port, b->spec[i].port);
    }
}

static void
a_shard_is_read_as_it_was_written(void **state)
{
    struct fixture *f = *state;
    struct kunlun_shard sh = make_shard(f->a, "shard1"), out;
    struct kunlun_shard_ids ids;

    ok(kunlun_store_shard_add(f->db, f->a, &sh));
    ok(kunlun_store_shard(f->db, f->a, sh.id, &out));
    assert_same(&sh, &out);
    ok(kunlun_store_shard_find(f->db, f->a, "c1", "shard1", &out));
    assert_int_equal(out.id, sh.id);
    ok(kunlun_store_shard_ids(f->db, f->a, &ids));
    assert_true(ids.n > 0);
    assert_int_equal(kunlun_store_shard_add(f->db, f->a, &sh), ERR_EXISTS);
    assert_int_equal(kunlun_store_shard(f->db, f->a, -1, &out), ERR_NOT_FOUND);
}

static void
its_secrets_are_sealed(void **state)
{
    struct fixture *f = *state;
    struct kunlun_shard sh = make_shard(f->a, "shard2");
    const char *stored;

    ok(kunlun_store_shard_add(f->db, f->a, &sh));
    ok(db_one_str(f->db, f->a, "SELECT spec FROM kunlun_member WHERE uuid = ?",
                  DB_ARGS(db_str(sh.spec[0].uuid)), &stored));
    assert_null(strstr(stored, sh.spec[0].admin_secret));
    assert_null(strstr(stored, "clustmgr"));
}

static void
a_change_is_made_where_the_order_is_what_was_read(void **state)
{
    struct fixture *f = *state;
    struct kunlun_shard sh = make_shard(f->a, "shard3"), out;
    uint64_t was = sh.s.order;

    ok(kunlun_store_shard_add(f->db, f->a, &sh));
    sh.s.order++;
    sh.s.fencing = false;
    ok(kunlun_store_shard_save(f->db, f->a, &sh, was));
    assert_int_equal(kunlun_store_shard_save(f->db, f->a, &sh, was), ERR_STATE);
    ok(kunlun_store_shard(f->db, f->a, sh.id, &out));
    assert_same(&sh, &out);
}

static void
members_come_and_go(void **state)
{
    struct fixture *f = *state;
    struct kunlun_shard sh = make_shard(f->a, "shard4"), out;
    struct kunlun_shard more = make_shard(f->a, "shard4");
    uint64_t was = sh.s.order;

    ok(kunlun_store_shard_add(f->db, f->a, &sh));
    sh.s.n = 4;
    sh.s.order++;
    sh.spec[3] = more.spec[0];
    ok(kunlun_store_member_add(f->db, f->a, &sh, &sh.spec[3]));
    ok(kunlun_store_shard_save(f->db, f->a, &sh, was));
    ok(kunlun_store_shard(f->db, f->a, sh.id, &out));
    assert_same(&sh, &out);

    ok(kunlun_store_member_drop(f->db, &sh, 0));
    was = sh.s.order++;
    sh.s.n = 3;
    memmove(sh.s.member, sh.s.member + 1, 3 * sizeof(sh.s.member[0]));
    memmove(sh.spec, sh.spec + 1, 3 * sizeof(sh.spec[0]));
    ok(kunlun_store_shard_save(f->db, f->a, &sh, was));
    ok(kunlun_store_shard(f->db, f->a, sh.id, &out));
    assert_same(&sh, &out);
    ok(kunlun_store_shard_drop(f->db, sh.id));
    assert_int_equal(kunlun_store_shard(f->db, f->a, sh.id, &out),
                     ERR_NOT_FOUND);
}

static void
failovers_are_kept(void **state)
{
    struct fixture *f = *state;
    struct kunlun_shard sh = make_shard(f->a, "shard5");
    struct list_of_kunlun_failover list;
    struct kunlun_failover one = { .epoch = 4,
                                   .kind = "failover",
                                   .was = "127.0.0.1:6001",
                                   .is = "127.0.0.1:6002",
                                   .why = "its server has ended",
                                   .seen = { "[]", 2 },
                                   .suspected_ms = 1,
                                   .decided_ms = 2 };

    ok(kunlun_store_shard_add(f->db, f->a, &sh));
    ok(kunlun_store_shard_verdict(f->db, sh.id, FO_UNSAFE, "why"));
    ok(kunlun_store_shard_verdict(f->db, sh.id, FO_UNSAFE, "why"));
    ok(kunlun_store_failover_add(f->db, sh.id, &one));
    one.epoch = 5;
    ok(kunlun_store_failover_add(f->db, sh.id, &one));
    ok(kunlun_store_failover_done(f->db, sh.id, 5, 3));
    ok(kunlun_store_failovers(f->db, f->a, sh.id, &list));
    assert_int_equal(list.n, 2);
    assert_int_equal(list.v[0].epoch, 5);
    assert_int_equal(list.v[0].writable_ms, 3);
    assert_string_equal(list.v[0].cluster, "c1");
    assert_string_equal(list.v[0].is, "127.0.0.1:6002");
    assert_false(HAS(&list.v[1], kunlun_failover, writable_ms));
}

static int
begin(void **state)
{
    struct fixture *f;

    if (!server_init(10, 2) || !server_migrate() || !fixture_key())
        return -1;
    f = fixture_open();
    *state = f;
    return f != NULL ? 0 : -1;
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
        cmocka_unit_test(each_statement_fits_the_schema),
        cmocka_unit_test(a_shard_is_read_as_it_was_written),
        cmocka_unit_test(its_secrets_are_sealed),
        cmocka_unit_test(a_change_is_made_where_the_order_is_what_was_read),
        cmocka_unit_test(members_come_and_go),
        cmocka_unit_test(failovers_are_kept),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
