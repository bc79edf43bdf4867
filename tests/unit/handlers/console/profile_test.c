/* A profile is asked of the process that the path names, and of no other. */
#include "console/console.h"
#include "log.h"

static const char *some_process(void);
static enum err asked(const char *what);

#define log_process             some_process
#define pprof_profile(req, ...) asked("profile")
#define pprof_heap(req, ...)    asked("heap")
#define pprof_growth(req, ...)  asked("growth")
#define pprof_symbol_count(...) asked("count")
#define pprof_symbol_names(...) asked("names")
#define pprof_cmdline(...)      asked("cmdline")
#define SOURCE                  "console/profile.c"
#include "console_fixture.h"

static const char *process; /* which one we are */
static const char *said;    /* what it was asked for */

static const char *
some_process(void)
{
    return process;
}

static enum err
asked(const char *what)
{
    said = what;
    return ERR_OK;
}

/* Whether we are the process that is asked. */
static bool
is(const char *we, const char *path, const char *name)
{
    struct console_process in = { 0 };
    enum err e;

    said = NULL;
    refused = -1;
    process = we;
    r.path = path;
    PUT(&in, console_process, process, name);
    e = console_cmdline(&r, &in);
    if (e == ERR_OK) {
        assert_string_equal(said, "cmdline");
        return true;
    }
    assert_int_equal(refused, CONSOLE_PROCESS_UNKNOWN);
    assert_null(said);
    return false;
}

static void
a_worker_is_known_by_its_number(void **state)
{
    (void)state;
    assert_true(is("serve-0", "/worker/0/pprof/cmdline", "0"));
    assert_true(is("serve-12", "/worker/12/pprof/cmdline", "12"));
    assert_false(is("serve-0", "/worker/1/pprof/cmdline", "1"));
    assert_false(is("serve-1", "/worker/12/pprof/cmdline", "12"));
    assert_false(is("serve-12", "/worker/1/pprof/cmdline", "1"));
    assert_false(is("serve-0", "/worker/00/pprof/cmdline", "00"));
    assert_false(is("serve-0", "/worker/serve-0/pprof/cmdline", "serve-0"));
    /* no number of ours, and no daemon's name */
    assert_false(is("control-0", "/worker/0/pprof/cmdline", "0"));
    assert_false(
        is("control-m1", "/worker/control-m1/pprof/cmdline", "control-m1"));
    assert_false(is("serve", "/worker/0/pprof/cmdline", "0"));
}

static void
another_daemon_is_known_by_its_name(void **state)
{
    (void)state;
    assert_true(
        is("control-m1", "/role/control-m1/pprof/cmdline", "control-m1"));
    assert_false(
        is("control-m1", "/role/control-m2/pprof/cmdline", "control-m2"));
    assert_false(
        is("control-m2", "/role/control-m1/pprof/cmdline", "control-m1"));
    assert_false(is("serve-0", "/role/0/pprof/cmdline", "0"));
    assert_false(is("control-m1", "/role/m1/pprof/cmdline", "m1"));
}

static void
each_kind_is_what_is_asked_for(void **state)
{
    struct console_process to = { 0 };
    struct console_profile in = { 0 };

    (void)state;
    process = "control-m1";
    r.path = "/role/control-m1/pprof/x";
    PUT(&to, console_process, process, process);
    PUT(&in, console_profile, process, process);
    assert_int_equal(console_profile_cpu(&r, &in), ERR_OK);
    assert_string_equal(said, "profile");
    assert_int_equal(console_profile_heap(&r, &in), ERR_OK);
    assert_string_equal(said, "heap");
    assert_int_equal(console_profile_growth(&r, &in), ERR_OK);
    assert_string_equal(said, "growth");
    assert_int_equal(console_symbol_count(&r, &to), ERR_OK);
    assert_string_equal(said, "count");
    assert_int_equal(console_symbol_names(&r, &to), ERR_OK);
    assert_string_equal(said, "names");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_worker_is_known_by_its_number),
        TEST(another_daemon_is_known_by_its_name),
        TEST(each_kind_is_what_is_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
