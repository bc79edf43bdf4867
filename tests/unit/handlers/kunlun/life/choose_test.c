/* Places by rows of the store and what machines have told: who is left out,
 * and what is not given out twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "crypt.h"
#include "kunlun/life/choose.h"
#include "store_fixture.h"

static struct cluster_want want;
static char why[WHY_BYTES];
static struct list_of_life_server out;

static const char wipe[] = "DELETE FROM Kunlun_Metadata_DB.server_nodes";

static void
machine(struct fixture *f, const char *address, const char *data, int mem)
{
    const char *sql = arena_printf(
        f->a,
        "INSERT INTO Kunlun_Metadata_DB.server_nodes (hostaddr, datadir,"
        " logdir, wal_log_dir, comp_datadir, total_mem)"
        " VALUES ('%s', '%s', '%s/l', '%s/w', '%s/c', %d)",
        address, data, data, data, data, mem);

    assert_non_null(sql);
    ok(db_exec_text(f->db, sql));
}

/* Three of them, and nothing on them. */
static void
three(struct fixture *f)
{
    ok(db_exec_text(f->db, wipe));
    ok(db_exec_text(f->db, "DELETE FROM kunlun_place"));
    machine(f, "10.0.0.1", "/d1", 4096);
    machine(f, "10.0.0.2", "/d2", 4096);
    machine(f, "10.0.0.3", "/d3", 4096);
    memset(&want, 0, sizeof(want));
    out = (struct list_of_life_server){ 0 };
}

static struct life_wish
two_by_three(void)
{
    return (struct life_wish){ .cluster = "c1",
                               .shards = 2,
                               .nodes = 3,
                               .comps = 1,
                               .first_shard = 4,
                               .first_comp = 2,
                               .want = &want,
                               .memory_bytes = (int64_t)1 << 30,
                               .max_connections = 100 };
}

static enum err
choose(struct fixture *f, const struct life_wish *w,
       const struct life_asked *asked)
{
    why[0] = '\0';
    return life_choose(f->db, f->a, w, asked, &out, why);
}

static void
assert_at(size_t i, const char *address, int port, const char *name)
{
    const struct instance_spec *s = out.v[i].spec;

    assert_string_equal(s->address, address);
    assert_int_equal(s->port, port);
    assert_string_equal(s->shard, name);
}

static void
each_server_has_a_place_a_name_and_secrets_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct life_wish w = two_by_three();

    three(f);
    ok(choose(f, &w, NULL));
    assert_int_equal(out.n, 7);
    assert_at(0, "10.0.0.1", 57330, "shard4");
    assert_at(1, "10.0.0.2", 57330, "shard4");
    assert_at(3, "10.0.0.2", 57333, "shard5");
    assert_at(6, "10.0.0.3", 57030, "comp2");
    assert_int_equal(out.v[0].spec->domain_id, out.v[1].spec->domain_id);
    assert_int_not_equal(out.v[0].spec->domain_id, out.v[3].spec->domain_id);
    assert_int_not_equal(out.v[0].spec->server_id, out.v[1].spec->server_id);
    assert_string_not_equal(out.v[0].spec->admin_secret,
                            out.v[1].spec->admin_secret);
    assert_false(out.v[0].spec->lone);
}

/* The client's choice is of computing nodes alone, and each password that is
 * taken can be installed. */
static void
computing_nodes_have_the_login_that_was_asked_for(void **state)
{
    struct fixture *f = *state;
    struct life_wish w = two_by_three();
    struct instance_spec comp;

    three(f);
    want.computer_user = "app";
    want.computer_password = "a1-_.!@#%^*+=:,/?~";
    ok(choose(f, &w, NULL));
    assert_string_equal(out.v[0].spec->client_user, "pgx");
    assert_string_not_equal(out.v[0].spec->client_secret,
                            want.computer_password);
    assert_string_equal(out.v[6].spec->client_user, "app");
    assert_string_equal(out.v[6].spec->client_secret, want.computer_password);
    comp = *out.v[6].spec;
    PUT(&comp, instance_spec, data_root, "/d1");
    ok(instance_check(&comp, why));
    comp.client_secret = "it's";
    assert_int_equal(instance_check(&comp, why), ERR_BAD_PARAM);
    three(f);
    ok(choose(f, &w, NULL));
    assert_string_equal(out.v[6].spec->client_user, "abc");
}

static void
what_is_given_out_is_not_given_again(void **state)
{
    struct fixture *f = *state;
    struct life_wish w = two_by_three();
    struct list_of_life_server first;

    three(f);
    ok(choose(f, &w, NULL));
    first = out;
    for (size_t i = 0; i < first.n; i++)
        ok(meta_place_add(f->db, first.v[i].spec, 7));
    /* 2 of 4 GiB of each are used: two more shards fit, then none */
    for (int round = 0; round < 2; round++) {
        out = (struct list_of_life_server){ 0 };
        w.shards = 1;
        ok(choose(f, &w, NULL));
        for (size_t i = 0; i < out.n; i++) {
            for (size_t k = 0; k < first.n; k++)
                assert_false(out.v[i].spec->port == first.v[k].spec->port &&
                             strcmp(out.v[i].spec->address,
                                    first.v[k].spec->address) == 0);
            ok(meta_place_add(f->db, out.v[i].spec, 8));
        }
    }
    out = (struct list_of_life_server){ 0 };
    assert_int_equal(choose(f, &w, NULL), ERR_LIMIT);
    assert_string_equal(why, "10.0.0.1 has not enough memory left, nor has"
                             " another");
    /* the row itself refuses a port that is taken */
    assert_int_equal(meta_place_add(f->db, first.v[0].spec, 9), ERR_EXISTS);
    ok(meta_places_back(f->db, 8));
    ok(choose(f, &w, NULL));
}

static void
only_listed_machines_are_chosen_and_unknown_names_do_not_count(void **state)
{
    struct fixture *f = *state;
    struct life_wish w = two_by_three();
    struct STR hosts[] = { { .v = "10.0.0.9" }, { .v = "10.0.0.3" } };

    three(f);
    want.storage_hosts.n = 2;
    want.storage_hosts.v = (void *)hosts;
    w.nodes = 1;
    ok(choose(f, &w, NULL));
    assert_at(0, "10.0.0.3", 57330, "shard4");
    assert_at(1, "10.0.0.3", 57333, "shard5");
    want.storage_hosts.n = 1;
    out = (struct list_of_life_server){ 0 };
    assert_int_equal(choose(f, &w, NULL), ERR_NOT_FOUND);
    assert_string_equal(why, "no available machine");
}

static struct survey_space all_of_it[] = {
    { .class = "data_dir_path", .path = "/d", .free = 9 },
    { .class = "log_dir_path", .path = "/l", .free = 9 },
    { .class = "innodb_log_dir_path", .path = "/w", .free = 9 },
    { .class = "comp_datadir", .path = "/c", .free = 9 },
};

static struct survey
answer(struct I32 *busy, size_t n)
{
    struct survey s = { 0 };

    s.spaces.n = COUNT(all_of_it);
    s.spaces.v = all_of_it;
    s.busy.n = n;
    s.busy.v = busy;
    return s;
}

static void
who_does_not_answer_or_has_no_directory_is_left_out(void **state)
{
    struct fixture *f = *state;
    struct life_wish w = two_by_three();
    struct I32 busy[] = { { .v = 57331 }, { .v = 57030 } };
    struct survey first = answer(busy, 2), second = answer(NULL, 0);
    struct life_told told[] = { { "10.0.0.1", &first },
                                { "10.0.0.2", NULL },
                                { "10.0.0.3", &second } };
    struct life_asked asked = { 3, told };

    three(f);
    second.spaces.n = 2; /* no redo log, no computing nodes */
    w.nodes = 1;
    ok(choose(f, &w, &asked));
    /* somebody listens between the first three ports, and on the computers' */
    assert_at(0, "10.0.0.1", 57333, "shard4");
    assert_at(1, "10.0.0.1", 57336, "shard5");
    assert_at(2, "10.0.0.1", 57031, "comp2");
}

static void
machines_of_one_directory_share_their_ports(void **state)
{
    struct fixture *f = *state;
    struct life_wish w = two_by_three();

    three(f);
    ok(db_exec_text(f->db, wipe));
    machine(f, "10.0.0.1", "/d1;/same", 0);
    machine(f, "10.0.0.2", "/same", 0);
    w.shards = 1;
    w.nodes = 2;
    ok(choose(f, &w, NULL));
    assert_at(0, "10.0.0.1", 57330, "shard4");
    assert_at(1, "10.0.0.2", 57333, "shard4");
}

static void
a_plan_names_every_directory(void **state)
{
    struct list_of_cluster_effect e = { 0 };
    struct fixture *f = *state;
    struct life_wish w = two_by_three();

    three(f);
    w.shards = 1;
    ok(choose(f, &w, NULL));
    ok(life_effects(f->db, f->a, &out, &e));
    assert_int_equal(e.n, 3 * 3 + 1);
    assert_string_equal(e.v[0].what, "install storage");
    assert_string_equal(e.v[0].directory,
                        "/d1/instance_data/data_dir_path/57330");
    assert_string_equal(e.v[2].directory,
                        "/d1/w/instance_data/innodb_log_dir_path/57330");
    assert_string_equal(e.v[9].what, "install computer");
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
    struct fixture *f = *state;

    ok(db_exec_text(f->db, wipe)); /* the schema is not this test's own */
    return teardown(state) == 0 && server_fini() ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_server_has_a_place_a_name_and_secrets_of_its_own),
        cmocka_unit_test(computing_nodes_have_the_login_that_was_asked_for),
        cmocka_unit_test(what_is_given_out_is_not_given_again),
        cmocka_unit_test(
            only_listed_machines_are_chosen_and_unknown_names_do_not_count),
        cmocka_unit_test(who_does_not_answer_or_has_no_directory_is_left_out),
        cmocka_unit_test(machines_of_one_directory_share_their_ports),
        cmocka_unit_test(a_plan_names_every_directory),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
