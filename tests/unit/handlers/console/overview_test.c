/* The overview: what there is by kind, and all that is not well, the worst
 * first. */
#include "things_store.h"

static const char *
overview(void)
{
    assert_int_equal(console_overview_get(&r, &(struct none){ 0 }), ERR_OK);
    return answer;
}

static void
only_these(const struct stored *some, size_t n)
{
    stored = some;
    n_stored = n;
}

static void
the_overview_counts_by_dialect_and_kind(void **state)
{
    (void)state;
    assert_string_equal(
        overview(),
        "{\"level\":\"bad\",\"dialects\":["
        "{\"dialect\":\"two\",\"level\":\"bad\",\"holds\":["
        "{\"kind\":\"instance\",\"n\":2,\"warn\":1,\"bad\":0},"
        "{\"kind\":\"cluster\",\"n\":3,\"warn\":0,\"bad\":1}]},"
        "{\"dialect\":\"four\",\"level\":\"ok\",\"holds\":["
        "{\"kind\":\"node\",\"n\":1,\"warn\":0,\"bad\":0},"
        "{\"kind\":\"disk\",\"n\":1,\"warn\":0,\"bad\":0},"
        "{\"kind\":\"cluster\",\"n\":1,\"warn\":0,\"bad\":0}]},"
        "{\"dialect\":\"five\",\"level\":\"bad\",\"holds\":["
        "{\"kind\":\"feed\",\"n\":1,\"warn\":0,\"bad\":1}]}],"
        "\"not_well\":["
        "{\"id\":\"two/cluster/i1/c2\",\"key\":\"i1/c2\",\"parent\":\"two/"
        "instance/i1\","
        "\"dialect\":\"two\",\"kind\":\"cluster\",\"level\":\"bad\"},"
        "{\"id\":\"five/feed/"
        "f1\",\"key\":\"f1\",\"dialect\":\"five\",\"kind\":\"feed\","
        "\"level\":\"bad\"},"
        "{\"id\":\"two/instance/i2\",\"key\":\"i2\",\"dialect\":\"two\","
        "\"kind\":\"instance\",\"level\":\"warn\"}],"
        "\"open_jobs\":7,\"failed_jobs\":3}");
}

static void
it_is_as_well_as_the_worst(void **state)
{
    static const struct stored well[] = { { &four_views[0], "", "n", "",
                                            "ok" } };
    static const struct stored warn[] = {
        { &two_views[0], "", "i", "", "ok" },
        { &four_views[0], "", "n", "", "warn" },
    };
    static const struct stored bad[] = {
        { &two_views[0], "", "i", "", "warn" },
        { &two_views[1], "", "i", "c", "bad" },
        { &four_views[0], "", "n", "", "warn" },
    };

    (void)state;
    only_these(well, COUNT(well));
    assert_memory_equal(overview(), "{\"level\":\"ok\",", 14);
    assert_non_null(strstr(answer, "\"not_well\":[],"));
    only_these(warn, COUNT(warn));
    assert_memory_equal(overview(), "{\"level\":\"warn\",", 16);
    assert_string_equal(ids(strstr(answer, "not_well")), "four/node/n");
    assert_non_null(strstr(answer, "{\"dialect\":\"two\",\"level\":\"ok\""));
    assert_non_null(strstr(answer, "{\"dialect\":\"four\",\"level\":\"warn\""));
    only_these(bad, COUNT(bad));
    assert_memory_equal(overview(), "{\"level\":\"bad\",", 15);
    assert_string_equal(ids(strstr(answer, "not_well")),
                        "two/cluster/i/c two/instance/i four/node/n");
    assert_non_null(strstr(answer, "{\"dialect\":\"two\",\"level\":\"bad\""));
    only_these(NULL, 0);
    assert_memory_equal(overview(), "{\"level\":\"ok\",", 14);
}

/* A view that warns behind one that is bad makes nothing better. */
static void
the_level_of_a_dialect_is_that_of_its_worst_view(void **state)
{
    static const struct stored some[] = {
        { &four_views[0], "", "n", "", "bad" },
        { &four_views[1], "", "n", "d", "warn" },
        { &four_views[2], "", "i", "", "ok" },
    };

    (void)state;
    only_these(some, COUNT(some));
    assert_non_null(
        strstr(overview(), "{\"dialect\":\"four\",\"level\":\"bad\""));
}

static void
what_happened_is_no_part_of_it(void **state)
{
    static const struct stored some[] = { { &two_views[2], "", "9", "",
                                            "bad" } };

    (void)state;
    only_these(some, COUNT(some));
    assert_memory_equal(overview(), "{\"level\":\"ok\",", 14);
    assert_null(strstr(answer, "move"));
}

#define DUTY(name)                                               \
    "{\"id\":\"console/duty/" name "\",\"key\":\"" name          \
    "\",\"dialect\":\"console\","                                \
    "\"kind\":\"duty\",\"name\":\"" name "\",\"level\":\"bad\"," \
    "\"why\":\"nobody does it: no control has the lease\"}"

static void
a_duty_that_nobody_does_is_bad(void **state)
{
    (void)state;
    only_these(NULL, 0);
    n_leases = 0;
    lease("own", 11, 10);
    lease("two.a", 10, 10); /* it has ended just now */
    lease("four.a", 12, 11);
    lease("another", 9, 10); /* is nobody's duty */
    assert_non_null(strstr(
        overview(), "\"not_well\":[" DUTY("two.a") "," DUTY("outside") "],"));
    assert_memory_equal(answer, "{\"level\":\"bad\",", 15);
    n_leases = 0;
    assert_non_null(strstr(
        overview(), "\"not_well\":[" DUTY("own") "," DUTY("two.a") "," DUTY(
                        "outside") "," DUTY("four.a") "],"));
}

/* The worst of all are shown, a hundred. */
static void
a_hundred_are_shown(void **state)
{
    static char name[250][8];
    static struct stored many[250];
    const char *first;

    (void)state;
    for (size_t i = 0; i < COUNT(many); i++) {
        snprintf(name[i], sizeof(name[i]), "n%03zu", i);
        many[i] = (struct stored){ i < 120 ? &two_views[0] : &four_views[0], "",
                                   name[i], "", i < 200 ? "warn" : "bad" };
    }
    only_these(many, 100);
    ids(strstr(overview(), "not_well"));
    assert_string_equal(strrchr(ids(strstr(answer, "not_well")), ' '),
                        " two/instance/n099");
    only_these(many, COUNT(many));
    overview();
    assert_non_null(strstr(answer, "\"n\":120,\"warn\":120,\"bad\":0}"));
    assert_non_null(strstr(answer, "\"n\":130,\"warn\":80,\"bad\":50}"));
    first = ids(strstr(answer, "not_well"));
    assert_memory_equal(first, "four/node/n200 four/node/n201 ", 30);
    /* fifty that are bad, and as many others */
    assert_string_equal(strrchr(first, ' '), " two/instance/n049");
}

static void
what_cannot_be_counted_is_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        broken = &four_views[i];
        answer = NULL;
        assert_int_equal(console_overview_get(&r, &(struct none){ 0 }),
                         ERR_STORE);
        assert_null(answer);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(the_overview_counts_by_dialect_and_kind),
        HERE(it_is_as_well_as_the_worst),
        HERE(the_level_of_a_dialect_is_that_of_its_worst_view),
        HERE(what_happened_is_no_part_of_it),
        HERE(a_duty_that_nobody_does_is_bad),
        HERE(a_hundred_are_shown),
        HERE(what_cannot_be_counted_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
