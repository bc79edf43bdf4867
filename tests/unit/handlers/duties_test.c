/* Every duty works under its lease alone: one whose lease another has taken
 * meanwhile finds that out before it has changed anything. */
#include "statements.h"

#include "duty.h"

/* Something to do, for those that have nothing to write in an empty store. */
static const char *const work[] = {
    "INSERT INTO doris_instance (instance_id, name, user_id, status,"
    " sse_enabled, enable_storage_vault, ctime, mtime)"
    " VALUES ('i', 'i', 'u', 'NORMAL', 0, 0, 1, 1)",
    "INSERT INTO doris_cluster (instance_id, seq, cluster_id, cluster_name,"
    " type, ctime, mtime, doc) VALUES ('i', 1, 'c', 'c', 'COMPUTE', 1, 1, '')",
    "INSERT INTO doris_node (instance_id, seq, ord, kind, addr, port)"
    " VALUES ('i', 1, 1, 'COMPUTE', '127.0.0.1', 1)",
};

static int
setup(void **state)
{
    if (statements_setup(state) != 0)
        return -1;
    for (size_t i = 0; i < COUNT(work); i++)
        if (db_exec_text(*state, work[i]) != ERR_OK)
            return -1;
    return 0;
}

static enum turn
step(struct db *db, const struct duty *d, const struct lease *l)
{
    struct duty_run run = { .db = db, .id = "m1", .lease = l };
    enum turn t;

    run.arena = arena_new((size_t)64 << 20);
    assert_non_null(run.arena);
    t = d->step(&run);
    assert_false(db_in_transaction(db));
    if (d->forget != NULL && run.memory != NULL)
        d->forget(run.memory);
    arena_free(run.arena);
    return t;
}

static void
no_duty_goes_on_when_its_lease_was_taken(void **state)
{
    const struct duty *d;

    statements_prepare(*state, work, COUNT(work));
    for (size_t i = 0; (d = duty_at(i)) != NULL; i++) {
        struct lease ours = { .name = d->lease,
                              .owner = "m1@a",
                              .ttl_ms = duty_lease_ms(d) };
        struct lease theirs = ours;

        assert_int_equal(lease_take(*state, &ours), ERR_OK);
        assert_int_equal(lease_retake(*state, &theirs), ERR_OK);
        if (step(*state, d, &ours) != TURN_OVER)
            fail_msg("%s works without its lease", d->lease);
        if (step(*state, d, &theirs) == TURN_OVER)
            fail_msg("%s does not work under its lease", d->lease);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_duty_goes_on_when_its_lease_was_taken),
    };

    return cmocka_run_group_tests(tests, setup, statements_teardown);
}
