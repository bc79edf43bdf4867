/* Who asks, who leads, which hosts and processes there are. */
#include <stdio.h>

#include "children.h"
#include "coherence.h"
#include "console/console.h"
#include "metrics.h"

static enum err
some_leases(struct db *db, struct arena *a, struct list_of_console_duty *out);
static enum err
some_hosts(struct db *db, struct arena *a, struct list_of_coherence_host *out);
static bool some_is_own(const char *host);
static enum err some_children(struct arena *a, int timeout_ms,
                              struct child_told **out, size_t *n);
static enum err some_process(size_t i, struct metrics_process *out);

#define console_store_leases some_leases
#define coherence_list       some_hosts
#define coherence_is_own     some_is_own
#define children_told        some_children
#define metrics_process(...) some_process(__VA_ARGS__)
#define SOURCE               "console/who.c"
#include "console_fixture.h"

static const struct none nothing;

/* ---- who asks ---- */

static void
rights_and_dialects_are_told(void **state)
{
    (void)state;
    r.rights = SCOPE_READ | SCOPE_PROFILE;
    r.token_name = "t";
    assert_int_equal(console_whoami_get(&r, &nothing), ERR_OK);
    assert_string_equal(
        answer,
        arena_printf(arena,
                     "{\"name\":\"t\",\"rights\":[\"read\",\"profile\"],"
                     "\"secrets\":false,\"version\":\"%s\",\"commit\":\"%s\","
                     "\"dialects\":[\"one\",\"two\",\"three\",\"four\","
                     "\"five\"],\"in_topology\":[\"two\",\"four\",\"five\"]}",
                     build_version, build_revision()));
}

static void
each_right_has_its_word(void **state)
{
    (void)state;
    r.rights =
        SCOPE_READ | SCOPE_WRITE | SCOPE_ADMIN | SCOPE_PROFILE | SCOPE_MACHINE;
    r.see_secrets = true;
    assert_int_equal(console_whoami_get(&r, &nothing), ERR_OK);
    assert_memory_equal(answer,
                        "{\"name\":\"\",\"rights\":[\"read\",\"write\","
                        "\"admin\",\"profile\",\"machine\"],\"secrets\":true,",
                        80);
    r.rights = 0;
    assert_int_equal(console_whoami_get(&r, &nothing), ERR_OK);
    assert_memory_equal(answer, "{\"name\":\"\",\"rights\":[],", 23);
}

/* ---- who leads ---- */

static struct console_duty leases[8];
static size_t n_leases;
static enum err leases_say;

static struct console_duty *
lease(const char *name, const char *owner, int64_t expires_ms)
{
    struct console_duty *d = &leases[n_leases++];

    *d = (struct console_duty){ 0 };
    PUT(d, console_duty, name, name);
    PUT(d, console_duty, owner, owner);
    PUT(d, console_duty, expires_ms, expires_ms);
    PUT(d, console_duty, now_ms, 10);
    return d;
}

static enum err
some_leases(struct db *db, struct arena *a, struct list_of_console_duty *out)
{
    (void)db;
    (void)a;
    *out = (struct list_of_console_duty){ .n = n_leases, .v = leases };
    return leases_say;
}

static const char *
duties(void)
{
    assert_int_equal(console_duties_get(&r, &nothing), ERR_OK);
    return answer;
}

static void
a_lease_tells_who_has_it_and_where(void **state)
{
    (void)state;
    lease("four.a", "m1@name/0123", 11);
    lease("outside", "m2", 10); /* has ended just now */
    lease("own", "", 12);
    lease("two.a", "m3@", 9);
    assert_string_equal(
        duties(), "{\"items\":["
                  "{\"name\":\"four.a\",\"dialect\":\"four\",\"held\":true,"
                  "\"leader\":\"m1\",\"host\":\"name/0123\","
                  "\"expires_ms\":11},"
                  "{\"name\":\"outside\",\"dialect\":\"two\",\"held\":false,"
                  "\"leader\":\"m2\",\"expires_ms\":10},"
                  "{\"name\":\"own\",\"held\":false,\"expires_ms\":12},"
                  "{\"name\":\"two.a\",\"dialect\":\"two\",\"held\":false,"
                  "\"leader\":\"m3\",\"host\":\"\",\"expires_ms\":9}]}");
}

/* By the name before the dot when no table has it. */
static void
whose_lease_it_is(void **state)
{
    (void)state;
    lease("four.more", "m1", 11);
    lease("five", "m1", 11);
    lease("fou.r", "m1", 11);
    lease("fourth.x", "m1", 11);
    lease("xour.more", "m1", 11);
    duties();
    for (size_t i = 0; i < n_leases; i++)
        assert_non_null(strstr(
            answer, arena_printf(arena, "{\"name\":\"%s\",%s\"held\":true,",
                                 leases[i].name,
                                 i == 0   ? "\"dialect\":\"four\","
                                 : i == 1 ? "\"dialect\":\"five\","
                                          : "")));
}

static void
duties_that_nobody_ever_had_come_last(void **state)
{
    (void)state;
    assert_string_equal(
        duties(), "{\"items\":["
                  "{\"name\":\"own\",\"held\":false},"
                  "{\"name\":\"two.a\",\"dialect\":\"two\",\"held\":false},"
                  "{\"name\":\"outside\",\"dialect\":\"two\",\"held\":false},"
                  "{\"name\":\"four.a\",\"dialect\":\"four\","
                  "\"held\":false}]}");
    lease("a", "", 1);
    lease("b", "", 1);
    lease("outside", "", 1);
    assert_string_equal(
        duties(), "{\"items\":["
                  "{\"name\":\"a\",\"held\":false,\"expires_ms\":1},"
                  "{\"name\":\"b\",\"held\":false,\"expires_ms\":1},"
                  "{\"name\":\"outside\",\"dialect\":\"two\","
                  "\"held\":false,\"expires_ms\":1},"
                  "{\"name\":\"own\",\"held\":false},"
                  "{\"name\":\"two.a\",\"dialect\":\"two\",\"held\":false},"
                  "{\"name\":\"four.a\",\"dialect\":\"four\","
                  "\"held\":false}]}");
}

static void
leases_that_cannot_be_read_are_no_duties(void **state)
{
    (void)state;
    leases_say = ERR_STORE;
    assert_int_equal(console_duties_get(&r, &nothing), ERR_STORE);
    assert_null(answer);
}

/* ---- hosts ---- */

static size_t n_hosts;
static enum err hosts_say;

static enum err
some_hosts(struct db *db, struct arena *a, struct list_of_coherence_host *out)
{
    static struct coherence_host v[4];

    (void)db;
    for (size_t i = 0; i < n_hosts; i++) {
        v[i].host = arena_printf(a, "h%zu", i);
        v[i].name = arena_printf(a, "name%zu", i);
        v[i].version = "1";
        v[i].listen = "l";
        v[i].shared = i == 2;
        v[i].since_ms = (int64_t)i;
    }
    *out = (struct list_of_coherence_host){ .n = n_hosts, .v = v };
    return hosts_say;
}

static bool
some_is_own(const char *host)
{
    return strcmp(host, "h1") == 0;
}

static const char *
host(size_t i)
{
    return arena_printf(arena,
                        "{\"host\":\"h%zu\",\"name\":\"name%zu\","
                        "\"version\":\"1\",\"listen\":\"l\",\"shared\":%s,"
                        "\"since_ms\":%zu,\"own\":%s}",
                        i, i, i == 2 ? "true" : "false", i,
                        i == 1 ? "true" : "false");
}

static void
each_host_is_told_and_which_answers(void **state)
{
    (void)state;
    n_hosts = 4;
    assert_int_equal(console_hosts_get(&r, &nothing), ERR_OK);
    assert_string_equal(answer,
                        arena_printf(arena, "{\"items\":[%s,%s,%s,%s]}",
                                     host(0), host(1), host(2), host(3)));
    n_hosts = 0;
    assert_int_equal(console_hosts_get(&r, &nothing), ERR_OK);
    assert_string_equal(answer, "{\"items\":[]}");
    hosts_say = ERR_STORE;
    assert_int_equal(console_hosts_get(&r, &nothing), ERR_STORE);
}

/* ---- processes ---- */

static struct child_told kept[CHILDREN_MAX + 3];
static size_t n_kept;
static enum err kept_say;

static enum err
some_children(struct arena *a, int timeout_ms, struct child_told **out,
              size_t *n)
{
    (void)a;
    assert_true(timeout_ms > 0);
    *out = kept;
    *n = n_kept;
    return kept_say;
}

static size_t n_counting;

/* One in three has no name. */
static enum err
some_process(size_t i, struct metrics_process *out)
{
    if (i >= n_counting)
        return ERR_NOT_FOUND;
    *out =
        (struct metrics_process){ .pid = (int32_t)(10 + i), .alive = i != 1 };
    if (i % 3 != 2)
        snprintf(out->name, sizeof(out->name), "p%zu", i);
    return ERR_OK;
}

static void
children_of_up_are_told(void **state)
{
    (void)state;
    kept_say = ERR_OK;
    n_kept = 3;
    kept[0] = (struct child_told){ "nginx", "running", 7, 0 };
    kept[1] = (struct child_told){ "serve-0", "stopped", 0, 2 };
    kept[2] = (struct child_told){ "serve-1", "starting", 1, 0 };
    n_counting = 9;
    assert_int_equal(console_children_get(&r, &nothing), ERR_OK);
    assert_string_equal(
        answer, "{\"items\":["
                "{\"name\":\"nginx\",\"state\":\"running\",\"pid\":7,"
                "\"alive\":true,\"restarts\":0},"
                "{\"name\":\"serve-0\",\"state\":\"stopped\",\"pid\":0,"
                "\"alive\":false,\"restarts\":2},"
                "{\"name\":\"serve-1\",\"state\":\"starting\",\"pid\":1,"
                "\"alive\":true,\"restarts\":0}]}");
    n_kept = 0;
    assert_int_equal(console_children_get(&r, &nothing), ERR_OK);
    assert_string_equal(answer, "{\"items\":[]}");
}

static void
without_up_those_that_count_are(void **state)
{
    (void)state;
    kept_say = ERR_NOT_FOUND;
    n_counting = 5;
    assert_int_equal(console_children_get(&r, &nothing), ERR_OK);
    assert_string_equal(answer,
                        "{\"items\":["
                        "{\"name\":\"p0\",\"state\":\"running\",\"pid\":10,"
                        "\"alive\":true},"
                        "{\"name\":\"p1\",\"state\":\"gone\",\"pid\":11,"
                        "\"alive\":false},"
                        "{\"name\":\"p3\",\"state\":\"running\",\"pid\":13,"
                        "\"alive\":true},"
                        "{\"name\":\"p4\",\"state\":\"running\",\"pid\":14,"
                        "\"alive\":true}]}");
}

/* How many are told, and the last. */
static void
told(size_t n, const char *last)
{
    const char *p = answer;
    size_t found = 0;

    while ((p = strstr(p, "\"name\":")) != NULL) {
        p += 7;
        found++;
        if (found == n)
            assert_memory_equal(p, last, strlen(last));
    }
    assert_int_equal(found, n);
}

static void
no_more_are_told_than_there_is_room_for(void **state)
{
    (void)state;
    kept_say = ERR_OK;
    n_kept = COUNT(kept);
    for (size_t i = 0; i < n_kept; i++)
        snprintf(kept[i].name, sizeof(kept[i].name), "c%zu", i);
    assert_int_equal(console_children_get(&r, &nothing), ERR_OK);
    told(CHILDREN_MAX, "\"c127\"");
    kept_say = ERR_NOT_FOUND;
    n_counting = 10000;
    assert_int_equal(console_children_get(&r, &nothing), ERR_OK);
    told(CHILDREN_MAX, "\"p190\"");
}

static int
begin_here(void **state)
{
    n_leases = n_hosts = n_kept = n_counting = 0;
    leases_say = hosts_say = kept_say = ERR_OK;
    return begin(state);
}
#define HERE(name) cmocka_unit_test_setup_teardown(name, begin_here, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(rights_and_dialects_are_told),
        HERE(each_right_has_its_word),
        HERE(a_lease_tells_who_has_it_and_where),
        HERE(whose_lease_it_is),
        HERE(duties_that_nobody_ever_had_come_last),
        HERE(leases_that_cannot_be_read_are_no_duties),
        HERE(each_host_is_told_and_which_answers),
        HERE(children_of_up_are_told),
        HERE(without_up_those_that_count_are),
        HERE(no_more_are_told_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
