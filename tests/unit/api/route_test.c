/* From listener, method and path to a row: two dialects of the test's own. */
#include "api/route.h"
#include "api/tables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define AT(listener_, prefix_)                                      \
    {                                                               \
        .kind = ROW_MOUNT, .listener = listener_, .prefix = prefix_ \
    }
#define ROW(methods_, path_, verb_)                               \
    {                                                             \
        .kind = ROW_ENDPOINT, .methods = methods_, .path = path_, \
        .verb = verb_                                             \
    }

/* Row numbers stand in the tests. */
static const struct row rows[] = {
    /* 0 */ AT("one", "/a"),
    /* 1 */ AT("one", "/a/v1"),
    /* 2 */ ROW(GET, "/thing", "-"),
    /* 3 */ ROW(POST | PUT, "/thing", "-"),
    /* 4 */ ROW(GET, "/things/{name}", "-"),
    /* 5 */ ROW(GET, "/things/{name}/of/{other}", "-"),
    /* 6 */ ROW(GET, "/fixed", "-"),
    { .kind = ROW_EXAMPLE, .path = "/thing" },
    /* 8 */ AT("one", "/b"),
    /* 9 */ ROW(GET, "/thing", "-"),
    /* 10 */ ROW(GET, "/{x}/fixed", "-"),
    /* 11 */ AT("deep", ""),
    /* 12 */ ROW(GET, "/{a}/{b}/{c}/{d}", "-"),
    /* 13 */ ROW(GET, "/{a}/{b}/{c}/{d}/{e}", "-"),
    { .kind = ROW_VARIANT, .verb = "go", .encoding = "D2" },
    { .kind = ROW_VARIANT, .verb = "go", .encoding = "D3" },
    { .kind = ROW_VARIANT, .verb = "stop", .encoding = "D3" },
    /* 17 */ AT("two", ""),
    /* 18 */ ROW(GET, "/only", "-"),
    /* 19 */ AT("two", "/far"),
    /* 20 */ ROW(GET, "/x", "-"),
    { .kind = ROW_VARIANT, .verb = "beyond", .encoding = "D3" }, /* the end */
};
#define N_ROWS (COUNT(rows) - 1)

static const struct row other_rows[] = {
    /* 0 */ AT("verbs", ""),
    /* 1 */ ROW(POST, "*", "go"),
    /* 2 */ ROW(POST | PUT, "*", "stop"),
    /* 3 */ ROW(OPTIONS, "*", "-"),
    /* 4 */ AT("any", ""),
    /* 5 */ ROW(GET, "/", "-"),
    /* 6 */ ROW(GET, "/known", "-"),
    /* 7 */ AT("verbs", "/sub"),
    /* 8 */ ROW(GET, "/x*", "-"),
    /* 9 */ AT("star", "/below"),
    /* 10 */ ROW(GET, "*", "-"),
};

static const struct dialect one = { .name = "one",
                                    .rows = rows,
                                    .n_rows = N_ROWS };
/* More paths than a first table takes, each found again. */
#define MANY 200
static struct row many_rows[MANY + 1];
static char many_paths[MANY][32];
static struct dialect many = { .name = "many",
                               .rows = many_rows,
                               .n_rows = COUNT(many_rows) };
static const struct dialect other = { .name = "other",
                                      .rows = other_rows,
                                      .n_rows = COUNT(other_rows),
                                      .uri = URI_ANY_PATH };

extern const struct dialect *const dialects[];
const struct dialect *const dialects[] = { &one, &other, &many, NULL };

static struct route_match m;

static const struct row *
found(const char *listener, unsigned method, const char *path)
{
    unsigned methods;

    route_find(listener, path, &m);
    return m.group == NULL ? NULL : route_row(m.group, method, NULL, &methods);
}

#define IS(row, ...) assert_ptr_equal(found(__VA_ARGS__), row)
#define NONE(...)    assert_null(found(__VA_ARGS__))
#define CAPTURED(i, name_, value_)                                   \
    do {                                                             \
        assert_int_equal(m.name[i].n, strlen(name_));                \
        assert_memory_equal(m.name[i].p, name_, m.name[i].n);        \
        assert_int_equal(m.capture[i].n, strlen(value_));            \
        assert_memory_equal(m.capture[i].p, value_, m.capture[i].n); \
    } while (0)

static void
a_path_is_found_below_each_of_its_mounts(void **state)
{
    (void)state;
    IS(&rows[2], "one", GET, "/a/thing");
    assert_ptr_equal(m.mount, &rows[0]);
    assert_ptr_equal(m.dialect, &one);
    IS(&rows[2], "one/tail", GET, "/a/v1/thing");
    assert_ptr_equal(m.mount, &rows[1]);
    IS(&rows[9], "one", GET, "/b/thing");
    assert_ptr_equal(m.mount, &rows[8]);
    NONE("one", GET, "/b/fixed");
    NONE("one", GET, "/thing");
    NONE("one", GET, "/a/thing/");
    NONE("one", GET, "/a/thin");
    NONE("one", GET, "/a/things");
    NONE("deep", GET, "/a/thing");
    NONE("on", GET, "/a/thing");
    NONE("ones", GET, "/a/thing");
}

static void
rows_of_a_path_differ_by_method(void **state)
{
    unsigned methods;

    (void)state;
    IS(&rows[3], "one", POST, "/a/thing");
    IS(&rows[3], "one", PUT, "/a/thing");
    NONE("one", DELETE, "/a/thing");
    assert_non_null(m.group);
    assert_null(route_row(m.group, DELETE, NULL, &methods));
    assert_int_equal(methods, GET | POST | PUT);
}

static void
parts_of_a_path_are_captured(void **state)
{
    (void)state;
    IS(&rows[4], "one", GET, "/a/things/x%y");
    assert_int_equal(m.n_captures, 1);
    CAPTURED(0, "name", "x%y");
    IS(&rows[5], "one", GET, "/a/v1/things/x/of/yz");
    assert_int_equal(m.n_captures, 2);
    CAPTURED(0, "name", "x");
    CAPTURED(1, "other", "yz");
    NONE("one", GET, "/a/things/");
    assert_int_equal(m.n_captures, 0);
    NONE("one", GET, "/a/things/x/");
    NONE("one", GET, "/a/things/x/of");
    NONE("one", GET, "/a/things/x/of/");
    NONE("one", GET, "/a/things/x/of/y/");
    NONE("one", GET, "/a/things/x/on/y");
}

/* "{x}/fixed" would fit the path as well. */
static void
a_path_without_parts_goes_before_patterns(void **state)
{
    (void)state;
    IS(&rows[10], "one", GET, "/b/any/fixed");
    CAPTURED(0, "x", "any");
    IS(&rows[6], "one", GET, "/a/fixed");
    assert_int_equal(m.n_captures, 0);
}

static void
a_path_has_at_most_four_parts(void **state)
{
    (void)state;
    IS(&rows[12], "deep", GET, "/p/q/r/s");
    assert_int_equal(m.n_captures, ROUTE_CAPTURES_MAX);
    CAPTURED(3, "d", "s");
    NONE("deep", GET, "/p/q/r/s/t");
    NONE("deep", GET, "/p/q/r");
}

static void
an_unknown_path_is_answered_by_the_nearest_mount(void **state)
{
    (void)state;
    NONE("one", GET, "/a/nothing");
    assert_ptr_equal(m.mount, &rows[0]);
    assert_ptr_equal(m.dialect, &one);
    NONE("one", GET, "/a/v1/nothing");
    assert_ptr_equal(m.mount, &rows[1]);
    NONE("one", GET, "/b/nothing");
    assert_ptr_equal(m.mount, &rows[8]);
    NONE("one", GET, "/nothing"); /* the first of the listener's */
    assert_ptr_equal(m.mount, &rows[0]);
    NONE("two", GET, "/nothing");
    assert_ptr_equal(m.mount, &rows[17]);
    NONE("two", GET, "/far/nothing");
    assert_ptr_equal(m.mount, &rows[19]);
    NONE("deep/x", GET, "/nothing");
    assert_ptr_equal(m.mount, &rows[11]);
    NONE("nowhere", GET, "/a/thing");
    assert_null(m.mount);
    assert_null(m.dialect);
}

static void
a_star_takes_every_path(void **state)
{
    unsigned methods;

    (void)state;
    IS(&other_rows[1], "verbs", POST, "/");
    IS(&other_rows[1], "verbs", POST, "/some/where/");
    assert_true(m.group->by_verb);
    assert_int_equal(m.n_captures, 0);
    assert_ptr_equal(route_row(m.group, POST, "stop", &methods),
                     &other_rows[2]);
    assert_int_equal(methods, POST | PUT);
    assert_ptr_equal(route_row(m.group, PUT, "stop", &methods), &other_rows[2]);
    assert_null(route_row(m.group, PUT, "go", &methods));
    assert_int_equal(methods, POST);
    assert_null(route_row(m.group, POST, "fly", &methods));
    assert_int_equal(methods, 0);
    assert_ptr_equal(route_row(m.group, OPTIONS, NULL, &methods),
                     &other_rows[3]);
    assert_int_equal(methods, POST | PUT | OPTIONS);
    IS(&other_rows[5], "any", GET, "/");
    assert_false(m.group->by_verb);
    IS(&other_rows[10], "star", GET, "/below/some/where");
    NONE("star", GET, "/belowground");
}

static void
a_star_ends_a_pattern(void **state)
{
    (void)state;
    IS(&other_rows[1], "verbs", POST, "/sub/y");
    route_find("verbs", "/sub/xyz", &m);
    assert_non_null(m.group); /* of the two that fit, the first */
    assert_ptr_equal(m.group->rows[0], &other_rows[1]);
}

/* A listener whose dialect reads the path itself. */
static void
a_dialect_may_take_any_path_as_its_root(void **state)
{
    (void)state;
    IS(&other_rows[6], "any", GET, "/known");
    IS(&other_rows[5], "any/tail", GET, "/unknown");
    assert_ptr_equal(m.mount, &other_rows[4]);
    NONE("one", GET, "/unknown");
}

static void
what_is_not_found_has_no_parts(void **state)
{
    (void)state;
    IS(&rows[4], "one", GET, "/a/things/x");
    assert_int_equal(m.n_captures, 1);
    route_find("one", "/a/things/x/of/y/z", &m);
    assert_null(m.group);
    assert_int_equal(m.n_captures, 0);
}

static void
rows_are_numbered_through_all_dialects(void **state)
{
    (void)state;
    assert_int_equal(tables_row(&one, &rows[3]), 3);
    assert_int_equal(tables_row(&other, &other_rows[2]), N_ROWS + 2);
    assert_int_equal(tables_row(&many, &many_rows[1]),
                     N_ROWS + COUNT(other_rows) + 1);
}

static void
verbs_have_variants_by_encoding(void **state)
{
    static const struct row variants[] = {
        { .kind = ROW_VARIANT, .verb = "go", .encoding = "D1" },
    };
    static const struct dialect first = { .rows = variants, .n_rows = 1 };

    (void)state;
    assert_ptr_equal(route_variant(&one, "go", "D2"), &rows[14]);
    assert_ptr_equal(route_variant(&one, "go", "D3"), &rows[15]);
    assert_ptr_equal(route_variant(&one, "stop", "D3"), &rows[16]);
    assert_null(route_variant(&one, "stop", "D2"));
    assert_null(route_variant(&one, "fly", "D3"));
    assert_null(route_variant(&one, "beyond", "D3"));
    assert_null(route_variant(&other, "go", "D3"));
    assert_ptr_equal(route_variant(&first, "go", "D1"), &variants[0]);
}

static void
listeners_are_known_by_their_first_part(void **state)
{
    (void)state;
    assert_true(route_knows_listener("one"));
    assert_true(route_knows_listener("one/m1"));
    assert_true(route_knows_listener("any"));
    assert_false(route_knows_listener("on"));
    assert_false(route_knows_listener("onf"));
    assert_false(route_knows_listener("one1"));
    assert_false(route_knows_listener(""));
    assert_ptr_equal(route_dialect("one/m1"), &one);
    assert_ptr_equal(route_dialect("verbs"), &other);
    assert_ptr_equal(route_dialect("many"), &many);
    assert_null(route_dialect("nobody"));
}

static void
every_path_of_many_is_found(void **state)
{
    char path[32];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        IS(&many_rows[i + 1], "many", GET, many_paths[i]);
        (void)snprintf(path, sizeof(path), "%sx", many_paths[i]);
        NONE("many", GET, path);
    }
}

static void
groups_stand_in_the_order_of_definition(void **state)
{
    size_t n;
    const struct route_group *g = route_groups(&n);

    (void)state;
    assert_int_equal(n, 4 * 2 + 2 + 2 + 2 + 1 + 2 + 1 + 1 + MANY);
    assert_string_equal(g[0].path, "/a/thing");
    assert_int_equal(g[0].n, 2);
    assert_string_equal(g[1].path, "/a/v1/thing");
    assert_string_equal(g[2].path, "/a/things/{name}");
    assert_string_equal(g[8].path, "/b/thing");
    assert_int_equal(g[8].n, 1);
}

/* Tools and tests begin more than once. */
static void
a_second_start_changes_nothing(void **state)
{
    size_t n, again;
    const struct route_group *g = route_groups(&n);

    (void)state;
    assert_int_equal(route_init(), ERR_OK);
    assert_ptr_equal(route_groups(&again), g);
    assert_int_equal(again, n);
}

static int
setup(void **state)
{
    (void)state;
    many_rows[0] = (struct row)AT("many", "");
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(many_paths[i], sizeof(many_paths[i]), "/path%d", i);
        many_rows[i + 1] = (struct row)ROW(GET, many_paths[i], "-");
    }
    return route_init() == ERR_OK ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_found_below_each_of_its_mounts),
        cmocka_unit_test(rows_of_a_path_differ_by_method),
        cmocka_unit_test(parts_of_a_path_are_captured),
        cmocka_unit_test(a_path_without_parts_goes_before_patterns),
        cmocka_unit_test(a_path_has_at_most_four_parts),
        cmocka_unit_test(an_unknown_path_is_answered_by_the_nearest_mount),
        cmocka_unit_test(a_star_takes_every_path),
        cmocka_unit_test(a_star_ends_a_pattern),
        cmocka_unit_test(a_dialect_may_take_any_path_as_its_root),
        cmocka_unit_test(what_is_not_found_has_no_parts),
        cmocka_unit_test(rows_are_numbered_through_all_dialects),
        cmocka_unit_test(verbs_have_variants_by_encoding),
        cmocka_unit_test(listeners_are_known_by_their_first_part),
        cmocka_unit_test(every_path_of_many_is_found),
        cmocka_unit_test(groups_stand_in_the_order_of_definition),
        cmocka_unit_test(a_second_start_changes_nothing),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
