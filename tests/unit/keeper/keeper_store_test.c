/* A keeper and the store: what it tells, what it is told by, and whose word
 * counts when both know something. */
#include "keeper_fixture.h"
#include "store_server.h"

#include "crypt.h"
#include "keeper/keeper_store.c"

static struct db *db;

static int
open_store(void **state)
{
    (void)state;
    char path[] = "/var/tmp/mgkeys.XXXXXX", file[64];
    bool loaded = mkdtemp(path) != NULL;

    (void)snprintf(file, sizeof(file), "%s/key", path);
    loaded =
        loaded && crypt_create(file) == ERR_OK && crypt_load(file) == ERR_OK;
    (void)unlink(file);
    (void)rmdir(path);
    if (!loaded || !server_init(10, 2) || !server_migrate())
        return -1;
    db = db_open();
    return db != NULL ? 0 : -1;
}

static int
close_store(void **state)
{
    (void)state;
    db_close(db);
    return server_fini() ? 0 : -1;
}

/* With a keeper that knows the store, and tables without rows. */
static int
setup(void **state)
{
    struct ground *g;

    ok(db_exec_text(db, "DELETE FROM kept_instance"));
    ok(db_exec_text(db, "DELETE FROM kept_pause"));
    if (ground_setup(state) != 0)
        return -1;
    g = *state;
    close_keeper(g, false);
    g->store = true;
    g->k = open_keeper(g);
    return 0;
}

static void
each_statement_fits_the_schema(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sql); i++)
        if (sql[i] == NULL || db_prepare_only(db, sql[i]) != ERR_OK)
            fail_msg("%zu: %s", i, db_error(db));
}

/* As the store has it; n: how many rows there are to be. */
static struct kept
told_of(struct ground *g, size_t n)
{
    int64_t until_ms = clock_mono_ms() + LONG_MS;
    struct list_of_kept all;

    do {
        arena_reset(g->a);
        ok(kept_list(db, g->a, ADDRESS, &all));
        if (clock_mono_ms() > until_ms)
            fail_msg("%zu rows instead of %zu", all.n, n);
    } while (all.n != n);
    return n > 0 ? all.v[0] : (struct kept){ 0 };
}

static struct kept
until_told(struct ground *g, enum kept_state s)
{
    int64_t until_ms = clock_mono_ms() + LONG_MS;
    struct kept x;

    while ((x = told_of(g, 1)).state != (int)s)
        if (clock_mono_ms() > until_ms)
            fail_msg("the store has %s", enum_text(kept_state_names, x.state));
    return x;
}

static void
pause_by_store(struct ground *g, unsigned port, int64_t until_ms)
{
    ok(db_begin(db));
    ok(db_end(db, pullup_pause(db, ADDRESS, port, until_ms)));
    (void)g;
}

static void
the_store_is_told_what_becomes_of_it(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);
    struct kept x = until_told(g, KEPT_RUNNING);

    assert_int_equal(x.pid, pid);
    assert_true(x.to_run);
    assert_string_equal(x.kind, "storage");
    assert_string_equal(x.machine, ADDRESS);
    assert_int_equal(kill(pid, SIGKILL), 0);
    (void)until_runs(g, pid);
    while (told_of(g, 1).restarts != 1)
        ;
    ok(keeper_tell(g->k, port_of(g), ORDER_STOP, 0));
    assert_false(until_told(g, KEPT_STOPPED).to_run);
    ok(keeper_drop(g->k, port_of(g), 0));
    (void)told_of(g, 0);
}

/* Nobody wakes the keeper: it asks before it starts anything by itself. */
static void
a_pause_is_in_force_when_it_is_committed(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    (void)until_told(g, KEPT_RUNNING);
    for (int i = 0; i < 5; i++) {
        pause_by_store(g, i % 2 == 0 ? 0 : port_of(g), PAUSE_FOREVER);
        assert_int_equal(kill(pid, SIGKILL), 0);
        (void)until_state(g, KEPT_PAUSED);
        assert_int_equal(starts(g), i + 1);
        pause_by_store(g, i % 2 == 0 ? 0 : port_of(g), PAUSE_NONE);
        keeper_wake(g->k);
        pid = until_runs(g, pid);
    }
}

/* One that follows another without a gap, though nobody has told it. */
static void
a_pause_is_in_force_when_the_last_one_ends(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    (void)until_told(g, KEPT_RUNNING);
    pause_by_store(g, 0, clock_unix_ms() + 1500);
    assert_int_equal(kill(pid, SIGKILL), 0);
    (void)until_state(g, KEPT_PAUSED);
    pause_by_store(g, 0, PAUSE_FOREVER);
    while (shown(g).paused_ms != PAUSE_FOREVER)
        (void)poll(NULL, 0, 2);
    (void)until_state(g, KEPT_PAUSED);
    assert_int_equal(starts(g), 1);
}

static void
the_latest_word_on_pauses_counts(void **state)
{
    struct ground *g = *state;
    pid_t pid = begin(g);

    (void)until_told(g, KEPT_RUNNING);
    pause_by_store(g, 0, PAUSE_FOREVER);
    pause_by_store(g, port_of(g), PAUSE_NONE);
    assert_int_equal(kill(pid, SIGKILL), 0);
    pid = until_runs(g, pid);
    pause_by_store(g, port_of(g), PAUSE_FOREVER);
    pause_by_store(g, 0, PAUSE_NONE);
    assert_int_equal(kill(pid, SIGKILL), 0);
    pid = until_runs(g, pid);
    pause_by_store(g, port_of(g) == 1 ? 2 : 1, PAUSE_FOREVER); /* of nobody */
    assert_int_equal(kill(pid, SIGKILL), 0);
    (void)until_runs(g, pid);
}

static int64_t
count_pauses(void)
{
    int64_t n = -1;

    ok(db_one_i64(db, "SELECT COUNT(*) FROM kept_pause", DB_NO_ARGS, &n));
    return n;
}

static void
pauses_of_a_port_go_with_its_instance(void **state)
{
    struct ground *g = *state;

    add(g);
    (void)told_of(g, 1);
    pause_by_store(g, port_of(g), PAUSE_FOREVER);
    assert_int_equal(count_pauses(), 1);
    ok(keeper_drop(g->k, port_of(g), HOLDER));
    (void)told_of(g, 0);
    assert_int_equal(count_pauses(), 0);
}

static void
the_newer_word_on_what_is_to_run_counts(void **state)
{
    struct ground *g = *state;

    (void)begin(g);
    (void)until_told(g, KEPT_RUNNING);
    close_keeper(g, false);
    /* an older word, as of a store that was set back */
    ok(db_exec_text(db, "UPDATE kept_instance SET to_run = 0, seq = 0"));
    g->k = open_keeper(g);
    while (!told_of(g, 1).to_run)
        ;
    (void)until_state(g, KEPT_RUNNING);
    /* a newer one, as of a home that was set back */
    ok(db_exec_text(db, "UPDATE kept_instance SET to_run = 0, seq = 100"));
    keeper_wake(g->k);
    (void)until_state(g, KEPT_STOPPED);
    close_keeper(g, false);
    g->store = false;
    g->k = open_keeper(g);
    assert_false(shown(g).to_run); /* it is in its home too */
}

static void
homes_of_a_lost_list_are_found_by_the_store(void **state)
{
    struct ground *g = *state;
    char path[PATH_MAX];
    pid_t pid = begin(g);
    struct list_of_kept all;

    (void)until_told(g, KEPT_RUNNING);
    close_keeper(g, false);
    (void)snprintf(path, sizeof(path), "%s/instances/" ADDRESS ".json", g->run);
    assert_int_equal(unlink(path), 0);
    g->k = open_keeper(g);
    do
        ok(keeper_list(g->k, g->a, &all));
    while (all.n == 0);
    assert_int_equal(until_state(g, KEPT_RUNNING).pid, pid);
}

static const struct job_step no_steps[] = { { "nothing", NULL, NULL } };
static const struct job_kind no_kind = {
    .name = "test.none", .queue = "none", .steps = no_steps, .n = 1
};

static void
what_a_finished_job_held_is_given_back(void **state)
{
    struct ground *g = *state;
    const struct job_new n = {
        .kind = &no_kind, .args = "{}", .shown = "{}", .token_name = "t"
    };
    uint64_t id;

    (void)begin(g);
    ok(db_begin(db));
    ok(db_end(db, job_accept(db, g->a, &n, &id)));
    ok(keeper_hold(g->k, port_of(g), id));
    while (told_of(g, 1).held_by != id)
        ;
    assert_int_equal(shown(g).held_by, id);
    ok(db_exec_text(db, "UPDATE job SET state = 'failed', finished_ms = 1"));
    keeper_wake(g->k);
    while (shown(g).held_by != 0)
        (void)poll(NULL, 0, 2);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, ground_teardown)

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement_fits_the_schema),
        TEST(the_store_is_told_what_becomes_of_it),
        TEST(a_pause_is_in_force_when_it_is_committed),
        TEST(a_pause_is_in_force_when_the_last_one_ends),
        TEST(the_latest_word_on_pauses_counts),
        TEST(pauses_of_a_port_go_with_its_instance),
        TEST(the_newer_word_on_what_is_to_run_counts),
        TEST(homes_of_a_lost_list_are_found_by_the_store),
        TEST(what_a_finished_job_held_is_given_back),
    };

    serve_if_told(argc, argv);
    return cmocka_run_group_tests(tests, open_store, close_store);
}
