/* Two rows that nothing tells apart are a mistake, found at start-up. */
#include "api/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "log_fixture.h"

static struct row rows[4];
static const struct row sound_rows[] = {
    { .kind = ROW_MOUNT, .listener = "sound", .prefix = "" },
    { .kind = ROW_ENDPOINT, .methods = GET, .path = "/x", .verb = "-" },
};
static const struct dialect unit = { .name = "unit",
                                     .rows = rows,
                                     .n_rows = COUNT(rows) };
static const struct dialect sound = { .name = "sound",
                                      .rows = sound_rows,
                                      .n_rows = COUNT(sound_rows) };

extern const struct dialect *const dialects[];
const struct dialect *const dialects[] = { &unit, &sound, NULL };

/* A table that cannot be built is begun anew by the next call, with the rows
 * of this one in it: so the paths differ from call to call. */
static enum err
begins(const char *path, struct row a, struct row b)
{
    rows[0] = (struct row){ .kind = ROW_MOUNT, .listener = "l", .prefix = "" };
    rows[1] = a;
    rows[2] = b;
    rows[3] = (struct row){ .kind = ROW_EXAMPLE, .path = path };
    rows[1].kind = rows[2].kind = ROW_ENDPOINT;
    rows[1].path = rows[2].path = path;
    return route_init();
}

static void
rows_that_clash_are_named(void **state)
{
    const struct row get = { .methods = GET, .verb = "-" };
    const struct row any = { .methods = GET | POST, .verb = "-" };
    const struct row go = { .methods = POST, .verb = "go" };
    const char *text;

    (void)state;
    log_catch();
    assert_int_equal(begins("/a", get, any), ERR_INTERNAL);
    text = logged();
    assert_non_null(strstr(text, "routes.clash dialect=unit path=/a verb=-"));
    assert_false(route_knows_listener("sound"));
    assert_int_equal(begins("/b", any, get), ERR_INTERNAL);
    assert_int_equal(begins("/c", go, go), ERR_INTERNAL);
    text = logged();
    assert_non_null(strstr(text, "routes.clash dialect=unit path=/c verb=go"));
    log_release();
}

/* One process has one table: this is the last that is built. */
static void
methods_and_verbs_tell_rows_apart(void **state)
{
    const struct row get = { .methods = GET, .verb = "-" };
    const struct row go = { .methods = GET, .verb = "go" };
    struct route_match m;

    (void)state;
    assert_int_equal(begins("/d", get, go), ERR_OK);
    route_find("l", "/d", &m);
    assert_non_null(m.group);
    assert_int_equal(m.group->n, 2);
    assert_true(m.group->by_verb);
    assert_true(route_knows_listener("sound"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_that_clash_are_named),
        cmocka_unit_test(methods_and_verbs_tell_rows_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
