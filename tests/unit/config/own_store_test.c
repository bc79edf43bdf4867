/* Where the store is, by [mysql] hosts and port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "config.h"
#include "own_store.h"
#include "place.h"

static char text[PLACE_BYTES];

static void
set(const char *hosts, const char *port)
{
    char why[WHY_BYTES];

    assert_int_equal(setenv("METAGATE_MYSQL_HOSTS", hosts, 1), 0);
    assert_int_equal(setenv("METAGATE_MYSQL_PORT", port, 1), 0);
    assert_int_equal(config_load(NULL, why), ERR_OK);
}

static void
the_onebox_has_its_own_where_no_host_is_named(void **state)
{
    (void)state;
    set("", "0");
    assert_true(own_store());
    assert_false(own_store_address(text, sizeof(text)));
    assert_int_equal(store_hosts(text, sizeof(text)), ERR_OK);
    assert_string_equal(text, "unix:/nonexistent/run/s/mysql.sock");
}

static void
a_port_shows_where_it_listens(void **state)
{
    (void)state;
    set("", "13306");
    assert_true(own_store_address(text, sizeof(text)));
    assert_string_equal(text, "127.9.8.1:13306");
    assert_false(own_store_address(text, 8)); /* it does not fit */
}

static void
named_hosts_are_the_store_without_blanks(void **state)
{
    (void)state;
    set(" db1:3306 , [::1]:3307,unix:/run/x.sock ", "13306");
    assert_false(own_store());
    assert_false(own_store_address(text, sizeof(text)));
    assert_int_equal(store_hosts(text, sizeof(text)), ERR_OK);
    assert_string_equal(text, "db1:3306,[::1]:3307,unix:/run/x.sock");
    assert_int_equal(store_hosts(text, 12), ERR_LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_onebox_has_its_own_where_no_host_is_named),
        cmocka_unit_test(a_port_shows_where_it_listens),
        cmocka_unit_test(named_hosts_are_the_store_without_blanks),
    };

    config_place("/nonexistent/run", "127.9.8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
