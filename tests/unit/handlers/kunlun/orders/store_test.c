/* Every statement of orders/store.c fits the migrated schema, and a machine is
 * not forgotten while somebody chooses it. */
#include "statements.h"

#include "kunlun/orders/store.c"

static void
each_statement_fits_the_schema(void **state)
{
    statements_prepare(*state, sql, COUNT(sql));
}

static enum err
forget(struct db *db)
{
    struct cluster_want w = { 0 };
    enum err e = db_begin(db);

    PUT(&w, cluster_want, ip, "10.0.0.7");
    if (e == ERR_OK)
        e = orders_machine_drop(db, &w);
    return db_end(db, e);
}

/* Who forgets it waits for who is choosing, here until its patience ends. */
static void
a_machine_that_is_being_chosen_is_not_forgotten(void **state)
{
    const struct instance_spec spec = { .kind = INSTANCE_STORAGE,
                                        .address = "10.0.0.7",
                                        .port = 6000,
                                        .uuid = "u-1",
                                        .cluster = "c",
                                        .shard = "shard1" };
    struct db *db = *state, *other = db_open();
    enum err e;

    assert_int_equal(db_begin(db), ERR_OK);
    assert_int_equal(meta_turn(db), ERR_OK);
    e = forget(other);
    assert_true(e != ERR_OK && e != ERR_STATE);
    assert_int_equal(db_end(db, meta_place_add(db, &spec, 1)), ERR_OK);
    assert_int_equal(forget(other), ERR_STATE);
    db_close(other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_statement_fits_the_schema),
        cmocka_unit_test(a_machine_that_is_being_chosen_is_not_forgotten),
    };

    return cmocka_run_group_tests(tests, statements_setup, statements_teardown);
}
